//! Pipelines: what the lists beside the fixtures cannot say.

use crate::support::{ONES, changed, listed, pinned, sites};
use pin::{Format, Purpose, classify, recognise};

const G: Format = Format::Github;

#[test]
fn a_pin_stands_behind_the_docker_prefix() {
    let text = "on: push\njobs:\n  a:\n    steps:\n    - uses: docker://docker:26.1\n    - uses: \"Docker://a/b\" # x\n";
    assert_eq!(listed(G, text), ["5:22 tag docker:26.1", "6:23 bare a/b"]);
    assert_eq!(
        changed(text, &pinned(G, text)),
        ["    - uses: docker://docker:26.1@NINES", "    - uses: \"Docker://a/b@NINES\" # x"]
    );
    let pinned = text.replace("26.1", &format!("26.1@{ONES}"));
    assert_eq!(listed(G, &pinned)[0], format!("5:22 pinned docker:26.1@{ONES}"));
}

#[test]
fn the_uses_of_a_matrix_are_told_with_each_value() {
    let text = "jobs:\n  t:\n    strategy:\n      matrix:\n        image: [a/b:1, a/c:2]\n    container: ${{ matrix.image }}\n    services:\n      s: {image: \"${{ matrix.image }}\"}\n";
    let found = sites(G, text);
    let places = |at: usize| -> Vec<String> {
        let one =
            |alias: &pin::AliasPlace| format!("{}:{} {}", alias.line, alias.column, alias.path);
        found[at].aliases.iter().map(one).collect()
    };
    assert_eq!(found.len(), 2);
    for at in [0, 1] {
        assert_eq!(places(at), ["6:16 jobs.t.container", "8:18 jobs.t.services.s.image"]);
    }
    assert_eq!(found[1].path, "jobs.t.strategy.matrix.image[1]");
    assert_eq!(found[1].context.container.as_deref(), Some("t"));
}

#[test]
fn values_that_a_matrix_excludes_stay_equal_to_those_it_has() {
    let text = "jobs:\n  t:\n    strategy:\n      matrix:\n        image: [a/b:1, a/c:2]\n        exclude: [{image: 'a/b:1'}]\n    container: ${{ matrix.image }}\n";
    assert_eq!(
        changed(text, &pinned(G, text)),
        ["        image: [a/b:1@NINES, a/c:2@NINES]", "        exclude: [{image: 'a/b:1@NINES'}]"]
    );
}

#[test]
fn all_images_of_pipelines_are_for_pipelines() {
    let pipelines: Vec<&str> = Format::all()
        .filter(|format| format.purpose() == Purpose::Pipeline)
        .map(Format::name)
        .collect();
    let expected = [
        "github",
        "circleci",
        "gitlab-ci",
        "bitbucket",
        "drone",
        "cloud-build",
        "azure-pipelines",
        "buildkite",
        "woodpecker",
    ];
    for format in expected {
        assert!(pipelines.contains(&format), "{format}");
    }
}

#[test]
fn standard_input_is_told_by_what_stands_in_it() {
    let cases = [
        ("on: push\njobs: {}\n", Some(Format::Github)),
        ("runs:\n  using: composite\n", Some(Format::Github)),
        ("stages: [a]\nb:\n  script: [make]\n", Some(Format::GitlabCi)),
        ("jobs:\n- job: a\n  pool: {vmImage: x}\n", Some(Format::AzurePipelines)),
        ("version: 2.1\njobs:\n  a:\n    docker: []\n", Some(Format::Circleci)),
        ("pipelines:\n  default:\n  - step: {}\n", Some(Format::Bitbucket)),
        ("kind: pipeline\nsteps: []\n", Some(Format::Drone)),
        ("steps:\n- name: gcr.io/cloud-builders/go\n", Some(Format::CloudBuild)),
        ("steps:\n- label: a\n  command: b\n", Some(Format::Buildkite)),
        ("steps:\n- image: a\n  commands: [b]\n", Some(Format::Woodpecker)),
        ("metrics:\n  script: x\n  image: a\n", None),
        ("steps:\n- name: a\n", None),
    ];
    for (text, expected) in cases {
        assert_eq!(classify("-", text), expected, "{text:?}");
    }
}

#[test]
fn an_object_at_the_root_is_no_pipeline_whatever_else_it_has() {
    let heads = "on: 1\njobs: 1\nruns: {using: 1}\nstages: 1\n.a:\n  script: 1\nversion: 1\norbs: 1\npipelines: 1\nsteps:\n- step: {image: 1}\n- name: gcr.io/cloud-builders/x\n- task: 1\n- label: a\n- command: b\n- commands: c\n- docker: 1\n";
    for path in
        ["a.yaml", ".buildkite/a.yml", ".woodpecker/a.yml", ".circleci/a.yml", ".gitlab/ci/a.yml"]
    {
        let text = format!("apiVersion: v1\nkind: pipeline\n{heads}");
        assert_eq!(classify(path, &text), Some(Format::Kubernetes), "{path}");
        assert_ne!(classify(path, heads), Some(Format::Kubernetes), "{path}");
    }
    let why = recognise("x/.github/workflows/a.yml", "").map(|found| found.why);
    assert_eq!(why, Some("it stands in a folder of workflows"));
}

#[test]
fn a_word_that_azure_may_know_from_another_file_is_not_touched() {
    let text = "container: pg\nservices: {a: pg, b: org/pg, c: pg:16}\n";
    assert_eq!(
        listed(Format::AzurePipelines, text),
        ["1:12 opaque pg", "2:15 opaque pg", "2:22 bare org/pg", "2:33 tag pg:16"]
    );
    let declared = format!("resources: {{containers: [{{container: pg, image: a/b:1}}]}}\n{text}");
    assert_eq!(
        listed(Format::AzurePipelines, &declared),
        ["1:49 tag a/b:1", "3:22 bare org/pg", "3:33 tag pg:16"]
    );
}

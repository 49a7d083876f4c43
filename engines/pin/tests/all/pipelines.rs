//! Pipelines: what the lists beside the fixtures cannot say.

use crate::support::{NINES, ONES, answers, changed, listed, pinned, sites};
use pin::{Format, Purpose, ScanError, Style, What, classify, plan_pin, recognise, scan};
use proptest::prelude::*;

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
fn a_value_that_the_job_compares_is_left_to_a_person_with_the_line_to_use() {
    let text = "jobs:\n  t:\n    strategy:\n      matrix:\n        image: [a/b:1, a/c:2]\n    container: ${{ matrix.image }}\n    if: matrix.image != 'a/b:1'\n";
    let found = scan(G, text).expect("it is YAML");
    let plan = plan_pin(&found, &answers(&found.sites), Style::TagDigest);
    assert!(plan.edits.is_empty());
    let told: Vec<String> = plan.skipped.iter().map(|skipped| skipped.why.to_string()).collect();
    assert!(told[0].ends_with(&format!("`image: [a/b:1@{NINES}, a/c:2]`")), "{told:?}");
}

#[test]
fn a_list_that_several_jobs_share_notes_each_alias_once() {
    let text = "x: &i a/b:1\ny: &s [{uses: docker://a/c:1}, {uses: *i}]\njobs: {a: {container: *i, steps: *s}, b: {steps: *s}}\n";
    let text = text.replace("x: &i a/b:1", "x: &i docker://a/b:1").replace("container: *i, ", "");
    let found = sites(G, &text);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].aliases.len(), 1);
}

#[test]
fn lists_that_very_many_aliases_share_are_given_up() {
    let text = |entries: usize, jobs: usize| {
        let jobs: String = (0..jobs).map(|i| format!("  j{i}: {{steps: *s}}\n")).collect();
        format!("x: &s [{}]\njobs:\n{jobs}", "a, ".repeat(entries))
    };
    assert!(scan(G, &text(1_000, 1_000)).is_ok());
    let gone = scan(G, &text(20_000, 5_000));
    assert!(matches!(gone, Err(ScanError::Yaml { what: What::Lookups, .. })), "{gone:?}");
}

#[test]
fn a_matrix_that_very_many_places_use_is_given_up_in_time() {
    let services: String =
        (0..3_000).map(|i| format!("      s{i}: {{image: \"${{{{ matrix.a }}}}\"}}\n")).collect();
    let values = "a/b:1, ".repeat(1_000);
    let text = format!(
        "jobs:\n  j:\n    strategy: {{matrix: {{a: [{values}]}}}}\n    services:\n{services}"
    );
    let found = sites(G, &text);
    let aliases: usize = found.iter().map(|site| site.aliases.len()).sum();
    assert!(aliases <= 4_096, "{aliases}");
    let opaque = found.iter().filter(|site| site.text.starts_with("${{")).count();
    assert!(opaque >= 2_995, "{opaque}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_pipeline_like_text_is_read_or_refused(
        text in "(on|jobs|steps|pipelines|definitions|pipeline|services|image|resources|default|runs|orbs|executors|clone):( &a)?\n([ ]{1,6}(- )?(a|jobs|steps|step|container|containers|services|image|name|uses|pipe|script|docker|plugins|docker#v1|strategy|matrix|include|strategy: \\{matrix: \\{a|<<):( (x/y:1|docker://a/b:1|'docker://x'|\"\\$\\{\\{ matrix.a \\}\\}\"|\\$\\{\\{ matrix.a \\}\\}|\\*a|\\[a/b:1, \\*a\\]|!reference \\[a, b\\]|\\{image: c:1\\}|\\{\\{matrix\\}\\}))?\r?\n){0,10}"
    ) {
        pin::fuzz::any_text(&text);
    }
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
        ("steps:\n- label: a\n  command: b\n- wait\n", Some(Format::Buildkite)),
        ("steps:\n- label: a\n  command: b\n", None),
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

//! `indelible check`: what it lists, counts, and how it ends.

use crate::sandbox::{NINES, sandbox};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n        image: shop/api:1.4.2 # kept\n";

#[test]
fn check_names_the_line_of_a_floating_tag() {
    let run =
        sandbox().file("compose.yaml", "services: {api: {image: shop/api}}\n").run(["check", "."]);
    insta::assert_snapshot!(run, @r"
    compose.yaml:1:25: `shop/api` has no tag: it can move
    1 file, 1 reference, 0 pinned
    next: indelible pin compose.yaml
    [exit 1]
    ");
}

#[test]
fn check_needs_no_settings_and_no_path() {
    let sandbox = sandbox()
        .file("deploy/api.yaml", DEPLOYMENT)
        .file(".gitlab-ci.yml", "build: {script: [make]}\n")
        .file("Dockerfile", format!("FROM shop/base@{NINES}\nFROM scratch\n"))
        .file(".gitignore", "target\n")
        .file("target/Dockerfile", "FROM a\n");
    insta::assert_snapshot!(sandbox.run(["check"]), @r"
    noted, none of it fails:
      tags                1 place names a tag and no digest
      digest-without-tag  `shop/base@[nines]` has no tag: nobody can read which release it is (Dockerfile:1)
    2 files, 2 references, 1 pinned
    next: indelible pin .
    [exit 0]
    ");
    insta::assert_snapshot!(sandbox.run(["check", "--all"]), @r"
    Dockerfile:1:6: `shop/base@[nines]` is pinned
    Dockerfile:1:6: `shop/base@[nines]` has no tag: nobody can read which release it is
      |
    1 | FROM shop/base@[nines]
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ digest-without-tag
    Dockerfile:2:6: `scratch` is pulled from no registry
    deploy/api.yaml:9:16: `shop/api:1.4.2` is as strict as is asked for: tag
    noted, none of it fails:
      tags                1 place names a tag and no digest
      digest-without-tag  `shop/base@[nines]` has no tag: nobody can read which release it is (Dockerfile:1)
    2 files, 2 references, 1 pinned
    next: indelible pin .
    [exit 0]
    ");
}

#[test]
fn an_environments_folder_gets_its_level_and_its_alias_moves() {
    let settings = "version: 1\nenvironments:\n  prod: {branches: [prod], alias: blue, check: digest, git: {path: apps/prod}}\n";
    let sandbox = sandbox()
        .file("indelible.yaml", settings)
        .file("apps/prod/api.yaml", DEPLOYMENT)
        .file("apps/uat/api.yaml", DEPLOYMENT)
        .file("compose.yaml", "services: {web: {image: 'shop/web:blue'}}\n");
    insta::assert_snapshot!(sandbox.run(["check"]), @r"
    apps/prod/api.yaml:9:16: `shop/api:1.4.2` is not pinned: it names no digest (prod asks for a digest)
    compose.yaml:1:26: `shop/web:blue` is a tag that moves: `blue`
    noted, none of it fails:
      tags                1 place names a tag and no digest
    3 files, 3 references, 0 pinned
    next: indelible pin apps/prod/api.yaml compose.yaml
    [exit 1]
    ");
}

#[test]
fn what_variables_write_is_counted_and_never_called_safe() {
    let sandbox = sandbox().file(
        "compose.yaml",
        "services:\n  a: {image: 'shop/a:${TAG}'}\n  b: {image: shop/b} # indelible: ignore\n",
    );
    insta::assert_snapshot!(sandbox.run(["check"]), @r"
    1 file, 2 references, 0 pinned, 1 passed over by a comment, 1 could not be told
    [exit 0]
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_two_unless_the_answer_is_no_already() {
    let sandbox = sandbox().file("compose.yaml", "services:\n  a: {image: [}\n");
    let run = sandbox.run(["check"]);
    assert!(run.starts_with("compose.yaml: could not be read: line 2, column "), "{run}");
    assert!(run.ends_with("0 files, 0 references, 0 pinned, 1 unread\n[exit 2]\n"), "{run}");
    sandbox.write("docker-compose.yaml", "services: {a: {image: shop/base}}\n");
    let run = sandbox.run(["check", "--json"]);
    let json: serde_json::Value =
        serde_json::from_str(run.strip_suffix("[exit 1]\n").unwrap()).unwrap();
    assert_eq!((&json["counts"]["findings"], &json["counts"]["unread"]), (&1.into(), &1.into()));
    assert_eq!(json["unread"][0]["path"], "compose.yaml");
}

#[test]
fn json_has_a_version_and_everything_that_is_known_of_a_place() {
    let sandbox = sandbox().file("deploy/api.yaml", DEPLOYMENT.replace(":1.4.2", ""));
    insta::assert_snapshot!(sandbox.run(["check", "--format", "json"]), @r#"
    {
      "version": 1,
      "command": "check",
      "counts": {
        "files": 1,
        "looked_at": 1,
        "references": 1,
        "bases": 0,
        "pipelines": 0,
        "pinned": 0,
        "accepted": 0,
        "locked": 0,
        "findings": 1,
        "noted": 0,
        "known": 0,
        "ignored": 0,
        "ignored_files": 0,
        "unknown": 0,
        "templated": 0,
        "unread": 0
      },
      "findings": [
        {
          "path": "deploy/api.yaml",
          "line": 9,
          "column": 16,
          "place": "spec.template.spec.containers[0].image",
          "reference": "shop/api",
          "format": "kubernetes",
          "purpose": "workload",
          "level": "tag",
          "environment": null,
          "certain": true,
          "workload": {
            "kind": "Deployment",
            "name": "api",
            "container": "api"
          },
          "kind": "no-tag",
          "severity": "fails",
          "message": "`shop/api` has no tag: it can move",
          "known": false
        }
      ],
      "unread": [],
      "next": "indelible pin deploy/api.yaml"
    }
    [exit 1]
    "#);
}

#[test]
fn a_former_report_is_a_baseline() {
    let service = |name: &str| format!("  {name}: {{image: shop/a}}\n");
    let compose = |services: &[&str]| {
        format!("services:\n{}", services.iter().map(|name| service(name)).collect::<String>())
    };
    let sandbox = sandbox().file("compose.yaml", compose(&["a"]));
    let report = sandbox.output(["check", "--json"], b"").stdout;
    sandbox.write("known.json", report);
    // Lines move; a finding is known all the same.
    sandbox.write("compose.yaml", format!("# a comment\n{}", compose(&["a"])));
    insta::assert_snapshot!(sandbox.run(["check", "--baseline", "known.json"]), @r"
    1 file, 1 reference, 0 pinned, 1 known
    [exit 0]
    ");
    sandbox.write("compose.yaml", compose(&["a", "b"]));
    insta::assert_snapshot!(sandbox.run(["check", "--baseline", "known.json"]), @r"
    compose.yaml:3:14: `shop/a` has no tag: it can move
    1 file, 2 references, 0 pinned, 1 known
    next: indelible pin compose.yaml
    [exit 1]
    ");
    insta::assert_snapshot!(sandbox.run(["check", "--baseline", "nowhere.json"]), @r"
    [stderr]
    error: cannot read the baseline [folder]/nowhere.json
      caused by: No such file or directory (os error 2)
    hint: indelible check --format json > FILE
    [exit 2]
    ");
}

#[test]
fn github_gets_annotations_that_no_file_name_can_forge() {
    let sandbox = sandbox()
        .file("a,b:c/Dockerfile", "FROM shop/a\n")
        .file("d/compose.yaml", "services: {a: {image: 'shop/b@md5:00'}}\n");
    insta::assert_snapshot!(sandbox.run(["check", "-q", "--format", "github"]), @r"
    ::notice file=a%2Cb%3Ac/Dockerfile,line=1,col=6,title=no-tag::`shop/a` has no tag: it can move
    ::error file=d/compose.yaml,line=1,col=24,title=unknown-algorithm::`shop/b@md5:00` is no image reference: digest algorithm `md5` is not supported, only sha256 and sha512 are
    [exit 1]
    ");
}

#[test]
fn base_images_and_ci_images_are_shown_apart_and_fail_nothing() {
    let sandbox = sandbox()
        .file("api/Dockerfile", "FROM node:20 AS build\nFROM node:20\nCOPY --from=build /a /a\n")
        .file("web/Dockerfile", "FROM golang\nFROM shop/base:1.4.2\n");
    insta::assert_snapshot!(sandbox.run(["check"]), @r"
    noted, none of it fails:
      base images         3 of 4 can move: node:20 (2), golang
      tags                1 place names a tag and no digest
    2 files, 4 references, 0 pinned
    next: indelible pin api/Dockerfile web/Dockerfile
    [exit 0]
    ");
}

/// Services with twelve images: of the first image twelve places, of the second eleven, and so on.
fn many() -> String {
    let mut text = "services:\n".to_owned();
    for image in 1..=12 {
        let tag = match image % 3 {
            0 => "",
            1 => ":latest",
            _ => ":v2",
        };
        for place in 0..=12 - image {
            text.push_str(&format!("  s{image}-{place}: {{image: 'shop/i{image}{tag}'}}\n"));
        }
    }
    text
}

#[test]
fn many_findings_are_put_together_by_image_the_worst_first() {
    let sandbox = sandbox().file("compose.yaml", many()).file("Dockerfile", "FROM node:20\n");
    insta::assert_snapshot!(sandbox.run(["check"]), @r"
    78 places fail, of 12 images, the worst first:
    IMAGE     FINDING     NAMES   PLACES  FIRST
    shop/i1   alias-tag   latest      12  compose.yaml:2:18
    shop/i2   moving-tag  v2          11  compose.yaml:14:18
    shop/i3   no-tag                  10  compose.yaml:25:18
    shop/i4   alias-tag   latest       9  compose.yaml:35:18
    shop/i5   moving-tag  v2           8  compose.yaml:44:18
    shop/i6   no-tag                   7  compose.yaml:52:18
    shop/i7   alias-tag   latest       6  compose.yaml:59:18
    shop/i8   moving-tag  v2           5  compose.yaml:65:18
    shop/i9   no-tag                   4  compose.yaml:70:18
    shop/i10  alias-tag   latest       3  compose.yaml:74:19
    and 2 more; --all shows each place with its line
    noted, none of it fails:
      base images         1 of 1 can move: node:20
    2 files, 79 references, 0 pinned
    next: indelible pin Dockerfile compose.yaml
    [exit 1]
    ");
    let all = sandbox.run(["check", "--all"]);
    let shown = "compose.yaml:2:18: `shop/i1:latest` is a tag that moves: `latest`
  |
2 |   s1-0: {image: 'shop/i1:latest'}
  |                  ^^^^^^^^^^^^^^ alias-tag
";
    assert!(all.contains(shown), "{all}");
}

#[test]
fn ten_findings_have_a_line_each_and_eleven_are_put_together() {
    let services = |number: usize| {
        let service = |n: usize| format!("  s{n}: {{image: shop/a}}\n");
        format!("services:\n{}", (0..number).map(service).collect::<String>())
    };
    let sandbox = sandbox().file("compose.yaml", services(10));
    assert_eq!(sandbox.run(["check", "-q"]).lines().count(), 11);
    sandbox.write("compose.yaml", services(11));
    insta::assert_snapshot!(sandbox.run(["check", "-q"]), @r"
    11 places fail, of 1 image, the worst first:
    IMAGE   FINDING  NAMES  PLACES  FIRST
    shop/a  no-tag              11  compose.yaml:2:15
    [exit 1]
    ");
}

#[test]
fn a_tag_that_a_rule_keeps_is_said_to_be_kept() {
    let sandbox = sandbox()
        .file("indelible.yaml", "version: 1\nrules: [{tag: 'v*', is: immutable}]\n")
        .file("compose.yaml", "services: {a: {image: 'shop/a:v1'}, b: {image: 'shop/b:1.4.2'}}\n");
    insta::assert_snapshot!(sandbox.run(["check", "--all"]), @r"
    compose.yaml:1:24: `shop/a:v1` cannot move: a rule of the settings keeps it
    compose.yaml:1:49: `shop/b:1.4.2` is as strict as is asked for: tag
    noted, none of it fails:
      tags                2 places name a tag and no digest; in 1 of them the tag cannot move: a rule of the settings keeps it
    1 file, 2 references, 0 pinned
    next: indelible pin .
    [exit 0]
    ");
}

/// Source: docs/findings.md is what `helpUri`s and people are led to.
#[test]
fn each_finding_has_a_heading_that_says_what_it_means_and_what_to_do() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/findings.md");
    let text = std::fs::read_to_string(path).unwrap();
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    let headings: Vec<&str> = sections.iter().filter_map(|one| one.lines().next()).collect();
    let mut ids: Vec<&str> = pin::FindingKind::all().map(pin::FindingKind::id).collect();
    ids.extend(["unreachable", "unread"]);
    assert_eq!(headings, ids);
    for section in sections {
        let first = section.lines().nth(2).unwrap_or_default();
        let says = ["Fails", "Noted", "No finding"].iter().any(|word| first.starts_with(word));
        assert!(says && section.contains("To do:"), "{section}");
    }
}

#[test]
fn bad_input_is_two_and_names_the_thing() {
    let sandbox = sandbox().file("notes.txt", "FROM a\n");
    insta::assert_snapshot!(sandbox.run(["check", "nowhere"]), @r"
    [stderr]
    error: cannot open nowhere
      caused by: No such file or directory (os error 2)
    [exit 2]
    ");
    insta::assert_snapshot!(sandbox.run(["check", "notes.txt"]), @r"
    [stderr]
    notes.txt: no workload file that this version reads; passed over
    error: none of the named files is a workload file
    [exit 2]
    ");
}

#[test]
fn a_workload_file_that_is_too_large_is_never_passed_over() {
    let start = "apiVersion: apps/v1\nkind: Deployment\n";
    let large = format!("{start}#{}\nspec: {{image: shop/api}}\n", "x".repeat(8 << 20));
    let sandbox = sandbox().file("api.yaml", large);
    for path in [".", "api.yaml"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(sandbox.run(["check", path]), @r"
            api.yaml: could not be read: the file has more than 8388608 bytes
            0 files, 0 references, 0 pinned, 1 unread
            [exit 2]
            ");
        }
    }
}

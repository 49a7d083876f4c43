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
    2 files, 2 references, 1 pinned
    next: indelible pin .
    [exit 0]
    ");
    insta::assert_snapshot!(sandbox.run(["check", "--all"]), @r"
    Dockerfile:1:6: `shop/base@[nines]` is pinned
    Dockerfile:2:6: `scratch` is pulled from no registry
    deploy/api.yaml:9:16: `shop/api:1.4.2` is as strict as is asked for: tag
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
    sandbox.write("Dockerfile", "FROM shop/base\n");
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
        "pinned": 0,
        "accepted": 0,
        "findings": 1,
        "known": 0,
        "ignored": 0,
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
          "level": "tag",
          "environment": null,
          "certain": true,
          "workload": {
            "kind": "Deployment",
            "name": "api",
            "container": "api"
          },
          "kind": "no-tag",
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
    let sandbox = sandbox().file("Dockerfile", "FROM shop/a\n");
    let report = sandbox.output(["check", "--json"], b"").stdout;
    sandbox.write("known.json", report);
    // Lines move; a finding is known all the same.
    sandbox.write("Dockerfile", "# a comment\nFROM shop/a\n");
    insta::assert_snapshot!(sandbox.run(["check", "--baseline", "known.json"]), @r"
    1 file, 1 reference, 0 pinned, 1 known
    [exit 0]
    ");
    sandbox.write("Dockerfile", "FROM shop/a\nFROM shop/a\n");
    insta::assert_snapshot!(sandbox.run(["check", "--baseline", "known.json"]), @r"
    Dockerfile:2:6: `shop/a` has no tag: it can move
    1 file, 2 references, 0 pinned, 1 known
    next: indelible pin Dockerfile
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
        .file("d/Dockerfile", "FROM shop/b@md5:00\n");
    insta::assert_snapshot!(sandbox.run(["check", "-q", "--format", "github"]), @r"
    ::error file=a%2Cb%3Ac/Dockerfile,line=1,col=6,title=no-tag::`shop/a` has no tag: it can move
    ::error file=d/Dockerfile,line=1,col=6,title=unknown-algorithm::`shop/b@md5:00` is no image reference: digest algorithm `md5` is not supported, only sha256 and sha512 are
    [exit 1]
    ");
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

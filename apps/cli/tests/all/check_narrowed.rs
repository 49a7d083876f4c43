//! `check` of less than everything: what a branch changed, what the settings pass over, one file, what is staged.

use crate::sandbox::{Sandbox, sandbox};
use std::path::Path;
use std::process::Command;

fn git(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=ann", "-c", "user.email=ann@example.com"])
        .args(arguments)
        .current_dir(sandbox.path(""))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

const OLD: &str =
    "services:\n  a: {image: shop/a}\n  b: {image: shop/b}\n  c:\n    image: shop/c\n";

/// A branch of which `main` knows all but what follows.
fn branched() -> Sandbox {
    let sandbox = sandbox().file("compose.yaml", OLD).file("old/compose.yaml", OLD);
    git(&sandbox, &["init", "-q", "-b", "main"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "-q", "-m", "first"]);
    git(&sandbox, &["checkout", "-q", "-b", "feature"]);
    sandbox
}

#[test]
fn only_what_a_branch_changed_is_looked_at() {
    let sandbox = branched();
    sandbox.write("compose.yaml", OLD.replace("shop/b", "shop/new"));
    git(&sandbox, &["commit", "-q", "-a", "-m", "second"]);
    // What is not committed yet counts, and so does a file that git does not know.
    sandbox.write("old/compose.yaml", OLD.replace("shop/c", "shop/d"));
    sandbox.write("größe a/compose.yaml", "services: {x: {image: shop/x}}\n");
    insta::assert_snapshot!(sandbox.run(["check", "--changed-since", "main"]), @r"
    compose.yaml:3:14: `shop/new` has no tag: it can move
    größe a/compose.yaml:1:23: `shop/x` has no tag: it can move
    old/compose.yaml:5:12: `shop/d` has no tag: it can move
    3 files, 3 references, 0 pinned
    next: indelible pin compose.yaml 'größe a/compose.yaml' old/compose.yaml
    [exit 1]
    ");
    // What others did on main meanwhile is not this branch's.
    git(&sandbox, &["stash", "-q", "-u"]);
    git(&sandbox, &["checkout", "-q", "main"]);
    sandbox.write("old/compose.yaml", OLD.replace("shop/a", "shop/other"));
    git(&sandbox, &["commit", "-q", "-a", "-m", "meanwhile"]);
    git(&sandbox, &["checkout", "-q", "feature"]);
    insta::assert_snapshot!(sandbox.run(["check", "--changed-since", "main", "-q"]), @r"
    compose.yaml:3:14: `shop/new` has no tag: it can move
    [exit 1]
    ");
}

#[test]
fn an_attribute_that_calls_a_file_binary_hides_nothing() {
    let sandbox = branched();
    sandbox.write(".gitattributes", "* -diff\n");
    sandbox.write("compose.yaml", OLD.replace("shop/b", "shop/new"));
    let said = sandbox.run(["check", "--changed-since", "main"]);
    assert!(said.starts_with("compose.yaml:3:14: `shop/new` has no tag"), "{said}");
}

#[test]
fn a_commit_that_is_not_there_is_bad_input_and_no_option_of_git() {
    let sandbox = branched();
    for name in ["nowhere", "--output=x", "^main", "main..feature"] {
        let said = sandbox.run(["check", &format!("--changed-since={name}")]);
        assert!(
            said.contains("cannot tell what changed since") && said.ends_with("[exit 2]\n"),
            "{said}"
        );
    }
    assert!(!sandbox.path("x").exists());
    let outside = crate::sandbox::sandbox().file("compose.yaml", OLD);
    let said = outside.run(["check", "--changed-since", "main"]);
    assert!(said.contains("in no git repository") && said.ends_with("[exit 2]\n"), "{said}");
}

const SETTINGS: &str = "version: 1
ignore: ['vendor/**', '!vendor/ours/**']
environments:
  prod: {branches: [prod], check: digest, git: {path: prod}}
";

#[test]
fn what_the_settings_pass_over_is_counted_and_explained() {
    let sandbox = sandbox()
        .file("indelible.yaml", SETTINGS)
        .file("vendor/compose.yaml", OLD)
        .file("vendor/ours/compose.yaml", "services: {x: {image: shop/x}}\n")
        .file(
            "prod/compose.yaml",
            "services:\n  a: {image: 'shop/a:1.4.2'}\n  b: {image: shop/b} # indelible: ignore\n",
        )
        .file("notes.txt", "image: shop/a\n");
    insta::assert_snapshot!(sandbox.run(["check"]), @r"
    prod/compose.yaml:2:15: `shop/a:1.4.2` is not pinned: it names no digest (prod asks for a digest)
    vendor/ours/compose.yaml:1:23: `shop/x` has no tag: it can move
    2 files, 3 references, 0 pinned, 1 passed over by a comment, 1 passed over by `ignore`
    next: indelible pin prod/compose.yaml vendor/ours/compose.yaml
    [exit 1]
    ");
    insta::assert_snapshot!(sandbox.run(["check", "--explain", "prod/compose.yaml"]), @r"
    prod/compose.yaml
      read as   compose: it is called like a Compose file
      level     digest: prod asks for it
      ignore    no pattern of the settings fits
    prod/compose.yaml:2:15: `shop/a:1.4.2` is not pinned: it names no digest (prod asks for a digest)
      |
    2 |   a: {image: 'shop/a:1.4.2'}
      |               ^^^^^^^^^^^^ not-pinned
    prod/compose.yaml:3:14: `shop/b` is passed over: a comment asks for it
    [exit 1]
    ");
    insta::assert_snapshot!(sandbox.run(["check", "--explain", "vendor/compose.yaml"]), @r"
    vendor/compose.yaml
      read as   compose: it is called like a Compose file
      level     tag: it is below no environment's folder
      ignore    `vendor/**` passes over it
    [exit 0]
    ");
    let json = sandbox.run(["check", "--json", "--explain", "vendor/ours/compose.yaml"]);
    let json: serde_json::Value =
        serde_json::from_str(json.strip_suffix("[exit 1]\n").unwrap()).unwrap();
    assert_eq!((&json["ignore"], &json["ignored"]), (&"!vendor/ours/**".into(), &false.into()));
    assert_eq!(
        (&json["format"], &json["findings"][0]["kind"]),
        (&"compose".into(), &"no-tag".into())
    );
    let other = sandbox.run(["check", "--explain", "notes.txt"]);
    assert!(other.contains("no workload file"), "{other}");
}

/// Source: pre-commit.com, "Creating new hooks": the names of the staged files stand behind the entry.
#[test]
fn the_hook_judges_what_is_staged_and_lets_other_files_be() {
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.pre-commit-hooks.yaml");
    let hooks = std::fs::read_to_string(hooks).unwrap();
    let entry =
        hooks.lines().find_map(|line| line.trim().strip_prefix("entry: indelible ")).unwrap();
    let sandbox = branched();
    let staged = |sandbox: &Sandbox| -> String {
        git(sandbox, &["add", "."]);
        let names = git(sandbox, &["diff", "--cached", "--name-only", "-z"]);
        let names = names.split('\0').filter(|name| !name.is_empty());
        sandbox.run(entry.split(' ').chain(names))
    };
    sandbox.write("notes.md", "image: shop/a\n");
    insta::assert_snapshot!(staged(&sandbox), @r"
    0 files, 0 references, 0 pinned
    [exit 0]
    ");
    sandbox.write("new/compose.yaml", "services: {x: {image: shop/x}}\n");
    insta::assert_snapshot!(staged(&sandbox), @r"
    new/compose.yaml:1:23: `shop/x` has no tag: it can move
    1 file, 1 reference, 0 pinned
    next: indelible pin new/compose.yaml
    [exit 1]
    ");
}

//! Questions that cannot be answered as they were asked, and who is said to have acted.

use crate::sandbox::{Sandbox, names, sandbox};
use std::path::Path;
use std::process::Command;

fn settings(record: &str) -> String {
    format!(
        "version: 1
record: {record}
images:
  api: {{repository: registry.example.com/shop/api, tags: [timestamp-env]}}
environments:
  uat: {{branches: [develop], deploy: files, git: {{path: uat}}}}
  prod: {{branches: [prod], promotes-from: uat, deploy: files, git: {{path: prod}}}}
"
    )
}

/// A folder with settings, and a record in which prod is held.
fn held() -> Sandbox {
    let sandbox = sandbox().file("indelible.yaml", settings("local"));
    let said = sandbox.run(["hold", "prod", "--reason", "audit"]);
    assert!(said.ends_with("[exit 0]\n"), "{said}");
    sandbox
}

/// What git prints, with nobody's settings but the repository's.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_AUTHOR_NAME")
        .env_remove("GIT_AUTHOR_EMAIL")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A repository of Ada's with settings whose record is a branch of it.
fn repository() -> Sandbox {
    let sandbox = sandbox().file("indelible.yaml", settings("git"));
    let folder = sandbox.path("");
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["config", "user.name", "Ada Lovelace"],
        &["config", "user.email", "ada@shop.example"],
        &["add", "."],
        &["commit", "--quiet", "-m", "first"],
        &["commit", "--quiet", "--allow-empty", "-m", "second"],
    ] {
        git(&folder, arguments);
    }
    sandbox
}

#[test]
fn an_environment_that_nobody_knows_is_said_and_not_shown_as_empty() {
    let sandbox = held();
    let unknown = "[stderr]
error: neither the settings nor the record know an environment `nope`; they know prod, uat
[exit 2]
";
    assert_eq!(sandbox.run(["ran", "nope"]), unknown);
    assert_eq!(sandbox.run(["history", "nope"]), unknown);
    // One of which nothing is recorded is another answer.
    let nothing = sandbox.run(["history", "uat"]);
    assert!(nothing.starts_with("unknown: no deploy is recorded\n"), "{nothing}");
    assert!(nothing.contains("gap: no deploy to uat is recorded\n"), "{nothing}");
    assert!(nothing.ends_with("[exit 2]\n"), "{nothing}");
    // Without settings the record alone is asked.
    let kept = sandbox.home().join(".local/share/indelible");
    let record = kept.join(names(&kept).first().unwrap()).join("record.db");
    let record = format!("file:{}", record.display());
    std::fs::remove_file(sandbox.path("indelible.yaml")).unwrap();
    let unknown = sandbox.run(["ran", "uat", "--record", &record]);
    assert!(unknown.contains("know an environment `uat`; they know none\n"), "{unknown}");
    let known = sandbox.run(["ran", "prod", "--record", &record]);
    assert!(known.starts_with("unknown: nothing is recorded\n"), "{known}");
}

#[test]
fn a_time_that_ends_before_it_begins_is_wrong_usage() {
    let sandbox = held();
    for question in [&["history", "prod"][..], &["exposure", "--missing-commit", "1a2b3c4"]] {
        let span = ["--from", "2026-04-01T00:00:00Z", "--to", "2026-03-01T00:00:00Z"];
        let said = sandbox.run([question, &span, &["-q"]].concat());
        let empty =
            "error: the time from 2026-04-01T00:00:00.000Z to 2026-03-01T00:00:00.000Z is empty";
        assert!(said.contains(empty), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
}

#[test]
fn a_commit_that_a_shallow_clone_lacks_is_told_with_the_command_that_brings_it() {
    let sandbox = repository();
    let folder = sandbox.path("");
    let held = sandbox.run(["hold", "prod"]);
    assert!(held.ends_with("[exit 0]\n"), "{held}");
    let first = git(&folder, &["rev-parse", "HEAD~1"]);
    let url = format!("file://{}", folder.display());
    git(&folder, &["clone", "--quiet", "--depth=1", &url, "shallow"]);
    let record = format!("git:{url}");
    let output = sandbox.output(
        [
            "--config",
            "shallow/indelible.yaml",
            "--record",
            &record,
            "exposure",
            "--missing-commit",
            &first,
        ],
        b"",
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("in this checkout, and its past is cut off\n"), "{said}");
    assert!(said.ends_with("hint: git fetch --unshallow\n"), "{said}");
}

#[test]
fn a_laptop_is_recorded_by_the_name_that_its_checkout_has_and_as_claimed() {
    let sandbox = repository();
    let held = sandbox.run(["hold", "prod"]);
    assert!(held.ends_with("[exit 0]\n"), "{held}");
    let folder = sandbox.path("");
    let commit = git(&folder, &["log", "--format=%an <%ae>", "indelible/record"]);
    assert_eq!(commit, "Ada Lovelace <ada@shop.example>");
    let event = git(&folder, &["ls-tree", "-r", "--name-only", "indelible/record"]);
    let event = git(&folder, &["show", &format!("indelible/record:{event}")]);
    // The branch proves that whoever wrote it may push; the name is a claim: docs/record.md, "Who".
    assert!(event.starts_with(r#"{"actor":{"name":"Ada Lovelace","proof":"git"}"#), "{event}");
}

#[test]
fn a_question_to_a_branch_that_nobody_began_says_so_and_does_not_begin_it() {
    let sandbox = repository();
    let said = sandbox.run(["history", "prod"]);
    assert!(
        said.contains("error: there is no record at [folder] branch indelible/record\n"),
        "{said}"
    );
    assert!(said.contains("hint: the first `indelible publish` begins the branch"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    assert_eq!(git(&sandbox.path(""), &["branch", "--list", "indelible/*"]), "");
}

#[test]
fn what_verify_finds_is_not_answered_with_the_hint_to_verify() {
    let sandbox = repository();
    let folder = sandbox.path("");
    let held = sandbox.run(["hold", "prod"]);
    assert!(held.ends_with("[exit 0]\n"), "{held}");
    git(&folder, &["clone", "--quiet", "--branch", "indelible/record", ".", "other"]);
    let other = sandbox.path("other");
    git(&other, &["config", "user.name", "Eve"]);
    git(&other, &["config", "user.email", "eve@shop.example"]);
    let event = git(&other, &["ls-files"]);
    std::fs::write(other.join(&event), "{}").unwrap();
    git(&other, &["commit", "--quiet", "--all", "-m", "nothing"]);
    git(&other, &["push", "--quiet", "origin", "indelible/record"]);
    let found = sandbox.run(["record", "verify"]);
    assert!(found.contains("was tampered with\n"), "{found}");
    assert!(found.ends_with("[exit 2]\n") && !found.contains("hint:"), "{found}");
    // Another question that meets it says how to look closer.
    let asked = sandbox.run(["history", "prod"]);
    assert!(asked.contains("hint: indelible record verify\n"), "{asked}");
}

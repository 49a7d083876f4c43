//! `indelible doctor`: rights are tried against a server and a repository that give them, and ones that do not.

use crate::sandbox::{Sandbox, sandbox};
use crate::server::Served;
use std::process::Command;

/// A repository with a commit, whose `origin` and record are a bare one beside it.
fn project() -> (Sandbox, Served) {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let host = served.host();
    let settings = format!(
        "version: 1\nrecord: git\nimages: {{api: {{repository: {host}/shop/api}}}}\n\
         environments:\n  prod: {{branches: [main], deploy: files, git: {{path: apps}}}}\n"
    );
    sandbox.write("indelible.yaml", settings);
    git(&sandbox, &["init", "--quiet", "--bare", "team.git"]);
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    git(&sandbox, &["remote", "add", "origin", "team.git"]);
    git(&sandbox, &["config", "user.name", "Ada"]);
    git(&sandbox, &["config", "user.email", "ada@example.com"]);
    git(&sandbox, &["add", "indelible.yaml"]);
    git(&sandbox, &["commit", "--quiet", "--message", "First"]);
    let sandbox = sandbox.replacing(host.to_owned(), "[host]");
    (sandbox, served)
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let done = Command::new("git")
        .current_dir(sandbox.path("."))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", sandbox.home())
        .args(arguments)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn admin(sandbox: &Sandbox) -> String {
    let token = std::fs::read_to_string(sandbox.home().join("registry/admin.token")).unwrap();
    token.trim().to_owned()
}

/// The line of one check.
fn line<'a>(told: &'a str, what: &str) -> &'a str {
    told.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no `{what}` in {told}"))
}

#[test]
fn rights_that_are_there_are_good_and_nothing_is_left_behind() {
    let (sandbox, served) = project();
    let token = admin(&sandbox);
    let sandbox = sandbox.variable("INDELIBLE_TOKEN", token.clone());
    let told = sandbox.run(["doctor"]);
    for (what, expected) in [
        ("history", "good     history: all of it is here"),
        ("author of commits", "good     author of commits: Ada <ada@example.com>"),
        ("git push of the record", "good     git push of the record"),
        (
            "push to [host]",
            "good     push to [host]/shop/api: it takes pushes, with a token, as it was told",
        ),
        (
            "overwriting",
            "good     overwriting of tags in [host]/shop/api: the server refuses it by rule",
        ),
    ] {
        assert!(line(&told, what).starts_with(expected), "{expected}\n{told}");
    }
    assert!(told.contains("[exit 0]"), "{told}");
    assert!(!told.contains(&token), "a secret is never shown");
    assert!(served.is_empty(), "nothing was pushed");
    let branches = std::fs::read_dir(sandbox.path("team.git/refs/heads")).unwrap().count();
    assert_eq!(branches, 0, "no branch was made");
}

#[test]
fn rights_that_are_missing_are_wrong_with_what_mends_them() {
    let (sandbox, served) = project();
    std::fs::write(sandbox.path(".git/shallow"), head(&sandbox)).unwrap();
    let token = admin(&sandbox);
    let sandbox = sandbox.variable("INDELIBLE_TOKEN", token);
    let made = ["token", "create", "looks", "--right", "pull", "--repository", "**", "--registry"];
    let made = sandbox.run(made.into_iter().chain([served.host()]));
    let token = made.lines().next().unwrap().to_owned();
    let sandbox = sandbox.variable("INDELIBLE_TOKEN", token);
    let told = sandbox.run(["doctor"]);
    assert!(line(&told, "wrong    history: the clone is shallow").len() > 10);
    assert!(line(&told, "fix: git fetch --unshallow --tags").contains("fix"), "{told}");
    let push = line(&told, "push to [host]/shop/api");
    assert!(push.starts_with("wrong"), "{told}");
    assert!(push.contains("asked with a token, as it was told"), "{told}");
    assert!(told.contains("fix: docker login [host]"), "{told}");
    assert!(told.contains("[exit 1]"), "{told}");
}

fn head(sandbox: &Sandbox) -> String {
    sandbox.text(".git/refs/heads/main")
}

#[test]
fn what_cannot_be_reached_is_unknown_and_without_settings_the_first_line_says_what_to_do() {
    let (sandbox, _served) = project();
    std::fs::remove_dir_all(sandbox.path("team.git")).unwrap();
    let told = sandbox.run(["doctor"]);
    assert!(line(&told, "git push of the record").starts_with("unknown"), "{told}");
    let bare = crate::sandbox::sandbox();
    let told = bare.run(["doctor"]);
    assert!(
        told.starts_with(
            "wrong    settings: there is no indelible.yaml\n         fix: indelible init\n"
        ),
        "{told}"
    );
    assert!(told.contains("[exit 1]"), "{told}");
}

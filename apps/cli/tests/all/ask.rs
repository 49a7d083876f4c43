//! Questions that cannot be answered as they were asked, and who is said to have acted.

use crate::sandbox::{Sandbox, names, sandbox};
use crate::server::{Served, layout};
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
fn a_time_that_has_not_come_is_wrong_usage_whatever_is_asked() {
    let sandbox = held();
    for question in [
        &["history", "prod"][..],
        &["history", "registry.example.com/shop/api"],
        &["exposure", "--missing-commit", "1a2b3c4"],
    ] {
        let said = sandbox.run([question, &["--from", "2999-01-01T00:00:00Z", "-q"]].concat());
        let early =
            "[stderr]\nerror: the time from 2999-01-01T00:00:00.000Z has not come yet: it is ";
        assert!(said.starts_with(early), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
}

/// A registry in which an alias was moved once by us, and once by somebody whose record we do not have.
struct Moved {
    sandbox: Sandbox,
    served: Served,
    tea: String,
    coffee: String,
}

impl Moved {
    fn new() -> Self {
        let sandbox = sandbox();
        let served = Served::start(&sandbox);
        let tea = layout(&sandbox, "tea", "image", "tea");
        let coffee = layout(&sandbox, "coffee", "image", "coffee");
        let moved = Self { sandbox, served, tea, coffee };
        moved.done(&["rule", "set", "**", "prod", "alias", "--registry", moved.served.host()]);
        let to = moved.to();
        let tea = ["publish", "oci:tea", "--to", &to, "--tag", "1", "--alias", "prod"];
        moved.done(&[&tea[..], &["--record", "file:ours.db"]].concat());
        let coffee = ["publish", "oci:coffee", "--to", &to, "--tag", "2", "--alias", "prod"];
        let theirs = ["--move-alias-back", "--record", "file:theirs.db"];
        moved.done(&[&coffee[..], &theirs].concat());
        moved
    }

    fn to(&self) -> String {
        format!("{}/shop/api", self.served.host())
    }

    /// Runs a command that must succeed; gives its transcript.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let said = self.sandbox.run(arguments);
        assert!(said.ends_with("[exit 0]\n"), "{arguments:?}: {said}");
        said
    }

    /// The digests that `trace` tells of, in their order, and all that it says.
    fn trace(&self, asked: &str) -> (Vec<String>, String) {
        let said = self.done(&["trace", asked, "--record", "file:ours.db"]);
        let digests = said.lines().filter(|line| line.starts_with("sha256:"));
        (digests.map(str::to_owned).collect(), said)
    }
}

#[test]
fn an_alias_is_traced_to_what_it_names_now_although_only_the_registry_knows() {
    let moved = Moved::new();
    let (tea, coffee) = (moved.tea.clone(), moved.coffee.clone());
    let alias = format!("{}:prod", moved.to());
    for asked in [alias.as_str(), "shop/api:prod", "prod"] {
        let (digests, said) = moved.trace(asked);
        assert_eq!(digests, [coffee.clone(), tea.clone()], "{asked}: {said}");
        assert!(!said.contains("told no history"), "{said}");
        assert!(said.contains(&format!("{alias} moved away by")), "{said}");
    }
    // A tag that nobody recorded, at a registry that nobody recorded anything about.
    let unknown = moved.sandbox.run(["trace", "nowhere", "--record", "file:ours.db"]);
    assert!(unknown.ends_with("[exit 2]\n"), "{unknown}");
    let (digests, _) = moved.trace(&format!("{}:2", moved.to()));
    assert_eq!(digests, [coffee]);

    // Without the registry the answer is what is recorded, and says what is missing.
    let Moved { sandbox, served, .. } = moved;
    let host = served.host().to_owned();
    drop(served);
    let said = sandbox.run(["trace", "prod", "--record", "file:ours.db"]);
    assert!(said.starts_with(&tea), "{said}");
    assert!(said.contains(&format!("gap: {host} told no history of its tags\n")), "{said}");
    let said = sandbox.run(["trace", &format!("{host}/shop/api:2"), "--record", "file:ours.db"]);
    assert!(said.contains(&format!("and {host} told no history of its tags\n")), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
}

#[test]
fn the_digits_that_tables_show_can_be_asked_about() {
    let moved = Moved::new();
    let hex = moved.tea.strip_prefix("sha256:").unwrap();
    for short in [&moved.tea[..19], &hex[..12], &hex[..40]] {
        let (digests, said) = moved.trace(short);
        assert_eq!(digests, std::slice::from_ref(&moved.tea), "{short}: {said}");
        let ran = moved.sandbox.run(["ran", "--digest", short, "--record", "file:ours.db"]);
        assert!(ran.starts_with("unknown: nothing is recorded\n"), "{ran}");
    }
    for (short, why) in [
        (&moved.tea[..18], "is not a digest, nor the first 12 or more of its hex digits"),
        ("sha256:000000000000", "nothing is recorded about `sha256:000000000000`"),
    ] {
        for question in [&["trace", short][..], &["ran", "--digest", short]] {
            let said = moved.sandbox.run([question, &["--record", "file:ours.db"]].concat());
            assert!(said.contains(why) && said.ends_with("[exit 2]\n"), "{said}");
        }
    }
}

#[test]
fn no_change_of_a_tag_in_a_time_is_told_beside_how_many_there_were() {
    let moved = Moved::new();
    let history = |name: &str| {
        moved.done(&["history", &format!("{}:{name}", moved.to()), "--to", "2020-01-01", "-q"])
    };
    assert!(history("prod").starts_with("no change in that time, of 2\n"), "{}", history("prod"));
    let never = "nothing: the registry knows of no change\n";
    assert!(history("never").starts_with(never), "{}", history("never"));
}

#[test]
fn the_same_bytes_from_two_commits_are_one_digest_with_both() {
    let sandbox = repository();
    let folder = sandbox.path("");
    let served = Served::start(&sandbox);
    layout(&sandbox, "tea", "image", "tea");
    layout(&sandbox, "coffee", "image", "coffee");
    std::fs::write(folder.join(".gitignore"), "tea\ncoffee\nours.db*\n.gitignore\n").unwrap();
    let to = format!("{}/shop/api", served.host());
    let publish = |what: &str, tag: &str| {
        let words = [
            "publish",
            what,
            "--to",
            &to,
            "--tag",
            tag,
            "--record",
            "file:ours.db",
            "--allow-dirty",
        ];
        let said = sandbox.run(words);
        assert!(said.ends_with("[exit 0]\n"), "{said}");
    };
    let trace =
        |tag: &str| sandbox.run(["trace", &format!("{to}:{tag}"), "--record", "file:ours.db"]);
    let first = git(&folder, &["rev-parse", "HEAD"]);
    publish("oci:tea", "1");
    publish("oci:coffee", "2");
    let by_commit = sandbox.run(["trace", &first, "--record", "file:ours.db"]);
    assert_eq!(
        by_commit.matches("git checkout").count(),
        1,
        "two digests, one commit: {by_commit}"
    );
    git(&folder, &["commit", "--quiet", "--allow-empty", "-m", "third"]);
    let second = git(&folder, &["rev-parse", "HEAD"]);
    publish("oci:tea", "3");
    for (tag, own, other) in [("1", &first, &second), ("3", &second, &first)] {
        let said = trace(tag);
        let also = format!("the same bytes were also built from {}\n", &other[..12]);
        assert!(said.ends_with(&format!("{also}git checkout {own}\n[exit 0]\n")), "{said}");
    }
    let said = sandbox.run(["trace", &first, "--record", "file:ours.db"]);
    assert!(said.ends_with(&format!("git checkout {first}\n[exit 0]\n")), "{said}");
    // A build from files that were changed says so beside the line that brings back something else.
    std::fs::write(folder.join("indelible.yaml"), settings("git") + "# changed\n").unwrap();
    layout(&sandbox, "milk", "image", "milk");
    std::fs::write(folder.join(".gitignore"), "tea\ncoffee\nmilk\nours.db*\n.gitignore\n").unwrap();
    publish("oci:milk", "4");
    let said = trace("4");
    let dirty = "built with changes that are not in its commit:\n";
    assert!(said.ends_with(&format!("{dirty}git checkout {second}\n[exit 0]\n")), "{said}");
}

#[test]
fn a_fix_is_named_in_every_way_that_git_knows_and_nothing_recorded_is_unknown() {
    let sandbox = repository();
    let held = sandbox.run(["hold", "prod"]);
    assert!(held.ends_with("[exit 0]\n"), "{held}");
    let said = sandbox.run(["exposure", "--missing-commit", "HEAD~1"]);
    assert!(said.starts_with("unknown: no deploy is recorded in that time\n"), "{said}");
    assert!(said.contains("gap: no deploy at all is recorded\n"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
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

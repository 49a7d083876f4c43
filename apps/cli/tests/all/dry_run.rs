//! `--dry-run` of every command that writes: what would happen is said, and nothing is written.

use crate::sandbox::{names, sandbox};
use crate::server::{Served, layout};

const SETTINGS: &str = "version: 1\nrecord: file:record.db\n\
    images:\n  api: {repository: HOST/shop/api, tags: [timestamp]}\n\
    environments:\n  prod: {branches: [prod], deploy: files, git: {path: .}}\n";

#[test]
fn every_command_that_writes_says_what_it_would_do_and_writes_nothing() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let tea = layout(&sandbox, "tea", "image", "tea");
    let host = served.host().to_owned();
    sandbox.write("indelible.yaml", SETTINGS.replace("HOST", &host));
    let sandbox = sandbox.replacing(tea.clone(), "[tea]").replacing(host.clone(), "[registry]");
    let tag = format!("{host}/shop/api:1");
    let target = format!("docker://{tag}");
    let cases: &[(&[&str], &str)] = &[
        (
            &["copy", "oci:tea", &target],
            "[tea] -> docker://[registry]/shop/api:1\nwould be copied, and tag 1 made\n",
        ),
        (&["copy", "oci:tea", "oci:other:x"], "[tea] -> oci:other:x\nwould be copied\n"),
        (&["tag", "api", "--reserve", "--at", "2026-03-17T14:39:58Z"], "20260317-143958\n"),
        (&["hold", "prod"], "prod all images: would be held\n"),
        (&["block", &tea, "--reason", "x"], "[tea]: would be blocked in every environment\n"),
        (&["allow", &tea, "prod", "--reason", "x"], "[tea]: would be allowed in prod\n"),
        (
            &["rule", "set", "**", "uat", "alias", "--registry", &host],
            "[registry]: tags uat in ** would be alias\n",
        ),
        (
            &["token", "create", "ci", "--right", "claims", "--registry", &host],
            "ci: would be made, with claims in **\n",
        ),
    ];
    let before = names(&sandbox.path(""));
    for (arguments, says) in cases {
        let said = sandbox.run([arguments, &["--dry-run"][..]].concat());
        assert!(said.starts_with(says), "{arguments:?}: {said}");
        assert!(said.ends_with("[exit 0]\n"), "{said}");
        assert_eq!(names(&sandbox.path("")), before, "{arguments:?} wrote here");
    }
    assert!(served.is_empty(), "something was pushed");
    let rules = served.get("/api/v1/rules");
    assert!(rules.replace(' ', "").contains(r#""rules":[]"#), "{rules}");
    let tokens = sandbox.run(["token", "list", "--registry", &host]);
    assert_eq!(tokens, "NAME  RIGHTS  REPOSITORIES  CREATED  REVOKED\n[exit 0]\n");
}

#[test]
fn an_unlock_and_a_revocation_are_checked_before_they_are_made() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    layout(&sandbox, "tea", "image", "tea");
    let host = served.host().to_owned();
    let sandbox = sandbox.replacing(host.clone(), "[registry]");
    let tag = format!("{host}/shop/api:1");
    let unlock = ["unlock", &tag, "--reason", "x", "--dry-run"];
    let said = sandbox.run(unlock);
    assert!(said.contains("was never written: there is nothing to unlock"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    sandbox.run(["copy", "oci:tea", &format!("docker://{tag}")]);
    let said = sandbox.run(unlock);
    assert!(said.starts_with("[registry]/shop/api:1 would be open"), "{said}");
    let history = sandbox.run(["history", &tag]);
    assert!(!history.contains("unlock"), "{history}");

    let revoke = ["token", "revoke", "ci", "--registry", &host, "--dry-run"];
    let said = sandbox.run(revoke);
    assert!(said.contains("[registry] has no token `ci`"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    let said = sandbox.run([
        "token",
        "create",
        "a b",
        "--right",
        "pull",
        "--registry",
        &host,
        "--dry-run",
    ]);
    assert!(said.contains("`a b` is no token's name"), "{said}");
}

#[test]
fn a_command_that_cannot_have_a_dry_run_says_so() {
    let sandbox = sandbox();
    for command in ["serve", "demo"] {
        let said = sandbox.run([command, "--dry-run"]);
        assert!(said.contains(&format!("`{command}` has no dry run")), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
    assert_eq!(names(&sandbox.path("")), Vec::<String>::new());
}

#[test]
fn a_copy_to_a_taken_tag_sends_nothing_and_gives_the_command_that_helps() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let tea = layout(&sandbox, "tea", "image", "tea");
    layout(&sandbox, "coffee", "image", "coffee");
    let host = served.host().to_owned();
    let sandbox = sandbox.replacing(tea, "[tea]").replacing(host.clone(), "[registry]");
    let target = format!("docker://{host}/shop/api:1");
    sandbox.run(["copy", "oci:tea", &target]);
    for more in [&[][..], &["--dry-run"]] {
        let said = sandbox.run([&["copy", "oci:coffee", &target], more].concat());
        assert!(said.contains("[registry]/shop/api:1 is taken by [tea]"), "{said}");
        assert!(
            said.contains("hint: indelible history [registry]/shop/api:1; copy never overwrites"),
            "{said}"
        );
        assert!(said.ends_with("[exit 3]\n"), "{said}");
    }
    let again = sandbox.run(["copy", "oci:tea", &target, "--dry-run"]);
    assert!(again.contains("would be copied; tag 1 names it already\n"), "{again}");
    let said = sandbox.run(["copy", "oci:tea", "oci-archive:x.tar"]);
    assert!(said.contains("archive x.tar cannot be written to"), "{said}");
    let said = sandbox.run(["copy", "oci:tea", "oci:other:a b"]);
    assert!(said.contains("`a b` names no image in a layout"), "{said}");
}

#[test]
fn a_note_says_that_another_tool_did_it_and_its_dry_run_records_nothing() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let tea = layout(&sandbox, "tea", "image", "tea");
    let host = served.host().to_owned();
    sandbox.write("indelible.yaml", SETTINGS.replace("HOST", &host));
    sandbox.run(["copy", "oci:tea", &format!("docker://{host}/shop/api:1")]);
    let note = ["note", "deploy", "prod", &format!("api={tea}")];
    let before = names(&sandbox.path(""));
    let said = sandbox.run([&note[..], &["--dry-run"]].concat());
    assert!(said.starts_with("api prod: would be noted: nothing -> sha256:"), "{said}");
    assert!(said.contains("[exit 0]\n"), "{said}");
    assert_eq!(names(&sandbox.path("")), before, "a dry run began a record");
    let said = sandbox.run(note);
    assert!(said.starts_with("api prod: noted: nothing -> sha256:"), "{said}");
    assert!(said.contains("  another tool did it: no file was touched\n"), "{said}");
    assert!(!said.contains("nothing had to change"), "{said}");
}

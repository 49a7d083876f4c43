//! Bad input by hand: refused with exit 2 before anything is done, and with its own reason.

use crate::sandbox::{NINES, names, sandbox};
use crate::server::{Served, layout};

#[test]
fn a_counter_is_never_told_without_a_repository() {
    let said = sandbox().run(["tag", "--scheme", "date-build"]);
    assert!(said.contains("counts the builds of a repository"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
}

#[test]
fn an_environment_is_told_with_its_real_reason() {
    let settings = "version: 1\nimages:\n  web: {repository: r.example.com/shop/web, tags: [timestamp], environments: shared}\n\
        environments:\n  prod: {branches: [prod], promotes-from: uat}\n  uat: {branches: [uat]}\n";
    let alone = sandbox().run(["tag", "--json", "--scheme", "timestamp"]);
    assert!(alone.contains(r#""why_environment": "there are no settings""#), "{alone}");
    let sandbox = sandbox().file("indelible.yaml", settings);
    let shared = sandbox.run(["tag", "web", "--env", "prod"]);
    let why = "for uat: web is shared: built for uat, the first of the chain";
    assert!(shared.contains(why), "{shared}");
    let first = sandbox.run(["tag", "web", "--env", "uat"]);
    assert!(first.contains("for uat: ") && !first.contains("is shared"), "{first}");
}

#[test]
fn a_note_names_what_the_other_tool_brought() {
    let said = sandbox().run(["note", "deploy", "prod"]);
    assert!(
        said.contains("Usage: indelible note deploy <ENVIRONMENT> <IMAGE=TAG|DIGEST>"),
        "{said}"
    );
    assert!(said.ends_with("[exit 2]\n"), "{said}");
}

#[test]
fn outputs_that_cannot_be_written_stop_a_publish_before_it_begins() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    layout(&sandbox, "tea", "image", "tea");
    let to = format!("{}/shop/api", served.host());
    let publish = ["publish", "oci:tea", "--to", &to, "--tag", "1", "--record", "file:record.db"];
    let said = sandbox.run([&publish[..], &["--output-file", "nowhere/out"]].concat());
    assert!(said.contains("cannot write the outputs to [folder]/nowhere/out"), "{said}");
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    assert!(served.is_empty(), "something was pushed");
    let before = names(&sandbox.path(""));
    sandbox.run([&publish[..], &["--output-file", "out", "--dry-run"]].concat());
    assert_eq!(names(&sandbox.path("")), before, "a dry run leaves no file");
    sandbox.run([&publish[..], &["--output-file", "out"]].concat());
    assert!(sandbox.text("out").contains("INDELIBLE_DIGEST"), "{}", sandbox.text("out"));
}

#[test]
fn a_decision_has_a_reason_with_words_and_none_is_recorded_for_nothing() {
    let settings = "version: 1\nrecord: file:record.db\nimages:\n  api: {repository: r.example.com/shop/api, tags: [timestamp]}\n\
        environments:\n  prod: {branches: [prod]}\n";
    let sandbox = sandbox().file("indelible.yaml", settings);
    for words in [
        &["block", NINES, "--reason", ""][..],
        &["allow", NINES, "prod", "--reason", " "],
        &["hold", "prod", "--reason", ""],
    ] {
        let said = sandbox.run(words);
        assert!(said.contains("the reason is empty"), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
    let said = sandbox.run(["resume", "prod", "--json"]);
    assert!(said.contains(r#""command": "resume""#), "{said}");
    assert!(said.contains(r#""event": null"#), "{said}");
    assert_eq!(sandbox.run(["resume", "prod"]), "prod all images: was not held\n[exit 0]\n");
    let said = sandbox.run(["block", NINES, "--lift", "--reason", "a slip"]);
    assert!(said.starts_with("[nines]: was not blocked\n"), "{said}");
    let said = sandbox.run(["record", "verify"]);
    assert!(said.contains("there is no record") || said.starts_with("0 events"), "{said}");
    let block = sandbox.run(["block", NINES, "--reason", "leaked"]);
    assert!(block.starts_with("[nines]: blocked in every environment\n"), "{block}");
    let lift = sandbox.run(["block", NINES, "--lift", "--reason", "it was not"]);
    assert!(lift.starts_with("[nines]: no longer blocked\n"), "{lift}");
}

#[test]
fn a_server_that_does_not_answer_is_told_in_two_lines() {
    for words in [
        &["rule", "list", "--registry", "127.0.0.1:1"][..],
        &["token", "list", "--registry", "127.0.0.1:1"],
        &["unlock", "127.0.0.1:1/shop/api:1", "--reason", "x"],
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(sandbox().run(words), @r"
            [stderr]
            error: 127.0.0.1:1 cannot be reached
              caused by: Connection refused (os error 111)
            [exit 2]
            ");
        }
    }
}

#[test]
fn the_first_token_says_what_it_closes_and_who_has_the_key() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let host = served.host().to_owned();
    let create =
        |name: &str| sandbox.run(["token", "create", name, "--right", "pull", "--registry", &host]);
    let first = create("a");
    assert!(first.contains("lets nobody in without one any more"), "{first}");
    assert!(first.contains("admin.token in its data folder is the administrator's"), "{first}");
    let second = create("b");
    assert!(second.contains("hint: set INDELIBLE_TOKEN to a token of it"), "{second}");
    assert!(second.ends_with("[exit 2]\n"), "{second}");
}

#[test]
fn a_name_that_nobody_gave_is_bad_input() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let host = served.host().to_owned();
    let tag = format!("{host}/shop/api:1");
    for words in
        [&["token", "revoke", "nope", "--registry", &host][..], &["unlock", &tag, "--reason", "x"]]
    {
        let said = sandbox.run(words);
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
}

#[test]
fn a_server_that_is_refused_leaves_no_folder() {
    let sandbox = sandbox();
    // A documentation address: no machine has it.
    for more in [&["0.0.0.0:0"][..], &["192.0.2.1:0", "--anonymous", "nowhere"]] {
        let said = sandbox.run([&["serve", "--data", "data", "--listen"], more].concat());
        assert!(said.ends_with("[exit 2]\n"), "{said}");
    }
    assert_eq!(names(&sandbox.path("")), Vec::<String>::new());
}

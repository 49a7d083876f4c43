//! Questions about a record that is not there: an answer that says so, and nothing left behind.

use crate::sandbox::{NINES, names, sandbox};

const SETTINGS: &str = "version: 1
images:
  api: {repository: registry.example.com/shop/api, tags: [timestamp-env]}
environments:
  uat: {branches: [develop], deploy: files, git: {path: uat}}
  prod: {branches: [prod], promotes-from: uat, deploy: files, git: {path: prod}, namespace: shop}
";

/// Every command that only reads, and those that would write but cannot without what was recorded before.
const QUESTIONS: [&[&str]; 12] = [
    &["history", "prod"],
    &["history", "prod", "--json"],
    &["ran", "prod"],
    &["ran", "--digest", NINES],
    &["trace", NINES],
    &["exposure", "--missing-commit", "1a2b3c4"],
    &["record", "verify"],
    &["deploy", "prod", "--dry-run"],
    &["promote", "uat", "prod", "--dry-run"],
    &["rollback", "prod", "api", "--dry-run"],
    &["rollback", "prod", "api"],
    &["policy", "generate", "prod"],
];

#[test]
fn a_question_to_a_file_that_is_not_there_names_it_and_makes_nothing() {
    let sandbox = sandbox().file("indelible.yaml", SETTINGS);
    for question in QUESTIONS {
        let said = sandbox.run([question, &["--record", "file:records/prod.db"]].concat());
        assert!(said.contains("error: there is no record at [folder]/records/prod.db\n"), "{said}");
        assert!(said.contains("hint: check the path"), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
        assert_eq!(names(&sandbox.path("")), ["indelible.yaml"], "{question:?}");
    }
}

#[test]
fn a_question_before_anything_was_recorded_says_so_and_makes_nothing() {
    let sandbox = sandbox().file("indelible.yaml", SETTINGS);
    for question in QUESTIONS {
        let said = sandbox.run(question);
        assert!(said.contains("error: there is no record at "), "{said}");
        assert!(said.ends_with("[exit 2]\n"), "{said}");
        // Git gets a home of its own below it; a record is not begun.
        assert!(!sandbox.home().join(".local").exists(), "{question:?}");
    }
}

#[test]
fn a_file_without_a_byte_is_not_made_a_record_by_a_question() {
    let sandbox = sandbox().file("empty.db", "");
    let said = sandbox.run(["history", "prod", "--record", "file:empty.db"]);
    assert!(said.contains("there is no record at [folder]/empty.db"), "{said}");
    assert_eq!(std::fs::metadata(sandbox.path("empty.db")).unwrap().len(), 0);
    assert_eq!(names(&sandbox.path("")), ["empty.db"]);
}

#[test]
fn a_decision_of_a_person_begins_the_record() {
    let sandbox = sandbox().file("indelible.yaml", SETTINGS);
    let place = ["--record", "file:records/prod.db"];
    let held = sandbox.run([&["hold", "prod", "--reason", "audit"][..], &place].concat());
    assert!(held.ends_with("[exit 0]\n"), "{held}");
    let verified = sandbox.run([&["record", "verify"][..], &place].concat());
    assert!(verified.starts_with("1 event at [folder]/records/prod.db"), "{verified}");
}

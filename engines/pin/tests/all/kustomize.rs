//! Kustomizations: split fields, and keys that are not there yet.

use crate::support::{NINES, ONES, listed, pinned, set};
use pin::{Format, apply, plan_unpin, scan};

const K: Format = Format::Kustomize;

const TEXT: &str = "resources: [base]
images:
  - name: shop/api # the service
    newTag: \"1.4\"  # by CI
  - name: web
    newName: registry.example.com/shop/web
    newTag: '20260317-143958-uat'
    digest: sha256:1111111111111111111111111111111111111111111111111111111111111111
  - {name: flow, newTag: v1.2.3}
  - name: renamed
    newName: other/renamed
patches:
  - patch: |-
      - name: decoy
        newTag: 1
";

#[test]
fn entries_are_listed_as_what_they_render() {
    assert_eq!(
        listed(K, TEXT),
        [
            "4:14 tag shop/api:1.4",
            "7:14 pinned registry.example.com/shop/web:20260317-143958-uat@sha256:1111111111111111111111111111111111111111111111111111111111111111",
            "9:26 tag flow:v1.2.3",
            "11:14 inherits other/renamed",
        ]
    );
}

#[test]
fn a_pin_adds_a_digest_and_nothing_elsewhere() {
    let expected = TEXT
        .replace("\"1.4\"  # by CI\n", &format!("\"1.4\"  # by CI\n    digest: {NINES}\n"))
        .replace("newTag: v1.2.3}", &format!("newTag: v1.2.3, digest: {NINES}}}"));
    let new = pinned(K, TEXT);
    assert_eq!(new, expected);
    assert_eq!(pinned(K, &new), new);
}

#[test]
fn a_set_writes_tag_and_digest_in_the_quotes_that_are_there() {
    let to = format!("registry.example.com/shop/web:1.5@{NINES}");
    let expected = TEXT.replace("'20260317-143958-uat'", "'1.5'").replace(ONES, NINES);
    assert_eq!(set(K, TEXT, "registry.example.com/shop/web", &to), expected);
    // The name that the resources use finds the entry as well; there the new name does not change.
    assert_eq!(set(K, TEXT, "web", &to), expected);
}

#[test]
fn a_set_adds_what_is_missing_indented_as_its_siblings() {
    let to = format!("mirror.example.com/r:20260318@{NINES}");
    let expected = TEXT.replace(
        "other/renamed\n",
        &format!("mirror.example.com/r\n    newTag: \"20260318\"\n    digest: {NINES}\n"),
    );
    assert_eq!(set(K, TEXT, "renamed", &to), expected);
    let crlf = "images:\r\n- name: a/b";
    let to = format!("a/b:v2@{NINES}");
    assert_eq!(
        set(K, crlf, "a/b", &to),
        format!("images:\r\n- name: a/b\r\n  newTag: v2\r\n  digest: {NINES}")
    );
}

#[test]
fn another_repository_becomes_the_new_name() {
    let to = format!("registry.example.com/shop/api:1.5@{NINES}");
    let text = "images:\n- name: api\n  newTag: '1'\n";
    assert_eq!(
        set(K, text, "api", &to),
        format!(
            "images:\n- name: api\n  newTag: '1.5'\n  newName: registry.example.com/shop/api\n  digest: {NINES}\n"
        )
    );
}

#[test]
fn the_same_digest_is_no_edit_even_where_the_tag_differs() {
    let to = format!("registry.example.com/shop/web:other@{ONES}");
    assert_eq!(set(K, TEXT, "web", &to), TEXT);
}

#[test]
fn an_unpin_takes_the_line_away() {
    let plan = plan_unpin(&scan(K, TEXT).unwrap());
    let expected = TEXT.replace(&format!("    digest: {ONES}\n"), "");
    assert_eq!(apply(K, TEXT, &plan.edits).unwrap(), expected);
    let last = format!("images:\r\n- name: a\r\n  newTag: v1\r\n  digest: {ONES}");
    let plan = plan_unpin(&scan(K, &last).unwrap());
    assert_eq!(apply(K, &last, &plan.edits).unwrap(), "images:\r\n- name: a\r\n  newTag: v1");
}

#[test]
fn a_field_behind_an_alias_is_left_to_a_person() {
    let text = "x: &t v1\nimages:\n- name: a\n  newTag: *t\n- name: b\n  newTag: *t\n";
    let plan = crate::support::set_plan(K, text, "a", &format!("a:v2@{NINES}"));
    assert!(plan.edits.is_empty());
    assert_eq!(
        plan.skipped[0].why.to_string(),
        "its `newTag` is written elsewhere or over several lines"
    );
}

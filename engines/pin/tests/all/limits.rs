//! Every limit, at it and one above.

use pin::scan::{FILE_BYTES_MAX, SITES_MAX};
use pin::{ALIASES_MAX, ANCHORS_MAX, DEPTH_MAX, Format, ScanError, What, scan};
use std::fmt::Write as _;

fn stopped(text: &str) -> Option<What> {
    match scan(Format::Kubernetes, text) {
        Ok(_) => None,
        Err(ScanError::Yaml { what, .. }) => Some(what),
        Err(other @ (ScanError::Size { .. } | ScanError::Sites | ScanError::Text { .. })) => {
            panic!("{other}")
        }
    }
}

fn repeated(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect()
}

#[test]
fn collections_nest_so_deep_and_no_deeper() {
    let flow = |depth: usize| format!("{}{}\n", "[".repeat(depth), "]".repeat(depth));
    let block = |depth: usize| format!("{}a\n", "- ".repeat(depth));
    for nested in [flow, block] {
        assert_eq!(stopped(&nested(DEPTH_MAX)), None);
        assert_eq!(stopped(&nested(DEPTH_MAX + 1)), Some(What::Depth));
    }
}

#[test]
fn anchors_and_aliases_are_counted() {
    let anchors = |n: usize| repeated(n, |i| format!("- &a{i} x\n"));
    assert_eq!(stopped(&anchors(ANCHORS_MAX)), None);
    assert_eq!(stopped(&anchors(ANCHORS_MAX + 1)), Some(What::Anchors));
    let aliases = |n: usize| format!("- &a x\n{}", "- *a\n".repeat(n));
    assert_eq!(stopped(&aliases(ALIASES_MAX)), None);
    assert_eq!(stopped(&aliases(ALIASES_MAX + 1)), Some(What::Aliases));
}

#[test]
fn a_file_has_so_many_bytes_and_no_more() {
    let text = |bytes: usize| format!("a: {}", "b".repeat(bytes - 3));
    assert!(scan(Format::Kubernetes, &text(FILE_BYTES_MAX)).is_ok());
    let found = FILE_BYTES_MAX + 1;
    assert_eq!(scan(Format::Kubernetes, &text(found)), Err(ScanError::Size { found }));
}

#[test]
fn a_file_names_so_many_images_and_no_more() {
    let compose =
        |n: usize| format!("services:\n{}", repeated(n, |i| format!("  s{i}: {{image: a/b:1}}\n")));
    let pods =
        |n: usize| format!("apiVersion: v1\nkind: Pod\nspec:\n{}", "- {image: a/b:1}\n".repeat(n));
    let docker = |n: usize| "FROM a/b:1\n".repeat(n);
    let found = |format, text: &str| scan(format, text).map(|scan| scan.sites.len());
    assert_eq!(found(Format::Compose, &compose(SITES_MAX)), Ok(SITES_MAX));
    assert_eq!(found(Format::Kubernetes, &pods(SITES_MAX)), Ok(SITES_MAX));
    assert_eq!(found(Format::Dockerfile, &docker(SITES_MAX)), Ok(SITES_MAX));
    let above = SITES_MAX + 1;
    for (format, text) in [
        (Format::Compose, compose(above)),
        (Format::Kubernetes, pods(above)),
        (Format::Dockerfile, docker(above)),
    ] {
        assert_eq!(found(format, &text), Err(ScanError::Sites));
    }
}

#[test]
fn aliases_of_aliases_cost_no_more_than_their_text() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    let mut merges = "m0: &m0 {a: b}\n".to_owned();
    for i in 1..60 {
        let before = i - 1;
        let _ = writeln!(text, "a{i}: &a{i} [{}]", format!("*a{before}, ").repeat(9));
        let _ = writeln!(merges, "m{i}: &m{i} {{<<: [{}]}}", format!("*m{before}, ").repeat(9));
    }
    text += "apiVersion: v1\nkind: Pod\nimage: *a59\n";
    assert_eq!(stopped(&text), None);
    merges += "services: {s: {<<: *m59}}\n";
    assert!(scan(Format::Compose, &merges).is_ok());
}

#[test]
fn lookups_among_very_many_keys_are_given_up() {
    let keys = |n: usize| repeated(n, |i| format!("k{i}: {{image: a/b:1}}\n"));
    let text = |n: usize| format!("{}apiVersion: v1\nkind: Pod\n", keys(n));
    assert_eq!(stopped(&text(1_000)), None);
    assert_eq!(stopped(&text(9_000)), Some(What::Lookups));
}

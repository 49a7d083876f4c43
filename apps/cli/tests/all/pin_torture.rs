//! Files as editors, checkouts and accidents leave them: `pin` adds its digest and touches no other byte, or says why not.

use crate::sandbox::{NINES, Sandbox, names, sandbox};
use crate::scripted::Scripted;

/// The name that stands for the reference in these files.
const REF: &str = "REF";
/// What a person keeps in one line by mistake: a dump, an archive in base64.
const LONG_LINE_BYTES: usize = 100_000_000;

fn registry() -> Scripted {
    Scripted::start(&[("shop/api:1.4.2", NINES), ("shop/web:2.0.1", NINES)])
}

fn reference(registry: &Scripted) -> String {
    format!("{}/shop/api:1.4.2", registry.host())
}

fn bytes(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    std::fs::read(sandbox.path(path)).unwrap()
}

#[test]
fn the_digest_is_added_and_every_other_byte_stays() {
    let registry = registry();
    let reference = reference(&registry);
    let pinned = format!("{reference}@{NINES}");
    for (what, text) in [
        ("CRLF and a BOM", "\u{feff}services:\r\n  api:\r\n    image: REF # a\r\n"),
        ("CR alone", "services:\r  api:\r    image: REF\r"),
        ("mixed line ends", "services:\r\n  api:\n    image: REF\r\n\n"),
        ("no final line end", "services:\n  api:\n    image: REF"),
        ("blanks behind it", "services:\n  api:\n    image: REF   \n   \n"),
        ("a tab behind the colon", "services:\n  api:\n    image:\tREF\t# a\n"),
        ("tabs in a comment and a flow", "services:\t# a\tb\n  api: {\timage:\tREF\t}\n"),
        ("a folded scalar", "services:\n  api:\n    image: >-\n      REF\n    user: a\n"),
        (
            "an anchor and its alias",
            "x-a: &a REF\nservices:\n  api: {image: *a}\n  b: {image: *a}\n",
        ),
        ("no ASCII around it", "services:\n  größe: {labels: {ß: \"\u{1f980}\"}, image: 'REF'}\n"),
        ("several documents", "--- # one\nservices: {api: {image: REF}}\n...\n"),
    ] {
        let sandbox = sandbox().file("compose.yaml", text.replace(REF, &reference));
        let run = sandbox.run(["pin", "compose.yaml"]);
        assert!(run.ends_with("[exit 0]\n"), "{what}: {run}");
        let expected = text.replace(REF, &pinned);
        assert_eq!(bytes(&sandbox, "compose.yaml"), expected.as_bytes(), "{what}");
        sandbox.run(["unpin", "compose.yaml"]);
        let before = text.replace(REF, &reference);
        assert_eq!(bytes(&sandbox, "compose.yaml"), before.as_bytes(), "{what}: back again");
    }
}

#[test]
fn what_nobody_can_read_is_said_and_left_to_its_last_byte() {
    let registry = registry();
    let reference = reference(&registry);
    let line = format!("services:\n  api:\n    image: {reference}\n");
    let mut invalid = line.clone().into_bytes();
    invalid.extend(b"    # caf\xe9\n");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(line.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let mut long = format!("{line}# ").into_bytes();
    long.resize(LONG_LINE_BYTES, b'x');
    for (what, text, why) in [
        ("invalid UTF-8", invalid, "is not UTF-8"),
        ("UTF-16", utf16, "is not UTF-8"),
        ("a line of 100 MB", long, "has more than"),
        (
            "a broken flow",
            format!("services: {{api: {{image: {reference}, [}}\n").into_bytes(),
            "could not be read",
        ),
        (
            "a tab as indentation",
            format!("services:\n\tapi:\n\t\timage: {reference}\n").into_bytes(),
            "could not be read",
        ),
    ] {
        let sandbox = sandbox().file("compose.yaml", &text);
        let run = sandbox.run(["pin", "compose.yaml"]);
        assert!(run.contains(why) && run.ends_with("[exit 2]\n"), "{what}: {run}");
        assert!(bytes(&sandbox, "compose.yaml") == text, "{what} was changed");
        assert_eq!(names(&sandbox.path("")), ["compose.yaml"], "{what}: nothing is left beside it");
    }
    assert!(registry.asked().is_empty());
}

#[test]
fn of_a_key_that_stands_twice_the_last_is_pinned_which_readers_take() {
    let registry = registry();
    let host = registry.host();
    let text = format!(
        "services:\n  api:\n    image: {host}/shop/web:2.0.1\n    image: {host}/shop/api:1.4.2\n"
    );
    let sandbox = sandbox().file("compose.yaml", &text);
    let run = sandbox.run(["pin", "compose.yaml"]);
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    let expected = text.replace("1.4.2", &format!("1.4.2@{NINES}"));
    assert_eq!(bytes(&sandbox, "compose.yaml"), expected.as_bytes());
}

#[cfg(unix)]
#[test]
fn links_stay_links_and_permission_bits_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let registry = registry();
    let text = format!("services: {{api: {{image: '{}'}}}}\n", reference(&registry));
    let sandbox = sandbox().file("real/compose.yaml", &text);
    let real = sandbox.path("real/compose.yaml");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/compose.yaml", sandbox.path("compose.yaml")).unwrap();
    // A walk follows no link; one that was named is followed.
    let run = sandbox.run(["pin", "compose.yaml"]);
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    assert!(std::fs::symlink_metadata(sandbox.path("compose.yaml")).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains(NINES));
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(names(&sandbox.path("real")), ["compose.yaml"]);
}

//! `indelible pin` with answers that were kept, with the lock, and with nobody to ask.

use crate::sandbox::{NINES, ONES, Sandbox, sandbox};
use crate::scripted::Scripted;

const COMPOSE: &str = "services:\n  api: {image: 'HOST/shop/api:1.4.2'}\n";

fn with(registry: &Scripted) -> Sandbox {
    let sandbox = sandbox().replacing(registry.host(), "HOST");
    sandbox.file("compose.yaml", COMPOSE.replace("HOST", registry.host()))
}

fn kept_file(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.home().join(".cache/indelible/digests")
}

/// Makes what was kept look older.
fn age(sandbox: &Sandbox, by_ms: i64) {
    let text = std::fs::read_to_string(kept_file(sandbox)).unwrap();
    let lines = text.lines().map(|line| match line.split_once(' ') {
        Some((at, rest)) if at != "indelible" => {
            format!("{} {rest}\n", at.parse::<i64>().unwrap() - by_ms)
        }
        _ => format!("{line}\n"),
    });
    std::fs::write(kept_file(sandbox), lines.collect::<String>()).unwrap();
}

#[test]
fn what_was_asked_lately_is_not_asked_again_and_its_age_is_shown() {
    let registry = Scripted::start(&[("shop/api:1.4.2", NINES)]);
    let sandbox = with(&registry);
    sandbox.run(["pin", "--dry-run"]);
    assert_eq!(registry.asked().len(), 1);
    age(&sandbox, 180_000);
    let run = sandbox.run(["pin", "--dry-run"]);
    assert!(run.contains("-> sha256:999999999999 (asked 3m "), "{run}");
    assert_eq!(registry.asked().len(), 1, "it was kept");
    sandbox.run(["pin", "--dry-run", "--max-age", "2m"]);
    assert_eq!(registry.asked().len(), 2, "it was too old");
    sandbox.run(["pin", "--dry-run", "--max-age", "0"]);
    assert_eq!(registry.asked().len(), 3, "it was to be asked anew");
    age(&sandbox, 600_000);
    sandbox.run(["pin", "--dry-run"]);
    assert_eq!(registry.asked().len(), 4, "without a word it is ten minutes");
    let run = sandbox.run(["pin", "--dry-run", "--max-age", "soon"]);
    assert!(run.contains("no length of time") && run.ends_with("[exit 2]\n"), "{run}");
}

#[test]
fn what_is_damaged_is_ignored_with_a_line() {
    let registry = Scripted::start(&[("shop/api:1.4.2", NINES)]);
    let sandbox = with(&registry);
    sandbox.run(["pin", "--dry-run"]);
    std::fs::write(kept_file(&sandbox), b"indelible digests 1\n\xff\n").unwrap();
    let run = sandbox.run(["pin", "--dry-run"]);
    assert!(run.contains("the digests kept in "), "{run}");
    assert!(run.contains(" are not used: ") && run.ends_with("[exit 0]\n"), "{run}");
    assert_eq!(registry.asked().len(), 2);
    let run = sandbox.run(["pin", "--dry-run"]);
    assert!(!run.contains("are not used"), "{run}");
}

#[test]
fn offline_takes_what_was_asked_before_and_the_rest_is_unknown() {
    let registry = Scripted::start(&[("shop/api:1.4.2", NINES)]);
    let sandbox = with(&registry);
    insta::assert_snapshot!(sandbox.run(["pin", "--offline"]), @r"
    compose.yaml:2:17: HOST/shop/api:1.4.2 is left as it is: could not find out its digest: nobody is asked with --offline, and neither images.lock nor an earlier answer has it
    0 files, 0 references pinned
    [exit 2]
    ");
    assert!(registry.asked().is_empty());
    sandbox.run(["pin", "--dry-run"]);
    age(&sandbox, 7_200_000);
    let run = sandbox.run(["pin", "--offline", "--max-age", "1h"]);
    assert!(run.ends_with("[exit 2]\n"), "{run}");
    let run = sandbox.run(["pin", "--offline"]);
    assert!(run.contains("-> sha256:999999999999 (asked 2h 0m ago)"), "{run}");
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    assert_eq!(sandbox.text("compose.yaml"), COMPOSE.replace("1.4.2", "1.4.2@[nines]"));
    assert_eq!(registry.asked().len(), 1);
}

#[test]
fn offline_the_lock_comes_first() {
    let registry = Scripted::start(&[("shop/api:1.4.2", NINES)]);
    let sandbox = with(&registry);
    sandbox.run(["pin", "--dry-run"]);
    let host = registry.host();
    let lock = format!(
        "version: 1\nimages:\n  \"{host}/shop/api:1.4.2\":\n    digest: {ONES}\n    platforms: [linux/amd64]\n    at: 2026-03-17T14:39:58.000Z\n    by: \"{host}/shop/api\"\n"
    );
    sandbox.write("images.lock", &lock);
    insta::assert_snapshot!(sandbox.run(["pin", "--offline"]), @r"
    compose.yaml:2:17: HOST/shop/api:1.4.2 -> sha256:111111111111 (images.lock, asked 2026-03-17T14:39:58.000Z)
    1 file, 1 reference pinned
    next: indelible check .    # a merge would restart service/api
    [exit 0]
    ");
    sandbox.write("images.lock", lock.replace("version: 1", "version: 2"));
    let run = sandbox.run(["pin", "--offline"]);
    assert!(run.contains("images.lock cannot be used: it is of version 2"), "{run}");
    assert!(
        run.ends_with("hint: `indelible pin --lock` writes it; remove it first\n[exit 2]\n"),
        "{run}"
    );
}

#[test]
fn a_mirror_is_asked_first_and_the_registry_where_it_does_not_know() {
    let registry = Scripted::start(&[("shop/api:1.4.2", NINES), ("shop/web:2", NINES)]);
    let mirror = Scripted::start(&[("hub/shop/api:1.4.2", ONES)]);
    let compose =
        "services:\n  a: {image: 'HOST/shop/api:1.4.2'}\n  b: {image: 'HOST/shop/web:2'}\n";
    let settings =
        format!("version: 1\nmirrors: {{'{}': ['{}/hub']}}\n", registry.host(), mirror.host());
    let sandbox = sandbox()
        .replacing(registry.host(), "HOST")
        .file("compose.yaml", compose.replace("HOST", registry.host()))
        .file("indelible.yaml", settings);
    let run = sandbox.run(["pin"]);
    assert!(run.ends_with("[exit 0]\n"), "{run}");
    let expected = compose.replace("1.4.2", "1.4.2@[ones]").replace("web:2", "web:2@[nines]");
    assert_eq!(sandbox.text("compose.yaml"), expected, "files keep the name that they have");
    assert_eq!(registry.asked(), ["HEAD /v2/shop/web/manifests/2"]);
    // What a mirror said is nobody's answer where it is no mirror any more.
    sandbox.write("indelible.yaml", "version: 1\n");
    sandbox.write("compose.yaml", compose.replace("HOST", registry.host()));
    sandbox.run(["pin"]);
    assert!(sandbox.text("compose.yaml").contains("api:1.4.2@[nines]"));
}

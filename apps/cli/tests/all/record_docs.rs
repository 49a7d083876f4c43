//! Each example of `record export` and `record import` in docs/record.md is run as it stands there.
//!
//! ```text
//! $ indelible record import git --record https://indelible.example.com    with a server of ours at that address
//! ```
//! What a cluster still knows is asked of a real one: `e2e/tests/all/cluster/import.rs`.

use crate::deploy::{git, in_git};
use crate::import_git::{history, row};
use crate::sandbox::sandbox;
use crate::server::Served;
use std::path::Path;

/// The address in the examples.
const SERVER: &str = "https://indelible.example.com";

/// The command lines of one section, as words.
fn examples(title: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/record.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once(&format!("\n## {title}\n")).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("$ indelible "));
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn each_example_of_moving_a_record_does_what_is_said() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let token = std::fs::read_to_string(sandbox.home().join("registry/admin.token")).unwrap();
    let sandbox = sandbox.variable("INDELIBLE_TOKEN", token.trim());
    git(&sandbox, &["init", "--quiet", "--bare", "shop.git"]);
    git(&sandbox, &["init", "--quiet"]);
    let origin = sandbox.path("shop.git").display().to_string();
    git(&sandbox, &["remote", "add", "origin", &origin]);
    let settings = "version: 1\nrecord: git\nenvironments:\n  prod: {branches: [main]}\n";
    sandbox.write("indelible.yaml", settings);
    let held = sandbox.run(["hold", "prod", "--reason", "freeze"]);
    assert!(held.ends_with("[exit 0]\n"), "{held}");

    let here = |word: &String| word.replace(SERVER, &format!("http://{}", served.host()));
    let told: Vec<String> = examples("Moving it")
        .iter()
        .map(|words| {
            let told = sandbox.run(words.iter().map(here));
            assert!(told.ends_with("[exit 0]\n"), "{words:?}: {told}");
            told
        })
        .collect();
    let [_, copied, looked, moved, back] = &told[..] else { panic!("{told:?}") };
    assert!(copied.contains("1 events read from record.jsonl: 1 added"), "{copied}");
    assert!(looked.contains("1 would be added"), "{looked}");
    assert!(moved.contains("1 added") && moved.contains("0 there already"), "{moved}");
    assert!(back.contains("0 added") && back.contains("1 there already"), "{back}");
    let copy = sandbox.run(["record", "verify", "--record", "file:copy.db"]);
    assert!(copy.contains("1 event") && copy.ends_with("[exit 0]\n"), "{copy}");

    // The lines as a pipe: what one prints, the other reads.
    let lines = sandbox.output(["record", "export"], b"").stdout;
    let piped = sandbox.pipe(["record", "import", "-", "--record", "file:piped.db"], &lines);
    assert!(piped.contains("1 added") && piped.ends_with("[exit 0]\n"), "{piped}");
    let again = sandbox.run(["record", "export", "--to", "record.jsonl"]);
    assert!(again.contains("is there already") && again.ends_with("[exit 2]\n"), "{again}");
}

#[test]
fn each_example_of_what_git_still_knows_does_what_is_said() {
    let (sandbox, registry) = in_git();
    history(&sandbox, registry.host());
    let told: Vec<String> = examples("What git still knows")
        .iter()
        .map(|words| {
            let told = sandbox.run(words);
            assert!(told.ends_with("[exit 0]\n"), "{words:?}: {told}");
            told
        })
        .collect();
    let [looked, imported] = &told[..] else { panic!("{told:?}") };
    assert!(looked.contains("WOULD ADD"), "{looked}");
    assert_eq!(row(imported), ["prod", "git", "4", "4", "0", "0", "1"], "{imported}");
}

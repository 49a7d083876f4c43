//! `domain` and `engines` are pure: no file, network, clock, thread, process, environment, `async`
//! or randomness. All of these are arguments, so that a decision can be shown and tested.

use super::source::{Source, words};
use super::tree::{Finding, Tree, folder};

const PURE: [&str; 2] = ["domain/", "engines/"];

/// Text that reaches the world, and what to do instead.
const REACHING: [(&str, &str); 25] = [
    ("std::fs", "text and bytes come in as arguments"),
    // Not all of `std::net`: an `IpAddr` is a value like any other.
    ("TcpStream", "answers come in as arguments"),
    ("TcpListener", "answers come in as arguments"),
    ("UdpSocket", "answers come in as arguments"),
    ("ToSocketAddrs", "names are looked up by an adapter"),
    ("std::env", "variables come in as a map"),
    ("std::process", "an adapter runs programs"),
    ("std::thread", "a shell decides what runs beside what"),
    ("std::os", "an adapter talks to the system"),
    ("SystemTime::now", "time is an argument"),
    ("Instant::now", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("Zoned::now", "time is an argument"),
    ("Ulid::generate", "ids are made where time and randomness are"),
    ("TimeZone::system", "the zone is an argument"),
    ("tokio", "an adapter or a shell waits"),
    ("async fn", "an adapter or a shell waits"),
    ("async move", "an adapter or a shell waits"),
    (".await", "an adapter or a shell waits"),
    ("reqwest", "adapters/remote talks HTTP"),
    ("rusqlite", "adapters/store keeps rows"),
    ("getrandom", "randomness is an argument"),
    ("rand::", "randomness is an argument"),
    ("fastrand", "randomness is an argument"),
    ("tempfile", "an adapter writes files"),
];

/// What a group such as `use std::{fs, io};` may not name.
const STD_MODULES: [&str; 5] = ["fs", "env", "process", "thread", "os"];

/// Crates that bring the world along.
const HEAVY: [&str; 19] = [
    "tokio",
    "async-std",
    "smol",
    "reqwest",
    "hyper",
    "hyper-util",
    "axum",
    "tower",
    "rusqlite",
    "rustls",
    "getrandom",
    "rand",
    "fastrand",
    "tempfile",
    "ignore",
    "tracing-subscriber",
    "clap",
    "anyhow",
    "kube",
];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.rust() {
        if is_pure(path) && path.contains("/src/") {
            findings.extend(in_code(path, source));
        }
    }
    for (path, text) in tree.texts() {
        if is_pure(path) && path.ends_with("/Cargo.toml") {
            findings.extend(in_manifest(path, text));
        }
    }
    findings
}

fn is_pure(path: &str) -> bool {
    PURE.iter().any(|folder| path.starts_with(folder))
}

fn in_code(path: &str, source: &Source) -> Vec<Finding> {
    let code = source.before_tests();
    let reaches = REACHING.iter().flat_map(|(text, instead)| {
        words(code, text).map(move |at| (at, (*text).to_owned(), *instead))
    });
    let groups = code.match_indices("std::{").flat_map(|(at, _)| {
        let named = group_members(&code[at + "std::{".len()..]);
        let bad = named.into_iter().filter(|name| STD_MODULES.contains(name));
        bad.map(move |name| (at, format!("std::{name}"), "the world is an argument"))
    });
    let finding = |(at, what, instead): (usize, String, &str)| {
        let layer = folder(path).split('/').next().unwrap_or_default();
        let message = format!("`{what}` in {layer}, which is pure: {instead}");
        Finding::new(path, source.line_of(at), message)
    };
    reaches.chain(groups).map(finding).collect()
}

/// The first names of the members of a `{…}` group: `fs, io::{self, Read}}` has `fs` and `io`.
fn group_members(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut members = Vec::new();
    let mut start = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let member = text[start..at].trim();
                members.push(member.split([':', ' ']).next().unwrap_or(member));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members
}

fn in_manifest(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut for_tests = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            for_tests = line.starts_with("[dev-dependencies");
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if !for_tests && HEAVY.contains(&name) {
            let message = format!("`{name}` brings the world into a pure crate");
            findings.push(Finding::new(path, index + 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        findings(&Tree::planted(&[(path, text)])).iter().map(|found| found.line).collect()
    }

    #[test]
    fn the_world_in_an_engine_is_found() {
        for code in [
            "fn f() { std::fs::read(p); }",
            "use std::{io, fs};",
            "use std::{collections::{BTreeMap, env}, env::vars};",
            "let now = Timestamp::now();",
            "pub async fn f() {}",
            "use tokio::time;",
            "use std::net::{IpAddr, TcpStream};",
        ] {
            assert_eq!(lines("engines/pin/src/a.rs", &format!("\n{code}")), [2], "{code}");
        }
    }

    #[test]
    fn the_same_words_elsewhere_are_not() {
        let words = "// std::fs\nlet a = \"tokio\";\nuse std::{fmt, net::IpAddr, io::{self, Read}};\n\
                     #[cfg(test)]\nmod tests { use std::fs; }";
        assert!(lines("engines/pin/src/a.rs", words).is_empty());
        assert!(lines("adapters/git/src/a.rs", "use std::fs;").is_empty());
        assert!(lines("domain/src/a.rs", "tokio_like(); use std::{env_like};").is_empty());
    }

    #[test]
    fn a_heavy_crate_is_found_except_for_tests() {
        let manifest = "[dependencies]\nserde = \"1\"\ntokio.workspace = true\n\
                        [dev-dependencies]\ntempfile.workspace = true\n";
        assert_eq!(lines("engines/pin/Cargo.toml", manifest), [3]);
    }
}

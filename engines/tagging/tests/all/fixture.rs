//! The variables of a run, as files beside the tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use tagging::{CiFacts, detect};

pub(crate) const HEAD: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
pub(crate) const MERGE: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/all/fixtures").join(name)
}

/// The variables of one fixture; `#` starts a comment.
pub(crate) fn variables(name: &str) -> BTreeMap<String, String> {
    let file = path(&format!("{name}.env"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{name}: {e}"));
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The text of the event file beside the fixture, where there is one.
pub(crate) fn event(name: &str) -> Option<String> {
    std::fs::read_to_string(path(&format!("{name}.json"))).ok()
}

/// What is read from one fixture and its event file; outside of a CI a checkout of `prod`.
pub(crate) fn facts(name: &str) -> CiFacts {
    detect(&variables(name), event(name).as_deref())
        .unwrap_or_else(|e| panic!("{name}: {e}"))
        .unwrap_or_else(|| {
            let branch = "refs/heads/prod".parse().ok();
            tagging::ci::laptop(HEAD.parse().ok(), branch)
        })
}

/// Every fixture, so that none is forgotten in a table.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(path("")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".env").map(str::to_owned))
        .collect();
    names.sort();
    names
}

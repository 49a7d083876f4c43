//! The direction of dependencies: `apps → adapters → engines → domain`, never up, never sideways.
//!
//! Inside a layer only the edges that are written here. `xtask`, `testbed`, `e2e` and `bench` stand
//! beside the layers: they may see anything, and nothing but tests may see `testbed`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::tree::Finding;
use crate::process;

/// What `cargo metadata` says, as far as it matters here.
///
/// Not the crate `cargo_metadata`: it switches a feature of `serde_json` on, and the tests would run
/// another one than ships.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or none for the code itself.
    kind: Option<String>,
    /// Only crates of this workspace have one.
    path: Option<PathBuf>,
}

/// From the bottom up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Domain,
    Engines,
    Adapters,
    Apps,
    /// Tools and tests of the whole.
    Beside,
}

/// A crate of ours that names another one.
#[derive(Clone, Debug)]
struct Edge {
    from: Member,
    to: Member,
    use_of: UseOf,
    line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UseOf {
    Code,
    Tests,
}

#[derive(Clone, Debug)]
struct Member {
    /// The folder, such as `engines/pin`.
    folder: String,
}

/// Edges inside a layer, each by folder: who may see whom.
const SIDEWAYS: [(&str, &str); 6] = [
    ("engines/evidence", "engines/oci"),
    ("engines/release", "engines/tagging"),
    ("engines/release", "engines/record"),
    ("apps/server", "apps/flows"),
    ("apps/cli", "apps/flows"),
    ("apps/cli", "apps/server"),
];

/// Edges that only tests have: clients are tested against our own server. Source: DESIGN §4, "Seams".
const SIDEWAYS_IN_TESTS: [(&str, &str); 1] = [("apps/flows", "apps/server")];

/// Support for tests, with no crate of ours below it.
const TESTBED: &str = "testbed";

impl Member {
    fn layer(&self) -> Layer {
        match self.folder.split('/').next() {
            Some("domain") => Layer::Domain,
            Some("engines") => Layer::Engines,
            Some("adapters") => Layer::Adapters,
            Some("apps") => Layer::Apps,
            Some(_) | None => Layer::Beside,
        }
    }
}

/// Asks cargo for the workspace and judges every edge between its members.
///
/// # Errors
/// Cargo cannot read the workspace.
pub(super) fn findings(root: &Path) -> Result<Vec<Finding>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let metadata: Metadata = serde_json::from_str(&process::read(&mut cargo)?)
        .context("cargo describes the workspace in another way")?;
    let root = root.canonicalize()?;
    let folder_of = |manifest: &Path| -> Option<String> {
        Some(manifest.parent()?.strip_prefix(&root).ok()?.to_str()?.to_owned())
    };
    let mut edges = Vec::new();
    for package in &metadata.packages {
        let Some(from) = folder_of(&package.manifest_path) else {
            continue;
        };
        let manifest = fs::read_to_string(&package.manifest_path)?;
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else {
                continue;
            };
            let Some(to) = folder_of(&path.join("Cargo.toml")) else {
                continue;
            };
            let use_of = match dependency.kind.as_deref() {
                Some("dev") => UseOf::Tests,
                Some(_) | None => UseOf::Code,
            };
            let line = line_of(&manifest, &dependency.name);
            let from = Member { folder: from.clone() };
            edges.push(Edge { from, to: Member { folder: to }, use_of, line });
        }
    }
    Ok(judge(&edges))
}

fn line_of(manifest: &str, name: &str) -> usize {
    let names =
        |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ']));
    manifest.lines().position(names).map_or(1, |index| index + 1)
}

fn judge(edges: &[Edge]) -> Vec<Finding> {
    let bad = edges.iter().filter_map(|edge| {
        let why = refusal(edge)?;
        let manifest = format!("{}/Cargo.toml", edge.from.folder);
        let message = format!("{} may not depend on {}: {why}", edge.from.folder, edge.to.folder);
        Some(Finding::new(&manifest, edge.line, message))
    });
    bad.collect()
}

fn refusal(edge: &Edge) -> Option<&'static str> {
    let (from, to) = (edge.from.layer(), edge.to.layer());
    if edge.to.folder == TESTBED {
        let in_tests = edge.use_of == UseOf::Tests || from == Layer::Beside;
        return (!in_tests).then_some("testbed is for tests: make it a dev-dependency");
    }
    if edge.from.folder == TESTBED {
        return Some("testbed serves the tests of every crate, so it stands on none");
    }
    if from == Layer::Beside {
        return None;
    }
    let sideways = (edge.from.folder.as_str(), edge.to.folder.as_str());
    let is_allowed = SIDEWAYS.contains(&sideways)
        || (edge.use_of == UseOf::Tests && SIDEWAYS_IN_TESTS.contains(&sideways));
    if to > from {
        Some("a layer never depends on one above it")
    } else if to == from && !is_allowed {
        Some("inside a layer only the edges of DESIGN §4 are allowed")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str, to: &str, use_of: UseOf) -> bool {
        let member = |folder: &str| Member { folder: folder.to_owned() };
        let edge = Edge { from: member(from), to: member(to), use_of, line: 7 };
        !judge(&[edge]).is_empty()
    }

    #[test]
    fn flows_sees_the_server_in_its_tests_only() {
        assert!(found("apps/flows", "apps/server", UseOf::Code));
        assert!(!found("apps/flows", "apps/server", UseOf::Tests));
    }

    #[test]
    fn dependencies_go_down_only() {
        let table = [
            ("engines/pin", "domain", false),
            ("apps/cli", "domain", false),
            ("apps/flows", "adapters/git", false),
            ("domain", "engines/pin", true),
            ("engines/oci", "adapters/remote", true),
            ("adapters/store", "apps/flows", true),
            ("engines/oci", "e2e", true),
            ("e2e", "apps/cli", false),
            ("xtask", "domain", false),
        ];
        for (from, to, bad) in table {
            assert_eq!(found(from, to, UseOf::Code), bad, "{from} -> {to}");
            assert_eq!(found(from, to, UseOf::Tests), bad, "{from} -> {to} in tests");
        }
    }

    #[test]
    fn sideways_only_as_written() {
        let table = [
            ("engines/release", "engines/record", false),
            ("engines/record", "engines/release", true),
            ("engines/evidence", "engines/oci", false),
            ("adapters/store", "adapters/git", true),
            ("apps/cli", "apps/server", false),
            ("apps/server", "apps/cli", true),
            ("apps/flows", "apps/server", true),
        ];
        for (from, to, bad) in table {
            assert_eq!(found(from, to, UseOf::Code), bad, "{from} -> {to}");
        }
    }

    #[test]
    fn testbed_is_seen_by_tests_only_and_sees_nothing() {
        assert!(!found("adapters/remote", TESTBED, UseOf::Tests));
        assert!(found("adapters/remote", TESTBED, UseOf::Code));
        assert!(!found("e2e", TESTBED, UseOf::Code));
        assert!(found(TESTBED, "domain", UseOf::Code));
    }

    #[test]
    fn a_finding_names_the_line_of_the_manifest() {
        let manifest = "[dependencies]\npinned = \"1\"\npin.workspace = true\n";
        assert_eq!(line_of(manifest, "pin"), 3);
    }
}

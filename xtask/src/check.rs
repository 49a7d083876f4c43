//! `cargo xtask check`: everything but the tests, in the order of how fast it can say no.
//!
//! Each step runs, whatever the ones before it said, so that one run names all that is to repair.
//! Same profile as the tests: `release`.

mod advisories;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{Outcome, place, process, setup, tidy};

/// Checks formatting, lints, laws, docs and dependencies.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Only these steps.
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    Format,
    Tidy,
    Clippy,
    Docs,
    Deny,
    Advisories,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    let root = place::root()?;
    let all = Step::value_variants();
    let steps = if arguments.steps.is_empty() { all } else { &arguments.steps };
    let mut results = Vec::new();
    for step in steps {
        let started = Instant::now();
        let outcome = step.run(&root)?;
        results.push((step, outcome, process::people_time(started.elapsed())));
    }
    for (step, outcome, took) in &results {
        let word = match outcome {
            Outcome::Good => "good",
            Outcome::Bad => "BAD",
        };
        println!("check: {:<10} {word:<4} {took:>12}", format!("{step:?}").to_lowercase());
    }
    let good = results.iter().all(|(_, outcome, _)| *outcome == Outcome::Good);
    Ok(if good { Outcome::Good } else { Outcome::Bad })
}

impl Step {
    fn run(self, root: &Path) -> Result<Outcome> {
        match self {
            Self::Format => cargo(root, &["fmt", "--all", "--check"]),
            Self::Tidy => tidy::check(root),
            Self::Clippy => {
                let lint = ["clippy", "--workspace", "--all-targets", "--release", "--locked"];
                cargo(root, &[&lint[..], &["--", "--deny", "warnings"]].concat())
            }
            Self::Docs => docs(root),
            Self::Deny => deny(root),
            Self::Advisories => advisories::check(root),
        }
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<Outcome> {
    outcome(Command::new("cargo").args(arguments).current_dir(root))
}

fn outcome(command: &mut Command) -> Result<Outcome> {
    Ok(if process::shown(command)?.success() { Outcome::Good } else { Outcome::Bad })
}

fn docs(root: &Path) -> Result<Outcome> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
        .args(["--release", "--locked", "--quiet"])
        .env("RUSTDOCFLAGS", "--deny warnings")
        .current_dir(root);
    outcome(&mut cargo)
}

/// Bans, licences and sources: what Cargo.lock and the crates that it names can answer. Without a
/// network too, once these are there; the tests never fetch those of other systems.
fn deny(root: &Path) -> Result<Outcome> {
    let Some(program) = setup::cargo_deny(root)? else {
        println!("deny: cargo-deny is not installed: bans, licences and sources are not checked");
        return Ok(Outcome::Bad);
    };
    let mut deny = Command::new(program);
    deny.args(["--locked", "check", "bans", "licenses", "sources"]);
    outcome(deny.current_dir(root))
}

//! `cargo xtask tidy`: the laws of this project that no compiler keeps, one file each.
//!
//! Prints `path:line: message` for each finding; any finding is exit 1.

mod documents;
mod drawers;
mod files;
mod functions;
mod ignored;
mod layers;
mod lengths;
mod lints;
mod mutations;
mod names;
mod purity;
mod source;
mod tree;

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::{Outcome, place};
use tree::{Finding, Tree};

/// Checks the laws that no compiler keeps.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<Outcome> {
    check(&place::root()?)
}

/// Prints every finding of the checkout.
///
/// # Errors
/// The checkout cannot be read.
pub(crate) fn check(root: &Path) -> Result<Outcome> {
    let findings = findings(root)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} findings", findings.len());
    Ok(if findings.is_empty() { Outcome::Good } else { Outcome::Bad })
}

/// All findings, in the order of files and lines.
///
/// # Errors
/// The checkout cannot be read.
fn findings(root: &Path) -> Result<Vec<Finding>> {
    let tree = Tree::of_checkout(root)?;
    let mut findings = layers::findings(root)?;
    let rules: [fn(&Tree) -> Vec<Finding>; 10] = [
        purity::findings,
        lengths::findings,
        functions::findings,
        files::findings,
        drawers::findings,
        lints::findings,
        ignored::findings,
        names::findings,
        documents::findings,
        mutations::findings,
    ];
    findings.extend(rules.iter().flat_map(|rule| rule(&tree)));
    findings.sort();
    Ok(findings)
}

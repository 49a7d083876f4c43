//! `cargo xtask setup`: installs what the tests need, and says what is still missing.
//!
//! As root on Debian, or with `--yes`: Debian's packages by apt-get. Everywhere: the peers that
//! `testbed/tools` names, built into a cache outside the checkout. Nothing there is run twice: a
//! second setup takes a moment.

mod debian;
mod definitions;
mod deny;
mod own;
mod peers;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::{Outcome, place, process};

/// Installs what the tests need.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Arguments {
    /// Install system packages without being root on Debian (with sudo).
    #[arg(long)]
    yes: bool,
}

/// What no test needs, when it is asked for.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WithKwok {
    #[command(flatten)]
    pub(crate) setup: Arguments,
    /// Also kwok, for nodes and pods without containers, and a client-go informer: minutes, the first time.
    #[arg(long)]
    pub(crate) kwok: bool,
}

impl Arguments {
    /// Turns `--yes`, the user and the system into a consent.
    pub(crate) fn consent(self) -> Consent {
        match (is_root_on_linux() && debian::is_debian(), self.yes) {
            (true, _) => Consent::Root,
            (false, true) => Consent::Said,
            (false, false) => Consent::No,
        }
    }
}

/// Whether system packages may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Root on Debian: a machine of its own.
    Root,
    /// Said with `--yes`.
    Said,
    /// Neither: nothing of the system is touched.
    No,
}

/// What is there after a setup.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The folder of the peers that were built from `testbed/tools`.
    pub(crate) bin: PathBuf,
    /// Programs that are still not there.
    pub(crate) missing: BTreeSet<String>,
}

pub(crate) fn run(arguments: &WithKwok) -> Result<Outcome> {
    let root = place::root()?;
    let ready = for_tests(&root, arguments.setup.consent())?;
    if arguments.kwok && !for_scale(&root, &ready.bin)? {
        return Ok(Outcome::Bad);
    }
    // For the checks only: the tests do not wait for it.
    let judge = cargo_deny(&root)?;
    if judge.is_none() {
        println!("setup: missing: cargo-deny");
    }
    let complete = ready.missing.is_empty() && judge.is_some();
    Ok(if complete { Outcome::Good } else { Outcome::Bad })
}

/// Tells whether this process is root on Linux, where a skipped test fails.
pub(crate) fn is_root_on_linux() -> bool {
    // The owner of one's own process entry is who one is; std has no other way to ask.
    cfg!(target_os = "linux") && fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Installs what may be installed; prints what is still missing and the line that installs it.
///
/// # Errors
/// The cache cannot be written. An installation that fails is no error: it is said, the program is
/// missing, and what needs it is counted as skipped.
pub(crate) fn for_tests(root: &Path, consent: Consent) -> Result<Ready> {
    let started = Instant::now();
    let mut missing = debian::install(consent)?;
    let bin = peers::bin(root)?;
    missing.extend(peers::install(root, &bin)?);
    missing.extend(definitions::install(&bin)?);
    if !own::install(&own::KUBE, root, &bin)? {
        missing.insert(own::KUBE.name.to_owned());
    }
    let took = process::people_time(started.elapsed());
    if missing.is_empty() {
        println!("setup: everything is there ({took})");
    } else {
        let names: Vec<_> = missing.iter().map(String::as_str).collect();
        println!("setup: missing: {} ({took})", names.join(", "));
        println!("setup: this installs what can be: cargo xtask setup --yes");
    }
    Ok(Ready { bin, missing })
}

/// Builds what no test needs, and tells whether all of it is there.
///
/// # Errors
/// The cache cannot be written.
pub(crate) fn for_scale(root: &Path, bin: &Path) -> Result<bool> {
    for program in &own::FOR_SCALE {
        if !own::install(program, root, bin)? {
            println!("setup: missing: {}", program.name);
            return Ok(false);
        }
    }
    Ok(true)
}

/// The folder of the built peers, whether or not they are there.
///
/// # Errors
/// A file of `testbed/tools` cannot be read.
pub(crate) fn bin(root: &Path) -> Result<PathBuf> {
    peers::bin(root)
}

/// Finds `cargo-deny`, installing it where it is not.
///
/// # Errors
/// The cache cannot be written.
pub(crate) fn cargo_deny(root: &Path) -> Result<Option<PathBuf>> {
    let bin = peers::bin(root)?;
    Ok(deny::install(root, &bin)?.then(|| bin.join("cargo-deny")))
}

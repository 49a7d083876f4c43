//! The registry beside CNCF distribution: the same requests, by the same clients, one after the other.
//!
//! Ours runs as it ships: every answer after its sync, a token asked for on each request. Distribution
//! syncs nothing and asks for no token, which is how it ships.

mod load;
mod report;
mod side;
mod workload;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use testbed::Missing;

use crate::process;
use load::Measured;
use side::Side;
use workload::WORKLOADS;

/// Measures the registry beside CNCF distribution.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The `indelible` to measure; by default the one beside this program.
    #[arg(long)]
    indelible: Option<PathBuf>,
    /// Do a tenth of the work: for a first look, not for figures.
    #[arg(long)]
    quick: bool,
    /// Where the data of both goes; by default a temporary folder.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Both sides of one workload; the peer may be missing.
type Row = (Measured, Option<Measured>);

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .context("no folder for the data")?;
    let indelible = match &arguments.indelible {
        Some(indelible) => indelible.clone(),
        None => beside_this_program()?,
    };
    let sync = process::sync_probe(folder.path())?;
    println!("disk: 4 KiB written and synced in {sync:.2?} (median)");

    let ours = Side::ours(&indelible, &folder.path().join("ours"))?;
    let peer = peer()?;
    for side in [Some(&ours), peer.as_ref()].into_iter().flatten() {
        println!("{}: {}", side.name(), side.about()?);
    }
    println!("{} clients, loopback, cleartext\n", load::CLIENTS);

    report::heading();
    for workload in &WORKLOADS {
        let operations = if arguments.quick {
            (workload.operations / 10).max(load::CLIENTS)
        } else {
            workload.operations
        };
        let row: Row = (
            workload.measure(&ours, operations)?,
            peer.as_ref().map(|peer| workload.measure(peer, operations)).transpose()?,
        );
        report::row(workload, &row);
    }
    for side in [Some(&ours), peer.as_ref()].into_iter().flatten() {
        println!("{}: {}", side.name(), side.memory()?);
    }
    Ok(())
}

/// The peer, or none with a word about how to get it.
fn peer() -> Result<Option<Side>> {
    match Side::distribution() {
        Ok(side) => Ok(Some(side)),
        Err(error) if error.is::<Missing>() => {
            println!(
                "distribution: not measured: {error}; INDELIBLE_TESTBED_BIN names the folder \
                 that it was built into"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn beside_this_program() -> Result<PathBuf> {
    let here = std::env::current_exe().context("this program does not know its own path")?;
    let indelible = here.with_file_name("indelible");
    anyhow::ensure!(
        indelible.is_file(),
        "no {}; `cargo build --release` builds it",
        indelible.display()
    );
    Ok(indelible)
}

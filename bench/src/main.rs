//! Measurements beside a peer, in one run on one machine: `cargo run --release -p bench -- registry`,
//! `-- files`, `-- git`, `-- runs`, or
//! `-- cluster`.
//!
//! Figures are printed, never asserted: a slow machine is not an error. The server's CPU per operation
//! is the figure to trust where others work on the same machine; waiting times are not.
#![expect(clippy::print_stdout, reason = "a tool for the terminal: what it prints is its work")]

mod cluster;
mod files;
mod git;
mod process;
mod registry;
mod runs;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures this project beside the peers that it names.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Registry(registry::Arguments),
    Files(files::Arguments),
    Git(git::Arguments),
    Runs(runs::Arguments),
    Cluster(cluster::Arguments),
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Registry(arguments) => registry::run(&arguments),
        Command::Files(arguments) => files::run(&arguments),
        Command::Git(arguments) => git::run(&arguments),
        Command::Runs(arguments) => runs::run(&arguments),
        Command::Cluster(arguments) => cluster::run(&arguments),
    }
}

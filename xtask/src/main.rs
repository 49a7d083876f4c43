//! The project's own commands, as `cargo xtask COMMAND`: everything a person or the checks run.
//!
//! ```text
//! cargo xtask setup     installs what the tests need
//! cargo xtask test      passes every test
//! cargo xtask tidy      the laws that no compiler keeps
//! cargo xtask check     formatting, lints, tidy, docs, dependencies
//! cargo xtask mutate    each listed breakage of a law turns a test red
//! cargo xtask cluster   a real Kubernetes cluster to try things on
//! ```
#![expect(clippy::print_stdout, reason = "a tool for the terminal: what it prints is its work")]
#![expect(clippy::print_stderr, reason = "and what it says beside it goes to stderr")]
#![expect(
    clippy::disallowed_methods,
    reason = "caches stand where the environment says; nothing else of a test depends on it"
)]

mod check;
mod cluster;
mod mutate;
mod place;
mod process;

mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The commands of this checkout.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(setup::WithKwok),
    Test(test::Arguments),
    Tidy(tidy::Arguments),
    Check(check::Arguments),
    Mutate(mutate::Arguments),
    Cluster(cluster::Arguments),
}

/// What a command found: the exit code, as the program itself counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Bad,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<Outcome> {
    match command {
        Command::Setup(arguments) => setup::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Mutate(arguments) => mutate::run(&arguments),
        Command::Cluster(arguments) => cluster::run(&arguments),
    }
}

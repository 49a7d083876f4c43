//! `cargo xtask test`: passes every test, and counts what could not run.
//!
//! First the setup, then one build, then `cargo test`. The tests are told by variables:
//! ```text
//! INDELIBLE_TESTBED_BIN    where the peers built by `cargo xtask setup` are
//! INDELIBLE_BIN            the `indelible` to test
//! INDELIBLE_SKIP_LOG       a file; a test that cannot run appends one line `test name: reason`
//! INDELIBLE_REQUIRE_PEERS  1 as root on Linux: a test that cannot run fails
//! INDELIBLE_LONG           1 with --long: the long form of the tests that have one
//! ```
//! It ends with `N passed, N failed, N skipped` alone on a line.

pub(crate) mod build;
mod tally;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use clap::Args;

use crate::{Outcome, place, process, setup};
use tally::{Skips, Tally};

/// Passes every test; installs what they need first, where that is allowed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    setup: setup::Arguments,
    /// Run the long form of the tests that have one.
    #[arg(long)]
    long: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    let root = place::root()?;
    let ready = setup::for_tests(&root, arguments.setup.consent())?;
    let mut tally = match build::tests(&root)? {
        Some(indelible) => {
            let log = skip_log()?;
            let mut cargo = cargo_test(&root, &ready.bin, &indelible, &log);
            if arguments.long {
                cargo.env("INDELIBLE_LONG", "1");
            }
            let mut tally = stream(&mut cargo)?;
            tally.skips = Tally::read_skips(&fs::read_to_string(&log).unwrap_or_default());
            fs::remove_file(&log).ok();
            tally
        }
        None => Tally::failed_to_start(),
    };
    tally.settle();
    for skip in &tally.skips {
        println!("skipped: {skip}");
    }
    println!("{tally}");
    let skips = if setup::is_root_on_linux() { Skips::Failing } else { Skips::Allowed };
    Ok(if tally.is_good(skips) { Outcome::Good } else { Outcome::Bad })
}

/// A new, empty file that the tests append to.
fn skip_log() -> Result<PathBuf> {
    let folder = place::cache()?.join("testbed");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let log = folder.join(format!("skips-{}", std::process::id()));
    fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
    Ok(log)
}

/// The variables that a test reads, on a command.
pub(crate) fn tell_tests(command: &mut Command, bin: &Path, indelible: &Path) {
    command
        .env("INDELIBLE_TESTBED_BIN", bin)
        .env("INDELIBLE_BIN", indelible)
        // A snapshot is never written by the checks, only compared.
        .env("INSTA_UPDATE", "no");
    if setup::is_root_on_linux() {
        command.env("INDELIBLE_REQUIRE_PEERS", "1");
    }
}

fn cargo_test(root: &Path, bin: &Path, indelible: &Path, log: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--workspace", "--release", "--locked", "--no-fail-fast"])
        .current_dir(root)
        .env("INDELIBLE_SKIP_LOG", log);
    tell_tests(&mut cargo, bin, indelible);
    cargo
}

/// Runs cargo, shows each line as it comes, and counts.
fn stream(cargo: &mut Command) -> Result<Tally> {
    println!("$ {}", process::line(cargo));
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        // A test may print bytes that are no text; they are shown as well as they can be.
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.read(&line);
    }
    tally.cargo_succeeded = child.wait()?.success();
    Ok(tally)
}

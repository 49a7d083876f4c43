//! `cargo xtask mutate`: breaks one law at a time, by one line, and expects a red test each time.
//!
//! The list is `xtask/mutations/*.toml`. Each mutation is applied in a copy of the checkout, which
//! stays in the cache with its own target folder, so that a second run compiles little. First the
//! copy's own tests have to be green; then, for each mutation, what does not compile is told apart
//! from what a test caught.

pub(crate) mod list;
mod scratch;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{Ended, people_time, within};
use crate::{Outcome, place, process, setup, test};
use list::Mutation;
use scratch::Scratch;

/// A broken law may make a test loop for ever; a red test that takes this long is red.
const TESTS_WITHIN: Duration = Duration::from_secs(300);

/// Breaks one law at a time and expects a red test.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Also those in adapters and apps, whose tests take longer.
    #[arg(long)]
    long: bool,
    /// Only those whose file, breakage or replacement contains this text.
    #[arg(long)]
    only: Option<String>,
}

/// What became of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Caught,
    CaughtByTime,
    Survived,
    DoesNotCompile,
}

impl Fate {
    fn is_good(self) -> bool {
        match self {
            Self::Caught | Self::CaughtByTime => true,
            Self::Survived | Self::DoesNotCompile => false,
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Caught => "caught",
            Self::CaughtByTime => "caught (time)",
            Self::Survived => "SURVIVED",
            Self::DoesNotCompile => "DOES NOT COMPILE",
        })
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    let root = place::root()?;
    let mutations = chosen(list::read(&root)?, arguments);
    if mutations.is_empty() {
        bail!("no mutation is listed for this choice");
    }
    let scratch = Scratch::copy(&root)?;
    let tests = Tests::prepare(&root, &scratch, &mutations)?;
    let started = Instant::now();
    let mut bad = 0;
    println!("{:<17} {:>8}  {:<4} what was broken", "fate", "took", "law");
    for mutation in &mutations {
        let began = Instant::now();
        let fate = tests.fate_of(mutation)?;
        bad += usize::from(!fate.is_good());
        let took = people_time(began.elapsed());
        println!(
            "{fate:<17} {took:>8}  {:<4} {}: {}",
            mutation.law, mutation.file, mutation.breaks
        );
    }
    let took = people_time(started.elapsed());
    println!("mutate: {} caught, {bad} not ({took})", mutations.len() - bad);
    Ok(if bad == 0 { Outcome::Good } else { Outcome::Bad })
}

fn chosen(mutations: Vec<Mutation>, arguments: &Arguments) -> Vec<Mutation> {
    let wanted = |mutation: &Mutation| {
        let named = arguments.only.as_ref().is_none_or(|text| {
            [&mutation.file, &mutation.breaks, &mutation.replace].iter().any(|s| s.contains(text))
        });
        named && (arguments.long || arguments.only.is_some() || mutation.is_in_the_pure_layers())
    };
    mutations.into_iter().filter(wanted).collect()
}

/// Runs the tests of a package in the scratch copy.
struct Tests<'a> {
    scratch: &'a Scratch,
    peers: std::path::PathBuf,
    /// Packages whose tests run the program itself.
    need_program: BTreeSet<&'a str>,
}

impl<'a> Tests<'a> {
    /// Proves that the unbroken tests are green: else every mutation would look caught.
    fn prepare(root: &Path, scratch: &'a Scratch, mutations: &'a [Mutation]) -> Result<Self> {
        let pure = mutations.iter().all(Mutation::is_in_the_pure_layers);
        let peers = if pure { scratch.root().join("no-peers") } else { setup::bin(root)? };
        let impure = mutations.iter().filter(|mutation| !mutation.is_tested_purely());
        let need_program = impure.map(|mutation| mutation.package.as_str()).collect();
        let tests = Self { scratch, peers, need_program };
        let packages: BTreeSet<_> = mutations.iter().map(|m| m.package.as_str()).collect();
        for package in packages {
            println!("mutate: the unbroken tests of {package}");
            tests.build_program(package)?;
            if !process::shown(&mut tests.cargo(package, &["--no-run"]))?.success() {
                bail!("the unbroken tests of {package} do not compile");
            }
            match within(TESTS_WITHIN, &mut tests.cargo(package, &[]))? {
                Ended::Well => {}
                Ended::Badly => bail!("the unbroken tests of {package} are red"),
                Ended::TooLate => bail!("the unbroken tests of {package} take too long"),
            }
        }
        Ok(tests)
    }

    fn fate_of(&self, mutation: &Mutation) -> Result<Fate> {
        let path = self.scratch.root().join(&mutation.file);
        let whole =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", mutation.file))?;
        let broken = mutation
            .applied_to(&whole)
            .with_context(|| format!("{} has no such line to break", mutation.file))?;
        fs::write(&path, broken)?;
        let fate = self.judge(&mutation.package);
        fs::write(&path, whole)?;
        fate
    }

    fn judge(&self, package: &str) -> Result<Fate> {
        let compiles = within(TESTS_WITHIN, &mut self.cargo(package, &["--no-run"]))?;
        if compiles != Ended::Well || self.build_program(package).is_err() {
            return Ok(Fate::DoesNotCompile);
        }
        Ok(match within(TESTS_WITHIN, &mut self.cargo(package, &[]))? {
            Ended::Well => Fate::Survived,
            Ended::Badly => Fate::Caught,
            Ended::TooLate => Fate::CaughtByTime,
        })
    }

    fn build_program(&self, package: &str) -> Result<()> {
        if self.need_program.contains(package) {
            test::build::indelible(self.scratch.root(), self.scratch.target())?;
        }
        Ok(())
    }

    fn cargo(&self, package: &str, more: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            // `--tests`: unit and public tests; examples in comments catch no law.
            .args(["test", "--release", "--quiet", "--tests", "--package", package])
            .args(more)
            .current_dir(self.scratch.root())
            .env("CARGO_TARGET_DIR", self.scratch.target());
        let indelible = self.scratch.target().join("release/indelible");
        test::tell_tests(&mut cargo, &self.peers, &indelible);
        cargo
    }
}

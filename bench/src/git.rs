//! Git write-back: many apps in one repository, by one writer and by twenty at once, beside a loop of the git program.
//!
//! The record is a branch of the same repository, so that every deploy is two pushes. The twenty are measured twice: with
//! a home each, as twenty machines have, which race; and with one home, as the jobs of one machine have, which take
//! turns. What landed is read out of the repository: nothing may be lost.

mod peer;
mod project;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use project::{Project, REPOSITORIES};

/// Writers at once. Source: DESIGN §10.
const WRITERS: usize = 20;
/// Source: DESIGN §10, "git write-back, 100 apps in one repository".
const ONE_WRITER_TARGET: Duration = Duration::from_secs(10);
/// Source: the same.
const WRITERS_TARGET: Duration = Duration::from_secs(30);

/// Measures git write-back beside a loop of clone, commit and push.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The `indelible` to measure; by default the one beside this program.
    #[arg(long)]
    indelible: Option<PathBuf>,
    /// How often each is done.
    #[arg(long, default_value = "1")]
    runs: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.runs > 0, "nothing is measured in no runs");
    let indelible = match &arguments.indelible {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("indelible"),
    };
    let folder = tempfile::tempdir()?;
    let sync = crate::process::sync_probe(folder.path())?;
    println!("disk: 4 KiB written and synced in {sync:.2?} (median)");
    for run in 0..arguments.runs {
        let inside = folder.path().join(run.to_string());
        let project = Project::make(&indelible, &inside)?;
        let one = one_writer(&project)?;
        println!("one writer: {:.2} s", one.as_secs_f64());
        let apart = twenty_writers(&project, Homes::Apart, 2)?;
        println!("{WRITERS} writers, a home each: {:.2} s", apart.as_secs_f64());
        let shared = twenty_writers(&project, Homes::Shared, 3)?;
        println!("{WRITERS} writers, one home: {:.2} s", shared.as_secs_f64());
        let loops = peer::measure(&inside.join("peer"), REPOSITORIES)?;
        print("one writer, one deploy of all", one, ONE_WRITER_TARGET, loops);
        print("20 writers at once, 5 apps and a home each", apart, WRITERS_TARGET, loops);
        print("20 writers at once, 5 apps each, one home", shared, WRITERS_TARGET, loops);
        println!("git: clone, commit, push for each app: {:.2} s", loops.as_secs_f64());
    }
    Ok(())
}

fn print(what: &str, took: Duration, target: Duration, peer: Duration) {
    let ratio = took.as_secs_f64() / peer.as_secs_f64();
    println!(
        "{what}: {:.2} s (target: {} s), {ratio:.2} × the loop; nothing lost",
        took.as_secs_f64(),
        target.as_secs()
    );
}

/// One command for all apps.
fn one_writer(project: &Project) -> Result<Duration> {
    let begun = Instant::now();
    let mut writer = project.writer("one", 0..REPOSITORIES, 1)?;
    println!("$ indelible deploy prod app-000={} …   # {REPOSITORIES} apps", project.digest(1));
    writer.finish().context("one writer")?;
    let took = begun.elapsed();
    project.check(1)?;
    Ok(took)
}

/// Where writers keep their copies.
#[derive(Clone, Copy)]
enum Homes {
    Apart,
    Shared,
}

/// Twenty commands at once; each has its part of the apps.
fn twenty_writers(project: &Project, homes: Homes, round: usize) -> Result<Duration> {
    let part = REPOSITORIES / WRITERS;
    let begun = Instant::now();
    let writers = (0..WRITERS).map(|at| {
        let apps = at * part..(at + 1) * part;
        let home = match homes {
            Homes::Apart => format!("writer-{at:02}"),
            Homes::Shared => "machine".to_owned(),
        };
        project.writer(&home, apps, round)
    });
    let writers = writers.collect::<Result<Vec<_>>>()?;
    for (at, mut writer) in writers.into_iter().enumerate() {
        writer.finish().with_context(|| format!("writer {at}"))?;
    }
    let took = begun.elapsed();
    project.check(round)?;
    Ok(took)
}

//! Workload files: `check` of a large tree, and `pin` of many references at a registry that is far away.
//!
//! No peer stands beside: those of DESIGN §10 list other places or pin other files, so that the figures are
//! absolute. Each run is a process of its own, as a person or a CI starts it; its answer is checked.

mod tree;
mod waiting;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use waiting::Waiting;

/// What the registry waits before each answer. Source: DESIGN §10.
const LATENCY: Duration = Duration::from_millis(20);
/// The unit of times in `/proc/PID/stat`. Source: proc(5), `USER_HZ`.
const TICK: Duration = Duration::from_millis(10);

/// Measures `check`, `pin` and `check --online`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The `indelible` to measure; by default the one beside this program.
    #[arg(long)]
    indelible: Option<PathBuf>,
    /// How often each is run.
    #[arg(long, default_value = "10")]
    runs: u32,
}

/// What one run took.
struct Took {
    median: Duration,
    cpu: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.runs > 0, "nothing is measured in no runs");
    let indelible = match &arguments.indelible {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("indelible"),
    };
    let folder = tempfile::tempdir()?;
    let many = folder.path().join("many");
    let made = tree::write(&many)?;
    println!("$ {} check .    # {} files, {} bytes", indelible.display(), made.files, made.bytes);
    let expected = format!("{} references", made.references);
    let took = repeat(arguments.runs, || {
        let said = output(&indelible, &many, &["check", "."])?;
        ensure!(said.contains(&expected), "`{expected}` is not in the answer");
        Ok(())
    })?;
    print("check", &took, "target: 0.15 s");

    let registry = Waiting::start(LATENCY)?;
    let far = folder.path().join("far");
    let pins = tree::write_references(&far, registry.host())?;
    println!("$ {} pin .    # {pins} references at {LATENCY:?}", indelible.display());
    let took = repeat(arguments.runs, || {
        tree::write_references(&far, registry.host())?;
        let before = registry.heads();
        output(&indelible, &far, &["pin", ".", "--max-age", "0"])?;
        let heads = registry.heads() - before;
        ensure!(heads == pins, "{heads} HEAD requests for {pins} references");
        Ok(())
    })?;
    print("pin", &took, "target: 0.15 s, one HEAD each");
    // Those runs kept their answers.
    let took = repeat(arguments.runs, || {
        tree::write_references(&far, registry.host())?;
        let before = registry.heads();
        output(&indelible, &far, &["pin", "."])?;
        let heads = registry.heads() - before;
        ensure!(heads == 0, "{heads} HEAD requests for answers that were kept");
        Ok(())
    })?;
    print("pin with kept answers", &took, "target: 0.03 s to look them up, no HEAD");
    let took = repeat(arguments.runs, || {
        let before = registry.heads();
        output(&indelible, &far, &["check", ".", "--online", "--max-age", "0"])?;
        let heads = registry.heads() - before;
        ensure!(heads == pins, "{heads} HEAD requests for {pins} pins");
        Ok(())
    })?;
    print("check --online", &took, "one HEAD each");
    Ok(())
}

/// Runs the program; a finding is no failure here.
fn output(indelible: &Path, folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(indelible)
        .args(arguments)
        .current_dir(folder)
        // What whoever measures keeps of other answers stays as it is.
        .env("XDG_CACHE_HOME", folder.with_extension("cache"))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", indelible.display()))?;
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "{arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The median of the waiting times, and the mean of the CPU times, which the kernel counts in ticks.
fn repeat(runs: u32, mut once: impl FnMut() -> Result<()>) -> Result<Took> {
    once()?; // the files are in memory from now on
    let before = children_cpu()?;
    let mut took = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        once()?;
        took.push(started.elapsed());
    }
    took.sort_unstable();
    let cpu = children_cpu()?.saturating_sub(before) / runs;
    Ok(Took { median: took[took.len() / 2], cpu })
}

/// The CPU time of all children that have ended: fields 16 and 17 of `/proc/self/stat`.
fn children_cpu() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    children_cpu_of(&text).context("/proc/self/stat has another form")
}

fn children_cpu_of(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: Vec<u32> =
        fields.split(' ').skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| TICK * ticks.iter().sum())
}

fn print(what: &str, took: &Took, target: &str) {
    let (median, cpu) = (took.median.as_secs_f64(), took.cpu.as_secs_f64());
    println!("{what}: {median:.3} s waited for (median), {cpu:.3} s CPU; {target}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_the_sum_of_fields_16_and_17() {
        let stat = "4711 (a) b) S 1 2 3 4 5 6 7 8 9 10 120 30 7 5 20 0";
        assert_eq!(children_cpu_of(stat), Some(Duration::from_millis(120)));
        assert_eq!(children_cpu_of("4711 (a) S"), None);
    }
}

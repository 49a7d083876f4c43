//! A cluster of many pods: how soon a change is in the record, what the watcher holds, what a look at it costs.
//!
//! ```text
//! etcd, kube-apiserver (real) · kwok (nodes, pods that run) · informer (the peer; also makes and changes the pods)
//! ```
//! The delay is measured from outside: from when the informer, a client beside ours, hands a restart to its program,
//! until another reader of the record sees the run that began by it. Nobody's own clock or word is in it. At the end
//! the record must hold what the API server says, every run of it; otherwise there are no figures but an error.

mod complete;
mod lab;
mod record_file;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use testbed::Running;

use crate::process;
use lab::Lab;
use record_file::RecordFile;

/// Source: DESIGN §10.
const DELAY_TARGET_MS: i64 = 2_000;
/// Source: the same.
const MEMORY_TARGET: u64 = 64 << 20;
/// Source: the same, "`status --context`, 1 000 pods".
const STATUS_TARGET: Duration = Duration::from_secs(3);

/// Measures the watcher beside a client-go informer.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The `indelible` to measure; by default the one beside this program.
    #[arg(long)]
    indelible: Option<PathBuf>,
    /// How many pods there are; the full figure is 10000.
    #[arg(long, default_value = "10000")]
    pods: u32,
    /// How many of them change in a second.
    #[arg(long, default_value = "100")]
    changes_per_second: u32,
    /// For how many seconds.
    #[arg(long, default_value = "60")]
    seconds: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { pods, changes_per_second, seconds, .. } = *arguments;
    ensure!(pods > 0 && changes_per_second > 0 && seconds > 0, "nothing is measured of nothing");
    // Two changes of one pod at once would be one to whoever is late.
    let is_spread = changes_per_second.saturating_mul(10) <= pods;
    ensure!(is_spread, "a pod is changed once in ten seconds at most: fewer changes or more pods");
    let indelible = match &arguments.indelible {
        // It runs in a folder of its own.
        Some(path) => path.canonicalize().with_context(|| path.display().to_string())?,
        None => std::env::current_exe()?.with_file_name("indelible"),
    };
    println!(
        "$ bench cluster --pods {pods} --changes-per-second {changes_per_second} --seconds {seconds}"
    );
    let lab = Lab::start(&indelible)?;
    println!("fsync of 4 KiB: {:.2} ms (median)", millis(process::sync_probe(lab.home())?));
    load();
    let took = lab.fill(pods)?;
    println!("{pods} pods run after {:.0} s, by {}", took.as_secs_f64(), lab.peers());
    status(&lab, pods)?;
    let (mut informer, peer_took) = lab.hold(pods)?;
    let (mut watcher, took) = lab.watch(pods)?;
    let record = RecordFile::open(&lab.record())?;
    let recorded = record.wait_for_begins(pods)?;
    println!(
        "first complete list: watcher {:.1} s, informer {:.1} s: {:.2} × the informer; all recorded {:.1} s later",
        took.as_secs_f64(),
        peer_took.as_secs_f64(),
        took.as_secs_f64() / peer_took.as_secs_f64(),
        recorded.as_secs_f64()
    );
    memory("after the first list", &watcher, &informer)?;
    change(&lab, &record, (changes_per_second, seconds), (&watcher, &informer))?;
    memory(&format!("after {} restarts", changes_per_second * seconds), &watcher, &informer)?;
    judged(&lab)?;
    let listed = lab.listed()?;
    watcher.stop()?;
    informer.stop()?;
    let found = complete::check(&lab.record(), &listed)?;
    println!(
        "record: all of {} container runs are there, {} of them open, as the API server says; {:.0} bytes a run with all events",
        found.runs,
        found.open,
        record.bytes()? / f64::from(found.runs)
    );
    load();
    Ok(())
}

/// Restarts containers, and prints how soon each restart was in the record.
fn change(
    lab: &Lab,
    record: &RecordFile,
    (a_second, seconds): (u32, u32),
    (watcher, informer): (&Running, &Running),
) -> Result<()> {
    let count = a_second * seconds;
    let seen = record.follow()?;
    let cpu = || anyhow::Ok((process::cpu(watcher.id())?, process::cpu(informer.id())?));
    let before = cpu()?;
    let sent = lab.change(a_second, seconds)?;
    let handed = lab.handed(count)?;
    let visible = seen.finish(count)?;
    let after = cpu()?;
    let ours = record_file::delays(&handed, &visible)?;
    print_delays("from the watch event to the record", &ours);
    let percentile = at(&ours, 99);
    println!("  target: p99 {DELAY_TARGET_MS} ms, {}", met(&percentile, &DELAY_TARGET_MS));
    let ours = record_file::delays(&sent, &visible)?;
    print_delays("from the request that changed it to the record", &ours);
    let peer = record_file::delays(&sent, &record_file::moments(&handed)?)?;
    print_delays("from the request that changed it to the informer's program", &peer);
    let (ours, peer) = (after.0 - before.0, after.1 - before.1);
    println!(
        "CPU of {count} restarts: watcher {:.2} ms each, with the record and its syncs; informer {:.2} ms each, which writes nothing",
        millis(ours) / f64::from(count),
        millis(peer) / f64::from(count)
    );
    Ok(())
}

fn memory(when: &str, watcher: &Running, informer: &Running) -> Result<()> {
    let ours = (process::resident_bytes(watcher.id())?, process::peak_bytes(watcher.id())?);
    let peer = (process::resident_bytes(informer.id())?, process::peak_bytes(informer.id())?);
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "memory {when}: watcher {:.1} MiB, peak {:.1} (target: {} MiB, {}); informer {:.1} MiB, peak {:.1}: {:.2} × the informer's peak",
        mebibytes(ours.0),
        mebibytes(ours.1),
        MEMORY_TARGET >> 20,
        met(&ours.1, &MEMORY_TARGET),
        mebibytes(peer.0),
        mebibytes(peer.1),
        ours.1 as f64 / peer.1 as f64
    );
    Ok(())
}

fn at(sorted: &[i64], percent: usize) -> i64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn print_delays(what: &str, sorted: &[i64]) {
    println!(
        "{what}: p50 {} ms, p99 {} ms, longest {} ms of {}",
        at(sorted, 50),
        at(sorted, 99),
        at(sorted, 100),
        sorted.len()
    );
}

/// Of the first namespace, which has at most 1 000 pods; and how often the API server was asked for a list.
fn status(lab: &Lab, pods: u32) -> Result<()> {
    let before = lab.lists_of_pods()?;
    let begun = Instant::now();
    let rows = lab.status("shop-00")?;
    let took = begun.elapsed();
    let lists = lab.lists_of_pods()? - before;
    println!(
        "status --context testbed --namespace shop-00: {:.2} s (target: {} s, {}), {} pods, {rows} workloads, {lists} pages of one list",
        took.as_secs_f64(),
        STATUS_TARGET.as_secs(),
        met(&took, &STATUS_TARGET),
        pods.min(1_000)
    );
    Ok(())
}

fn judged(lab: &Lab) -> Result<()> {
    let text = lab.metrics()?;
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    let took = value("indelible_watch_judged_seconds{").context("it judged nothing")?;
    let gaps = value("indelible_watch_gaps_total{").unwrap_or_default();
    println!("the last judgement of all that runs: {took} s; {gaps} gaps");
    Ok(())
}

/// What else the machine does; a reader of the figures needs it.
fn load() {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("load of the machine: {} on {cores} cores", text.trim());
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

fn met<T: PartialOrd>(figure: &T, target: &T) -> &'static str {
    if figure <= target { "met" } else { "MISSED" }
}

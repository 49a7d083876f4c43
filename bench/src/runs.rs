//! What ran, asked of many container runs: at a moment, of a digest, of a workload.
//!
//! The first runs go in as events, the way a git record is read in; `bytes a run` is what they take with all their
//! events. All further ones are copies of their rows, each a period later with identities and digests of its own: a
//! year of twenty clusters stands in minutes, and the questions, which read rows alone, cannot tell. No peer answers
//! them. In its place stands the naive design: one table of runs, read from end to end.

mod copies;
mod invent;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use domain::Timestamp;
use record::claim::RunId;
use record::{Run, RunQuestion, Span};
use store::{Database, Ledger};

use invent::{Luck, Shop};

/// Runs that go in as events; the rest are copies of their rows.
const AS_EVENTS_MAX: u32 = 100_000;
/// The span of a `history`.
const WEEK_MS: i64 = 7 * 24 * 3_600_000;
/// How often the whole table is read for the ratio.
const SCANS: usize = 3;
/// Source: DESIGN §10.
const TARGET_MS: f64 = 50.0;

/// Measures questions about container runs.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many container runs there are; the full figure is 10000000.
    #[arg(long, default_value = "1000000")]
    runs: u32,
    /// How many questions of each kind are asked.
    #[arg(long, default_value = "400")]
    questions: u32,
    /// Where the numbers come from: the same seed, the same runs and questions.
    #[arg(long, default_value = "7")]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.runs > 0 && arguments.questions > 0, "nothing is measured of nothing");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("record.db");
    println!("$ bench runs --runs {} --seed {}", arguments.runs, arguments.seed);
    println!(
        "fsync of 4 KiB: {:.2} ms (median)",
        millis(crate::process::sync_probe(folder.path())?)
    );
    let first = arguments.runs.min(AS_EVENTS_MAX);
    let shop = Shop::of(first, arguments.seed);
    runtime.block_on(fill(&path, &shop))?;
    let started = Instant::now();
    let made = copies::multiply(&path, first, arguments.runs)?;
    let took = started.elapsed().as_secs_f64();
    println!("{} rows more by copies in {took:.1} s: {:.0} bytes each", made.rows, made.bytes_each);
    let ledger = Ledger::new(Database::open(&path)?);
    let all = first + made.rows;
    println!("{:<44}{:>9}{:>9}{:>9}{:>10}", "", "p50 ms", "p95 ms", "rows", "target");
    for question in [Asks::RanAt, Asks::RanDigest, Asks::HistoryWorkload] {
        let luck = &mut Luck::of(arguments.seed + 1);
        let measured = runtime.block_on(ask(
            &ledger,
            &made.digests,
            &shop,
            arguments.questions,
            question,
            luck,
        ))?;
        measured.print(question.name());
        if let Asks::RanAt = question {
            let naive = scan(&path, &shop, luck)?;
            let ratio = millis(naive) / measured.percentile_ms(50);
            println!(
                "{:<44}{:>9.0}{ratio:>18.0} times slower",
                "  the same, the table read from end to end",
                millis(naive)
            );
        }
    }
    println!(
        "{all} container runs; a page has at most 1000 rows, and all pages of an answer are counted"
    );
    Ok(())
}

/// Records the first runs as events, and says what they take.
async fn fill(path: &Path, shop: &Shop) -> Result<()> {
    let started = Instant::now();
    let ledger = Ledger::new(Database::open(path)?);
    let events = shop.events();
    let count = events.len();
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        ledger.insert_events(events.by_ref().take(4_000).collect(), None).await?;
    }
    let took = started.elapsed().as_secs_f64();
    drop(ledger);
    let bytes = std::fs::metadata(path)?.len() as f64 / f64::from(shop.runs());
    println!(
        "{} runs in {count} events in {took:.1} s ({:.0} events a second): {bytes:.0} bytes a run with all of its events",
        shop.runs(),
        count as f64 / took
    );
    Ok(())
}

#[derive(Clone, Copy)]
enum Asks {
    RanAt,
    RanDigest,
    HistoryWorkload,
}

impl Asks {
    fn name(self) -> &'static str {
        match self {
            Self::RanAt => "ran --at: a namespace at a moment",
            Self::RanDigest => "ran --digest: wherever and whenever",
            Self::HistoryWorkload => "history --workload: a week of one",
        }
    }

    fn question(
        self,
        shop: &Shop,
        digests: &[domain::Digest],
        luck: &mut Luck,
        until: i64,
    ) -> RunQuestion {
        let began = shop.began().as_millis();
        let at = began + luck.below((until - began).unsigned_abs()).cast_signed();
        let at = Timestamp::from_millis(at);
        let (cluster, namespace, workload) = shop.place(luck);
        let of = RunQuestion {
            cluster: Some(cluster),
            namespace: Some(namespace),
            ..RunQuestion::default()
        };
        match self {
            Self::RanAt => RunQuestion { when: Span::moment(at), ..of },
            Self::RanDigest => {
                let chosen = luck.below(digests.len() as u64);
                let digest = digests[usize::try_from(chosen).unwrap_or_default()];
                RunQuestion { digests: [digest].into(), ..RunQuestion::default() }
            }
            Self::HistoryWorkload => {
                let when =
                    Span::between(Some(at), Some(at.plus_millis(WEEK_MS))).unwrap_or(Span::ALL);
                RunQuestion { workload: Some(workload), when, ..of }
            }
        }
    }
}

struct Measured {
    took: Vec<Duration>,
    rows: usize,
}

async fn ask(
    ledger: &Ledger,
    digests: &[domain::Digest],
    shop: &Shop,
    questions: u32,
    asks: Asks,
    luck: &mut Luck,
) -> Result<Measured> {
    let until = last_begin(ledger, shop).await?;
    let mut measured = Measured { took: Vec::new(), rows: 0 };
    for _ in 0..questions {
        let question = asks.question(shop, digests, luck, until);
        let started = Instant::now();
        let runs = all(ledger, &question).await?;
        measured.took.push(started.elapsed());
        measured.rows += runs.len();
        ensure!(runs.iter().all(|run| question.holds(run)), "a run that was not asked for");
    }
    ensure!(measured.rows > 0, "no question found anything");
    measured.took.sort_unstable();
    Ok(measured)
}

/// The latest moment that is asked about: the last begin of one workload's runs.
async fn last_begin(ledger: &Ledger, shop: &Shop) -> Result<i64> {
    let (cluster, namespace, workload) = shop.place(&mut Luck::of(1));
    let (cluster, namespace) = (Some(cluster), Some(namespace));
    let of = RunQuestion { cluster, namespace, workload: Some(workload), ..RunQuestion::default() };
    let last = all(ledger, &of).await?.last().map(Run::earliest);
    Ok(last.context("a workload without runs")?.as_millis())
}

async fn all(ledger: &Ledger, question: &RunQuestion) -> Result<Vec<Run>> {
    let mut after: Option<RunId> = None;
    let mut runs = Vec::new();
    loop {
        let page = ledger.runs(question.clone(), after).await?;
        runs.extend(page.runs);
        after = page.next;
        if after.is_none() {
            return Ok(runs);
        }
    }
}

/// The naive design: the median of reading every row to find those of one place at one moment.
fn scan(path: &Path, shop: &Shop, luck: &mut Luck) -> Result<Duration> {
    let file = rusqlite::Connection::open(path)?;
    let mut took = Vec::new();
    for _ in 0..SCANS {
        let (cluster, namespace, _) = shop.place(luck);
        let started = Instant::now();
        let sql = "SELECT count(*) FROM container_run NOT INDEXED WHERE place = (SELECT id FROM run_place \
                   WHERE cluster = ?1 AND namespace = ?2) AND lo <= ?3 AND (hi IS NULL OR hi > ?3)";
        let at = shop.began().as_millis() + WEEK_MS / 7;
        let place = (cluster.as_str(), namespace.as_str(), at);
        let _count: i64 = file.query_row(sql, place, |row| row.get(0))?;
        took.push(started.elapsed());
    }
    took.sort_unstable();
    Ok(took[SCANS / 2])
}

impl Measured {
    fn percentile_ms(&self, percent: usize) -> f64 {
        millis(self.took[(self.took.len() - 1) * percent / 100])
    }

    fn print(&self, what: &str) {
        let (p50, p95) = (self.percentile_ms(50), self.percentile_ms(95));
        let rows = self.rows / self.took.len();
        let met = if p95 <= TARGET_MS { "met" } else { "MISSED" };
        println!("{what:<44}{p50:>9.2}{p95:>9.2}{rows:>9}{:>10}", format!("{TARGET_MS} {met}"));
    }
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

//! `indelible record import --context NAME` and `--git`: what others kept of the past.

use crate::arguments::Global;
use crate::command::asking::time_of;
use crate::exit::{Exit, Failure};
use crate::output::{plain, table};
use crate::process;
use flows::deploy::Run;
use flows::import::{KeptIn, KeptReport, KeptRow, import_filed, import_kept};
use serde::Serialize;
use std::fmt::Write as _;

/// The most lines about what could not be told that people are shown.
const LINES_SHOWN_MAX: usize = 20;

#[derive(Serialize)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<String>,
    dry_run: bool,
    rows: Vec<WireRow>,
    untold: Vec<String>,
}

#[derive(Serialize)]
struct WireRow {
    environment: String,
    kept_by: &'static str,
    found: usize,
    new: usize,
    known: usize,
    own: usize,
    unknown_digest: usize,
    since: Option<String>,
}

/// Where was looked.
#[derive(Clone, Copy)]
enum Looked<'a> {
    Cluster(&'a str),
    /// Below a folder; empty: where the settings say.
    Git(&'a str),
}

pub(super) async fn of_cluster(
    global: &Global,
    context: &str,
    namespace: Option<&String>,
) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let at = KeptIn { context: context.to_owned(), namespace: namespace.cloned() };
    let report = import_kept(&app, &at, run_of(global)).await?;
    Ok(show(global, Looked::Cluster(context), &report))
}

pub(super) async fn of_git(global: &Global, path: Option<&str>) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let report = import_filed(&app, path, run_of(global)).await?;
    Ok(show(global, Looked::Git(path.unwrap_or_default()), &report))
}

fn run_of(global: &Global) -> Run {
    if global.dry_run { Run::Dry } else { Run::Real }
}

fn show(global: &Global, looked: Looked<'_>, report: &KeptReport) -> Exit {
    let (context, git) = match looked {
        Looked::Cluster(context) => (Some(context.to_owned()), None),
        Looked::Git(path) => (None, Some(path.to_owned())),
    };
    let wire = Wire {
        context,
        git,
        dry_run: global.dry_run,
        rows: report.rows.iter().map(wire_row).collect(),
        untold: report.untold.iter().cloned().collect(),
    };
    global.output().data("record import", &wire, || text(global, looked, report));
    // Nothing kept is not "nothing ran".
    if report.rows.is_empty() { Exit::Unknown } else { Exit::Done }
}

fn wire_row(row: &KeptRow) -> WireRow {
    WireRow {
        environment: row.environment.to_string(),
        kept_by: row.kept_by.word(),
        found: row.found,
        new: row.new,
        known: row.known,
        own: row.own,
        unknown_digest: row.unknown,
        since: row.since.map(|since| since.to_string()),
    }
}

fn text(global: &Global, looked: Looked<'_>, report: &KeptReport) -> String {
    let rows: Vec<Vec<String>> = report.rows.iter().map(row).collect();
    let added = if global.dry_run { "WOULD ADD" } else { "ADDED" };
    let head = ["ENV", "KEPT BY", "FOUND", added, "KNOWN", "OUR OWN", "NO DIGEST", "SINCE"];
    let mut text = match rows.is_empty() {
        true => match looked {
            Looked::Cluster(context) => {
                format!("unknown: {} keeps nothing of the images of the settings\n", plain(context))
            }
            Looked::Git(_) => {
                "unknown: no commit of the workload files names an image of the settings\n"
                    .to_owned()
            }
        },
        false => table(&head, &rows),
    };
    for line in report.untold.iter().take(LINES_SHOWN_MAX) {
        let _ = writeln!(text, "not told: {}", plain(line));
    }
    let more = report.untold.len().saturating_sub(LINES_SHOWN_MAX);
    if more > 0 {
        let _ = writeln!(text, "and {more} more: --json lists them");
    }
    text
}

fn row(row: &KeptRow) -> Vec<String> {
    vec![
        row.environment.to_string(),
        row.kept_by.to_string(),
        row.found.to_string(),
        row.new.to_string(),
        row.known.to_string(),
        row.own.to_string(),
        row.unknown.to_string(),
        row.since.map_or_else(|| "-".to_owned(), time_of),
    ]
}

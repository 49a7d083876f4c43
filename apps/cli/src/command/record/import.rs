//! `indelible record import FROM`

use super::kept;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::plain;
use crate::process;
use domain::RegistryHost;
use flows::import::{Moved, PROBLEMS_SHOWN_MAX, Problem, Source, move_record};
use flows::seam::Record;
use flows::settings::{RecordPlace, record_place};
use record::{Landed, Take};
use serde::Serialize;
use std::fmt::Write as _;

/// The most problems that people are shown.
const LINES_SHOWN_MAX: usize = 20;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Another record (git, git:URL, file:PATH, https://HOST), a file of JSON lines, or `-`
    #[arg(value_name = "FROM", required_unless_present_any = ["context", "git"], conflicts_with_all = ["context", "git"])]
    from: Option<String>,
    /// Read what this cluster still knows: ReplicaSets, ControllerRevisions, Helm releases
    #[arg(long, value_name = "NAME", conflicts_with = "git")]
    context: Option<String>,
    /// Read the git history of workload files: of each environment's `git.path`, or of what is below PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1)]
    git: Option<Option<String>>,
    /// Only this namespace
    #[arg(short, long, value_name = "NAME", requires = "context")]
    namespace: Option<String>,
}

/// A record that was named, and its host where it is on a server.
pub(super) struct Named {
    pub(super) place: RecordPlace,
    pub(super) host: Option<RegistryHost>,
}

/// The record that a word names; `None`: it is a file.
pub(super) fn place_of(text: &str) -> Option<Named> {
    let place = record_place(text).ok()?;
    let host = match &place {
        RecordPlace::Server(address) => Some(address.host.clone()),
        RecordPlace::Local | RecordPlace::File(_) | RecordPlace::Git(_) => None,
    };
    Some(Named { place, host })
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some(context) = &arguments.context {
        return kept::of_cluster(global, context, arguments.namespace.as_ref()).await;
    }
    if let Some(path) = &arguments.git {
        return kept::of_git(global, path.as_deref()).await;
    }
    let from = arguments.from.as_deref().unwrap_or("-");
    match place_of(from) {
        Some(named) => {
            let app = process::app_at(global, named.host)?;
            let source = app.record_at(named.place).await?;
            move_between(global, source.as_ref(), app.record().await?).await
        }
        None => {
            let lines: Box<dyn std::io::BufRead + Send> = match from {
                "-" => Box::new(std::io::BufReader::new(std::io::stdin())),
                path => {
                    let file = std::fs::File::open(path).map_err(|error| {
                        Failure::usage(format!("`{from}` is no record and no file: {error}"))
                    })?;
                    Box::new(std::io::BufReader::new(file))
                }
            };
            let app = process::app(global)?;
            let into = app.record().await?;
            let moved = move_record(Source::Lines(lines), into, take(global)).await?;
            Ok(show(global, from, &into.place().place, &moved))
        }
    }
}

/// Moves one record into another, and shows what came of it.
pub(super) async fn move_between(
    global: &Global,
    from: &dyn Record,
    into: &dyn Record,
) -> Result<Exit, Failure> {
    let moved = move_record(Source::Record(from), into, take(global)).await?;
    Ok(show(global, &from.place().place, &into.place().place, &moved))
}

fn take(global: &Global) -> Take {
    if global.dry_run { Take::Look } else { Take::Over }
}

#[derive(Serialize)]
struct Wire {
    from: String,
    into: String,
    dry_run: bool,
    read: u64,
    new: u64,
    known: u64,
    stays: Vec<WireStays>,
    refused: u64,
    problems: Vec<WireProblem>,
}

#[derive(Serialize)]
struct WireStays {
    kind: &'static str,
    events: u64,
}

#[derive(Serialize)]
struct WireProblem {
    event: String,
    kind: &'static str,
    key: String,
    why: &'static str,
    existing: Option<String>,
}

fn show(global: &Global, from: &str, into: &str, moved: &Moved) -> Exit {
    let stays =
        moved.stays.iter().map(|(kind, events)| WireStays { kind: kind.name(), events: *events });
    let wire = Wire {
        from: from.to_owned(),
        into: into.to_owned(),
        dry_run: global.dry_run,
        read: moved.read,
        new: moved.new,
        known: moved.known,
        stays: stays.collect(),
        refused: moved.refused,
        problems: moved.problems.iter().map(wire_problem).collect(),
    };
    global.output().data("record import", &wire, || text(&wire, moved));
    if moved.refused == 0 { Exit::Done } else { Exit::No }
}

fn wire_problem(problem: &Problem) -> WireProblem {
    let (why, existing) = match &problem.landed {
        Landed::Other { id } => ("another claim has the key", Some(id.to_string())),
        Landed::Reserved { id } => {
            ("the tag is reserved for another release", Some(id.to_string()))
        }
        Landed::Behind => ("something that came later is there already", None),
        Landed::New { id } | Landed::Known { id } => ("it is there", Some(id.to_string())),
        Landed::Stays => ("it stays with its registry", None),
    };
    WireProblem {
        event: problem.event.to_string(),
        kind: problem.kind.name(),
        key: problem.key.clone(),
        why,
        existing,
    }
}

fn text(wire: &Wire, moved: &Moved) -> String {
    let verb = if wire.dry_run { "would be added" } else { "added" };
    let mut text = format!(
        "{} events read from {}: {} {verb} to {}, {} there already\n",
        wire.read,
        plain(&wire.from),
        wire.new,
        plain(&wire.into),
        wire.known,
    );
    for one in &wire.stays {
        let _ =
            writeln!(text, "{} {} stay with the registry that wrote them", one.events, one.kind);
    }
    if wire.refused > 0 {
        let _ = writeln!(text, "{} could not be added:", wire.refused);
    }
    for problem in wire.problems.iter().take(LINES_SHOWN_MAX) {
        let existing = problem.existing.as_ref().map(|id| format!(": event {id}"));
        let _ = writeln!(
            text,
            "  {} {} `{}`: {}{}",
            problem.kind,
            problem.event,
            plain(&problem.key),
            problem.why,
            existing.unwrap_or_default(),
        );
    }
    let more = wire.problems.len().saturating_sub(LINES_SHOWN_MAX);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more: --json lists the first {PROBLEMS_SHOWN_MAX}");
    }
    if moved.new > 0 && !wire.dry_run {
        let _ = writeln!(
            text,
            "who and when are those of the first record: answers call them imported"
        );
    }
    text
}

//! `indelible watched [--context NAME] [--from T] [--to T]`

use super::Format;
use super::asking::{SpanArguments, WireCovered, gaps_text, time_of, unknown_text};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{csv_field, table};
use crate::process;
use domain::Timestamp;
use flows::ask::WatchedAnswer;
use record::{Gap, Watched};
use serde::Serialize;
use std::fmt::Write as _;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only what is watched under this name
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    #[command(flatten)]
    span: SpanArguments,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// What is asked.
enum Asked {
    /// Whether this time was watched.
    Time,
    /// When anybody watched.
    Whatever,
}

#[derive(Serialize)]
struct Wire {
    /// Whether all of the time that was asked about was watched; of none, whether anybody ever watched.
    known: bool,
    covered: Vec<WireCovered>,
    gaps: Vec<Gap>,
    items: Vec<WireStretch>,
}

#[derive(Serialize)]
struct WireStretch {
    context: String,
    cluster: String,
    /// Null: all.
    namespace: Option<String>,
    from: String,
    /// The last sign of life.
    until: String,
    /// `watching`, `ended` or `silent`: it ended without a word.
    state: &'static str,
    why: Option<String>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let mut global = global.clone();
    global.json |= arguments.format == Format::Json;
    let app = process::app(&global)?;
    let span = arguments.span.read(&app, &global)?;
    let found = flows::ask::watched(&app, arguments.context.as_deref(), &span).await?;
    let now = app.surroundings().now();
    let asked = if arguments.span.is_given() { Asked::Time } else { Asked::Whatever };
    match arguments.format {
        Format::Csv => global.output().text(&csv(&found, now)),
        Format::Table | Format::Json => {
            global
                .output()
                .data("watched", &wire(&found, &asked, now), || text(&found, &asked, now));
        }
    }
    Ok(if asked.is_known(&found) { Exit::Done } else { Exit::Unknown })
}

impl Asked {
    /// What was watched is known, whatever it is; that all of some time was is another question.
    fn is_known(&self, found: &WatchedAnswer) -> bool {
        match self {
            Self::Time => found.coverage.is_whole,
            Self::Whatever => !found.stretches.is_empty(),
        }
    }
}

fn wire(found: &WatchedAnswer, asked: &Asked, now: Timestamp) -> Wire {
    Wire {
        known: asked.is_known(found),
        covered: found.coverage.known.iter().map(WireCovered::of).collect(),
        gaps: found.gaps.clone(),
        items: found.stretches.iter().map(|one| stretch(one, now)).collect(),
    }
}

fn text(found: &WatchedAnswer, asked: &Asked, now: Timestamp) -> String {
    let mut text = String::new();
    if !found.stretches.is_empty() {
        let rows: Vec<_> = found.stretches.iter().map(|one| cells(one, now)).collect();
        text.push_str(&table(&["CONTEXT", "NAMESPACE", "FROM", "UNTIL", "STATE"], &rows));
    }
    match asked {
        Asked::Time => text.push_str(&unknown_text(Some(&found.coverage))),
        Asked::Whatever if found.stretches.is_empty() => {
            text.push_str("unknown: nobody ever watched\n");
        }
        Asked::Whatever => {}
    }
    text.push_str(&gaps_text(&found.gaps));
    text
}

/// The columns; those of a version stay, new ones come behind them.
const COLUMNS: &str = "row,context,cluster,namespace,from,until,state,why";

/// A line for each stretch, for each time without a break, and for each gap.
fn csv(found: &WatchedAnswer, now: Timestamp) -> String {
    let mut text = format!("{COLUMNS}\n");
    let mut line = |fields: [String; 8]| {
        let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
        let _ = writeln!(text, "{}", fields.join(","));
    };
    let none = String::new;
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    for one in &found.stretches {
        let one = stretch(one, now);
        let (namespace, why) = (one.namespace.unwrap_or_default(), one.why.unwrap_or_default());
        let state = one.state.to_owned();
        let row = "watched".to_owned();
        line([row, one.context, one.cluster, namespace, one.from, one.until, state, why]);
    }
    for one in &found.coverage.known {
        let (from, until) = (one.from.to_string(), one.until.to_string());
        line(["known".to_owned(), one.place.clone(), none(), none(), from, until, none(), none()]);
    }
    for Gap { from, until, why } in &found.gaps {
        let (from, until, why) = (moment(*from), moment(*until), why.clone());
        line(["gap".to_owned(), none(), none(), none(), from, until, none(), why]);
    }
    text
}

fn state(one: &Watched, now: Timestamp) -> &'static str {
    match (&one.ended, one.is_live(now)) {
        (Some(_), _) => "ended",
        (None, true) => "watching",
        (None, false) => "silent",
    }
}

fn stretch(one: &Watched, now: Timestamp) -> WireStretch {
    WireStretch {
        context: one.name.to_string(),
        cluster: one.cluster.to_string(),
        namespace: one.namespace.as_ref().map(ToString::to_string),
        from: one.from.to_string(),
        until: one.last.to_string(),
        state: state(one, now),
        why: one.ended.as_ref().map(ToString::to_string),
    }
}

fn cells(one: &Watched, now: Timestamp) -> Vec<String> {
    let state = match &one.ended {
        Some(why) => format!("ended: {why}"),
        None => state(one, now).to_owned(),
    };
    vec![
        one.name.to_string(),
        one.namespace.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string),
        time_of(one.from),
        time_of(one.last),
        state,
    ]
}

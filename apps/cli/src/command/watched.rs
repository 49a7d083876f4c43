//! `indelible watched [--context NAME]`

use super::asking::time_of;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use domain::Timestamp;
use record::Watched;
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only what is watched under this name
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Serialize)]
struct Wire {
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
    let app = process::app(global)?;
    let found = flows::ask::watched(&app, arguments.context.as_deref()).await?;
    let now = app.surroundings().now();
    let wire = Wire { items: found.iter().map(|one| stretch(one, now)).collect() };
    global.output().data("watched", &wire, || {
        if found.is_empty() {
            return "unknown: nobody ever watched\n".to_owned();
        }
        let rows: Vec<_> = found.iter().map(|one| cells(one, now)).collect();
        table(&["CONTEXT", "NAMESPACE", "FROM", "UNTIL", "STATE"], &rows)
    });
    Ok(if found.is_empty() { Exit::Unknown } else { Exit::Done })
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

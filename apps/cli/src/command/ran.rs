//! `indelible ran ENV --at T` and `indelible ran --digest DIGEST`

use super::asking::{WireInterval, basis_text, end_of, names_text, time_of, when};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use domain::{Digest, EnvironmentName, Timestamp};
use flows::App;
use flows::ask::RanRow;
use record::Answer;
use record::when::length;
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The environment
    #[arg(required_unless_present = "digest", conflicts_with = "digest")]
    environment: Option<EnvironmentName>,
    /// The moment: 2026-03-17T14:05:00Z, `2026-03-17 14:05`, `14:05`, `2h ago`; left out: now
    #[arg(long, value_name = "T")]
    at: Option<String>,
    /// Where and when this digest ran
    #[arg(long, value_name = "DIGEST", conflicts_with = "at")]
    digest: Option<Digest>,
}

#[derive(Serialize)]
struct Wire {
    at: Option<String>,
    #[serde(flatten)]
    answer: Answer<WireRow>,
}

#[derive(Serialize)]
struct WireRow {
    #[serde(flatten)]
    interval: WireInterval,
    commit: Option<String>,
    by: String,
    proof: domain::Proof,
    how: &'static str,
    event: String,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    match (arguments.environment, arguments.digest) {
        (_, Some(digest)) => {
            let answer = flows::ask::ran_digest(&app, &digest).await?;
            show(global, &app, &answer, None);
            Ok(if answer.items.is_empty() { Exit::Unknown } else { Exit::Done })
        }
        (Some(environment), None) => {
            let at = when(&app, global, arguments.at.as_deref())?;
            let at = at.unwrap_or_else(|| app.surroundings().now());
            let answer = flows::ask::ran_at(&app, &environment, at).await?;
            show(global, &app, &answer, Some(at));
            Ok(if answer.items.is_empty() { Exit::Unknown } else { Exit::Done })
        }
        (None, None) => Err(Failure::usage("name an environment, or --digest")),
    }
}

fn show(global: &Global, app: &App, answer: &Answer<RanRow>, at: Option<Timestamp>) {
    let wire = Wire { at: at.map(|at| at.to_string()), answer: answer.map(wire_row) };
    global.output().data("ran", &wire, || {
        let now = app.surroundings().now();
        let rows: Vec<Vec<String>> = answer.items.iter().map(|row| text_row(row, now)).collect();
        let mut text = match rows.is_empty() {
            true => "unknown: nothing is recorded\n".to_owned(),
            false => table(
                &["ENV", "IMAGE", "DIGEST", "TAG", "SINCE", "UNTIL", "FOR", "COMMIT", "BY"],
                &rows,
            ),
        };
        let actors = answer.items.iter().map(|row| &row.interval.began_by.stamp.actor);
        text.push_str(&basis_text(answer, names_text(actors.map(domain::Actor::proof))));
        text
    });
}

fn text_row(row: &RanRow, now: Timestamp) -> Vec<String> {
    let interval = &row.interval;
    let end = interval.until.unwrap_or(now);
    vec![
        interval.environment.to_string(),
        interval.image.to_string(),
        interval.digest.short(),
        interval.tag.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        time_of(interval.from),
        end_of(interval),
        length(end.as_millis() - interval.from.as_millis()),
        row.commit.as_ref().map_or("-", |commit| commit.short(12)).to_owned(),
        interval.began_by.stamp.actor.to_string(),
    ]
}

fn wire_row(row: &RanRow) -> WireRow {
    let began_by = &row.interval.began_by;
    WireRow {
        interval: WireInterval::of(&row.interval),
        commit: row.commit.as_ref().map(ToString::to_string),
        by: began_by.stamp.actor.to_string(),
        proof: began_by.stamp.actor.proof(),
        how: began_by.claim.how.word(),
        event: began_by.stamp.id.to_string(),
    }
}

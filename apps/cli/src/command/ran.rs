//! `indelible ran ENV --at T` and `indelible ran --digest DIGEST`

mod containers;
mod lines;

use super::Format;
use super::asking::{
    WireCovered, WireInterval, basis_text, end_of, names_text, time_of, unknown_text, when,
};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use containers::{WireContainer, containers_text};
use domain::{EnvironmentName, Timestamp};
use flows::App;
use flows::ask::{BuiltFrom, Ran, RanRow};
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
    /// Where and when this digest ran; its first 12 digits are enough
    #[arg(long, value_name = "DIGEST", conflicts_with = "at")]
    digest: Option<String>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

#[derive(Serialize)]
struct Wire {
    at: Option<String>,
    /// Whether it could be found out.
    known: bool,
    /// What was watched of that time; null: nobody ever watched.
    covered: Option<Vec<WireCovered>>,
    #[serde(flatten)]
    answer: Answer<Row>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Intended(Box<WireRow>),
    Seen(Box<WireContainer>),
}

#[derive(Serialize)]
struct WireRow {
    #[serde(flatten)]
    interval: WireInterval,
    commit: Option<String>,
    /// Of all recorded builds of these bytes, that one first.
    commits: Vec<String>,
    by: String,
    proof: domain::Proof,
    how: &'static str,
    event: String,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let mut global = global.clone();
    global.json |= arguments.format == Format::Json;
    let (global, format) = (&global, arguments.format);
    let app = process::app(global)?;
    match (arguments.environment, arguments.digest) {
        (_, Some(digest)) => {
            let digest = flows::ask::find_digest(&app, &digest).await?;
            let ran = flows::ask::ran_digest(&app, &digest).await?;
            show((global, format), &app, &ran, None);
            Ok(if ran.is_known { Exit::Done } else { Exit::Unknown })
        }
        (Some(environment), None) => {
            let at = when(&app, global, arguments.at.as_deref())?;
            let at = at.unwrap_or_else(|| app.surroundings().now());
            let ran = flows::ask::ran_at(&app, &environment, at).await?;
            show((global, format), &app, &ran, Some(at));
            Ok(if ran.is_known { Exit::Done } else { Exit::Unknown })
        }
        (None, None) => Err(Failure::usage("name an environment, or --digest")),
    }
}

fn show((global, format): (&Global, Format), app: &App, ran: &Ran, at: Option<Timestamp>) {
    let answer = &ran.answer;
    let mut all = answer.map(|row| Row::Intended(Box::new(wire_row(row))));
    all.items.extend(ran.containers.iter().map(|row| Row::Seen(Box::new(WireContainer::of(row)))));
    if format == Format::Csv {
        return global.output().text(&lines::csv(&all, ran.coverage.as_ref()));
    }
    let wire = Wire {
        at: at.map(|at| at.to_string()),
        known: ran.is_known,
        covered: WireCovered::all(ran.coverage.as_ref()),
        answer: all,
    };
    global.output().data("ran", &wire, || {
        let now = app.surroundings().now();
        let rows: Vec<Vec<String>> = answer.items.iter().map(|row| text_row(row, now)).collect();
        let mut text = containers_text(&ran.containers, at);
        if !rows.is_empty() {
            let head = ["ENV", "IMAGE", "DIGEST", "TAG", "SINCE", "UNTIL", "FOR", "COMMIT", "BY"];
            text.push_str(&table(&head, &rows));
        } else if ran.containers.is_empty() {
            text.push_str(match ran.is_known {
                true => "nothing ran: it was watched\n",
                false if ran.coverage.is_some() => "",
                false => "unknown: nothing is recorded\n",
            });
        }
        text.push_str(&unknown_text(ran.coverage.as_ref()));
        let proofs = answer.items.iter().map(|row| row.interval.began_by.stamp.proof());
        text.push_str(&basis_text(answer, names_text(proofs)));
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
        row.commit.as_ref().map_or_else(|| "-".to_owned(), BuiltFrom::short),
        interval.began_by.stamp.who().to_string(),
    ]
}

fn wire_row(row: &RanRow) -> WireRow {
    let began_by = &row.interval.began_by;
    WireRow {
        interval: WireInterval::of(&row.interval),
        commit: row.commit.as_ref().map(|built| built.commit.to_string()),
        commits: row.commit.iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
        by: began_by.stamp.who().to_string(),
        proof: began_by.stamp.proof(),
        how: began_by.claim.how.word(),
        event: began_by.stamp.id.to_string(),
    }
}

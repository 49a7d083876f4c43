//! `indelible ran ENV --at T` and `indelible ran --digest DIGEST`

use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{plain, table};
use crate::process;
use domain::{Digest, EnvironmentName, Timestamp};
use flows::App;
use flows::ask::RanRow;
use record::when::{echo, length, parse_when};
use record::{Answer, Gap};
use serde::Serialize;
use std::fmt::Write as _;

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
    basis: String,
    precision: String,
    gaps: Vec<Gap>,
    items: Vec<WireRow>,
}

#[derive(Serialize)]
struct WireRow {
    environment: String,
    image: String,
    digest: String,
    tag: Option<String>,
    from: String,
    until: Option<String>,
    basis: String,
    precision: String,
    commit: Option<String>,
    by: String,
    how: &'static str,
    event: String,
}

/// Reads a moment, and says how it was understood.
pub(crate) fn when(
    app: &App,
    global: &Global,
    text: Option<&str>,
) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let when =
        parse_when(text, app.surroundings().now(), &process::zone()).map_err(Failure::usage)?;
    global.output().talk(format_args!("{text} is {}", when.echo));
    Ok(Some(when.at))
}

/// A moment in this machine's zone, for people.
pub(crate) fn time_of(_app: &App, at: Timestamp) -> String {
    echo(at, &process::zone())
}

/// What an answer does not cover, a line each.
pub(crate) fn gaps_text(gaps: &[Gap]) -> String {
    gaps.iter().fold(String::new(), |mut text, gap| {
        let from = gap.from.map(|from| format!("from {from} ")).unwrap_or_default();
        let until = gap.until.map(|until| format!("until {until} ")).unwrap_or_default();
        let _ = writeln!(text, "gap: {from}{until}{}", plain(&gap.why));
        text
    })
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
    let wire = Wire {
        at: at.map(|at| at.to_string()),
        basis: answer.basis.to_string(),
        precision: answer.precision.to_string(),
        gaps: answer.gaps.clone(),
        items: answer.items.iter().map(wire_row).collect(),
    };
    global.output().data("ran", &wire, || {
        let now = app.surroundings().now();
        let rows: Vec<Vec<String>> =
            answer.items.iter().map(|row| text_row(app, row, now)).collect();
        let mut text = match rows.is_empty() {
            true => "unknown: nothing is recorded\n".to_owned(),
            false => table(
                &["ENV", "IMAGE", "DIGEST", "TAG", "SINCE", "UNTIL", "FOR", "COMMIT", "BY"],
                &rows,
            ),
        };
        let _ = writeln!(text, "basis {}, precision {}", answer.basis, answer.precision);
        text.push_str(&gaps_text(&answer.gaps));
        text
    });
}

fn text_row(app: &App, row: &RanRow, now: Timestamp) -> Vec<String> {
    let interval = &row.interval;
    let end = interval.until.unwrap_or(now);
    vec![
        interval.environment.to_string(),
        interval.image.to_string(),
        interval.digest.short(),
        interval.tag.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        time_of(app, interval.from),
        interval.until.map_or_else(|| "now".to_owned(), |until| time_of(app, until)),
        length(end.as_millis() - interval.from.as_millis()),
        row.commit.as_ref().map_or("-", |commit| commit.short(12)).to_owned(),
        interval.began_by.stamp.actor.to_string(),
    ]
}

fn wire_row(row: &RanRow) -> WireRow {
    let interval = &row.interval;
    WireRow {
        environment: interval.environment.to_string(),
        image: interval.image.to_string(),
        digest: interval.digest.to_string(),
        tag: interval.tag.as_ref().map(ToString::to_string),
        from: interval.from.to_string(),
        until: interval.until.map(|until| until.to_string()),
        basis: interval.basis.to_string(),
        precision: interval.precision.to_string(),
        commit: row.commit.as_ref().map(ToString::to_string),
        by: interval.began_by.stamp.actor.to_string(),
        how: interval.began_by.claim.how.word(),
        event: interval.began_by.stamp.id.to_string(),
    }
}

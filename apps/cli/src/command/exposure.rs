//! `indelible exposure --missing-commit C`

use super::asking::{SpanArguments, WireInterval, basis_text, end_of, time_of};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use flows::ask::ExposureAnswer;
use record::{Answer, Contains, Exposed};
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The commit that builds should contain, such as a fix
    #[arg(long, value_name = "COMMIT")]
    missing_commit: String,
    #[command(flatten)]
    span: SpanArguments,
}

#[derive(Serialize)]
struct Wire {
    commit: String,
    looked_at: usize,
    lacking: usize,
    unknown: usize,
    #[serde(flatten)]
    answer: Answer<WireRow>,
}

#[derive(Serialize)]
struct WireRow {
    #[serde(flatten)]
    interval: WireInterval,
    commit: Option<String>,
    verdict: &'static str,
    why: Option<String>,
}

fn verdict(contains: &Contains) -> (&'static str, Option<String>) {
    match contains {
        Contains::Yes => ("contains", None),
        Contains::No => ("lacks", None),
        Contains::CannotTell(why) => ("unknown", Some(why.clone())),
    }
}

fn wire_row(exposed: &Exposed) -> WireRow {
    let (verdict, why) = verdict(&exposed.contains);
    let commit = exposed.commit.as_ref().map(ToString::to_string);
    WireRow { interval: WireInterval::of(&exposed.interval), commit, verdict, why }
}

fn text_row(exposed: &Exposed) -> Vec<String> {
    let interval = &exposed.interval;
    let (verdict, why) = verdict(&exposed.contains);
    let why = why.map_or_else(|| verdict.to_owned(), |why| format!("{verdict}: {why}"));
    vec![
        interval.environment.to_string(),
        interval.image.to_string(),
        interval.digest.short(),
        time_of(interval.from),
        end_of(interval),
        exposed.commit.as_ref().map_or("-", |commit| commit.short(12)).to_owned(),
        why,
    ]
}

/// The intervals that lack the commit or may lack it, and how many were looked at.
fn text_of(found: &ExposureAnswer, lacking: usize, unknown: usize) -> String {
    let rows: Vec<Vec<String>> = found.answer.items.iter().map(text_row).collect();
    let mut text = match rows.is_empty() {
        true => String::new(),
        false => table(&["ENV", "IMAGE", "DIGEST", "FROM", "UNTIL", "COMMIT", "FIX"], &rows),
    };
    let (fix, looked_at) = (found.commit.short(12), found.looked_at);
    text.push_str(&format!("{lacking} lack {fix}, {unknown} unknown, of {looked_at} intervals\n"));
    text
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let span = arguments.span.read(&app, global)?;
    let found = flows::ask::exposure(&app, &arguments.missing_commit, &span).await?;
    let (answer, looked_at) = (&found.answer, found.looked_at);
    let count =
        |word: &str| answer.items.iter().filter(|one| verdict(&one.contains).0 == word).count();
    let (lacking, unknown) = (count("lacks"), count("unknown"));
    let commit = found.commit.to_string();
    let wire = Wire { commit, looked_at, lacking, unknown, answer: answer.map(wire_row) };
    global.output().data("exposure", &wire, || {
        let mut text = match looked_at {
            0 => "unknown: no deploy is recorded in that time\n".to_owned(),
            _ => text_of(&found, lacking, unknown),
        };
        text.push_str(&basis_text(answer, ""));
        text
    });
    // Nothing recorded is not "nobody is exposed".
    Ok(match (lacking, unknown, looked_at) {
        (1.., _, _) => Exit::No,
        (0, 1.., _) | (0, 0, 0) => Exit::Unknown,
        (0, 0, _) => Exit::Done,
    })
}

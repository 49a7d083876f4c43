//! `indelible history ENV|REPOSITORY[:TAG]`

mod changes;
mod population;
mod wire;

use super::Format;
use super::asking::{SpanArguments, basis_text, names_text, time_of};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::{csv_field, plain, table};
use crate::process;
use domain::{EnvironmentName, ImageRef, Repository, Tag};
use flows::App;
use flows::ask::{HistoryRequest, TagHistory, TagHistoryRow};
use record::{Precision, Span};
use serde::Serialize;
use std::fmt::Write as _;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// An environment, else a repository or REPOSITORY:TAG
    #[arg(value_name = "ENV|REPOSITORY[:TAG]")]
    what: String,
    /// Only what has to do with this workload: `deployment/api`, or `api`
    #[arg(long, value_name = "WORKLOAD")]
    workload: Option<String>,
    #[command(flatten)]
    span: SpanArguments,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// One line of a tag's history, for programs.
#[derive(Serialize)]
pub(crate) struct WireTag {
    at: String,
    tag: String,
    change: &'static str,
    from: Option<String>,
    to: Option<String>,
    until: Option<String>,
    actor: Option<String>,
    proof: Option<domain::Proof>,
    reason: Option<String>,
    witness: &'static str,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let mut global = global.clone();
    global.json |= arguments.format == Format::Json;
    let named: Option<EnvironmentName> = arguments.what.parse().ok();
    let app = process::app(&global)?;
    let is_environment = |name: &EnvironmentName| match app.loaded() {
        // An image's own name is a repository; any other single word can only be meant as an environment.
        Some(loaded) => {
            let settings = &loaded.settings;
            let is_image =
                name.as_str().parse().is_ok_and(|image| settings.images.contains_key(&image));
            settings.environment(name).is_some() || !is_image
        }
        // Without settings a single word can only be an environment of the record.
        None => !arguments.what.contains(['/', ':']),
    };
    let span = arguments.span.read(&app, &global)?;
    match named.filter(is_environment) {
        Some(environment) => {
            let workload = arguments.workload;
            let request = HistoryRequest { environment, workload, span };
            let found = flows::ask::history(&app, &request).await?;
            changes::show(&global, arguments.format, &request.environment, &found);
            Ok(if found.is_known() { Exit::Done } else { Exit::Unknown })
        }
        None if arguments.workload.is_some() => {
            Err(Failure::usage("`--workload` belongs to the history of an environment"))
        }
        None => tags(&global, &app, &arguments, &span).await,
    }
}

async fn tags(
    global: &Global,
    app: &App,
    arguments: &Arguments,
    span: &Span,
) -> Result<Exit, Failure> {
    let (repository, tag) = repository(app, &arguments.what)?;
    let app = process::app_at(global, [repository.host().clone()])?;
    let found = flows::ask::tag_history(&app, &repository, tag.as_ref(), span).await?;
    show_tags(global, arguments.format, &found);
    let answer = &found.answer;
    // Only the registry that holds the tags can say that nothing happened to them.
    let is_known = !answer.items.is_empty() || answer.precision == Precision::Exact;
    Ok(if is_known { Exit::Done } else { Exit::Unknown })
}

/// A repository, with or without a tag; also an image of the settings by its short name.
fn repository(app: &App, text: &str) -> Result<(Repository, Option<Tag>), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::usage(format_args!("`{text}`: {error}"));
    let (name, tag) = match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        Some(_) | None => (text, None),
    };
    let image = app.loaded().and_then(|loaded| loaded.settings.images.get(&name.parse().ok()?));
    if let Some(image) = image {
        let tag =
            tag.map(str::parse).transpose().map_err(|error: domain::TagError| wrong(&error))?;
        return Ok((image.repository.clone(), tag));
    }
    match text.parse::<ImageRef>().map_err(|error| wrong(&error))? {
        ImageRef::Bare(repository) => Ok((repository, None)),
        ImageRef::Tagged(tagged) => Ok((tagged.repository, Some(tagged.tag))),
        ImageRef::Pinned(_) => {
            Err(Failure::usage(format!("`{text}` names a digest: `indelible trace` follows it")))
        }
    }
}

/// The word of the event.
pub(crate) fn proof_word(proof: domain::Proof) -> String {
    serde_json::to_string(&proof).unwrap_or_default().trim_matches('"').to_owned()
}

impl WireTag {
    pub(crate) fn of(row: &TagHistoryRow) -> Self {
        Self {
            at: row.at.to_string(),
            tag: row.tag.to_string(),
            change: row.change,
            from: row.from.map(|digest| digest.to_string()),
            to: row.to.map(|digest| digest.to_string()),
            until: row.until.map(|until| until.to_string()),
            actor: row.actor.as_ref().map(ToString::to_string),
            proof: row.actor.as_ref().map(domain::Actor::proof),
            reason: row.reason.clone(),
            witness: row.witness,
        }
    }
}

fn tags_csv(items: &[WireTag]) -> String {
    let mut text = "at,tag,change,from,to,actor,reason,witness,until,proof\n".to_owned();
    for item in items {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let fields = [
            item.at.clone(),
            item.tag.clone(),
            item.change.to_owned(),
            optional(&item.from),
            optional(&item.to),
            optional(&item.actor),
            optional(&item.reason),
            item.witness.to_owned(),
            optional(&item.until),
            item.proof.map(proof_word).unwrap_or_default(),
        ];
        let line: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
        let _ = writeln!(text, "{}", line.join(","));
    }
    text
}

fn show_tags(global: &Global, format: Format, found: &TagHistory) {
    let answer = &found.answer;
    let wire = answer.map(WireTag::of);
    if format == Format::Csv {
        return global.output().text(&tags_csv(&wire.items));
    }
    global.output().data("history", &wire, || {
        let rows: Vec<Vec<String>> = answer.items.iter().map(tag_row).collect();
        let mut text = match rows.is_empty() {
            false => table(&["WHEN", "TAG", "CHANGE", "FROM", "TO", "BY", "REASON"], &rows),
            true => no_change(answer.precision, found.known),
        };
        let actors = answer.items.iter().filter_map(|row| row.actor.as_ref());
        text.push_str(&basis_text(answer, names_text(actors.map(domain::Actor::proof))));
        text
    });
}

/// Only a registry that tells its history can say that nothing happened.
fn no_change(precision: Precision, known: usize) -> String {
    match (precision, known) {
        (Precision::Exact, 0) => "nothing: the registry knows of no change\n".to_owned(),
        (Precision::Exact, known) => format!("no change in that time, of {known}\n"),
        (Precision::Bounded | Precision::Unconfirmed, 0) => {
            "unknown: no change of a tag is recorded\n".to_owned()
        }
        (Precision::Bounded | Precision::Unconfirmed, known) => {
            format!("unknown: no change is recorded in that time, of {known}\n")
        }
    }
}

fn tag_row(row: &TagHistoryRow) -> Vec<String> {
    let short =
        |digest: &Option<domain::Digest>| digest.map_or_else(|| "-".to_owned(), |one| one.short());
    let until = row.until.map(|until| format!(" until {}", time_of(until)));
    vec![
        time_of(row.at),
        row.tag.to_string(),
        format!("{}{}", row.change, until.unwrap_or_default()),
        short(&row.from),
        short(&row.to),
        row.actor.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        plain(row.reason.as_deref().unwrap_or("-")),
    ]
}

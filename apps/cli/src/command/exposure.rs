//! `indelible exposure --missing-commit C`

use super::ran::{gaps_text, time_of, when};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use record::{Contains, Exposed};
use serde::Serialize;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The commit that builds should contain, such as a fix
    #[arg(long, value_name = "COMMIT")]
    missing_commit: String,
    /// From then on
    #[arg(long, value_name = "T")]
    from: Option<String>,
    /// Until then
    #[arg(long, value_name = "T")]
    to: Option<String>,
}

#[derive(Serialize)]
struct Wire {
    commit: String,
    basis: String,
    precision: String,
    gaps: Vec<record::Gap>,
    looked_at: usize,
    lacking: usize,
    unknown: usize,
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

fn row(exposed: &Exposed) -> WireRow {
    let interval = &exposed.interval;
    let (verdict, why) = verdict(&exposed.contains);
    WireRow {
        environment: interval.environment.to_string(),
        image: interval.image.to_string(),
        digest: interval.digest.to_string(),
        tag: interval.tag.as_ref().map(ToString::to_string),
        from: interval.from.to_string(),
        until: interval.until.map(|until| until.to_string()),
        commit: exposed.commit.as_ref().map(ToString::to_string),
        verdict,
        why,
    }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let (from, to) = (
        when(&app, global, arguments.from.as_deref())?,
        when(&app, global, arguments.to.as_deref())?,
    );
    let found = flows::ask::exposure(&app, &arguments.missing_commit, from, to).await?;
    let count = |word: &str| {
        found.answer.items.iter().filter(|one| verdict(&one.contains).0 == word).count()
    };
    let (lacking, unknown) = (count("lacks"), count("unknown"));
    let wire = Wire {
        commit: found.commit.to_string(),
        basis: found.answer.basis.to_string(),
        precision: found.answer.precision.to_string(),
        gaps: found.answer.gaps.clone(),
        looked_at: found.looked_at,
        lacking,
        unknown,
        items: found.answer.items.iter().map(row).collect(),
    };
    global.output().data("exposure", &wire, || {
        let rows: Vec<Vec<String>> = found
            .answer
            .items
            .iter()
            .map(|one| {
                let (verdict, why) = verdict(&one.contains);
                let until = one
                    .interval
                    .until
                    .map_or_else(|| "now".to_owned(), |until| time_of(&app, until));
                let why = why
                    .map(|why| format!("{verdict}: {why}"))
                    .unwrap_or_else(|| verdict.to_owned());
                vec![
                    one.interval.environment.to_string(),
                    one.interval.image.to_string(),
                    one.interval.digest.short(),
                    time_of(&app, one.interval.from),
                    until,
                    why,
                ]
            })
            .collect();
        let mut text = table(&["ENV", "IMAGE", "DIGEST", "FROM", "UNTIL", "COMMIT"], &rows);
        text.push_str(&format!(
            "{lacking} lack {}, {unknown} unknown, of {} intervals; basis {}\n",
            found.commit.short(12),
            found.looked_at,
            found.answer.basis
        ));
        text.push_str(&gaps_text(&found.answer.gaps));
        text
    });
    // Nothing recorded is not "nobody is exposed".
    Ok(match (lacking, unknown, found.looked_at) {
        (1.., _, _) => Exit::No,
        (0, 1.., _) | (0, 0, 0) => Exit::Unknown,
        (0, 0, _) => Exit::Done,
    })
}

//! `indelible diff ENV T1 T2`

use super::asking::{WireCovered, basis_text, known_text, names_text, when};
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::output::table;
use crate::process;
use domain::{Digest, EnvironmentName};
use flows::ask::{BuiltFrom, Changed, Diff, RanOther, RanRow};
use record::Answer;
use serde::Serialize;
use std::collections::BTreeMap;

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The environment
    environment: EnvironmentName,
    /// The first moment: 2026-03-17T14:05:00Z, `2026-03-17 14:05`, `14:05`, `2h ago`
    #[arg(value_name = "T1")]
    first: String,
    /// The second one; left out: now
    #[arg(value_name = "T2")]
    second: Option<String>,
}

#[derive(Serialize)]
struct Wire {
    environment: String,
    from: String,
    to: String,
    /// Whether both moments are known.
    known: bool,
    /// What was watched around each of them.
    covered: Vec<WireCovered>,
    #[serde(flatten)]
    answer: Answer<WireChange>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase", tag = "what")]
enum WireChange {
    Decided {
        image: String,
        before: Option<Box<WireDecided>>,
        after: Option<Box<WireDecided>>,
    },
    Ran {
        cluster: String,
        namespace: String,
        workload: String,
        container: String,
        before: Vec<WireBuild>,
        after: Vec<WireBuild>,
        basis: &'static str,
        precision: String,
    },
}

#[derive(Serialize)]
struct WireDecided {
    digest: String,
    tag: Option<String>,
    commits: Vec<String>,
    since: String,
    how: &'static str,
    by: String,
    proof: domain::Proof,
    event: String,
    basis: String,
    precision: String,
}

#[derive(Serialize)]
struct WireBuild {
    /// Null: not reported.
    digest: Option<String>,
    containers: usize,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    let app = process::app(global)?;
    let now = app.surroundings().now();
    let first = when(&app, global, Some(&arguments.first))?.unwrap_or(now);
    let second = when(&app, global, arguments.second.as_deref())?.unwrap_or(now);
    if second <= first {
        return Err(Failure::usage(format!(
            "the second moment, {second}, is not behind the first, {first}"
        )));
    }
    let found = flows::ask::diff(&app, &arguments.environment, (first, second)).await?;
    let wire = Wire {
        environment: arguments.environment.to_string(),
        from: first.to_string(),
        to: second.to_string(),
        known: found.is_known,
        covered: found.known.iter().map(WireCovered::of).collect(),
        answer: found.answer.map(change),
    };
    global.output().data("diff", &wire, || text(&found));
    Ok(if found.is_known { Exit::Done } else { Exit::Unknown })
}

fn text(found: &Diff) -> String {
    let answer = &found.answer;
    let rows: Vec<Vec<String>> = answer.items.iter().map(cells).collect();
    let mut text = match (rows.is_empty(), found.is_known) {
        (false, true) => table(&["WHAT", "OF", "BEFORE", "AFTER", "BY"], &rows),
        (false, false) => {
            let table = table(&["WHAT", "OF", "BEFORE", "AFTER", "BY"], &rows);
            format!("{table}unknown: a moment is not covered; perhaps there is more\n")
        }
        (true, true) => "nothing changed between the two\n".to_owned(),
        (true, false) => "unknown: a moment is not covered\n".to_owned(),
    };
    if !found.is_known {
        text.push_str(&known_text(&found.known));
    }
    let decided = answer.items.iter().filter_map(|one| match one {
        Changed::Decided { after, .. } => after.as_ref(),
        Changed::Ran(_) => None,
    });
    let proofs = decided.map(|row| row.interval.began_by.stamp.proof());
    text.push_str(&basis_text(answer, names_text(proofs)));
    text
}

fn cells(one: &Changed) -> Vec<String> {
    match one {
        Changed::Decided { image, before, after } => {
            let name = |row: &Option<Box<RanRow>>| {
                row.as_ref().map_or_else(|| "nothing recorded".to_owned(), |row| build(row))
            };
            let by = after.as_ref().map(|row| &row.interval.began_by);
            let by = by.map(|fact| format!("{} ({})", fact.stamp.who(), fact.claim.how.word()));
            let by = by.unwrap_or_else(|| "-".to_owned());
            vec!["decided".to_owned(), image.to_string(), name(before), name(after), by]
        }
        Changed::Ran(one) => vec![
            "ran".to_owned(),
            place(one),
            builds(&one.before),
            builds(&one.after),
            format!("seen, {}", one.precision),
        ],
    }
}

fn build(row: &RanRow) -> String {
    let tag = row.interval.tag.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
    let commit = row.commit.as_ref().map(|built| format!(" ({})", built.short()));
    format!("{}{tag}{}", row.interval.digest.short(), commit.unwrap_or_default())
}

fn place(one: &RanOther) -> String {
    format!("{} {}/{} {}", one.cluster, one.namespace, one.workload, one.container)
}

fn builds(counts: &BTreeMap<Option<Digest>, usize>) -> String {
    if counts.is_empty() {
        return "nothing ran".to_owned();
    }
    let name = |(digest, count): (&Option<Digest>, &usize)| {
        let digest = digest.map_or_else(|| "not reported".to_owned(), |digest| digest.short());
        format!("{digest} ×{count}")
    };
    counts.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn change(one: &Changed) -> WireChange {
    match one {
        Changed::Decided { image, before, after } => WireChange::Decided {
            image: image.to_string(),
            before: before.as_ref().map(|row| Box::new(decided(row))),
            after: after.as_ref().map(|row| Box::new(decided(row))),
        },
        Changed::Ran(one) => WireChange::Ran {
            cluster: one.cluster.to_string(),
            namespace: one.namespace.to_string(),
            workload: one.workload.to_string(),
            container: one.container.to_string(),
            before: wire_builds(&one.before),
            after: wire_builds(&one.after),
            basis: "observed",
            precision: one.precision.to_string(),
        },
    }
}

fn decided(row: &RanRow) -> WireDecided {
    let (interval, fact) = (&row.interval, &row.interval.began_by);
    WireDecided {
        digest: interval.digest.to_string(),
        tag: interval.tag.as_ref().map(ToString::to_string),
        commits: row.commit.iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
        since: interval.from.to_string(),
        how: fact.claim.how.word(),
        by: fact.stamp.who().to_string(),
        proof: fact.stamp.proof(),
        event: fact.stamp.id.to_string(),
        basis: interval.basis.to_string(),
        precision: interval.precision.to_string(),
    }
}

fn wire_builds(counts: &BTreeMap<Option<Digest>, usize>) -> Vec<WireBuild> {
    let one = |(digest, count): (&Option<Digest>, &usize)| WireBuild {
        digest: digest.map(|digest| digest.to_string()),
        containers: *count,
    };
    counts.iter().map(one).collect()
}

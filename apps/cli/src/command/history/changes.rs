//! What happened to an environment: decided, seen and found, as tables, JSON or CSV.

use super::{population, wire};
use crate::arguments::Global;
use crate::command::Format;
use crate::command::asking::{basis_text, names_text, time_of, unknown_text};
use crate::output::{plain, table};
use domain::EnvironmentName;
use flows::ask::{BuiltFrom, Decided, History, HistoryRow, SeenRow};
use record::FindingState;
use record::claim::{Outcome, RunRole};
use std::fmt::Write as _;

pub(super) fn show(
    global: &Global,
    format: Format,
    environment: &EnvironmentName,
    found: &History,
) {
    if format == Format::Csv {
        return global.output().text(&population::csv(found, environment.as_str()));
    }
    global.output().data("history", &wire::of(found), || text(found));
}

fn text(found: &History) -> String {
    let answer = &found.answer;
    let rows: Vec<Vec<String>> = answer.items.iter().map(deploy_row).collect();
    let mut text = match (rows.is_empty(), found.recorded) {
        (true, 0) => "unknown: no deploy is recorded\n".to_owned(),
        (true, recorded) => format!("no deploy is recorded in that time, of {recorded}\n"),
        (false, _) => table(
            &["WHEN", "IMAGE", "WHAT", "DIGEST", "TAG", "COMMIT", "BY", "GRADE", "NOW", "REASON"],
            &rows,
        ),
    };
    if found.coverage.is_some() {
        text.push_str(&seen_text(&found.seen));
    }
    for finding in &found.findings {
        let _ = writeln!(text, "{}", plain(&finding_line(finding)));
    }
    text.push_str(&unknown_text(found.coverage.as_ref()));
    let proofs = answer.items.iter().map(|row| row.deploy.stamp.proof());
    text.push_str(&basis_text(answer, names_text(proofs)));
    text
}

fn deploy_row(row: &HistoryRow) -> Vec<String> {
    let claim = &row.deploy.claim;
    let now = match (row.is_current, row.is_condemned) {
        (true, _) => "current",
        (false, true) => "condemned",
        (false, false) => "-",
    };
    let what = match &claim.outcome {
        Outcome::Done => claim.how.word().to_owned(),
        Outcome::Open { .. } if claim.is_asked() => format!("{} asked for", claim.how.word()),
        Outcome::Open { .. } => format!("{} begun", claim.how.word()),
        Outcome::Failed { .. } => format!("{} failed", claim.how.word()),
    };
    vec![
        time_of(row.deploy.stamp.happened()),
        claim.image.to_string(),
        what,
        claim.to.short(),
        claim.tag.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        row.commit.as_ref().map_or_else(|| "-".to_owned(), BuiltFrom::short),
        row.deploy.stamp.who().to_string(),
        claim.grade.to_string(),
        now.to_owned(),
        claim.reason.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
    ]
}

/// What was seen to run, a line for each build in a container of a workload.
fn seen_text(rows: &[SeenRow]) -> String {
    if rows.is_empty() {
        return "\nnothing was seen to run in what was watched of that time\n".to_owned();
    }
    let head = [
        "SEEN FROM",
        "UNTIL",
        "CLUSTER",
        "WORKLOAD",
        "CONTAINER",
        "DIGEST",
        "COMMIT",
        "PODS",
        "RUNS",
        "PRECISION",
        "DECIDED",
    ];
    format!("\n{}", table(&head, &rows.iter().map(seen_row).collect::<Vec<_>>()))
}

fn seen_row(row: &SeenRow) -> Vec<String> {
    let (one, spot) = (&row.sighting, &row.sighting.spot);
    let container = match one.role {
        RunRole::Main => spot.container.to_string(),
        RunRole::Init => format!("{} (init)", spot.container),
        RunRole::Ephemeral => format!("{} (ephemeral)", spot.container),
    };
    let decided = match row.decided {
        Decided::ByDeploy => "by a deploy",
        Decided::Never => "by no deploy: from outside",
        Decided::OtherThen => "another build was: from outside",
        Decided::NotOurs => "no image of ours",
        Decided::CannotTell => "cannot tell",
    };
    vec![
        time_of(one.from),
        one.until.map_or_else(|| "not seen to end".to_owned(), time_of),
        row.cluster.to_string(),
        format!("{}/{}", spot.namespace, spot.workload),
        container,
        one.digest.map_or_else(|| "not reported".to_owned(), |digest| digest.short()),
        row.commit.as_ref().map_or_else(|| "-".to_owned(), BuiltFrom::short),
        one.pods.to_string(),
        one.runs.to_string(),
        one.precision.to_string(),
        decided.to_owned(),
    ]
}

fn finding_line(one: &FindingState) -> String {
    let until = match &one.closed {
        Some((at, _)) => format!(" until {}", time_of(*at)),
        None => String::new(),
    };
    format!("finding: {} from {}{until}: {}", one.what, time_of(one.from), one.opened.says)
}

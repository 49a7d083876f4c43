//! The full population of changes of a period, as CSV: decided, seen, from outside, found, and the gaps.
//!
//! ```text
//! row=change   a deploy, its actor, what proves the name, who approved it, from which digest to which
//! row=seen     bytes that ran, from when until when, in how many pods      row=outside  that nobody decided
//! row=finding  what a watcher found       row=known    a time that was watched
//! row=gap      a time of which nothing is known
//! ```
//! One line each, the newest first; the columns are in `docs/ask.md`. A column that a row does not have is empty.

use super::proof_word;
use super::wire::{WireDeploy, WireFinding, WireSeen, deploy, finding, seen};
use crate::output::csv_field;
use flows::ask::{Covered, Decided, History};
use record::Gap;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The columns, in the order in which they stand; those of a version stay, new ones come behind them.
const COLUMNS: [&str; 32] = [
    "at",
    "event",
    "environment",
    "image",
    "how",
    "from",
    "to",
    "tag",
    "commit",
    "mode",
    "grade",
    "outcome",
    "actor",
    "proof",
    "reason",
    "ticket",
    "row",
    "until",
    "began",
    "approver",
    "approver_proof",
    "approver_reason",
    "cluster",
    "namespace",
    "workload",
    "container",
    "pods",
    "runs",
    "basis",
    "precision",
    "commits",
    "reference",
];

type Line = BTreeMap<&'static str, String>;

/// All rows of an answer.
pub(super) fn csv(found: &History, environment: &str) -> String {
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(found.answer.items.iter().map(|row| of_deploy(&deploy(row))));
    lines.extend(found.seen.iter().map(|row| of_seen(row.decided, &seen(row))));
    lines.extend(found.findings.iter().map(|one| of_finding(&finding(one))));
    // Stable: what happened at one moment stays as it stands above. Moments have one spelling, which sorts.
    lines.sort_by_key(|line| Reverse(line.get("at").cloned().unwrap_or_default()));
    lines.extend(found.coverage.iter().flat_map(|one| &one.known).map(of_known));
    lines.extend(found.answer.gaps.iter().map(of_gap));
    let mut text = format!("{}\n", COLUMNS.join(","));
    for mut line in lines {
        line.insert("environment", environment.to_owned());
        let fields = COLUMNS.iter().map(|name| line.get(name).map_or("", String::as_str));
        let fields: Vec<String> = fields.map(csv_field).collect();
        let _ = writeln!(text, "{}", fields.join(","));
    }
    text
}

/// A line from its members; what is not there stays empty.
fn line<const N: usize>(row: &str, members: [(&'static str, Option<String>); N]) -> Line {
    let own = members.into_iter().filter_map(|(name, value)| Some((name, value?)));
    own.chain([("row", row.to_owned())]).collect()
}

fn some(text: impl ToString) -> Option<String> {
    Some(text.to_string())
}

fn of_deploy(one: &WireDeploy) -> Line {
    let basis =
        if one.grade == "imported" || one.imported.is_some() { "imported" } else { "intended" };
    line(
        "change",
        [
            ("at", some(&one.at)),
            ("event", some(&one.event)),
            ("image", some(&one.image)),
            ("how", some(one.how)),
            ("from", one.from.clone()),
            ("to", some(&one.to)),
            ("tag", one.tag.clone()),
            ("commit", one.commit.clone()),
            ("mode", some(&one.mode)),
            ("grade", some(&one.grade)),
            ("outcome", some(&one.outcome)),
            ("actor", some(&one.actor)),
            ("proof", some(proof_word(one.proof))),
            ("reason", one.reason.clone()),
            ("ticket", one.ticket.clone()),
            ("began", one.began.clone()),
            ("approver", one.approver.clone()),
            ("approver_proof", one.approver_proof.map(proof_word)),
            ("approver_reason", one.approver_reason.clone()),
            ("basis", some(basis)),
            ("precision", some("exact")),
            ("commits", some(one.commits.join(" "))),
        ],
    )
}

fn of_seen(decided: Decided, one: &WireSeen) -> Line {
    let (row, outcome) = match decided {
        Decided::ByDeploy => ("seen", "a deploy brought it"),
        Decided::Never => ("outside", "no deploy to the environment ever named it"),
        Decided::OtherThen => ("outside", "it came back while another build was decided"),
        Decided::NotOurs => ("seen", "it is of no image of the settings"),
        Decided::CannotTell => ("seen", "unknown whether a deploy brought it"),
    };
    line(
        row,
        [
            ("at", some(&one.from)),
            ("image", one.image.clone()),
            ("to", one.digest.clone()),
            ("commit", one.commit.clone()),
            ("outcome", some(outcome)),
            ("until", one.until.clone()),
            ("cluster", some(&one.cluster)),
            ("namespace", some(&one.namespace)),
            ("workload", some(&one.workload)),
            ("container", some(&one.container)),
            ("pods", some(one.pods)),
            ("runs", some(one.runs)),
            ("basis", some(one.basis)),
            ("precision", some(&one.precision)),
            ("commits", some(one.commits.join(" "))),
            ("reference", some(&one.reference)),
        ],
    )
}

fn of_finding(one: &WireFinding) -> Line {
    line(
        "finding",
        [
            ("at", some(&one.from)),
            ("event", some(&one.event)),
            ("how", some(&one.what)),
            ("to", some(one.digests.join(" "))),
            ("outcome", some(if one.until.is_some() { "closed" } else { "open" })),
            ("actor", one.by.clone()),
            ("reason", some(&one.says)),
            ("until", one.until.clone()),
            ("namespace", one.namespace.clone()),
            ("workload", one.workload.clone()),
            ("container", one.container.clone()),
            ("basis", some("observed")),
        ],
    )
}

fn of_known(one: &Covered) -> Line {
    line(
        "known",
        [
            ("at", some(one.from)),
            ("until", some(one.until)),
            ("cluster", some(&one.place)),
            ("basis", some("observed")),
        ],
    )
}

fn of_gap(gap: &Gap) -> Line {
    let (from, until) = (gap.from.map(|at| at.to_string()), gap.until.map(|at| at.to_string()));
    line("gap", [("at", from), ("until", until), ("reason", some(&gap.why))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Answer;

    #[test]
    fn what_a_stranger_wrote_begins_no_formula_and_a_gap_has_its_own_line() {
        let why = "=HYPERLINK(\"x\")".to_owned();
        let from = "2026-03-17T14:00:00Z".parse().ok();
        let gap = Gap { from, until: None, why };
        let answer = Answer::intended(Vec::new()).with_gap(gap);
        let found = History { answer, seen: vec![], findings: vec![], recorded: 0, coverage: None };
        let text = csv(&found, "prod");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].split(',').count(), 32);
        assert!(lines[1].starts_with(",,prod,"), "{text}");
        assert!(lines[1].contains(",gap,"), "{text}");
        assert!(lines[2].starts_with("2026-03-17T14:00:00.000Z,,prod,"), "{text}");
        assert!(lines[2].contains(",\"'=HYPERLINK(\"\"x\"\")\","), "{text}");
    }
}

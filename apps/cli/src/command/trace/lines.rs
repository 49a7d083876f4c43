//! What is known of some bytes, as CSV: a line for each thing that is recorded, and for each time that is or is not known.
//!
//! ```text
//! row=build  what they were built from      row=tag   a change of a tag at its registry, or in the record
//! row=decided  where they were meant to run  row=seen  where they ran     row=known, row=gap  watched, and not
//! ```

use super::seen::WireSeen;
use crate::command::asking::WireInterval;
use crate::command::history::proof_word;
use crate::output::csv_field;
use domain::Digest;
use flows::ask::{Covered, TraceAnswer, Traced};
use record::claim::BuildClaim;
use record::{Gap, Stamp};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The columns; those of a version stay, new ones come behind them.
const COLUMNS: [&str; 24] = [
    "row",
    "asked",
    "digest",
    "at",
    "until",
    "environment",
    "image",
    "repository",
    "tag",
    "what",
    "commit",
    "actor",
    "proof",
    "cluster",
    "namespace",
    "workload",
    "container",
    "role",
    "pods",
    "runs",
    "reference",
    "basis",
    "precision",
    "why",
];

type Line = BTreeMap<&'static str, String>;

/// All answers, each with what was asked.
pub(super) fn csv(answers: &[(&str, &TraceAnswer)]) -> String {
    let mut text = format!("{}\n", COLUMNS.join(","));
    for (asked, found) in answers {
        let mut lines: Vec<Line> = found.answer.items.iter().flat_map(of_image).collect();
        lines.extend(found.coverage.iter().flat_map(|one| &one.known).map(of_known));
        lines.extend(found.answer.gaps.iter().map(of_gap));
        for mut line in lines {
            line.insert("asked", (*asked).to_owned());
            let field = |name: &&str| csv_field(line.get(*name).map_or("", String::as_str));
            let _ = writeln!(text, "{}", COLUMNS.iter().map(field).collect::<Vec<_>>().join(","));
        }
    }
    text
}

fn line<const N: usize>(row: &str, members: [(&'static str, String); N]) -> Line {
    members.into_iter().chain([("row", row.to_owned())]).collect()
}

fn of_image(traced: &Traced) -> Vec<Line> {
    let digest = traced.trace.digest;
    let mut lines: Vec<Line> =
        traced.trace.builds.iter().map(|(stamp, build)| of_build(stamp, build)).collect();
    lines.extend(of_tags(traced));
    lines.extend(traced.intervals.iter().map(|one| {
        let stamp = &one.began_by.stamp;
        of_interval(&WireInterval::of(one), stamp, one.began_by.claim.how.word())
    }));
    lines.extend(traced.seen.iter().map(|one| of_seen(WireSeen::of(one))));
    for line in &mut lines {
        line.insert("digest", digest.to_string());
    }
    lines
}

fn of_build(stamp: &Stamp, build: &BuildClaim) -> Line {
    let tags: Vec<&str> = build.tags.iter().map(domain::Tag::as_str).collect();
    let commit = build.source.as_ref().map(|source| source.commit.to_string());
    line(
        "build",
        [
            ("at", stamp.happened().to_string()),
            ("environment", optional(build.environment.as_ref())),
            ("image", optional(build.image.as_ref())),
            ("repository", build.repository.to_string()),
            ("tag", tags.join(" ")),
            ("what", "built".to_owned()),
            ("commit", commit.unwrap_or_default()),
            ("actor", stamp.who().to_string()),
            ("proof", proof_word(stamp.proof())),
        ],
    )
}

/// Changes of tags: those of the record, and those that registries of ours tell.
fn of_tags(traced: &Traced) -> Vec<Line> {
    let digest = &traced.trace.digest;
    let recorded = traced.trace.tag_changes.iter().map(|(stamp, change)| {
        let what = match change.change.names() {
            Some(named) => came_or_went(named, digest),
            None => "gone",
        };
        line(
            "tag",
            [
                ("at", stamp.happened().to_string()),
                ("repository", change.repository.to_string()),
                ("tag", change.tag.to_string()),
                ("what", what.to_owned()),
                ("actor", stamp.who().to_string()),
                ("proof", proof_word(stamp.proof())),
            ],
        )
    });
    let told = traced.tags.iter().map(|(repository, row)| {
        let what = row.to.as_ref().map_or("gone", |to| came_or_went(to, digest));
        line(
            "tag",
            [
                ("at", row.at.to_string()),
                ("repository", repository.to_string()),
                ("tag", row.tag.to_string()),
                ("what", what.to_owned()),
                ("actor", optional(row.actor.as_ref())),
                (
                    "proof",
                    row.actor.as_ref().map(|one| proof_word(one.proof())).unwrap_or_default(),
                ),
                ("basis", "observed".to_owned()),
            ],
        )
    });
    recorded.chain(told).collect()
}

fn came_or_went(named: &Digest, own: &Digest) -> &'static str {
    if named == own { "names it" } else { "moved away" }
}

fn of_interval(one: &WireInterval, stamp: &Stamp, how: &str) -> Line {
    line(
        "decided",
        [
            ("at", one.from.clone()),
            ("until", one.until.clone().unwrap_or_default()),
            ("environment", one.environment.clone()),
            ("image", one.image.clone()),
            ("tag", one.tag.clone().unwrap_or_default()),
            ("what", how.to_owned()),
            ("actor", stamp.who().to_string()),
            ("proof", proof_word(stamp.proof())),
            ("basis", one.basis.clone()),
            ("precision", one.precision.clone()),
        ],
    )
}

fn of_seen(one: WireSeen) -> Line {
    let role = serde_json::to_value(one.role).ok();
    let role = role.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    line(
        "seen",
        [
            ("at", one.from),
            ("until", one.until.unwrap_or_default()),
            ("environment", one.environment.unwrap_or_default()),
            ("cluster", one.cluster),
            ("namespace", one.namespace),
            ("workload", one.workload),
            ("container", one.container),
            ("role", role.to_owned()),
            ("pods", one.pods.to_string()),
            ("runs", one.runs.to_string()),
            ("reference", one.reference),
            ("basis", one.basis.to_owned()),
            ("precision", one.precision),
        ],
    )
}

fn of_known(one: &Covered) -> Line {
    line(
        "known",
        [
            ("at", one.from.to_string()),
            ("until", one.until.to_string()),
            ("cluster", one.place.clone()),
            ("basis", "observed".to_owned()),
        ],
    )
}

fn of_gap(gap: &Gap) -> Line {
    line(
        "gap",
        [
            ("at", optional(gap.from.as_ref())),
            ("until", optional(gap.until.as_ref())),
            ("why", gap.why.clone()),
        ],
    )
}

fn optional(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

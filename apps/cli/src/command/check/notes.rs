//! What is noted and fails nothing: a line each for base images, CI images, tags, and each kind of finding.
//!
//! ```text
//! noted, none of it fails:
//!   base images   31 of 40 can move: node:20 (9), golang:1 (6), debian (4), 12 more
//!   tags          118 places name no digest; in 12 of them the tag cannot move
//! ```

use super::groups;
use crate::output::plain;
use flows::files::{Answer, Checked, Report};
use pin::{FindingKind, Purpose, Severity};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Images that a line names; of more, how many.
const IMAGES_MAX: usize = 3;
/// What the first column is wide.
const WIDTH: usize = 18;

/// The lines; empty where nothing is to be noted.
pub(super) fn lines(report: &Report) -> String {
    let mut lines = Vec::new();
    let counts = &report.counts;
    let mut bases = vec![("base images", Purpose::Base, counts.bases)];
    bases.push(("CI images", Purpose::Pipeline, counts.pipelines));
    for (what, purpose, all) in bases {
        lines.extend(images(report, what, purpose, all));
    }
    if counts.accepted > 0 {
        let mut said = match counts.accepted {
            1 => "1 place names a tag and no digest".to_owned(),
            more => format!("{more} places name a tag and no digest"),
        };
        if counts.locked > 0 {
            let _ = write!(
                said,
                "; in {} of them the tag cannot move: {}",
                counts.locked,
                kept(report)
            );
        }
        lines.push(("tags", said));
    }
    for (kind, rows) in beside(report) {
        lines.push((kind.id(), said(kind, &rows)));
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut text = "noted, none of it fails:\n".to_owned();
    for (what, said) in lines {
        let _ = writeln!(text, "  {what:<WIDTH$}  {}", plain(&said));
    }
    text
}

/// How the tags are kept, where all are listed.
fn kept(report: &Report) -> &'static str {
    let by = report.listed.iter().find_map(|one| match &one.answer {
        Answer::Locked(by) => Some(by.by()),
        Answer::Finding(_)
        | Answer::Known(_)
        | Answer::Pinned
        | Answer::Accepted
        | Answer::NotRequired
        | Answer::Replaced
        | Answer::Ignored(_)
        | Answer::Unknown(_) => None,
    });
    by.unwrap_or("rules or your own registry keep it")
}

/// The line of images that something is built from or run in.
fn images(
    report: &Report,
    what: &'static str,
    purpose: Purpose,
    all: usize,
) -> Option<(&'static str, String)> {
    let rows = noted(report).filter(|one| one.purpose == purpose);
    let rows = rows.filter(|one| one.finding().is_some_and(|finding| finding.kind.is_verdict()));
    let groups = groups::of(rows);
    let places: usize = groups.iter().map(|group| group.places).sum();
    let mut names: Vec<String> = groups.iter().take(IMAGES_MAX).map(groups::Group::short).collect();
    match groups.len().saturating_sub(names.len()) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    match (all, places) {
        (0, _) | (_, 0) => None,
        _ => Some((what, format!("{places} of {all} can move: {}", names.join(", ")))),
    }
}

fn noted(report: &Report) -> impl Iterator<Item = &Checked> {
    report.listed.iter().filter(|one| {
        matches!(&one.answer, Answer::Finding(finding) if finding.severity == Severity::Noted)
    })
}

/// The findings beside a verdict, by kind.
fn beside(report: &Report) -> BTreeMap<FindingKind, Vec<&Checked>> {
    let mut kinds: BTreeMap<FindingKind, Vec<&Checked>> = BTreeMap::new();
    for one in noted(report) {
        if let Some(finding) = one.finding().filter(|finding| !finding.kind.is_verdict()) {
            kinds.entry(finding.kind).or_default().push(one);
        }
    }
    kinds
}

/// One place is said in full; of several, how many and where the first is.
fn said(kind: FindingKind, rows: &[&Checked]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let (path, line) = (&first.path, first.line);
    match (rows.len(), first.finding()) {
        (1, Some(finding)) => format!("{} ({path}:{line})", finding.message),
        (number, _) => format!("{number} places, the first {path}:{line}: {}", about(kind)),
    }
}

/// What many of a kind are, in the fewest words.
fn about(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::PullPolicy => "the pull policy is at odds with the name",
        FindingKind::DigestWithoutTag => "a digest alone does not say which release it is",
        FindingKind::TwoTags => "an environment names two builds of one image",
        FindingKind::PlatformDigest => "the digest is of one platform only",
        FindingKind::Republished => "a tag names another index of the same images",
        FindingKind::OtherEnvironment
        | FindingKind::DigestGone
        | FindingKind::NotWhatRuns
        | FindingKind::TagGone
        | FindingKind::Moved
        | FindingKind::Malformed
        | FindingKind::UnknownAlgorithm
        | FindingKind::NoTag
        | FindingKind::AliasTag
        | FindingKind::MovingTag
        | FindingKind::NotPinned
        | FindingKind::Unresolved => kind.title(),
    }
}

//! The answer of `check` as JSON, version 1. Fields are added, never renamed or taken away.

use flows::files::{Answer, Checked, Counts, Report, Silent};
use pin::{Certainty, Context, FindingKind, Severity};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    counts: CountsWire,
    findings: Vec<FindingWire<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<OtherWire<'a>>,
    unread: Vec<UnreadWire<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreachable: Vec<SilentWire<'a>>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct CountsWire {
    files: usize,
    looked_at: usize,
    references: usize,
    bases: usize,
    pipelines: usize,
    pinned: usize,
    accepted: usize,
    locked: usize,
    findings: usize,
    noted: usize,
    known: usize,
    ignored: usize,
    ignored_files: usize,
    unknown: usize,
    templated: usize,
    unread: usize,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    place: &'a str,
    reference: &'a str,
    format: &'static str,
    purpose: &'static str,
    level: String,
    environment: Option<&'a str>,
    certain: bool,
    workload: WorkloadWire<'a>,
}

#[derive(Serialize)]
struct WorkloadWire<'a> {
    kind: Option<&'a str>,
    name: Option<&'a str>,
    container: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingWire<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    kind: &'static str,
    severity: &'static str,
    message: &'a str,
    known: bool,
}

#[derive(Serialize)]
struct OtherWire<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    answer: &'static str,
}

/// A place of which a registry could not be asked: that is not the same as gone.
#[derive(Serialize)]
struct SilentWire<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    reference: &'a str,
    why: &'a str,
}

impl<'a> From<&'a Silent> for SilentWire<'a> {
    fn from(one: &'a Silent) -> Self {
        let Silent { path, line, column, reference, why } = one;
        Self { path, line: *line, column: *column, reference, why }
    }
}

#[derive(Serialize)]
struct UnreadWire<'a> {
    path: &'a str,
    why: String,
}

pub(super) fn document<'a>(report: &'a Report, next: Option<&'a str>) -> Document<'a> {
    let (mut findings, mut others) = (Vec::new(), Vec::new());
    for one in &report.listed {
        match &one.answer {
            Answer::Finding(finding) | Answer::Known(finding) => findings.push(FindingWire {
                place: place(one),
                kind: finding.kind.id(),
                severity: finding.severity.name(),
                message: &finding.message,
                known: matches!(one.answer, Answer::Known(_)),
            }),
            Answer::Pinned => others.push(other(one, "pinned")),
            Answer::Locked(_) => others.push(other(one, "locked")),
            Answer::Accepted => others.push(other(one, "accepted")),
            Answer::NotRequired => others.push(other(one, "not-required")),
            Answer::Replaced => others.push(other(one, "replaced")),
            Answer::Ignored(_) => others.push(other(one, "ignored")),
            Answer::Unknown(_) => findings.push(FindingWire {
                place: place(one),
                kind: FindingKind::Unresolved.id(),
                severity: Severity::Noted.name(),
                message: FindingKind::Unresolved.title(),
                known: false,
            }),
        }
    }
    let unread = report.unread.iter();
    Document {
        counts: counts(&report.counts),
        findings,
        others,
        unread: unread
            .map(|one| UnreadWire { path: &one.shown, why: one.why.to_string() })
            .collect(),
        unreachable: report.silent.iter().map(SilentWire::from).collect(),
        next,
    }
}

fn other<'a>(one: &'a Checked, answer: &'static str) -> OtherWire<'a> {
    OtherWire { place: place(one), answer }
}

fn place(one: &Checked) -> Place<'_> {
    let Context { kind, workload, container } = &one.context;
    Place {
        path: &one.path,
        line: one.line,
        column: one.column,
        place: &one.place,
        reference: &one.reference,
        format: one.format.name(),
        purpose: one.purpose.name(),
        level: one.level.to_string(),
        environment: one.environment.as_ref().map(domain::EnvironmentName::as_str),
        certain: one.certainty == Certainty::Certain,
        workload: WorkloadWire {
            kind: kind.as_deref(),
            name: workload.as_deref(),
            container: container.as_deref(),
        },
    }
}

fn counts(counts: &Counts) -> CountsWire {
    let Counts {
        files,
        looked_at,
        references,
        bases,
        pipelines,
        pinned,
        accepted,
        locked,
        findings,
        noted,
        known,
        ignored,
        ignored_files,
        unknown,
        templated,
        unread,
    } = *counts;
    CountsWire {
        files,
        looked_at,
        references,
        bases,
        pipelines,
        pinned,
        accepted,
        locked,
        findings,
        noted,
        known,
        ignored,
        ignored_files,
        unknown,
        templated,
        unread,
    }
}

//! `indelible status --json`: rows, findings worst first, and what is unknown.

use super::place_name;
use flows::look::Look;
use release::observed::{Bytes, Finding, Place, Role, Row, Told};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
pub(super) struct Wire<'a> {
    context: &'a str,
    /// The one namespace that was looked at; null: all.
    only_in: Option<&'a str>,
    pods: usize,
    rows: Vec<WireRow<'a>>,
    findings: Vec<WireFinding>,
    unknown: Vec<WireUnknown<'a>>,
}

#[derive(Serialize)]
struct WireRow<'a> {
    namespace: &'a str,
    workload: String,
    container: &'a str,
    role: &'static str,
    reference: &'a str,
    running: Vec<WireRunning<'a>>,
    since: Option<String>,
}

#[derive(Serialize)]
struct WireRunning<'a> {
    /// What the imageID names; null: none is known, and `state` says why.
    digest: Option<String>,
    /// `pulled`, `configuration`, `waiting`, `not-reported` or `unreadable`.
    state: &'static str,
    reason: Option<&'a str>,
    pods: &'a [String],
}

#[derive(Serialize)]
struct WireFinding {
    kind: &'static str,
    places: Vec<String>,
    references: Vec<String>,
    digests: Vec<String>,
    /// Whether different digests were proved to be different builds; null: it is not about that.
    proven: Option<bool>,
}

#[derive(Serialize)]
struct WireUnknown<'a> {
    why: &'a str,
    what: &'a BTreeSet<String>,
}

/// What programs get.
pub(super) fn of(look: &Look) -> Wire<'_> {
    let unknown = look.findings.unknown.iter();
    Wire {
        context: &look.context,
        only_in: look.only_in.as_deref(),
        pods: look.pods,
        rows: look.rows.iter().map(row).collect(),
        findings: look.findings.found.iter().map(finding).collect(),
        unknown: unknown.map(|(why, what)| WireUnknown { why, what }).collect(),
    }
}

fn row(row: &Row) -> WireRow<'_> {
    let running = row.bytes.iter().map(|(bytes, pods)| {
        let (state, reason) = match bytes {
            Bytes::Pulled(_) => ("pulled", None),
            Bytes::Configured(_) => ("configuration", None),
            Bytes::Waiting(reason) => ("waiting", Some(reason.as_str())),
            Bytes::NotReported => ("not-reported", None),
            Bytes::Unreadable(text) => ("unreadable", Some(text.as_str())),
        };
        WireRunning { digest: bytes.digest().map(|one| one.to_string()), state, reason, pods }
    });
    WireRow {
        namespace: &row.namespace,
        workload: row.owner.to_string(),
        container: &row.container,
        role: match row.role {
            Role::Main => "main",
            Role::Init => "init",
            Role::Ephemeral => "ephemeral",
        },
        reference: &row.reference,
        running: running.collect(),
        since: row.since.map(|since| since.to_string()),
    }
}

fn finding(finding: &Finding) -> WireFinding {
    let proven = |told: &Told| match told {
        Told::Apart => Some(true),
        Told::CannotTell => Some(false),
    };
    let tag = |tag: &(domain::Repository, domain::Tag)| vec![format!("{}:{}", tag.0, tag.1)];
    let one = |kind, place: &Place, references, digests: Vec<domain::Digest>| WireFinding {
        kind,
        places: vec![place_name(place)],
        references,
        digests: digests.iter().map(ToString::to_string).collect(),
        proven: None,
    };
    match finding {
        Finding::TwoBuilds { place, references, builds, told } => WireFinding {
            proven: proven(told),
            ..one(
                "two-builds",
                place,
                references.iter().cloned().collect(),
                builds.iter().map(|(digest, _)| *digest).collect(),
            )
        },
        Finding::SharedTag { tag: shared, builds, told } => WireFinding {
            kind: "shared-tag",
            places: builds.iter().flat_map(|(_, places)| places).map(place_name).collect(),
            references: tag(shared),
            digests: builds.iter().map(|(digest, _)| digest.to_string()).collect(),
            proven: proven(told),
        },
        Finding::DigestGone { place, repository, digest } => {
            one("digest-gone", place, vec![repository.to_string()], vec![*digest])
        }
        Finding::TagGone { place, tag: gone } => one("tag-gone", place, tag(gone), Vec::new()),
        Finding::TagMoved { place, tag: moved, running, now } => {
            one("tag-moved", place, tag(moved), vec![*running, *now])
        }
        Finding::Unpinned { place, reference } => {
            one("unpinned", place, vec![reference.clone()], Vec::new())
        }
    }
}

//! What `pin`, `set` and `unpin` did as JSON, version 1. Fields are added, never renamed or taken away.

use super::draft::{Draft, Outcome};
use flows::files::{Basis, Held, NotMoved, Why};
use pin::Skip;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    written: bool,
    files: Vec<&'a str>,
    changed: Vec<ChangedWire<'a>>,
    left: Vec<LeftWire<'a>>,
    same: usize,
    restarts: Vec<&'a str>,
    unread: Vec<UnreadWire<'a>>,
    looked_at: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangedWire<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    reference: &'a str,
    digest: Option<String>,
    repository: Option<String>,
    floating: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<BasisWire>,
}

/// Where a digest comes from that no registry said just now.
#[derive(Serialize)]
struct BasisWire {
    from: &'static str,
    at: String,
}

impl From<Basis> for BasisWire {
    fn from(basis: Basis) -> Self {
        let (from, at) = match basis {
            Basis::Kept { at, .. } => ("kept", at),
            Basis::Lock { at } => ("lock", at),
        };
        Self { from, at: at.to_string() }
    }
}

#[derive(Serialize)]
struct LeftWire<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    reference: &'a str,
    kind: &'static str,
    why: String,
}

#[derive(Serialize)]
struct UnreadWire<'a> {
    path: &'a str,
    why: String,
}

pub(super) fn document<'a>(told: &Draft<'a>, next: Option<&'a str>) -> Document<'a> {
    let draft = told.draft;
    let diff = match told.outcome {
        Outcome::Shown => Some(told.diff()),
        // The digests of a locked draft are not the real ones.
        Outcome::Written | Outcome::Locked | Outcome::Streamed => None,
    };
    let changed = draft.changed.iter().map(|one| ChangedWire {
        path: &one.path,
        line: one.line,
        column: one.column,
        reference: &one.reference,
        digest: one.digest.map(|digest| digest.to_string()),
        repository: one.repository.as_ref().map(ToString::to_string),
        floating: one.floating.as_deref(),
        moved: one.moved.as_deref(),
        basis: one.basis.map(BasisWire::from),
    });
    let left = draft.left.iter().map(|one| LeftWire {
        path: &one.path,
        line: one.line,
        column: one.column,
        reference: &one.reference,
        kind: kind(&one.why),
        why: one.why.to_string(),
    });
    let unread = draft.unread.iter();
    Document {
        written: told.outcome == Outcome::Written,
        files: draft.rewrites.iter().map(|rewrite| rewrite.shown.as_str()).collect(),
        changed: changed.collect(),
        left: left.collect(),
        same: draft.same,
        restarts: draft.restarts.iter().map(String::as_str).collect(),
        unread: unread
            .map(|one| UnreadWire { path: &one.shown, why: one.why.to_string() })
            .collect(),
        looked_at: draft.looked_at,
        diff,
        next,
    }
}

fn kind(why: &Why) -> &'static str {
    match why {
        Why::NotThere(_) => "not-there",
        Why::Unknown(_) => "unknown",
        Why::Proof(_) => "unsafe",
        Why::Held(held) => match held {
            Held::Platforms { .. } => "platform",
            Held::Young { .. } => "too-young",
            Held::AgeUnknown { .. } => "age-unknown",
        },
        Why::NotMoved(why) => match why {
            NotMoved::Waits(_) => "waits",
            NotMoved::Refused(_) => "not-moved",
            NotMoved::Gone(_) => "not-there",
            NotMoved::Unknown(_) => "unknown",
        },
        Why::OtherInLock(_) => "other-in-lock",
        Why::NotInLock => "not-in-lock",
        Why::Skip(skip) => match skip {
            Skip::Ignored(_) => "ignored",
            Skip::Opaque(_) | Skip::Default => "opaque",
            Skip::Malformed => "malformed",
            Skip::BuildTarget => "build-target",
            Skip::NoAnswer => "no-answer",
            Skip::NoTag => "no-tag",
            Skip::Elsewhere { .. } => "elsewhere",
            Skip::OtherRepository => "other-repository",
            Skip::NoRoom(_) => "no-room",
            Skip::NoPlace => "no-place",
            Skip::Seen { .. } => "seen",
        },
    }
}

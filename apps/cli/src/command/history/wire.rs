//! What happened to an environment, for programs.

use crate::command::asking::{Moved, WireCovered};
use flows::ask::{BuiltFrom, Decided, History, HistoryRow, SeenRow};
use record::claim::Outcome;
use record::{Answer, FindingState};
use serde::Serialize;

/// The deploys as items, and beside them what was seen and found.
#[derive(Serialize)]
pub(super) struct Wire {
    #[serde(flatten)]
    answer: Answer<WireDeploy>,
    /// Whether anybody ever watched the environment; if not, `seen` says nothing.
    watched: bool,
    /// Whether all of the time could be found out.
    known: bool,
    /// What was watched of that time; null: nobody ever watched.
    covered: Option<Vec<WireCovered>>,
    seen: Vec<WireSeen>,
    findings: Vec<WireFinding>,
}

#[derive(Serialize)]
pub(super) struct WireDeploy {
    pub(super) at: String,
    /// When it began, where that was recorded too.
    pub(super) began: Option<String>,
    pub(super) event: String,
    pub(super) environment: String,
    pub(super) image: String,
    pub(super) how: &'static str,
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) tag: Option<String>,
    pub(super) commit: Option<String>,
    /// Of all recorded builds of these bytes, that one first.
    pub(super) commits: Vec<String>,
    pub(super) mode: String,
    pub(super) grade: String,
    pub(super) outcome: String,
    pub(super) actor: String,
    pub(super) proof: domain::Proof,
    pub(super) reason: Option<String>,
    pub(super) ticket: Option<String>,
    /// Who let the build into the environment by name.
    pub(super) approver: Option<String>,
    pub(super) approver_proof: Option<domain::Proof>,
    pub(super) approver_reason: Option<String>,
    pub(super) written_as: Option<String>,
    pub(super) current: bool,
    pub(super) condemned: bool,
    /// Who moved it here from another record, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) imported: Option<Moved>,
}

#[derive(Serialize)]
pub(super) struct WireSeen {
    pub(super) from: String,
    pub(super) until: Option<String>,
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) workload: String,
    pub(super) container: String,
    pub(super) image: Option<String>,
    pub(super) reference: String,
    pub(super) digest: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) commits: Vec<String>,
    pub(super) pods: usize,
    pub(super) runs: usize,
    /// `deploy`, `never`, `other-then`, `not-ours`, `cannot-tell`.
    pub(super) decided: &'static str,
    pub(super) basis: &'static str,
    pub(super) precision: String,
}

#[derive(Serialize)]
pub(super) struct WireFinding {
    pub(super) from: String,
    pub(super) until: Option<String>,
    pub(super) event: String,
    pub(super) what: String,
    pub(super) says: String,
    pub(super) namespace: Option<String>,
    pub(super) workload: Option<String>,
    pub(super) container: Option<String>,
    pub(super) digests: Vec<String>,
    /// The field manager that changed it, where that can be told.
    pub(super) by: Option<String>,
}

pub(super) fn of(found: &History) -> Wire {
    Wire {
        answer: found.answer.map(deploy),
        watched: found.coverage.is_some(),
        known: found.is_known(),
        covered: WireCovered::all(found.coverage.as_ref()),
        seen: found.seen.iter().map(seen).collect(),
        findings: found.findings.iter().map(finding).collect(),
    }
}

pub(super) fn deploy(row: &HistoryRow) -> WireDeploy {
    let (claim, stamp) = (&row.deploy.claim, &row.deploy.stamp);
    let allowed = row.allowed.as_ref();
    WireDeploy {
        at: stamp.happened().to_string(),
        began: row.began.map(|at| at.to_string()),
        event: stamp.id.to_string(),
        environment: claim.environment.to_string(),
        image: claim.image.to_string(),
        how: claim.how.word(),
        from: claim.from.map(|digest| digest.to_string()),
        to: claim.to.to_string(),
        tag: claim.tag.as_ref().map(ToString::to_string),
        commit: row.commit.as_ref().map(|built| built.commit.to_string()),
        commits: row.commit.iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
        mode: claim.mode.to_string(),
        grade: claim.grade.to_string(),
        outcome: match &claim.outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Open { why } => format!("open: {why}"),
            Outcome::Failed { why } => format!("failed: {why}"),
        },
        actor: stamp.who().to_string(),
        proof: stamp.proof(),
        imported: Moved::of(stamp),
        reason: claim.reason.as_ref().map(ToString::to_string),
        ticket: claim.ticket.as_ref().map(ToString::to_string),
        approver: allowed.map(|(stamp, _)| stamp.who().to_string()),
        approver_proof: allowed.map(|(stamp, _)| stamp.proof()),
        approver_reason: allowed.map(|(_, reason)| reason.clone()),
        written_as: claim.commit.as_ref().map(ToString::to_string),
        current: row.is_current,
        condemned: row.is_condemned,
    }
}

pub(super) fn seen(row: &SeenRow) -> WireSeen {
    let (one, spot) = (&row.sighting, &row.sighting.spot);
    WireSeen {
        from: one.from.to_string(),
        until: one.until.map(|until| until.to_string()),
        cluster: row.cluster.to_string(),
        namespace: spot.namespace.to_string(),
        workload: spot.workload.to_string(),
        container: spot.container.to_string(),
        image: row.image.as_ref().map(ToString::to_string),
        reference: one.reference.to_string(),
        digest: one.digest.map(|digest| digest.to_string()),
        commit: row.commit.as_ref().map(|built| built.commit.to_string()),
        commits: row.commit.iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
        pods: one.pods,
        runs: one.runs,
        decided: match row.decided {
            Decided::ByDeploy => "deploy",
            Decided::Never => "never",
            Decided::OtherThen => "other-then",
            Decided::NotOurs => "not-ours",
            Decided::CannotTell => "cannot-tell",
        },
        basis: "observed",
        precision: one.precision.to_string(),
    }
}

pub(super) fn finding(one: &FindingState) -> WireFinding {
    let text = |value: &Option<record::claim::Reported>| value.as_ref().map(ToString::to_string);
    WireFinding {
        from: one.from.to_string(),
        until: one.closed.as_ref().map(|(at, _)| at.to_string()),
        event: one.event.to_string(),
        what: one.what.to_string(),
        says: one.opened.says.to_string(),
        namespace: text(&one.namespace),
        workload: text(&one.workload),
        container: text(&one.container),
        digests: one.digests.iter().map(ToString::to_string).collect(),
        by: one.opened.by.as_ref().map(|by| by.manager.to_string()),
    }
}

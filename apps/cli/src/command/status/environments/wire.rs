//! How environments stand, for programs.

use flows::ask::{BuiltFrom, EnvironmentStatus, ImageStatus, SeenBy};
use record::{DeployFact, Gap};
use release::standing::{Build, Desired, Is, Running, Seen};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Wire {
    environments: Vec<WireEnvironment>,
}

#[derive(Serialize)]
struct WireEnvironment {
    environment: String,
    mode: String,
    differs: bool,
    unknown: bool,
    basis: String,
    precision: String,
    gaps: Vec<Gap>,
    /// `watcher`, `clusters`, `nobody`.
    seen_by: &'static str,
    images: Vec<WireImage>,
    holds: Vec<WireHold>,
    findings: Vec<WireFinding>,
}

#[derive(Serialize)]
struct WireImage {
    image: String,
    desired: WireDesired,
    /// Null: no deploy is recorded.
    decided: Option<WireDecided>,
    /// What a pull request asks for.
    asked: Option<WireDecided>,
    running: WireRunning,
    /// Whether all that runs was seen, and is the decided build.
    verified_now: bool,
    differences: Vec<WireDifference>,
    unknown: Vec<String>,
}

#[derive(Serialize)]
struct WireDesired {
    /// `says`, `unknown`, `not-kept`.
    state: &'static str,
    places: Vec<WirePlace>,
    why: Option<String>,
}

#[derive(Serialize)]
struct WirePlace {
    place: String,
    reference: String,
    digest: Option<String>,
}

#[derive(Serialize)]
struct WireDecided {
    digest: String,
    tag: Option<String>,
    commit: Option<String>,
    commits: Vec<String>,
    since: String,
    how: &'static str,
    grade: String,
    actor: String,
    proof: domain::Proof,
    reason: Option<String>,
    ticket: Option<String>,
    event: String,
}

#[derive(Serialize)]
struct WireRunning {
    /// `seen`, `unknown`, `not-observed`.
    state: &'static str,
    why: Option<String>,
    builds: Vec<WireBuild>,
    not_reported: usize,
    waiting: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct WireBuild {
    digest: String,
    containers: usize,
    since: Option<String>,
    /// Null: that could not be found out.
    decided: Option<bool>,
    precision: String,
}

#[derive(Serialize)]
struct WireDifference {
    what: &'static str,
    says: String,
}

#[derive(Serialize)]
struct WireHold {
    image: Option<String>,
    since: String,
    by: String,
    proof: domain::Proof,
    reason: Option<String>,
}

#[derive(Serialize)]
struct WireFinding {
    what: String,
    since: String,
    says: String,
    workload: Option<String>,
    digests: Vec<String>,
    event: String,
}

pub(super) fn of(all: &[EnvironmentStatus]) -> Wire {
    Wire { environments: all.iter().map(environment).collect() }
}

fn environment(one: &EnvironmentStatus) -> WireEnvironment {
    let holds = one.holds.iter().map(|(image, hold)| WireHold {
        image: image.as_ref().map(ToString::to_string),
        since: hold.stamp.happened().to_string(),
        by: hold.stamp.who().to_string(),
        proof: hold.stamp.proof(),
        reason: hold.reason.as_ref().map(ToString::to_string),
    });
    let findings = one.findings.iter().map(|finding| WireFinding {
        what: finding.what.to_string(),
        since: finding.from.to_string(),
        says: finding.opened.says.to_string(),
        workload: finding.workload.as_ref().map(ToString::to_string),
        digests: finding.digests.iter().map(ToString::to_string).collect(),
        event: finding.event.to_string(),
    });
    WireEnvironment {
        environment: one.environment.to_string(),
        mode: one.mode.to_string(),
        differs: one.differs(),
        unknown: one.is_unknown(),
        basis: one.basis.to_string(),
        precision: one.precision.to_string(),
        gaps: one.gaps.clone(),
        seen_by: match one.seen_by {
            SeenBy::Watcher => "watcher",
            SeenBy::Clusters => "clusters",
            SeenBy::Nobody => "nobody",
        },
        images: one.images.iter().map(image).collect(),
        holds: holds.collect(),
        findings: findings.collect(),
    }
}

fn image(one: &ImageStatus) -> WireImage {
    let standing = &one.standing;
    let differences = standing.differences.iter();
    WireImage {
        image: standing.image.to_string(),
        desired: desired(&standing.desired),
        decided: standing.decided.as_ref().map(|fact| decided(fact, one.commit.as_ref())),
        asked: standing.asked.as_ref().map(|fact| decided(fact, None)),
        running: running(&standing.running),
        verified_now: standing.is_verified(),
        differences: differences
            .map(|one| WireDifference { what: one.word(), says: one.to_string() })
            .collect(),
        unknown: standing.unknown.clone(),
    }
}

fn desired(desired: &Desired) -> WireDesired {
    let (state, places, why) = match desired {
        Desired::Says(places) => ("says", places.as_slice(), None),
        Desired::Unknown(why) => ("unknown", &[][..], Some(why.clone())),
        Desired::NotKept => ("not-kept", &[][..], None),
    };
    let place = |(place, image): &(String, domain::ImageRef)| WirePlace {
        place: place.clone(),
        reference: image.to_string(),
        digest: image.digest().map(ToString::to_string),
    };
    WireDesired { state, places: places.iter().map(place).collect(), why }
}

fn decided(fact: &DeployFact, commit: Option<&BuiltFrom>) -> WireDecided {
    let (claim, stamp) = (&fact.claim, &fact.stamp);
    WireDecided {
        digest: claim.to.to_string(),
        tag: claim.tag.as_ref().map(ToString::to_string),
        commit: commit.map(|built| built.commit.to_string()),
        commits: commit.into_iter().flat_map(BuiltFrom::all).map(ToString::to_string).collect(),
        since: stamp.happened().to_string(),
        how: claim.how.word(),
        grade: claim.grade.to_string(),
        actor: stamp.who().to_string(),
        proof: stamp.proof(),
        reason: claim.reason.as_ref().map(ToString::to_string),
        ticket: claim.ticket.as_ref().map(ToString::to_string),
        event: stamp.id.to_string(),
    }
}

fn running(running: &Running) -> WireRunning {
    let (state, why, seen) = match running {
        Running::Seen(seen) => ("seen", None, Some(seen)),
        Running::Unknown { why, known } => ("unknown", Some(why.clone()), Some(known)),
        Running::NotObserved => ("not-observed", None, None),
    };
    WireRunning {
        state,
        why,
        builds: seen.map(builds).unwrap_or_default(),
        not_reported: seen.map_or(0, |seen| seen.untold),
        waiting: seen.map(|seen| seen.waiting.clone()).unwrap_or_default(),
    }
}

fn builds(seen: &Seen) -> Vec<WireBuild> {
    let build = |(digest, build): (&domain::Digest, &Build)| WireBuild {
        digest: digest.to_string(),
        containers: build.containers,
        since: build.since.map(|since| since.to_string()),
        decided: match build.is {
            Is::Decided => Some(true),
            Is::Other => Some(false),
            Is::CannotTell => None,
        },
        precision: build.precision.to_string(),
    };
    seen.builds.iter().map(build).collect()
}

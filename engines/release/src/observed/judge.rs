//! The one function that says what is wrong: from what runs, what is recorded and what registries say.
//!
//! ```text
//! api-1 sha256:9f…, api-2 sha256:3c…, two builds, one template   ->  Wrong two-builds, with both digests and pods
//! the tag's registry did not answer                             ->  unsure: what is open stays open
//! ```
//! Two watchers that know the same say the same: nothing here depends on who watches (DESIGN §3, law 12). What could
//! not be found out opens nothing and closes nothing.

mod elsewhere;
mod ours;
mod say;

use super::findings::{Finding, Place, Told, find};
use super::overview::Row;
use super::resolve::{Presence, Registered, TagNow};
use super::standing::Standing;
use crate::rollout::Workload;
use domain::{Digest, EnvironmentName, ImageName, Repository, Timestamp};
use record::EnvironmentState;
use record::claim::{ClusterId, FindingId, FindingKind, FindingOpened};
use std::collections::{BTreeMap, BTreeSet};

pub use elsewhere::Elsewhere;
pub(super) use elsewhere::is_about_elsewhere;

/// How long after its newest pod began a rollout counts as under way: until then two builds are no finding.
/// Source: Kubernetes, `progressDeadlineSeconds`, 600 s: a rollout that makes no progress for so long has failed.
pub const ROLLOUT_GRACE_MS: i64 = 600_000;
/// How long the record of a deploy may come after its effect.
pub const DEPLOY_LATE_MAX_MS: i64 = 20_000;

/// What is known when it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What runs.
    pub standing: &'a Standing,
    /// What registries and the record say about names and bytes.
    pub registered: &'a Registered,
    /// The builds of the record.
    pub builds: &'a Builds,
    /// The environments of the settings that are in this cluster.
    pub environments: &'a [Ours],
    /// What other clusters run under the names that this one uses.
    pub elsewhere: &'a Elsewhere,
}

/// What images were built as: for which environment, and the name under which they were published.
pub type Builds = BTreeMap<Digest, Vec<BuiltAs>>;

/// A build, cut down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuiltAs {
    /// The environment; none: shared.
    pub environment: Option<EnvironmentName>,
    /// `reg.example.com/shop/api:20260317-143958-uat`
    pub name: String,
}

/// An environment's part of a cluster.
#[derive(Clone, Debug)]
pub struct Ours {
    /// What the record says about it.
    pub state: EnvironmentState,
    /// Its namespace; none: all of the cluster.
    pub namespace: Option<String>,
    /// The images that run there, by the repositories that they are pulled from.
    pub images: BTreeMap<Repository, ImageName>,
    /// Its workloads; none: all of the namespace.
    pub workloads: Vec<Workload>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What.
    pub what: FindingKind,
    /// The environment of the place.
    pub environment: Option<EnvironmentName>,
    /// Where; several for what is wrong between workloads.
    pub places: BTreeSet<Place>,
    /// Every digest that it is about.
    pub digests: BTreeSet<Digest>,
    /// What was seen.
    pub opened: FindingOpened,
    /// What it is about beside its digests: a reference.
    about: String,
}

/// What is wrong, and what could not be found out.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Worst first.
    pub wrong: Vec<Wrong>,
    /// What could not be judged: of this kind, at this place (none: between places).
    pub unsure: BTreeSet<(FindingKind, Option<Place>)>,
    /// Digests that run here under a name of which it could not be told what it is in other clusters.
    pub unsure_elsewhere: BTreeSet<Digest>,
    /// When time alone may change the answer.
    pub next: Option<Timestamp>,
}

/// What runs at each place.
type ByPlace<'a> = BTreeMap<Place, Vec<&'a Row>>;

/// Says what is wrong now.
#[must_use]
pub fn judge(facts: &Facts<'_>, now: Timestamp) -> Judged {
    let rows = facts.standing.rows();
    let mut by_place = ByPlace::new();
    for row in &rows {
        by_place.entry(row.place()).or_default().push(row);
    }
    let mut judged = Judged::default();
    for row in &rows {
        judged.cannot_tell(row, facts.registered);
    }
    for finding in find(&rows, facts.registered).found {
        if !judged.waits_for(&finding, facts.standing, now) {
            judged.take(facts, &by_place, finding);
        }
    }
    elsewhere::judge(facts, &by_place, now, &mut judged);
    ours::judge(facts, &by_place, now, &mut judged);
    for wrong in &mut judged.wrong {
        let name = |place| facts.environment_of(place).map(|one| one.state.name().clone());
        let names: BTreeSet<Option<EnvironmentName>> = wrong.places.iter().map(name).collect();
        wrong.environment = names.first().filter(|_| names.len() == 1).cloned().flatten();
    }
    judged.wrong.sort_by(|one, other| (one.what, &one.places).cmp(&(other.what, &other.places)));
    judged
}

impl Facts<'_> {
    /// The environment of a place: the first of the settings that it belongs to.
    fn environment_of(&self, place: &Place) -> Option<&Ours> {
        self.environments.iter().find(|one| one.holds(place))
    }
}

impl Ours {
    fn holds(&self, place: &Place) -> bool {
        let is_there = self.namespace.as_ref().is_none_or(|name| *name == place.namespace);
        is_there && place.owner.is_of_any(&self.workloads)
    }
}

impl Wrong {
    /// The finding's identity in a cluster: what it is, where, and about which names and bytes; not on which pods.
    #[must_use]
    pub fn id(&self, cluster: &ClusterId) -> FindingId {
        let places = self
            .places
            .iter()
            .map(|place| format!("{}/{}/{}", place.namespace, place.owner, place.container));
        // Which workloads share a tag may change while what is wrong does not.
        let places = places.filter(|_| self.what != FindingKind::SharedTag);
        let digests = self.digests.iter().map(ToString::to_string);
        let parts: Vec<String> = places
            .chain([self.about.clone()])
            .chain(digests.filter(|_| self.is_about_bytes()))
            .collect();
        FindingId::of(self.what, cluster, parts.iter().map(String::as_str))
    }

    /// The one place, where there is one.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.places.first().filter(|_| self.places.len() == 1)
    }

    fn is_about_bytes(&self) -> bool {
        match self.what {
            FindingKind::TwoBuilds
            | FindingKind::NotEligible
            | FindingKind::UnknownBuild
            | FindingKind::OutsideChange
            | FindingKind::SharedTag
            | FindingKind::DigestGone
            | FindingKind::TagMoved => true,
            // They are about a name, whatever runs under it.
            FindingKind::TagGone | FindingKind::Unpinned => false,
        }
    }
}

impl Judged {
    /// Notes what no registry told about the names of a row.
    fn cannot_tell(&mut self, row: &Row, registered: &Registered) {
        let place = row.place();
        let mut unsure = |what: FindingKind| self.unsure.insert((what, Some(place.clone())));
        if let Some(tag) = row.moving() {
            match registered.tags.get(&tag) {
                None | Some(TagNow::Unknown(_)) => {
                    unsure(FindingKind::TagMoved);
                    unsure(FindingKind::TagGone);
                }
                Some(TagNow::Gone) => {}
                Some(TagNow::Names(now)) => {
                    if row.digests().any(|one| registered.is_same_build(&one, now).is_none()) {
                        unsure(FindingKind::TagMoved);
                    }
                }
            }
        }
        let Some(image) = row.image() else { return };
        let present = |digest| registered.presence.get(&(image.repository().clone(), digest));
        for digest in row.digests().chain(image.digest().copied()) {
            match present(digest) {
                None | Some(Presence::Unknown(_)) => {
                    unsure(FindingKind::DigestGone);
                }
                Some(Presence::There | Presence::Gone) => {}
            }
        }
    }

    /// Whether a rollout may explain it, or nobody can say yet whether it is so.
    fn waits_for(&mut self, finding: &Finding, standing: &Standing, now: Timestamp) -> bool {
        match finding {
            Finding::TwoBuilds { place, told, .. } => {
                let unsure = (FindingKind::TwoBuilds, Some(place.clone()));
                let until = standing.rolled(place).map(|at| at.plus_millis(ROLLOUT_GRACE_MS));
                if *told == Told::CannotTell {
                    self.unsure.insert(unsure);
                    return true;
                }
                match until.filter(|until| now < *until) {
                    None => false,
                    Some(until) => {
                        self.again_at(until);
                        self.unsure.insert(unsure);
                        true
                    }
                }
            }
            Finding::SharedTag { builds, told, .. } => {
                let places = builds.iter().flat_map(|(_, places)| places);
                let until = places.filter_map(|place| standing.rolled(place)).max();
                let until = until.map(|at| at.plus_millis(ROLLOUT_GRACE_MS));
                let is_early = until.is_some_and(|until| now < until);
                if let (true, Some(until)) = (is_early, until) {
                    self.again_at(until);
                }
                if is_early || *told == Told::CannotTell {
                    self.unsure.insert((FindingKind::SharedTag, None));
                    return true;
                }
                false
            }
            Finding::DigestGone { .. }
            | Finding::TagGone { .. }
            | Finding::TagMoved { .. }
            | Finding::Unpinned { .. } => false,
        }
    }

    fn again_at(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

#[cfg(test)]
mod tests;

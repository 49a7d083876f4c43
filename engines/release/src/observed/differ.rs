//! From what is wrong now and what the record has open: what opens, and what closes.
//!
//! ```text
//! wrong: two-builds   open: unpinned   ->  two-builds opens (its second time), unpinned closes
//! ```
//! Keys count openings, so that two watchers, or one that starts again, say each of them once.

use super::findings::Place;
use super::judge::{Judged, Wrong, is_about_elsewhere};
use super::owner::Owner;
use super::standing::Standing;
use domain::{EnvironmentName, Timestamp};
use record::claim::{ClusterId, FindingChange, FindingClaim, FindingKind, Reported};
use record::{FindingState, FindingStates};
use std::collections::{BTreeMap, BTreeSet};

/// What one watcher may judge.
#[derive(Clone, Debug)]
pub struct Jurisdiction<'a> {
    /// Its cluster.
    pub cluster: &'a ClusterId,
    /// The one namespace that it watches; none: all.
    pub namespace: Option<&'a str>,
    /// The environments of its settings.
    pub environments: BTreeSet<&'a EnvironmentName>,
}

/// Says what opens and what closes; opened ones come with what is wrong.
#[must_use]
pub fn differ(
    at: &Jurisdiction<'_>,
    judged: &Judged,
    states: &FindingStates,
    standing: &Standing,
    now: Timestamp,
) -> Vec<FindingClaim> {
    let mut wrong: BTreeMap<_, &Wrong> = BTreeMap::new();
    for one in &judged.wrong {
        wrong.entry(one.id(at.cluster)).or_insert(one);
    }
    let open: BTreeSet<_> = states.open().map(|state| state.id).collect();
    let opens = wrong.iter().filter(|(id, _)| !open.contains(id));
    let opens = opens.map(|(id, one)| opened(at, one, states.openings(*id) + 1, now));
    let closes = states.open().filter(|state| {
        !wrong.contains_key(&state.id) && at.judges(state) && !is_unsure(state, judged, standing)
    });
    let closes = closes.map(|state| closed(state, standing, now));
    closes.chain(opens).collect()
}

impl Jurisdiction<'_> {
    /// Whether this watcher sees all that would have to be gone.
    fn judges(&self, state: &FindingState) -> bool {
        let is_seen = match (self.namespace, &state.namespace) {
            (None, _) => true,
            (Some(own), Some(its)) => own == its.as_str(),
            (Some(_), None) => false,
        };
        let environment = state.environment.as_ref();
        let is_ours = environment.is_none_or(|name| self.environments.contains(name));
        state.cluster == *self.cluster && is_seen && is_ours
    }
}

/// Where something runs and nobody could judge it, what is open stays open.
fn is_unsure(state: &FindingState, judged: &Judged, standing: &Standing) -> bool {
    if is_about_elsewhere(state) {
        return state.digests.iter().any(|digest| judged.unsure_elsewhere.contains(digest));
    }
    match place_of(state) {
        Some(place) => {
            standing.runs_at(&place) && judged.unsure.contains(&(state.what, Some(place)))
        }
        None => judged.unsure.contains(&(state.what, None)),
    }
}

fn place_of(state: &FindingState) -> Option<Place> {
    let (kind, name) = state.workload.as_ref()?.as_str().split_once('/')?;
    Some(Place {
        namespace: state.namespace.as_ref()?.as_str().to_owned(),
        owner: Owner { kind: kind.to_owned(), name: name.to_owned() },
        container: state.container.as_ref()?.as_str().to_owned(),
    })
}

fn opened(at: &Jurisdiction<'_>, wrong: &Wrong, opening: u32, now: Timestamp) -> FindingClaim {
    let finding = wrong.id(at.cluster);
    let change = FindingChange::Opened(Box::new(wrong.opened.clone()));
    // Between workloads of one namespace it is that namespace's.
    let namespaces: BTreeSet<&str> =
        wrong.places.iter().map(|place| place.namespace.as_str()).collect();
    let namespace = namespaces.first().filter(|_| namespaces.len() == 1);
    let place = wrong.place();
    FindingClaim {
        key: FindingClaim::key_of(finding, opening, &change),
        finding,
        opening,
        what: wrong.what,
        cluster: at.cluster.clone(),
        environment: wrong.environment.clone(),
        namespace: namespace.map(|name| Reported::of(name)),
        workload: place.map(|place| Reported::of(&place.owner.to_string())),
        container: place.map(|place| Reported::of(&place.container)),
        digests: wrong.digests.iter().copied().collect(),
        at: now,
        change,
    }
}

fn closed(state: &FindingState, standing: &Standing, now: Timestamp) -> FindingClaim {
    let is_empty = place_of(state).is_some_and(|place| !standing.runs_at(&place));
    let why = if is_empty { "nothing runs there any more" } else { reason(state.what) };
    let change = FindingChange::Closed { why: Reported::of(why) };
    FindingClaim {
        key: FindingClaim::key_of(state.id, state.opening, &change),
        finding: state.id,
        opening: state.opening,
        what: state.what,
        cluster: state.cluster.clone(),
        environment: state.environment.clone(),
        namespace: state.namespace.clone(),
        workload: state.workload.clone(),
        container: state.container.clone(),
        digests: state.digests.clone(),
        at: now,
        change,
    }
}

fn reason(what: FindingKind) -> &'static str {
    match what {
        FindingKind::TwoBuilds => "its pods run these builds no more",
        FindingKind::NotEligible => "it may run there now, or runs there no more",
        FindingKind::UnknownBuild => "it is known now, or runs there no more",
        FindingKind::OutsideChange => "a deploy decided it, or it runs there no more",
        FindingKind::SharedTag => "the workloads run these builds no more",
        FindingKind::DigestGone => "the registry has it, or it runs there no more",
        FindingKind::TagGone => "the tag is there, or named there no more",
        FindingKind::TagMoved => "what runs is what the tag names, or it moved again",
        FindingKind::Unpinned => "it is pinned, or named there no more",
    }
}

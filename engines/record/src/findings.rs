//! Findings: what watchers said, folded to what was wrong from when until when.
//!
//! ```text
//! opened (1) 14:40 · closed (1) 15:02 · opened (2) 16:00   ->  [14:40, 15:02) and one that is open since 16:00
//! ```
//! Events of two watchers may stand in any order; what is said of an opening first, counts.

use crate::claim::{
    Claim, ClusterId, FindingChange, FindingClaim, FindingId, FindingKind, FindingOpened, Reported,
};
use crate::event::Sequenced;
use domain::{Digest, EnvironmentName, EventId, Timestamp};
use std::collections::BTreeMap;

/// Something that should not be, from when until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingState {
    /// The event that opened it.
    pub event: EventId,
    /// Its identity.
    pub id: FindingId,
    /// Which of its openings, counted from 1.
    pub opening: u32,
    /// What is wrong.
    pub what: FindingKind,
    /// Where.
    pub cluster: ClusterId,
    /// The environment that the place belongs to.
    pub environment: Option<EnvironmentName>,
    /// The namespace; none: several.
    pub namespace: Option<Reported>,
    /// The workload; none: several.
    pub workload: Option<Reported>,
    /// The container; none: several.
    pub container: Option<Reported>,
    /// Every digest that it is about.
    pub digests: Vec<Digest>,
    /// What was seen.
    pub opened: FindingOpened,
    /// Since when.
    pub from: Timestamp,
    /// Until when, and why; none: it is so still, as far as anybody watched.
    pub closed: Option<(Timestamp, Reported)>,
}

/// Findings under construction.
#[derive(Clone, Debug, Default)]
pub struct FindingStates {
    by_opening: BTreeMap<(FindingId, u32), FindingState>,
}

impl FindingStates {
    /// Adds an event; those that are about something else are passed over.
    pub fn add(&mut self, event: &Sequenced) {
        let Claim::Finding(claim) = &event.event.claim else { return };
        let key = (claim.finding, claim.opening);
        match &claim.change {
            FindingChange::Opened(opened) => {
                let state = || FindingState::opened(event.event.stamp.id, claim, opened);
                self.by_opening.entry(key).or_insert_with(state);
            }
            FindingChange::Closed { why } => {
                if let Some(state) = self.by_opening.get_mut(&key) {
                    state.closed.get_or_insert((claim.at, why.clone()));
                }
            }
        }
    }

    /// What is so still.
    pub fn open(&self) -> impl Iterator<Item = &FindingState> {
        self.by_opening.values().filter(|state| state.closed.is_none())
    }

    /// What was seen when this opening of a finding began.
    #[must_use]
    pub fn opened(&self, claim: &FindingClaim) -> Option<&FindingOpened> {
        self.by_opening.get(&(claim.finding, claim.opening)).map(|state| &state.opened)
    }

    /// How often a finding has opened.
    #[must_use]
    pub fn openings(&self, id: FindingId) -> u32 {
        let last = self.by_opening.range((id, 0)..=(id, u32::MAX)).next_back();
        last.map_or(0, |((_, opening), _)| *opening)
    }

    /// All of them, the first first.
    #[must_use]
    pub fn finish(self) -> Vec<FindingState> {
        let mut all: Vec<FindingState> = self.by_opening.into_values().collect();
        all.sort_by_key(|state| (state.from, state.what, state.id));
        all
    }
}

/// Folds the events to findings, the first first.
#[must_use]
pub fn findings<'a>(events: impl IntoIterator<Item = &'a Sequenced>) -> Vec<FindingState> {
    let mut states = FindingStates::default();
    events.into_iter().for_each(|event| states.add(event));
    states.finish()
}

impl FindingState {
    fn opened(event: EventId, claim: &FindingClaim, opened: &FindingOpened) -> Self {
        Self {
            event,
            id: claim.finding,
            opening: claim.opening,
            what: claim.what,
            cluster: claim.cluster.clone(),
            environment: claim.environment.clone(),
            namespace: claim.namespace.clone(),
            workload: claim.workload.clone(),
            container: claim.container.clone(),
            digests: claim.digests.clone(),
            opened: opened.clone(),
            from: claim.at,
            closed: None,
        }
    }

    /// Whether it is so still, as far as anybody watched.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::story::Story;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    #[test]
    fn a_finding_opens_closes_and_opens_again() {
        let mut story = Story::new();
        story.finding_opens("api", 1, at("14:40"));
        // A second watcher, later.
        story.finding_opens("api", 1, at("14:41"));
        story.finding_closes("api", 1, at("15:02"));
        story.finding_opens("api", 2, at("16:00"));
        story.finding_opens("web", 1, at("16:10"));
        let all = findings(story.events());
        let told: Vec<_> = all.iter().map(|one| (one.opening, one.from, one.is_open())).collect();
        let expected = [(1, at("14:40"), false), (2, at("16:00"), true), (1, at("16:10"), true)];
        assert_eq!(told, expected);
        assert_eq!(all[0].closed.as_ref().map(|closed| closed.0), Some(at("15:02")));

        let mut states = FindingStates::default();
        story.events().iter().for_each(|event| states.add(event));
        assert_eq!((states.open().count(), states.openings(all[0].id)), (2, 2));
        let other = FindingId::of(FindingKind::Unpinned, &all[0].cluster, ["none"]);
        assert_eq!(states.openings(other), 0);
    }

    #[test]
    fn an_end_without_a_begin_is_passed_over() {
        let mut story = Story::new();
        story.finding_closes("api", 1, at("15:02"));
        assert_eq!(findings(story.events()), []);
    }
}

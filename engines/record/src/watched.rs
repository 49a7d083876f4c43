//! From when until when a cluster was watched, and the gaps between.
//!
//! ```text
//! began 14:00 · alive 14:02 · alive 14:04 (and never again)   ->  watched [14:00, 14:04]
//! asked about 13:00 … 15:00                                   ->  gaps [13:00, 14:00) and (14:04, 15:00)
//! ```
//! A watcher that died says nothing: what it saw ends with its last sign of life. "Nothing is recorded" inside a
//! stretch means that nothing happened; in a gap it means nothing.

use crate::claim::{Claim, ClusterId, Reported, WatchChange, WatchedClaim};
use crate::event::Sequenced;
use crate::span::Span;
use domain::{EventId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A stretch in which one watcher watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Its identity.
    pub watch: EventId,
    /// Where.
    pub cluster: ClusterId,
    /// What the watcher calls the cluster.
    pub name: Reported,
    /// The one namespace that it watches; none: all.
    pub namespace: Option<Reported>,
    /// The first list was complete.
    pub from: Timestamp,
    /// The last sign of life.
    pub last: Timestamp,
    /// Why it ended; none: it goes on, or died.
    pub ended: Option<Reported>,
    /// How often it gives a sign of life.
    pub sign_every_ms: i64,
}

/// Folds the events to stretches, the earliest first.
#[must_use]
pub fn watched<'a>(events: impl IntoIterator<Item = &'a Sequenced>) -> Vec<Watched> {
    let mut by_id = BTreeMap::<EventId, Watched>::new();
    for event in events {
        if let Claim::Watched(claim) = &event.event.claim {
            add(&mut by_id, claim);
        }
    }
    let mut all: Vec<Watched> = by_id.into_values().collect();
    all.sort_by_key(|one| (one.from, one.watch));
    all
}

fn add(by_id: &mut BTreeMap<EventId, Watched>, claim: &WatchedClaim) {
    match by_id.entry(claim.watch) {
        Entry::Occupied(mut there) => there.get_mut().take(claim),
        Entry::Vacant(place) => {
            if let Some(one) = Watched::begun(claim) {
                place.insert(one);
            }
        }
    }
}

impl Watched {
    /// The stretch that a claim begins; none: the claim says something else of one.
    #[must_use]
    pub fn begun(claim: &WatchedClaim) -> Option<Self> {
        let WatchChange::Began { name, sign_every_ms, server_ahead_ms: _ } = &claim.change else {
            return None;
        };
        Some(Self {
            watch: claim.watch,
            cluster: claim.cluster.clone(),
            name: name.clone(),
            namespace: claim.namespace.clone(),
            from: claim.at,
            last: claim.at,
            ended: None,
            sign_every_ms: *sign_every_ms,
        })
    }

    /// Takes in what is said of it later.
    pub fn take(&mut self, claim: &WatchedClaim) {
        match &claim.change {
            WatchChange::Began { .. } => {}
            WatchChange::Alive => self.last = self.last.max(claim.at),
            WatchChange::Ended { why } => {
                self.last = self.last.max(claim.at);
                self.ended.get_or_insert(why.clone());
            }
        }
    }

    /// Whether it watches still, as far as can be told: its next sign of life is not late.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        let since = now.as_millis().saturating_sub(self.last.as_millis());
        self.ended.is_none() && since <= self.sign_every_ms
    }

    /// Whether a moment lies in it: what it recorded is complete up to its last sign of life, and no further.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.last
    }

    /// Whether it sees a namespace.
    #[must_use]
    pub fn sees(&self, namespace: Option<&str>) -> bool {
        match (&self.namespace, namespace) {
            (None, _) => true,
            (Some(own), Some(asked)) => own.as_str() == asked,
            (Some(_), None) => false,
        }
    }
}

/// The parts of a span, up to now, that no stretch covers; the first begins at the span's own begin, if it has one.
#[must_use]
pub fn gaps_of(
    stretches: &[&Watched],
    span: &Span,
    now: Timestamp,
) -> Vec<(Option<Timestamp>, Option<Timestamp>)> {
    let (from, end) = (span.from(), span.until().map_or(now, |until| until.min(now)));
    let mut covered: Vec<_> = stretches.iter().map(|one| (one.from, one.last)).collect();
    covered.sort_unstable();
    let mut gaps = Vec::new();
    let mut at = from;
    for (begin, until) in covered {
        if begin >= end {
            break;
        }
        if at.is_none_or(|at| begin > at) {
            gaps.push((at, Some(begin)));
        }
        at = Some(at.map_or(until, |at| at.max(until)));
    }
    if at.is_none_or(|at| at < end) {
        // A gap that reaches now has no end yet.
        gaps.push((at, (end < now).then_some(end)));
    }
    gaps
}

/// The parts of a span, up to now, that a stretch covers: what [`gaps_of`] leaves; those that touch are one.
#[must_use]
pub fn covered_by(
    stretches: &[&Watched],
    span: &Span,
    now: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    let end = span.until().map_or(now, |until| until.min(now));
    let clip = |one: &&Watched| {
        let from = span.from().map_or(one.from, |from| from.max(one.from));
        (from, one.last.min(end))
    };
    let mut parts: Vec<_> = stretches.iter().map(clip).filter(|(from, end)| from < end).collect();
    parts.sort_unstable();
    let mut covered: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, until) in parts {
        match covered.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            Some(_) | None => covered.push((from, until)),
        }
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::story::Story;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    fn span(from: &str, until: &str) -> Span {
        Span::new(Some(at(from)), Some(at(until)), at("23:59")).unwrap()
    }

    #[test]
    fn a_watcher_that_says_no_more_has_watched_until_its_last_sign_of_life() {
        let mut story = Story::new();
        let watch = story.watch_began(at("14:00"));
        story.watch_says(watch, at("14:02"), WatchChange::Alive);
        story.watch_says(watch, at("14:04"), WatchChange::Alive);
        let all = watched(story.events());
        let now = at("18:00");
        assert_eq!((all[0].from, all[0].last), (at("14:00"), at("14:04")));
        assert!(all[0].holds(at("14:04")) && !all[0].holds(at("14:04").plus_millis(1)));
        let gaps = gaps_of(&[&all[0]], &span("13:00", "15:00"), now);
        assert_eq!(
            gaps,
            [(Some(at("13:00")), Some(at("14:00"))), (Some(at("14:04")), Some(at("15:00")))]
        );
        // Up to when its next sign is due it counts as watching, and what it saw as known up to the last one.
        assert!(all[0].is_live(at("14:06")) && !all[0].holds(at("14:06")));
        assert!(!all[0].is_live(at("14:06").plus_millis(1)));
        let trailing = gaps_of(&[&all[0]], &span("14:00", "14:06"), at("14:06"));
        assert_eq!(trailing, [(Some(at("14:04")), None)]);
    }

    #[test]
    fn two_watchers_cover_for_each_other() {
        let mut story = Story::new();
        let why = Reported::of("stopped");
        for (from, until) in [("14:00", "14:30"), ("14:20", "15:00")] {
            let watch = story.watch_began(at(from));
            story.watch_says(watch, at(until), WatchChange::Ended { why: why.clone() });
        }
        let all = watched(story.events());
        let both: Vec<_> = all.iter().collect();
        assert_eq!(gaps_of(&both, &span("14:00", "15:00"), at("18:00")), []);
        let first = gaps_of(&both[..1], &span("14:00", "15:00"), at("18:00"));
        assert_eq!(first, [(Some(at("14:30")), Some(at("15:00")))]);
        // All time: before the first nothing is known, and after the last until now.
        let ends = gaps_of(&both, &Span::ALL, at("18:00"));
        assert_eq!(ends, [(None, Some(at("14:00"))), (Some(at("15:00")), None)]);
        assert_eq!(gaps_of(&[], &Span::ALL, at("18:00")), [(None, None)]);
    }

    #[test]
    fn what_is_covered_is_what_no_gap_is() {
        let mut story = Story::new();
        let why = Reported::of("stopped");
        for (from, until) in [("14:00", "14:30"), ("14:20", "15:00"), ("16:00", "17:00")] {
            let watch = story.watch_began(at(from));
            story.watch_says(watch, at(until), WatchChange::Ended { why: why.clone() });
        }
        let all = watched(story.events());
        let all: Vec<_> = all.iter().collect();
        let now = at("18:00");
        let (first, second) = ((at("14:00"), at("15:00")), (at("16:00"), at("17:00")));
        assert_eq!(covered_by(&all, &Span::ALL, now), [first, second]);
        assert_eq!(covered_by(&all, &span("13:00", "14:00"), now), [], "it begins as that ends");
        let clipped = covered_by(&all, &span("14:10", "16:30"), now);
        assert_eq!(clipped, [(at("14:10"), at("15:00")), (at("16:00"), at("16:30"))]);
        assert_eq!(gaps_of(&all, &span("14:10", "16:30"), now), [(Some(first.1), Some(second.0))]);
        assert_eq!(covered_by(&[], &Span::ALL, now), []);
    }
}

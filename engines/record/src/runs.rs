//! Container runs: what watchers said, folded to intervals.
//!
//! ```text
//! began 14:40:00 · doubted 15:00 · confirmed 15:04 · ended in (16:10, 16:20]
//!   -> at 14:50 exact   at 15:02 unconfirmed   at 16:15 bounded   at 16:30 not there
//! ```
//! Events of two watchers of one cluster may stand in any order; what is said of a run first, counts.

use crate::answer::Precision;
use crate::claim::{
    Claim, ClusterId, ContainerRunClaim, Moment, Reported, RunBegan, RunChange, RunId,
};
use crate::event::Sequenced;
use crate::span::Span;
use domain::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// One container, on one set of bytes, from its begin until its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its identity.
    pub id: RunId,
    /// Where.
    pub cluster: ClusterId,
    /// The namespace.
    pub namespace: Reported,
    /// The digest that its imageID names.
    pub digest: Option<Digest>,
    /// When a watcher saw it first.
    pub seen: Timestamp,
    /// What it is, and when it began.
    pub began: RunBegan,
    /// When it ended; none: it was not seen to end.
    pub ended: Option<RunEnded>,
    /// Stretches in which its node did not answer; no end: still so.
    pub doubts: Vec<(Timestamp, Option<Timestamp>)>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEnded {
    /// When.
    pub ended: Moment,
    /// Its exit code, where one was reported.
    pub exit_code: Option<i32>,
    /// When a watcher saw it.
    pub seen: Timestamp,
    /// When somebody asked for the pod's deletion.
    pub deleted: Option<Timestamp>,
}

/// Runs under construction.
#[derive(Debug, Default)]
pub struct Runs {
    by_id: HashMap<RunId, Run>,
}

impl Runs {
    /// Adds an event; those that are about something else are passed over.
    pub fn add(&mut self, event: &Sequenced) {
        let Claim::ContainerRun(claim) = &event.event.claim else { return };
        match self.by_id.entry(claim.run) {
            Entry::Occupied(mut there) => there.get_mut().take(claim),
            Entry::Vacant(place) => {
                if let Some(run) = Run::begun(claim) {
                    place.insert(run);
                }
            }
        }
    }

    /// All runs, the earliest begin first.
    #[must_use]
    pub fn finish(self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.by_id.into_values().collect();
        runs.sort_by_key(|run| (run.from(), run.id));
        runs
    }
}

/// Folds the events to runs, the earliest begin first.
#[must_use]
pub fn runs<'a>(events: impl IntoIterator<Item = &'a Sequenced>) -> Vec<Run> {
    let mut runs = Runs::default();
    events.into_iter().for_each(|event| runs.add(event));
    runs.finish()
}

impl Run {
    /// The run that a claim begins; none: the claim says something else of one.
    #[must_use]
    pub fn begun(claim: &ContainerRunClaim) -> Option<Self> {
        let RunChange::Began(began) = &claim.change else { return None };
        Some(Self {
            id: claim.run,
            cluster: claim.cluster.clone(),
            namespace: claim.namespace.clone(),
            digest: claim.digest,
            seen: claim.seen,
            began: RunBegan::clone(began),
            ended: None,
            doubts: Vec::new(),
        })
    }

    /// Takes in what is said of it later; what was said first stays.
    pub fn take(&mut self, claim: &ContainerRunClaim) {
        match &claim.change {
            RunChange::Began(_) => {}
            RunChange::Doubted { since } => {
                if self.doubts.last().is_none_or(|(_, until)| until.is_some()) {
                    self.doubts.push((*since, None));
                }
            }
            RunChange::Confirmed => {
                if let Some((_, until @ None)) = self.doubts.last_mut() {
                    *until = Some(claim.seen);
                }
            }
            RunChange::Ended { ended, exit_code, deleted } => {
                self.ended.get_or_insert(RunEnded {
                    ended: *ended,
                    exit_code: *exit_code,
                    seen: claim.seen,
                    deleted: *deleted,
                });
            }
        }
    }

    /// From when on it may have run: before that it did not.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        match self.began.began {
            Moment::Exact { at } => at,
            Moment::Bounded { after, until } | Moment::Unconfirmed { after, until } => {
                after.unwrap_or(until)
            }
        }
    }

    /// From when on it is known to have run.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        match self.began.began {
            Moment::Exact { at } => at,
            Moment::Bounded { until, .. } | Moment::Unconfirmed { until, .. } => until,
        }
    }

    /// From when on it does not run any more; none: it was not seen to end.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.ended.map(|ended| ended.ended.latest())
    }

    /// How long it surely ran without a break, in milliseconds; what was not seen to end is sure until its place was
    /// last watched. A time in which its node did not answer ends what is sure.
    #[must_use]
    pub fn surely_ran_ms(&self, watched_until: Timestamp) -> i64 {
        let from = self.from();
        let end = match self.ended.map(|ended| ended.ended) {
            None => watched_until,
            Some(Moment::Exact { at }) => at,
            Some(Moment::Bounded { after, .. } | Moment::Unconfirmed { after, .. }) => {
                after.unwrap_or(from)
            }
        };
        let doubted = self.doubts.iter().map(|(since, _)| *since).min();
        let until = doubted.map_or(end, |since| since.min(end));
        until.as_millis().saturating_sub(from.as_millis()).max(0)
    }

    /// Whether it ran at a moment, and how sure that is; none: it did not.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<Precision> {
        let begin = match self.began.began {
            Moment::Exact { at: began } => (at >= began).then_some(Precision::Exact),
            Moment::Bounded { after, until } => {
                after_or_between(at, after, until, Precision::Bounded)
            }
            Moment::Unconfirmed { after, until } => {
                after_or_between(at, after, until, Precision::Unconfirmed)
            }
        }?;
        let end = match self.ended.map(|ended| ended.ended) {
            None => Some(Precision::Exact),
            Some(Moment::Exact { at: ended }) => (at < ended).then_some(Precision::Exact),
            Some(Moment::Bounded { after, until }) => {
                before_or_between(at, after, until, Precision::Bounded)
            }
            Some(Moment::Unconfirmed { after, until }) => {
                before_or_between(at, after, until, Precision::Unconfirmed)
            }
        }?;
        let is_doubted = self
            .doubts
            .iter()
            .any(|(since, until)| at >= *since && until.is_none_or(|until| at < until));
        let doubt = if is_doubted { Precision::Unconfirmed } else { Precision::Exact };
        Some(begin.max(end).max(doubt))
    }

    /// How sharp its ends are: the weaker of both.
    #[must_use]
    pub fn precision(&self) -> Precision {
        let end = self.ended.map_or(Precision::Exact, |ended| ended.ended.precision());
        let is_doubted =
            self.ended.is_none() && self.doubts.iter().any(|(_, until)| until.is_none());
        let doubt = if is_doubted { Precision::Unconfirmed } else { Precision::Exact };
        self.began.began.precision().max(end).max(doubt)
    }

    /// Whether a moment of the run lies in a span.
    #[must_use]
    pub fn is_in(&self, span: &Span) -> bool {
        span.touches(self.from(), self.until())
    }
}

/// Sure from `until` on, and `between` as a word for the time before that.
fn after_or_between(
    at: Timestamp,
    after: Option<Timestamp>,
    until: Timestamp,
    between: Precision,
) -> Option<Precision> {
    if at >= until {
        return Some(Precision::Exact);
    }
    after.is_some_and(|after| at > after).then_some(between)
}

/// Sure up to `after`, and `between` until then.
fn before_or_between(
    at: Timestamp,
    after: Option<Timestamp>,
    until: Timestamp,
    between: Precision,
) -> Option<Precision> {
    if after.is_some_and(|after| at <= after) {
        return Some(Precision::Exact);
    }
    (at < until).then_some(between)
}

impl Moment {
    /// How sharp it is.
    #[must_use]
    pub fn precision(&self) -> Precision {
        match self {
            Self::Exact { .. } => Precision::Exact,
            Self::Bounded { .. } => Precision::Bounded,
            Self::Unconfirmed { .. } => Precision::Unconfirmed,
        }
    }

    /// The last moment at which it can have been.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        match self {
            Self::Exact { at } => *at,
            Self::Bounded { until, .. } | Self::Unconfirmed { until, .. } => *until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::story::Story;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}Z").parse().unwrap()
    }

    #[test]
    fn a_run_is_sure_between_its_sharp_ends_and_unsure_where_nobody_could_tell() {
        let mut story = Story::new();
        let run = story.run_began("api", at("14:40:00"));
        story.run_says(run, RunChange::Doubted { since: at("15:00:00") }, at("15:00:10"));
        story.run_says(run, RunChange::Confirmed, at("15:04:00"));
        let ended = Moment::Bounded { after: Some(at("16:10:00")), until: at("16:20:00") };
        let ended = RunChange::Ended { ended, exit_code: None, deleted: None };
        story.run_says(run, ended.clone(), at("16:20:00"));
        let all = runs(story.events());
        let precision = |text: &str| all[0].at(at(text));
        assert_eq!(precision("14:39:59"), None);
        assert_eq!(precision("14:40:00"), Some(Precision::Exact));
        assert_eq!(precision("15:02:00"), Some(Precision::Unconfirmed));
        assert_eq!(precision("15:04:00"), Some(Precision::Exact));
        assert_eq!(precision("16:10:00"), Some(Precision::Exact));
        assert_eq!(precision("16:15:00"), Some(Precision::Bounded));
        assert_eq!(precision("16:20:00"), None);
        assert_eq!(all[0].precision(), Precision::Bounded);
        // What a second watcher says of the same run changes nothing.
        story.run_says(run, ended, at("16:40:00"));
        assert_eq!(runs(story.events()), all);
    }

    #[test]
    fn what_surely_ran_ends_where_anybody_last_knew() {
        let minutes = |count: i64| count * 60_000;
        let begun = || {
            let mut story = Story::new();
            let run = story.run_began("api", at("14:40:00"));
            (story, run)
        };
        let sure = |story: &Story, until: &str| runs(story.events())[0].surely_ran_ms(at(until));
        let (story, _) = begun();
        assert_eq!(sure(&story, "15:00:00"), minutes(20), "it was last watched at 15:00");
        assert_eq!(sure(&story, "14:00:00"), 0, "never less than nothing");
        let (mut story, run) = begun();
        story.run_says(run, RunChange::Doubted { since: at("14:50:00") }, at("14:50:10"));
        assert_eq!(sure(&story, "15:00:00"), minutes(10), "its node did not answer");
        for (ended, expected) in [
            (Moment::Exact { at: at("14:55:00") }, minutes(15)),
            (Moment::Bounded { after: Some(at("14:45:00")), until: at("14:55:00") }, minutes(5)),
            (Moment::Unconfirmed { after: None, until: at("14:55:00") }, 0),
        ] {
            let (mut story, run) = begun();
            let ended = RunChange::Ended { ended, exit_code: None, deleted: None };
            story.run_says(run, ended, at("15:00:00"));
            assert_eq!(sure(&story, "15:00:00"), expected);
        }
    }

    #[test]
    fn a_run_that_was_not_seen_to_end_goes_on() {
        let mut story = Story::new();
        let run = story.run_began("api", at("14:40:00"));
        let all = runs(story.events());
        assert_eq!((all[0].until(), all[0].at(at("23:00:00"))), (None, Some(Precision::Exact)));
        story.run_says(run, RunChange::Doubted { since: at("15:00:00") }, at("15:00:10"));
        let all = runs(story.events());
        assert_eq!(all[0].at(at("23:00:00")), Some(Precision::Unconfirmed));
        assert_eq!(all[0].precision(), Precision::Unconfirmed);
    }
}

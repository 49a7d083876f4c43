//! From when until when an environment was meant to run a digest.
//!
//! ```text
//! deploy A at 10:00, B at 12:00, B again at 13:00   ->  A [10:00, 12:00)   B [12:00, …)
//! ```
//! Intended only: container runs, which are observed, come with the watcher and have their own type.

use crate::answer::{Answer, Basis, Gap, Precision};
use crate::claim::{Grade, Outcome};
use crate::imported::{kept, unknown_bytes};
use crate::span::Span;
use crate::state::{DeployFact, EnvironmentState};
use domain::{Digest, EnvironmentName, ImageName, Tag, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One digest in one environment, from its start until just before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Where.
    pub environment: EnvironmentName,
    /// Which image.
    pub image: ImageName,
    /// Which bytes.
    pub digest: Digest,
    /// The tag beside it in the files.
    pub tag: Option<Tag>,
    /// From then on, included.
    pub from: Timestamp,
    /// Until then, not included; none: still so.
    pub until: Option<Timestamp>,
    /// How it is known.
    pub basis: Basis,
    /// How sharp its ends are.
    pub precision: Precision,
    /// The deploy that began it.
    pub began_by: DeployFact,
}

impl Interval {
    /// Whether the interval holds at a moment.
    #[must_use]
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    /// Whether a moment of the interval lies in a span.
    #[must_use]
    pub fn is_in(&self, span: &Span) -> bool {
        span.touches(self.from, self.until)
    }
}

/// The intervals of one environment, oldest start first; the same digest again goes on.
#[must_use]
pub fn intended_intervals(state: &EnvironmentState) -> Vec<Interval> {
    let mut all: Vec<Interval> = Vec::new();
    for kept in kept(state) {
        if let Some(fact) = kept.fact.as_deploy() {
            all.push(Interval {
                until: kept.until,
                precision: Precision::Bounded,
                ..begun_by(&fact, fact.at())
            });
        }
    }
    let mut open = BTreeMap::<ImageName, usize>::new();
    for fact in state.deploys().iter().filter(|fact| fact.claim.outcome == Outcome::Done) {
        let claim = &fact.claim;
        let running = open.get(&claim.image).copied();
        if running.is_some_and(|at| all[at].digest == claim.to) {
            continue;
        }
        // Two machines' clocks may disagree; order is by sequence, so an interval is never negative.
        let begin = running.map_or(fact.at(), |at| fact.at().max(all[at].from));
        if let Some(at) = running {
            all[at].until = Some(begin);
        }
        open.insert(claim.image.clone(), all.len());
        all.push(begun_by(fact, begin));
    }
    all
}

/// How long a digest was intended without a break, at best, in milliseconds; what is so still, is so until `now`.
#[must_use]
pub fn longest_intended(
    intervals: &[Interval],
    image: &ImageName,
    digest: &Digest,
    now: Timestamp,
) -> i64 {
    let own = intervals.iter().filter(|one| one.image == *image && one.digest == *digest);
    let length = |one: &Interval| one.until.unwrap_or(now).as_millis() - one.from.as_millis();
    own.map(length).max().unwrap_or(0).max(0)
}

fn begun_by(fact: &DeployFact, from: Timestamp) -> Interval {
    let claim = &fact.claim;
    let basis = match claim.grade {
        Grade::Imported => Basis::Imported,
        // Until something watches, an observed deploy tells of its own end only.
        Grade::Observed | Grade::Applied if fact.stamp.is_imported() => Basis::Imported,
        Grade::Observed | Grade::Applied => Basis::Intended,
    };
    Interval {
        environment: claim.environment.clone(),
        image: claim.image.clone(),
        digest: claim.to,
        tag: claim.tag.clone(),
        from,
        until: None,
        basis,
        precision: Precision::Unconfirmed,
        began_by: fact.clone(),
    }
}

/// What an environment was meant to run at a moment.
///
/// `expected` are images that should be there too. Each image, also of the record itself, of which nothing is
/// recorded until then is a gap: that it is left out of the items must not read as "it did not run".
#[must_use]
pub fn ran_at(
    state: &EnvironmentState,
    expected: &BTreeSet<ImageName>,
    at: Timestamp,
) -> Answer<Interval> {
    let mut first = BTreeMap::<ImageName, Option<Timestamp>>::new();
    first.extend(expected.iter().map(|image| (image.clone(), None)));
    let mut items = Vec::new();
    for interval in intended_intervals(state) {
        let known = first.entry(interval.image.clone()).or_default();
        *known = Some(known.map_or(interval.from, |known| known.min(interval.from)));
        if interval.holds_at(at) {
            items.push(interval);
        }
    }
    let basis = items.iter().map(|interval| interval.basis).max();
    let mut answer = Answer::intended(items);
    answer.basis = basis.unwrap_or(Basis::Intended);
    let held = |gap: &Gap| {
        gap.from.is_none_or(|from| from <= at) && gap.until.is_none_or(|until| at < until)
    };
    answer.gaps.extend(unknown_bytes(state).into_iter().filter(held));
    if first.is_empty() {
        let why = format!("no deploy to {} is recorded before then", state.name());
        return answer.with_gap(Gap { from: None, until: None, why });
    }
    let is_unknown = |first: &Option<Timestamp>| first.is_none_or(|first| at < first);
    for (image, until) in first.into_iter().filter(|(_, first)| is_unknown(first)) {
        let why = format!("no deploy of {image} to {} is recorded before then", state.name());
        answer = answer.with_gap(Gap { from: None, until, why });
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{DeployKind, NamedBy};
    use crate::fuzz::story::Story;

    #[test]
    fn an_interval_ends_where_the_next_begins() {
        let mut story = Story::new();
        let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        let switched = story.next_time();
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        let state = story.state("prod");
        let intervals = intended_intervals(&state);
        let ends: Vec<_> = intervals.iter().map(|i| (i.digest, i.until)).collect();
        assert_eq!(ends, [(a, Some(switched)), (b, None)]);
        let none = BTreeSet::new();
        let digests =
            |at| ran_at(&state, &none, at).items.iter().map(|i| i.digest).collect::<Vec<_>>();
        assert_eq!(digests(switched.plus_millis(-1)), [a]);
        assert_eq!(digests(switched), [b]);
    }

    #[test]
    fn before_the_first_deploy_nothing_is_known() {
        let mut story = Story::new();
        let a = story.build("api", "a", "prod");
        let first = story.next_time();
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        let answer = ran_at(&story.state("prod"), &BTreeSet::new(), first.plus_millis(-1));
        assert!(answer.items.is_empty());
        assert_eq!(answer.gaps.last().unwrap().until, Some(first));
    }

    #[test]
    fn an_image_of_which_nothing_is_recorded_is_a_gap_beside_the_others() {
        let mut story = Story::new();
        let (api, job) = (story.build("api", "a", "prod"), story.build("job", "j", "prod"));
        story.deploy("api", "prod", api, DeployKind::Deploy, NamedBy::Rule);
        let later = story.next_time();
        story.deploy("job", "prod", job, DeployKind::Deploy, NamedBy::Rule);
        let expected = ["api", "web"].map(|name| name.parse().unwrap()).into();
        let answer = ran_at(&story.state("prod"), &expected, later.plus_millis(-1));
        assert_eq!(answer.items.len(), 1);
        // The first gap is that nothing observes.
        let gaps: Vec<_> =
            answer.gaps[1..].iter().map(|gap| (gap.why.as_str(), gap.until)).collect();
        assert_eq!(
            gaps,
            [
                ("no deploy of job to prod is recorded before then", Some(later)),
                ("no deploy of web to prod is recorded before then", None),
            ]
        );
        let answer = ran_at(&story.state("prod"), &expected, later);
        assert_eq!((answer.items.len(), answer.gaps.len()), (2, 2), "web alone stays unknown");
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_negative_interval() {
        let mut story = Story::new();
        let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.turn_clock(-3_600_000);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        for interval in intended_intervals(&story.state("prod")) {
            assert!(interval.until.is_none_or(|until| until >= interval.from));
        }
        assert_eq!(intended_intervals(&story.state("prod")).last().unwrap().digest, b);
    }
}

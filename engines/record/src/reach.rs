//! Up to when what is recorded of a place is known, and what that does to a run that was not seen to end.
//!
//! ```text
//! began 14:00, no end · last sign of life 14:04   ->  at 14:03 exact   at 18:00 unconfirmed: nobody looked any more
//! ```
//! A container keeps its id for one run: one that still stood in a later list ran through every gap before it.

use crate::answer::Precision;
use crate::runs::Run;
use crate::sighting::Sighting;
use crate::watched::Watched;
use domain::Timestamp;

/// How far the record of a place reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    last: Option<Timestamp>,
    live: Option<Timestamp>,
}

impl Reach {
    /// That of the stretches in which a place was watched, as it is now.
    #[must_use]
    pub fn of<'a>(stretches: impl IntoIterator<Item = &'a Watched>, now: Timestamp) -> Self {
        let mut reach = Self::default();
        for one in stretches {
            reach.last = reach.last.max(Some(one.last));
            if one.is_live(now) {
                reach.live = reach.live.max(Some(one.last));
            }
        }
        reach
    }

    /// The last sign of life of whoever watches still; none: nobody does.
    #[must_use]
    pub fn live(&self) -> Option<Timestamp> {
        self.live
    }

    /// Whether a run ran at a moment, and how sure that is: of what nobody saw the end of, nothing is sure after the
    /// last sign of life. Where somebody watches still, the answer is as of that sign.
    #[must_use]
    pub fn at(&self, run: &Run, at: Timestamp) -> Option<Precision> {
        let sharp = run.at(at)?;
        let is_known = run.ended.is_some() || self.live.is_some() || at <= self.last_seen(run);
        Some(if is_known { sharp } else { Precision::Unconfirmed })
    }

    /// How sharp the ends of a run are: one that nobody would see has none that is known.
    #[must_use]
    pub fn precision(&self, run: &Run) -> Precision {
        let is_known = run.ended.is_some() || self.live.is_some();
        if is_known { run.precision() } else { Precision::Unconfirmed }
    }

    /// The same of what was summed up.
    #[must_use]
    pub fn of_sighting(&self, sighting: &Sighting) -> Precision {
        let is_known = sighting.until.is_some() || self.live.is_some();
        if is_known { sighting.precision } else { Precision::Unconfirmed }
    }

    fn last_seen(&self, run: &Run) -> Timestamp {
        self.last.map_or(run.seen, |last| last.max(run.seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{Moment, Reported, RunChange, WatchChange};
    use crate::fuzz::story::Story;
    use crate::runs::runs;
    use crate::watched::watched;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    #[test]
    fn nothing_is_exact_after_the_last_sign_of_life() {
        let mut story = Story::new();
        story.run_began("api", at("14:00"));
        let ended = story.run_began("web", at("14:00"));
        let moment = Moment::Exact { at: at("14:03") };
        let change = RunChange::Ended { ended: moment, exit_code: None, deleted: None };
        story.run_says(ended, change, at("14:03"));
        let watch = story.watch_began(at("14:00"));
        story.watch_says(watch, at("14:04"), WatchChange::Alive);
        let (stretches, runs) = (watched(story.events()), runs(story.events()));
        let reach = |now: &str| Reach::of(&stretches, at(now));
        let open = runs.iter().find(|run| run.ended.is_none()).unwrap();
        let closed = runs.iter().find(|run| run.ended.is_some()).unwrap();
        // Long after: exact up to the sign, and nothing confirms it behind.
        assert_eq!(reach("18:00").at(open, at("14:04")), Some(Precision::Exact));
        assert_eq!(reach("18:00").at(open, at("14:05")), Some(Precision::Unconfirmed));
        assert_eq!(reach("18:00").precision(open), Precision::Unconfirmed);
        assert_eq!(reach("18:00").live(), None);
        // What was seen to end is known whatever came later.
        assert_eq!(reach("18:00").at(closed, at("14:02")), Some(Precision::Exact));
        assert_eq!(reach("18:00").at(closed, at("14:05")), None);
        assert_eq!(reach("18:00").precision(closed), Precision::Exact);
        // The next sign is not due: as of the last one.
        assert_eq!(reach("14:06").at(open, at("14:06")), Some(Precision::Exact));
        assert_eq!(reach("14:06").live(), Some(at("14:04")));
        assert_eq!(reach("14:07").live(), None);
    }

    #[test]
    fn a_run_that_a_later_list_still_had_ran_through_the_gap() {
        let mut story = Story::new();
        story.run_began("api", at("14:00"));
        let why = Reported::of("stopped");
        for (from, until) in [("14:00", "14:04"), ("16:00", "16:30")] {
            let watch = story.watch_began(at(from));
            story.watch_says(watch, at(until), WatchChange::Ended { why: why.clone() });
        }
        let (stretches, runs) = (watched(story.events()), runs(story.events()));
        let reach = Reach::of(&stretches, at("18:00"));
        assert_eq!(reach.at(&runs[0], at("15:00")), Some(Precision::Exact));
        assert_eq!(reach.at(&runs[0], at("16:31")), Some(Precision::Unconfirmed));
        // Nobody watched at all: what was seen once is all that is known.
        let nobody = Reach::of([], at("18:00"));
        assert_eq!(nobody.at(&runs[0], at("14:00")), Some(Precision::Exact));
        assert_eq!(nobody.at(&runs[0], at("14:01")), Some(Precision::Unconfirmed));
    }
}

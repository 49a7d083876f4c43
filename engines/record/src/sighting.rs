//! Container runs summed up: one row for the same bytes in one container of a workload, however many pods and restarts.
//!
//! ```text
//! api-1 runs A 10:00 … 12:05, api-2 runs A 10:01 … 12:06, api-3 runs B 12:04 …
//!   ->  deployment/api api: A 10:00 … 12:06, 2 pods      B 12:04 …, 1 pod
//! ```
//! A build that comes back after another had begun is a row of its own.

use crate::answer::Precision;
use crate::claim::{ClusterId, Reported, RunRole};
use crate::runs::Run;
use domain::{Digest, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Where a container stands: the same in each of a workload's pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The cluster.
    pub cluster: ClusterId,
    /// The namespace.
    pub namespace: Reported,
    /// What made the pods.
    pub workload: Reported,
    /// The container's name.
    pub container: Reported,
}

/// The same bytes at one spot, from when until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Where.
    pub spot: Spot,
    /// Which list of the spec the container stands in.
    pub role: RunRole,
    /// The image as the spec of the first of them names it.
    pub reference: Reported,
    /// The bytes; none: not reported.
    pub digest: Option<Digest>,
    /// When the first run began.
    pub from: Timestamp,
    /// When the last one ended; none: one was not seen to end.
    pub until: Option<Timestamp>,
    /// How many pods.
    pub pods: usize,
    /// How many runs, restarts included.
    pub runs: usize,
    /// The weakest of theirs.
    pub precision: Precision,
    /// The build that was seen here before it, where there is one.
    pub before: Option<Digest>,
}

/// A row under construction.
struct Open {
    row: Sighting,
    pods: BTreeSet<Reported>,
}

/// Sums runs up, each with the image that its bytes are; the earliest begin first.
#[must_use]
pub fn sightings<'a>(runs: impl IntoIterator<Item = (&'a Run, Option<Digest>)>) -> Vec<Sighting> {
    let mut by_spot = BTreeMap::<Spot, Vec<(&Run, Option<Digest>)>>::new();
    for (run, digest) in runs {
        by_spot.entry(Spot::of(run)).or_default().push((run, digest));
    }
    let mut all = Vec::new();
    for (spot, mut runs) in by_spot {
        runs.sort_by_key(|(run, _)| (run.from(), run.id));
        all.extend(of_spot(&spot, &runs));
    }
    all.sort_by(|a, b| (a.from, &a.spot).cmp(&(b.from, &b.spot)));
    all
}

fn of_spot(spot: &Spot, runs: &[(&Run, Option<Digest>)]) -> Vec<Sighting> {
    let mut open: Vec<Open> = Vec::new();
    let mut last = None;
    for (run, digest) in runs {
        // Still there, or nothing else has begun since: it goes on.
        let goes_on = |at: &usize| {
            let row = &open[*at].row;
            last == Some(*at) || row.until.is_none_or(|until| run.from() < until)
        };
        let known = open.iter().rposition(|one| one.row.digest == *digest).filter(goes_on);
        let at = known.unwrap_or_else(|| {
            let before = last.and_then(|at: usize| open[at].row.digest);
            open.push(Open::begun(spot, run, *digest, before));
            open.len() - 1
        });
        open[at].add(run);
        last = Some(at);
    }
    open.into_iter().map(Open::finish).collect()
}

impl Spot {
    fn of(run: &Run) -> Self {
        Self {
            cluster: run.cluster.clone(),
            namespace: run.namespace.clone(),
            workload: run.began.workload.clone(),
            container: run.began.container.clone(),
        }
    }
}

impl Open {
    fn begun(spot: &Spot, run: &Run, digest: Option<Digest>, before: Option<Digest>) -> Self {
        let row = Sighting {
            spot: spot.clone(),
            role: run.began.role,
            reference: run.began.reference.clone(),
            digest,
            from: run.from(),
            until: run.until(),
            pods: 0,
            runs: 0,
            precision: run.precision(),
            before,
        };
        Self { row, pods: BTreeSet::new() }
    }

    fn add(&mut self, run: &Run) {
        let row = &mut self.row;
        row.runs += 1;
        row.precision = row.precision.max(run.precision());
        row.until = match (row.until, run.until()) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (None, _) | (_, None) => None,
        };
        self.pods.insert(run.began.pod_uid.clone());
    }

    fn finish(self) -> Sighting {
        Sighting { pods: self.pods.len(), ..self.row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{Moment, RunChange};
    use crate::fuzz::story::Story;
    use crate::runs::runs;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    /// Runs of the container api: begin, end, and the build that each is.
    fn seen(runs_of: &[(&str, Option<&str>, &str)]) -> Vec<Sighting> {
        let mut story = Story::new();
        let mut builds = BTreeMap::new();
        for (from, until, build) in runs_of {
            let run = story.run_began("api", at(from));
            builds.insert(run, Digest::sha256(build.as_bytes()));
            if let Some(until) = until {
                let ended = Moment::Exact { at: at(until) };
                let change = RunChange::Ended { ended, exit_code: None, deleted: None };
                story.run_says(run, change, at(until));
            }
        }
        let all = runs(story.events());
        sightings(all.iter().map(|run| (run, builds.get(&run.id).copied())))
    }

    fn rows(all: &[Sighting]) -> Vec<(Timestamp, Option<Timestamp>, usize)> {
        all.iter().map(|one| (one.from, one.until, one.runs)).collect()
    }

    #[test]
    fn a_rollout_is_two_rows_although_the_old_build_restarts_meanwhile() {
        let all = seen(&[
            ("10:00", Some("12:05"), "a"),
            ("10:01", Some("12:03"), "a"),
            ("12:02", None, "b"),
            ("12:04", Some("12:06"), "a"),
            ("12:05", None, "b"),
        ]);
        let expected = [(at("10:00"), Some(at("12:06")), 3), (at("12:02"), None, 2)];
        assert_eq!(rows(&all), expected);
        assert_eq!((all[0].before, all[1].before), (None, Some(Digest::sha256(b"a"))));
    }

    #[test]
    fn a_build_that_comes_back_is_a_row_of_its_own() {
        let all = seen(&[
            ("10:00", Some("11:00"), "a"),
            ("11:00", Some("12:00"), "b"),
            ("12:00", None, "a"),
        ]);
        assert_eq!(all.len(), 3);
        assert_eq!(all[2].before, Some(Digest::sha256(b"b")));
    }

    #[test]
    fn a_restart_after_a_pause_goes_on() {
        let all = seen(&[("10:00", Some("10:30"), "a"), ("11:00", Some("11:30"), "a")]);
        assert_eq!(rows(&all), [(at("10:00"), Some(at("11:30")), 2)]);
    }
}

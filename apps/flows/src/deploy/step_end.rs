//! How the deploy of one image ended, from what became of its places.
//!
//! ```text
//! prod-eu verified, prod-us verified   ->  well, observed
//! prod-eu failed, prod-us untouched    ->  badly: pod, container, reason; prod-us was left as it was
//! ```

use super::error::{DeployError, LeftBehind};
use super::targets::Place;
use ::record::claim::Grade;
use release::rollout::Finished;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How the deploy of one image ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepEnd {
    pub(super) ended: Ended,
    pub(super) grade: Grade,
    pub(super) warnings: Vec<String>,
    /// What was done beside setting images, for people and the record.
    pub(super) beside: Vec<String>,
}

/// Whether it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Badly(String),
    Unknown(String),
}

/// Why it does not go on.
pub(super) enum Stop {
    /// A place that failed, and why.
    Failed { place: usize, why: String, error: DeployError },
    /// Nobody knows how it ends.
    Left { why: String, error: DeployError },
}

/// Whether a place heard what it shall run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reached {
    /// Not yet.
    #[default]
    Untold,
    /// It says so already: there was nothing to tell.
    Same,
    /// It was told.
    Told,
}

/// What became of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlaceEnd {
    pub(super) reached: Reached,
    pub(super) finished: Option<Finished>,
    /// What was done there beside setting images.
    pub(super) beside: Vec<String>,
}

/// What became of every place: kept also of those that nobody waits for any more.
pub(super) struct Ends(Mutex<Vec<PlaceEnd>>);

impl Ends {
    pub(super) fn of(count: usize) -> Self {
        Self(Mutex::new(vec![PlaceEnd::default(); count]))
    }

    fn all(&self) -> MutexGuard<'_, Vec<PlaceEnd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reach(&self, at: usize, reached: Reached) {
        self.all()[at].reached = reached;
    }

    pub(super) fn finish(&self, at: usize, finished: Finished) {
        self.all()[at].finished = Some(finished);
    }

    pub(super) fn beside(&self, at: usize, what: String) {
        self.all()[at].beside.push(what);
    }

    pub(super) fn is_over(&self, at: usize) -> bool {
        self.all()[at].finished.is_some()
    }

    /// As it is now.
    pub(super) fn now(&self) -> Vec<PlaceEnd> {
        self.all().clone()
    }
}

/// What a rollout that stopped leaves behind, cluster by cluster; `failed` is told elsewhere.
pub(super) fn left_behind(
    (contexts, places): (&[String], &[Place]),
    ends: &[PlaceEnd],
    failed: Option<usize>,
) -> LeftBehind {
    let mut left = LeftBehind::default();
    for context in contexts {
        let here = places.iter().zip(ends).enumerate();
        let here: Vec<_> =
            here.filter(|(_, (place, _))| place.cluster.context() == context).collect();
        let is_untold = |at: usize, end: &PlaceEnd| {
            end.reached == Reached::Untold && end.finished.is_none() && Some(at) != failed
        };
        if here.iter().all(|(at, (_, end))| is_untold(*at, end)) {
            left.untouched.push(context.clone());
            continue;
        }
        for (at, (place, end)) in here {
            if is_untold(at, end) {
                left.untouched.push(place.to_string());
            } else if end.reached == Reached::Told && end.finished.is_none() && Some(at) != failed {
                left.unwatched.push(place.to_string());
            }
        }
    }
    left
}

impl StepEnd {
    /// As it is before anything was told.
    pub(super) fn planned() -> Self {
        Self::told_nothing(Ended::Unknown("nothing was told to its workloads".to_owned()))
    }

    /// It ended so, and no place heard anything.
    pub(super) fn told_nothing(ended: Ended) -> Self {
        Self { ended, grade: Grade::Applied, warnings: Vec::new(), beside: Vec::new() }
    }

    /// Puts together what became of the places of a step.
    pub(super) fn of(
        step: usize,
        places: &[Place],
        ends: &[PlaceEnd],
        stop: Option<&Stop>,
    ) -> Self {
        let (mut warnings, mut beside, mut is_whole) = (Vec::new(), Vec::new(), true);
        let mut is_observed = true;
        for (place, end) in places.iter().zip(ends).filter(|(place, _)| place.has(step)) {
            beside.extend(end.beside.iter().map(|what| format!("{place}: {what}")));
            match &end.finished {
                Some(Finished::Verified { .. }) => {}
                Some(Finished::Unverified { why }) => {
                    is_observed = false;
                    warnings.push(format!("{place}: not verified: {why}"));
                }
                None => is_whole = false,
            }
        }
        let ended = match (is_whole, stop) {
            (true, _) => Ended::Well,
            (false, Some(Stop::Failed { place, why, .. })) if places[*place].has(step) => {
                Ended::Badly(why.clone())
            }
            (false, Some(Stop::Failed { why, .. } | Stop::Left { why, .. })) => {
                Ended::Unknown(why.clone())
            }
            (false, None) => Ended::Unknown("it was not waited for".to_owned()),
        };
        let grade =
            if is_observed && ended == Ended::Well { Grade::Observed } else { Grade::Applied };
        Self { ended, grade, warnings, beside }
    }
}

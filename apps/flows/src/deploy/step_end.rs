//! How the deploy of one image ended, from what became of its places.
//!
//! ```text
//! prod-eu verified, prod-us verified   ->  well, observed
//! prod-eu failed, prod-us untouched    ->  badly: pod, container, reason; prod-us was left as it was
//! ```

use super::error::DeployError;
use super::targets::Place;
use ::record::claim::Grade;
use release::rollout::Finished;

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

/// What became of one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlaceEnd {
    pub(super) finished: Option<Finished>,
    /// What was done there beside setting images.
    pub(super) beside: Vec<String>,
}

impl StepEnd {
    /// As it is before anything was told.
    pub(super) fn planned() -> Self {
        let why = "nothing was told to its workloads".to_owned();
        let (warnings, beside) = (Vec::new(), Vec::new());
        Self { ended: Ended::Unknown(why), grade: Grade::Applied, warnings, beside }
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

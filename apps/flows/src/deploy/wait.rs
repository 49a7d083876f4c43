//! Waiting for the workloads of one cluster, look by look, until each is judged.
//!
//! ```text
//! look  ->  judged: 1 of 2 pods are new  ->  look  ->  verified: 2 ready pods report this build
//! ```
//! That a workload is too slow is its own controller's word. Pods that a StatefulSet waits for in vain are deleted.

use super::error::DeployError;
use super::known::{Known, Learnt};
use super::patience::{Doubt, Silence};
use super::rolling::{Rolling, again};
use super::step_end::Stop;
use super::targets::Place;
use cluster::{Changes, ClusterError};
use domain::{Digest, Repository};
use futures_util::future::{join_all, select_all};
use release::rollout::{
    Failure, Finished, Judged, Progress, Seen, Target, in_the_way, judge, to_look_into,
};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// A look at the latest, also where nothing changed: what a ReplicaSet or an event says is not watched.
const LOOK_AFTER: Duration = Duration::from_secs(5);
/// Between two looks, however much changes.
const REST: Duration = Duration::from_millis(250);
/// Before a cluster that gave no answer is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How a workload came to what it was told, and its generation since then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Our own patch, just now: whatever its controller says of that generation is news.
    Made { generation: i64 },
    /// It stood there: what is said of it may be an earlier try's, and over.
    Stood { generation: i64 },
}

/// A workload that was told.
pub(super) struct Told<'a> {
    at: usize,
    pub(super) place: &'a Place,
    target: Target,
    shown: String,
    change: Change,
    silence: Silence,
    doubt: Doubt,
    changes: Changes,
}

impl<'a> Told<'a> {
    pub(super) fn new(at: usize, place: &'a Place, change: Change) -> Self {
        let (Change::Made { generation } | Change::Stood { generation }) = change;
        Self {
            at,
            place,
            target: place.target(generation),
            shown: String::new(),
            change,
            silence: Silence::default(),
            doubt: Doubt::default(),
            changes: place.cluster.changes(&place.namespace, &place.workload, &place.facts),
        }
    }
}

/// The workloads of one cluster, while they are waited for.
pub(super) struct Wait<'a> {
    rolling: &'a Rolling<'a>,
    told: Vec<Told<'a>>,
    known: Known,
}

impl<'a> Wait<'a> {
    pub(super) fn new(rolling: &'a Rolling<'a>, told: Vec<Told<'a>>) -> Self {
        Self { rolling, told, known: Known::default() }
    }

    /// Waits until all are over, or one of them fails.
    pub(super) async fn run(&mut self) -> Result<(), Stop> {
        loop {
            let open: Vec<usize> =
                (0..self.told.len()).filter(|at| self.is_open(&self.told[*at])).collect();
            if open.is_empty() {
                return Ok(());
            }
            let looks = open.iter().map(|at| {
                let place = self.told[*at].place;
                place.cluster.rollout(&place.namespace, &place.workload)
            });
            let looks = join_all(looks).await;
            let is_answered = looks.iter().all(Result::is_ok);
            let mut wanted = BTreeSet::new();
            for (at, look) in open.into_iter().zip(looks) {
                match look {
                    Ok(seen) => {
                        self.told[at].silence.answered();
                        wanted.append(&mut self.seen(at, seen).await?);
                    }
                    Err(error) => self.unanswered(at, error)?,
                }
            }
            // What is read now is judged at once, before anything is waited for.
            if self.known.look_into(self.rolling.app, &wanted).await == Learnt::Something {
                continue;
            }
            if is_answered {
                self.changed().await;
            } else {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }

    /// How far those are that are not over.
    pub(super) fn shown(&self) -> Vec<String> {
        let open = self.told.iter().filter(|told| self.is_open(told));
        open.map(|told| format!("{}: {}", told.place, told.shown)).collect()
    }

    fn is_open(&self, told: &Told<'_>) -> bool {
        !self.rolling.ends.is_over(told.at)
    }

    /// Waits for a reason to look again.
    async fn changed(&self) {
        let open = self.told.iter().filter(|told| self.is_open(told));
        let changes: Vec<_> = open.map(|told| Box::pin(told.changes.next())).collect();
        if changes.is_empty() {
            return;
        }
        let _late = tokio::time::timeout(LOOK_AFTER, select_all(changes)).await;
        // What comes together is looked at together.
        tokio::time::sleep(REST).await;
    }

    /// A look that was not answered says nothing about the rollout.
    fn unanswered(&mut self, at: usize, error: ClusterError) -> Result<(), Stop> {
        let told = &mut self.told[at];
        told.doubt.unanswered();
        if !told.silence.is_too_long() && !is_refusal(&error) {
            return Ok(());
        }
        let why = format!("{}: {error}", told.place);
        let environment = self.rolling.environment.name.clone();
        let steps = self.rolling.steps.iter().map(|step| again(&environment, step)).collect();
        let place = told.place.to_string();
        let error = DeployError::Unseen { environment, place, steps, source: error };
        Err(Stop::Left { why, error })
    }

    /// Judges one look; gives what has to be read before it can be judged better.
    async fn seen(
        &mut self,
        at: usize,
        seen: Option<Seen>,
    ) -> Result<BTreeSet<(Repository, Digest)>, Stop> {
        let rolling = self.rolling;
        let Some(seen) = seen else {
            let gone = of_workload("Deleted", "somebody deleted it meanwhile".to_owned());
            return Err(self.failed(at, vec![gone]).await);
        };
        let told = &mut self.told[at];
        unstick(rolling, told, &seen).await?;
        let wanted = to_look_into(&told.target, &seen, &self.known.registered);
        match judge(&told.target, &seen, &self.known.registered) {
            Judged::Waiting(progress) => self.waits(at, progress).await?,
            Judged::Done(Finished::Unverified { .. }) if self.known.may_learn(&wanted) => {
                say(rolling, told, "rolled out; reads what its pods report".to_owned());
            }
            Judged::Done(done) => {
                let what = match &done {
                    Finished::Verified { pods } => {
                        format!("verified: {pods} ready pods report this build")
                    }
                    Finished::Unverified { why } => format!("rolled out, unverified: {why}"),
                };
                say(rolling, told, what);
                rolling.ends.finish(told.at, done);
                return Ok(BTreeSet::new());
            }
            Judged::Failed(failures) => return Err(self.failed(at, failures).await),
            Judged::Replaced { container, now } => {
                let message = format!("somebody else has set {now} meanwhile");
                let replaced =
                    Failure { container: Some(container), ..of_workload("Replaced", message) };
                return Err(self.failed(at, vec![replaced]).await);
            }
        }
        Ok(wanted)
    }

    async fn failed(&self, at: usize, failures: Vec<Failure>) -> Stop {
        let told = &self.told[at];
        self.rolling.failed((told.at, told.place), failures).await
    }

    /// Goes on waiting, unless what keeps it from going on has stayed too long.
    async fn waits(&mut self, at: usize, progress: Progress) -> Result<(), Stop> {
        let told = &mut self.told[at];
        say(self.rolling, told, progress.what);
        let Some(doubt) = progress.doubt else {
            told.doubt.passes();
            return Ok(());
        };
        let is_decided = !doubt.may_pass && matches!(told.change, Change::Made { .. });
        if told.doubt.stays(Instant::now()) || is_decided {
            return Err(self.failed(at, vec![doubt.failure]).await);
        }
        Ok(())
    }
}

fn say(rolling: &Rolling<'_>, told: &mut Told<'_>, what: String) {
    if told.shown != what {
        rolling.line(told.place, &what);
        told.shown = what;
    }
}

/// Deletes the pods that a StatefulSet waits for in vain; each is told and recorded.
async fn unstick(rolling: &Rolling<'_>, told: &Told<'_>, seen: &Seen) -> Result<(), Stop> {
    let place = told.place;
    for pod in in_the_way(seen, told.target.generation) {
        let deleted = place.cluster.delete_pod(&place.namespace, &pod.name, &pod.uid).await;
        if let Err(error) = deleted {
            let message = format!(
                "it waits for the pod to be ready, which it never will be; it could not be deleted: {error}: kubectl --namespace {} delete pod {}",
                place.namespace, pod.name
            );
            let stuck = Failure { pod: Some(pod.name.clone()), ..of_workload("Stuck", message) };
            return Err(rolling.failed((told.at, place), vec![stuck]).await);
        }
        let what = format!(
            "pod {} of an older template was not ready and kept the new one from coming: deleted",
            pod.name
        );
        rolling.line(place, &what);
        rolling.ends.beside(told.at, what);
    }
    Ok(())
}

fn of_workload(reason: &str, message: String) -> Failure {
    Failure { pod: None, container: None, reason: reason.to_owned(), message }
}

/// Asking again would not help.
fn is_refusal(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::Denied { .. }
            | ClusterError::NotLoggedIn { .. }
            | ClusterError::TooMany { .. }
    )
}

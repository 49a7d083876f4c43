//! Waiting for the workloads of one cluster, look by look, until each is judged.
//!
//! ```text
//! look  ->  judged: 1 of 2 pods are new  ->  look  ->  verified: 2 ready pods report this build
//! ```
//! Nothing moves for ten minutes: it has failed. Pods that a StatefulSet waits for in vain are deleted.

use super::rolling::Rolling;
use super::step_end::{PlaceEnd, Stop};
use super::targets::Place;
use crate::app::App;
use crate::registries::Registries;
use cluster::{Changes, ClusterError};
use domain::{Digest, Repository};
use futures_util::future::{join_all, select_all};
use release::observed::Registered;
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
/// Looks in a row that a cluster may fail to answer.
const SILENT_LOOKS_MAX: u32 = 30;
/// How long what keeps pods from being made may last: an old pod that leaves makes room in a full quota, and a policy that
/// refused an earlier try may be gone.
const DOUBT_MAX: Duration = Duration::from_secs(15);
/// Without any change. Source: Kubernetes' own default for `progressDeadlineSeconds`.
const UNCHANGED_MAX: Duration = Duration::from_secs(600);
/// The longest that one cluster is waited for, whatever moves there.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

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
    pub(super) at: usize,
    pub(super) place: &'a Place,
    target: Target,
    shown: String,
    changed: Instant,
    doubted: Option<Instant>,
    change: Change,
    changes: Changes,
    end: PlaceEnd,
}

impl<'a> Told<'a> {
    pub(super) fn new(at: usize, place: &'a Place, change: Change) -> Self {
        let (Change::Made { generation } | Change::Stood { generation }) = change;
        Self {
            at,
            place,
            target: place.target(generation),
            shown: String::new(),
            changed: Instant::now(),
            doubted: None,
            change,
            changes: place.cluster.changes(&place.namespace, &place.workload, &place.facts),
            end: PlaceEnd::default(),
        }
    }

    fn is_over(&self) -> bool {
        self.end.finished.is_some()
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

    /// What became of each place.
    pub(super) fn ends(self) -> Vec<(usize, PlaceEnd)> {
        self.told.into_iter().map(|told| (told.at, told.end)).collect()
    }

    /// Waits until all are over, or one of them fails.
    pub(super) async fn run(&mut self) -> Result<(), Stop> {
        let begun = Instant::now();
        let mut silent = 0;
        loop {
            let open: Vec<usize> =
                (0..self.told.len()).filter(|at| !self.told[*at].is_over()).collect();
            if open.is_empty() {
                return Ok(());
            }
            let looks = open.iter().map(|at| {
                let place = self.told[*at].place;
                place.cluster.rollout(&place.namespace, &place.workload)
            });
            let looks = join_all(looks).await;
            let is_answered = looks.iter().all(Result::is_ok);
            for (at, look) in open.into_iter().zip(looks) {
                match look {
                    Ok(seen) => {
                        silent = 0;
                        self.seen(at, seen).await?;
                    }
                    Err(error) => {
                        silent += 1;
                        if silent > SILENT_LOOKS_MAX || is_refusal(&error) {
                            let why = format!("{}: {error}", self.told[at].place);
                            return Err(Stop::Left { why, error: error.into() });
                        }
                    }
                }
            }
            self.in_time(begun).await?;
            if is_answered {
                self.changed().await;
            } else {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }

    /// Waits for a reason to look again.
    async fn changed(&self) {
        let open = self.told.iter().filter(|told| !told.is_over());
        let changes: Vec<_> = open.map(|told| Box::pin(told.changes.next())).collect();
        if changes.is_empty() {
            return;
        }
        let _late = tokio::time::timeout(LOOK_AFTER, select_all(changes)).await;
        // What comes together is looked at together.
        tokio::time::sleep(REST).await;
    }

    /// Stops where nothing moves any more.
    async fn in_time(&self, begun: Instant) -> Result<(), Stop> {
        for told in self.told.iter().filter(|told| !told.is_over()) {
            let limit = if begun.elapsed() > WAIT_MAX { WAIT_MAX } else { UNCHANGED_MAX };
            if limit == WAIT_MAX || told.changed.elapsed() > limit {
                return Err(self.rolling.failed(told, vec![no_progress(limit, &told.shown)]).await);
            }
        }
        Ok(())
    }

    /// Judges one look.
    async fn seen(&mut self, at: usize, seen: Option<Seen>) -> Result<(), Stop> {
        let rolling = self.rolling;
        let Some(seen) = seen else {
            let gone = of_workload("Deleted", "somebody deleted it meanwhile".to_owned());
            return Err(rolling.failed(&self.told[at], vec![gone]).await);
        };
        let told = &mut self.told[at];
        let wanted = to_look_into(&told.target, &seen, &self.known.registered);
        self.known.look_into(rolling.app, wanted).await;
        unstick(rolling, told, &seen).await?;
        match judge(&told.target, &seen, &self.known.registered) {
            Judged::Waiting(progress) => waits(rolling, told, progress).await,
            Judged::Done(done) => {
                let what = match &done {
                    Finished::Verified { pods } => {
                        format!("verified: {pods} ready pods report this build")
                    }
                    Finished::Unverified { why } => format!("rolled out, unverified: {why}"),
                };
                say(rolling, told, what);
                told.end.finished = Some(done);
                Ok(())
            }
            Judged::Failed(failures) => Err(rolling.failed(told, failures).await),
            Judged::Replaced { container, now } => {
                let message = format!("somebody else has set {now} meanwhile");
                let replaced =
                    Failure { container: Some(container), ..of_workload("Replaced", message) };
                Err(rolling.failed(told, vec![replaced]).await)
            }
        }
    }
}

fn say(rolling: &Rolling<'_>, told: &mut Told<'_>, what: String) {
    if told.shown != what {
        rolling.line(told.place, &what);
        (told.shown, told.changed) = (what, Instant::now());
    }
}

/// Goes on waiting, unless what keeps it from going on has stayed too long.
async fn waits(rolling: &Rolling<'_>, told: &mut Told<'_>, progress: Progress) -> Result<(), Stop> {
    say(rolling, told, progress.what);
    let Some(doubt) = progress.doubt else {
        told.doubted = None;
        return Ok(());
    };
    let is_decided = !doubt.may_pass && matches!(told.change, Change::Made { .. });
    let since = *told.doubted.get_or_insert_with(Instant::now);
    if is_decided || since.elapsed() > DOUBT_MAX {
        return Err(rolling.failed(told, vec![doubt.failure]).await);
    }
    Ok(())
}

/// Deletes the pods that a StatefulSet waits for in vain; each is told and recorded.
async fn unstick(rolling: &Rolling<'_>, told: &mut Told<'_>, seen: &Seen) -> Result<(), Stop> {
    let place = told.place;
    for pod in in_the_way(seen, told.target.generation) {
        let deleted = place.cluster.delete_pod(&place.namespace, &pod.name, &pod.uid).await;
        if let Err(error) = deleted {
            let message = format!(
                "it waits for the pod to be ready, which it never will be; it could not be deleted: {error}: kubectl --namespace {} delete pod {}",
                place.namespace, pod.name
            );
            let stuck = Failure { pod: Some(pod.name.clone()), ..of_workload("Stuck", message) };
            return Err(rolling.failed(told, vec![stuck]).await);
        }
        let what = format!(
            "pod {} of an older template was not ready and kept the new one from coming: deleted",
            pod.name
        );
        rolling.line(place, &what);
        told.end.beside.push(what);
        told.changed = Instant::now();
    }
    Ok(())
}

fn of_workload(reason: &str, message: String) -> Failure {
    Failure { pod: None, container: None, reason: reason.to_owned(), message }
}

fn no_progress(within: Duration, what: &str) -> Failure {
    of_workload("NoProgress", format!("it was not over within {} s: {what}", within.as_secs()))
}

/// Asking again would not help.
fn is_refusal(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Denied { .. } | ClusterError::NotLoggedIn { .. })
}

/// What digests hold, each asked for once.
#[derive(Default)]
struct Known {
    registered: Registered,
    asked: BTreeSet<(Repository, Digest)>,
}

impl Known {
    /// Reads what images hold; one that cannot be read stays unknown.
    async fn look_into(&mut self, app: &App, wanted: BTreeSet<(Repository, Digest)>) {
        let new: Vec<_> = wanted.difference(&self.asked).cloned().collect();
        let Ok(registries) = Registries::of(app) else { return };
        for (repository, digest) in new {
            if let Ok(facts) = registries.describe(&repository, digest).await {
                self.registered.contents.insert(digest, facts.platforms);
            }
            self.asked.insert((repository, digest));
        }
    }
}

//! Workloads are told, cluster by cluster, and waited for until they are judged.

use super::apply::Step;
use super::carry::{Carry, News};
use super::error::{DeployError, InterruptedStep, RolloutFailed};
use super::targets::Place;
use crate::app::App;
use crate::registries::Registries;
use crate::settings::EnvironmentSettings;
use ::record::claim::{DeployKind, Grade};
use cluster::{ClusterError, Rehearsal};
use domain::{Digest, EnvironmentName, Repository};
use futures_util::future::join_all;
use release::observed::Registered;
use release::rollout::{Failure, Finished, Judged, Seen, Target, judge, to_look_into};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at a rollout.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks in a row that a cluster may fail to answer.
const SILENT_LOOKS_MAX: u32 = 30;
/// Without any change. Source: Kubernetes' own default for `progressDeadlineSeconds`.
const UNCHANGED_MAX: Duration = Duration::from_secs(600);
/// The longest that one cluster is waited for, whatever moves there.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// How the deploy of one image ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepEnd {
    pub(super) ended: Ended,
    pub(super) grade: Grade,
    pub(super) warnings: Vec<String>,
}

/// Whether it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Badly(String),
    Unknown(String),
}

impl StepEnd {
    /// As it is before anything was told.
    pub(super) fn planned() -> Self {
        let why = "nothing was told to its workloads".to_owned();
        Self { ended: Ended::Unknown(why), grade: Grade::Applied, warnings: Vec::new() }
    }
}

/// Why it does not go on.
enum Stop {
    /// A place that failed, and why.
    Failed { place: usize, why: String, error: DeployError },
    /// Nobody knows how it ends.
    Left { why: String, error: DeployError },
}

/// The rollouts of one environment.
pub(super) struct Rolling<'a> {
    pub(super) app: &'a App,
    pub(super) environment: &'a EnvironmentSettings,
    pub(super) steps: &'a [&'a Step],
    pub(super) carry: &'a Carry,
}

/// A workload that was told.
struct Told<'a> {
    at: usize,
    place: &'a Place,
    target: Target,
    shown: String,
    changed: Instant,
}

impl Rolling<'_> {
    /// Tells and waits, cluster by cluster; how each image's deploy ended, and the error that stopped them.
    pub(super) async fn run(&self, places: &[Place]) -> (Vec<StepEnd>, Option<DeployError>) {
        let mut finished: Vec<Option<Finished>> = vec![None; places.len()];
        let mut known = Known::default();
        let mut stop = None;
        for context in &self.environment.clusters {
            let here: Vec<usize> =
                (0..places.len()).filter(|at| places[*at].cluster.context() == context).collect();
            if let Err(stopped) = self.cluster(places, &here, &mut finished, &mut known).await {
                stop = Some(stopped);
                break;
            }
        }
        let ends = (0..self.steps.len()).map(|at| step_end(at, places, &finished, stop.as_ref()));
        let ends = ends.collect();
        let error = stop.map(|stop| match stop {
            Stop::Failed { error, .. } | Stop::Left { error, .. } => error,
        });
        (ends, error)
    }

    async fn cluster(
        &self,
        places: &[Place],
        here: &[usize],
        finished: &mut [Option<Finished>],
        known: &mut Known,
    ) -> Result<(), Stop> {
        let mut waiting = Vec::new();
        for at in here {
            let generation = self.tell(places, *at).await?;
            let place = &places[*at];
            let target = place.target(generation);
            let (shown, changed) = (String::new(), Instant::now());
            waiting.push(Told { at: *at, place, target, shown, changed });
        }
        tokio::select! {
            ended = self.wait(waiting, finished, known) => ended,
            () = self.carry.listener.stopped() => {
                let environment = self.environment.name.clone();
                let images = self.steps.iter().map(|step| again(&environment, step)).collect();
                let why = "stopped while it was waited for: the rollout goes on in the cluster".to_owned();
                Err(Stop::Left { why, error: DeployError::Interrupted { environment, steps: images } })
            }
        }
    }

    /// Sets the images of one workload, where they are not set already.
    async fn tell(&self, places: &[Place], at: usize) -> Result<i64, Stop> {
        let place = &places[at];
        let images = place.to_set();
        if images.is_empty() {
            return Ok(place.facts.generation);
        }
        let named = (place.namespace.as_str(), &place.workload);
        let take_over = self.carry.take_over;
        let told =
            place.cluster.apply_images(named, &place.facts, &images, take_over, Rehearsal::No);
        told.await.map_err(|source| {
            let why = format!("{place}: {source}");
            let error = DeployError::Apply { place: place.to_string(), source };
            Stop::Failed { place: at, why, error }
        })
    }

    async fn wait(
        &self,
        mut waiting: Vec<Told<'_>>,
        finished: &mut [Option<Finished>],
        known: &mut Known,
    ) -> Result<(), Stop> {
        let begun = Instant::now();
        let mut silent = 0;
        loop {
            let looks = waiting.iter().map(|told| {
                told.place.cluster.rollout(&told.place.namespace, &told.place.workload)
            });
            let looks = join_all(looks).await;
            let mut left = Vec::new();
            for (told, look) in waiting.into_iter().zip(looks) {
                match look {
                    Ok(seen) => {
                        silent = 0;
                        if let Some(told) = self.judged(told, seen, finished, known).await? {
                            left.push(told);
                        }
                    }
                    Err(error) => {
                        silent += 1;
                        if silent > SILENT_LOOKS_MAX || is_refusal(&error) {
                            let why = format!("{}: {error}", told.place);
                            return Err(Stop::Left { why, error: error.into() });
                        }
                        left.push(told);
                    }
                }
            }
            if left.is_empty() {
                return Ok(());
            }
            if let Some(late) = left.iter().find(|told| told.changed.elapsed() > UNCHANGED_MAX) {
                return Err(self.failed(late, vec![no_progress(UNCHANGED_MAX, &late.shown)]).await);
            }
            if begun.elapsed() > WAIT_MAX {
                return Err(self
                    .failed(&left[0], vec![no_progress(WAIT_MAX, &left[0].shown)])
                    .await);
            }
            waiting = left;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Judges one look; gives the workload back while it is to be waited for.
    async fn judged<'p>(
        &self,
        mut told: Told<'p>,
        seen: Option<Seen>,
        finished: &mut [Option<Finished>],
        known: &mut Known,
    ) -> Result<Option<Told<'p>>, Stop> {
        let Some(seen) = seen else {
            let gone = Failure {
                pod: None,
                container: None,
                reason: "Deleted".to_owned(),
                message: "somebody deleted it meanwhile".to_owned(),
            };
            return Err(self.failed(&told, vec![gone]).await);
        };
        known.look_into(self.app, to_look_into(&told.target, &seen, &known.registered)).await;
        let (what, is_over) = match judge(&told.target, &seen, &known.registered) {
            Judged::Waiting(progress) => (progress.what, None),
            Judged::Done(done) => match &done {
                Finished::Verified { pods } => {
                    (format!("verified: {pods} ready pods report this build"), Some(done))
                }
                Finished::Unverified { why } => {
                    (format!("rolled out, unverified: {why}"), Some(done))
                }
            },
            Judged::Failed(failures) => return Err(self.failed(&told, failures).await),
            Judged::Replaced { container, now } => {
                let replaced = Failure {
                    pod: None,
                    container: Some(container),
                    reason: "Replaced".to_owned(),
                    message: format!("somebody else has set {now} meanwhile"),
                };
                return Err(self.failed(&told, vec![replaced]).await);
            }
        };
        if told.shown != what {
            self.line(told.place, &what);
            (told.shown, told.changed) = (what, Instant::now());
        }
        Ok(match is_over {
            Some(done) => {
                finished[told.at] = Some(done);
                None
            }
            None => Some(told),
        })
    }

    fn line(&self, place: &Place, what: &str) {
        let (place, what) = (place.to_string(), what.to_owned());
        self.carry.listener.tell(&News::Line { place, what });
    }

    /// A place that failed, with what the cluster adds about the first pod of it.
    async fn failed(&self, told: &Told<'_>, failures: Vec<Failure>) -> Stop {
        let place = told.place;
        let pod = failures.iter().find_map(|one| Some((one.pod.clone()?, one.container.clone())));
        let explained = match pod {
            Some((pod, container)) => {
                place.cluster.explain(&place.namespace, &pod, container.as_deref()).await
            }
            None => cluster::Explained::default(),
        };
        let failed = RolloutFailed::new(place.to_string(), &failures, &explained);
        let why = failed.to_string();
        self.line(place, "failed");
        let environment = self.environment.name.clone();
        let image = place.containers.first().map(|one| self.steps[one.step].image.clone());
        let image = image.expect("a place has a container, or it would not be one");
        Stop::Failed {
            place: told.at,
            why,
            error: DeployError::Rollout { image, environment, source: failed },
        }
    }
}

/// The command that goes on with a step.
fn again(environment: &EnvironmentName, step: &Step) -> InterruptedStep {
    let image = &step.image;
    let again = match &step.how {
        DeployKind::Rollback { .. } => format!("indelible rollback {environment} {image}"),
        DeployKind::Promote { from } => format!("indelible promote {from} {environment} {image}"),
        DeployKind::Deploy
        | DeployKind::PromotedByMerge { .. }
        | DeployKind::Noted
        | DeployKind::Imported => {
            format!("indelible deploy {environment} {image}={}", step.to.digest)
        }
    };
    InterruptedStep { again }
}

fn no_progress(within: Duration, what: &str) -> Failure {
    Failure {
        pod: None,
        container: None,
        reason: "NoProgress".to_owned(),
        message: format!("it was not over within {} s: {what}", within.as_secs()),
    }
}

/// Asking again would not help.
fn is_refusal(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Denied { .. } | ClusterError::NotLoggedIn { .. })
}

/// How the deploy of one image ended, from what became of its places.
fn step_end(
    step: usize,
    places: &[Place],
    finished: &[Option<Finished>],
    stop: Option<&Stop>,
) -> StepEnd {
    let own = places.iter().zip(finished).filter(|(place, _)| place.has(step));
    let (mut warnings, mut is_whole) = (Vec::new(), true);
    for (place, finished) in own {
        match finished {
            Some(Finished::Verified { .. }) => {}
            Some(Finished::Unverified { why }) => {
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
    let is_observed = ended == Ended::Well && warnings.is_empty();
    let grade = if is_observed { Grade::Observed } else { Grade::Applied };
    StepEnd { ended, grade, warnings }
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

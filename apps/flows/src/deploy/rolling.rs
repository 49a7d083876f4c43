//! Workloads are told, cluster by cluster or all at once, and waited for until they are judged.
//!
//! ```text
//! in order:  tell prod-eu, wait, tell prod-us, wait     the first failure leaves prod-us as it was
//! at once:   tell both, wait for both                   the first failure ends the waiting for the other
//! ```

use super::apply::Step;
use super::carry::{Carry, News};
use super::error::{DeployError, InClusterError, InterruptedStep, RolloutFailed};
use super::step_end::{PlaceEnd, StepEnd, Stop};
use super::targets::Place;
use super::wait::{Change, Told, Wait};
use crate::app::App;
use crate::settings::{EnvironmentSettings, RolloutOrder};
use ::record::claim::DeployKind;
use cluster::Rehearsal;
use domain::EnvironmentName;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use release::rollout::Failure;

/// The rollouts of one environment.
pub(super) struct Rolling<'a> {
    pub(super) app: &'a App,
    pub(super) environment: &'a EnvironmentSettings,
    pub(super) steps: &'a [&'a Step],
    pub(super) carry: &'a Carry,
}

/// What became of the places of one cluster, and why it went no further.
type Came = (Vec<(usize, PlaceEnd)>, Option<Stop>);

impl Rolling<'_> {
    /// Tells and waits; how each image's deploy ended, and the error that stopped them.
    pub(super) async fn run(&self, places: &[Place]) -> (Vec<StepEnd>, Option<DeployError>) {
        let mut ends: Vec<PlaceEnd> = vec![PlaceEnd::default(); places.len()];
        let mut take = |came: Vec<(usize, PlaceEnd)>| {
            came.into_iter().for_each(|(at, end)| ends[at] = end);
        };
        let (groups, contexts) = self.groups(places);
        let mut stop = None;
        match self.environment.rollout {
            RolloutOrder::InOrder => {
                for (at, here) in groups.iter().enumerate() {
                    let (came, stopped) = self.cluster(places, here).await;
                    take(came);
                    if let Some(stopped) = stopped {
                        stop = Some(left_alone(stopped, &contexts[at + 1..]));
                        break;
                    }
                }
            }
            RolloutOrder::AtOnce => {
                let mut all: FuturesUnordered<_> =
                    groups.iter().map(|here| self.cluster(places, here)).collect();
                while let Some((came, stopped)) = all.next().await {
                    take(came);
                    if stopped.is_some() {
                        stop = stopped;
                        break;
                    }
                }
            }
        }
        let ends = (0..self.steps.len()).map(|at| StepEnd::of(at, places, &ends, stop.as_ref()));
        let ends = ends.collect();
        let error = stop.map(|stop| match stop {
            Stop::Failed { error, .. } | Stop::Left { error, .. } => error,
        });
        (ends, error)
    }

    /// The places of each cluster, and the clusters' names, in the order of the settings.
    fn groups(&self, places: &[Place]) -> (Vec<Vec<usize>>, Vec<String>) {
        let contexts = &self.environment.clusters;
        let of = |context: &String| -> Vec<usize> {
            (0..places.len()).filter(|at| places[*at].cluster.context() == context).collect()
        };
        (contexts.iter().map(of).collect(), contexts.clone())
    }

    async fn cluster(&self, places: &[Place], here: &[usize]) -> Came {
        let mut told = Vec::new();
        for at in here {
            match self.tell(places, *at).await {
                Ok(change) => told.push(Told::new(*at, &places[*at], change)),
                Err(stop) => return (Vec::new(), Some(stop)),
            }
        }
        let mut wait = Wait::new(self, told);
        let stopped = tokio::select! {
            ended = wait.run() => ended.err(),
            () = self.carry.listener.stopped() => Some(self.interrupted()),
        };
        (wait.ends(), stopped)
    }

    fn interrupted(&self) -> Stop {
        let environment = self.environment.name.clone();
        let steps = self.steps.iter().map(|step| again(&environment, step)).collect();
        let why = "stopped while it was waited for: the rollout goes on in the cluster".to_owned();
        Stop::Left { why, error: DeployError::Interrupted { environment, steps } }
    }

    /// Sets the images of one workload, where they are not set already.
    async fn tell(&self, places: &[Place], at: usize) -> Result<Change, Stop> {
        let place = &places[at];
        let images = place.to_set();
        if images.is_empty() {
            return Ok(Change::Stood { generation: place.facts.generation });
        }
        let named = (place.namespace.as_str(), &place.workload);
        let take_over = self.carry.take_over;
        let told =
            place.cluster.apply_images(named, &place.facts, &images, take_over, Rehearsal::No);
        let told = told.await.map_err(|source| {
            let why = format!("{place}: {source}");
            let error = InClusterError::Apply { place: place.to_string(), source }.into();
            Stop::Failed { place: at, why, error }
        });
        Ok(Change::Made { generation: told? })
    }

    pub(super) fn line(&self, place: &Place, what: &str) {
        let (place, what) = (place.to_string(), what.to_owned());
        self.carry.listener.tell(&News::Line { place, what });
    }

    /// A place that failed, with what the cluster adds about the first pod of it.
    pub(super) async fn failed(&self, told: &Told<'_>, failures: Vec<Failure>) -> Stop {
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
        let untouched = Vec::new();
        let error = DeployError::Rollout { image, environment, untouched, source: failed };
        Stop::Failed { place: told.at, why, error }
    }
}

/// Says which clusters were not touched, for people and the record.
fn left_alone(stop: Stop, contexts: &[String]) -> Stop {
    if contexts.is_empty() {
        return stop;
    }
    let say = |why: String| format!("{why}; left as they were: {}", contexts.join(", "));
    match stop {
        Stop::Failed { place, why, error } => {
            let error = if let DeployError::Rollout { image, environment, source, .. } = error {
                let untouched = contexts.to_vec();
                DeployError::Rollout { image, environment, untouched, source }
            } else {
                error
            };
            Stop::Failed { place, why: say(why), error }
        }
        Stop::Left { why, error } => Stop::Left { why: say(why), error },
    }
}

/// The command that goes on with a step.
pub(super) fn again(environment: &EnvironmentName, step: &Step) -> InterruptedStep {
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

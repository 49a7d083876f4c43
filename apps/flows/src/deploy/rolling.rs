//! Workloads are told, cluster by cluster or all at once, and waited for until they are judged.
//!
//! ```text
//! in order:  tell prod-eu, wait, tell prod-us, wait     the first failure leaves prod-us as it was
//! at once:   tell both, wait for both                   the first failure ends the waiting for the other
//! ```

use super::apply::Step;
use super::carry::{Carry, News};
use super::error::{DeployError, InClusterError, InterruptedStep, LeftBehind, RolloutFailed};
use super::patience::Patience;
use super::step_end::{Ends, PlaceEnd, Reached, StepEnd, Stop, left_behind};
use super::targets::Place;
use super::wait::{Change, Told, Wait};
use crate::app::App;
use crate::settings::{EnvironmentSettings, RolloutOrder};
use ::record::claim::DeployKind;
use cluster::{ApplyError, ClusterError, Rehearsal};
use domain::EnvironmentName;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use release::rollout::Failure;
use std::time::Duration;

/// The rollouts of one environment.
pub(super) struct Rolling<'a> {
    pub(super) app: &'a App,
    pub(super) environment: &'a EnvironmentSettings,
    pub(super) steps: &'a [&'a Step],
    pub(super) places: &'a [Place],
    pub(super) carry: &'a Carry,
    pub(super) patience: Patience,
    pub(super) ends: Ends,
}

/// What became of all places.
pub(super) struct Came {
    /// Image by image.
    pub(super) steps: Vec<StepEnd>,
    /// Place by place.
    pub(super) places: Vec<PlaceEnd>,
    /// Why it went no further.
    pub(super) error: Option<DeployError>,
}

impl Rolling<'_> {
    /// Tells and waits.
    pub(super) async fn run(self) -> Came {
        let groups = self.groups();
        let stop = match self.environment.rollout {
            RolloutOrder::InOrder => self.in_order(&groups).await,
            RolloutOrder::AtOnce => self.at_once(&groups).await,
        };
        let places = self.ends.now();
        let stop = stop.map(|stop| {
            let failed = match &stop {
                Stop::Failed { place, .. } => Some(*place),
                Stop::Left { .. } => None,
            };
            let all = (self.environment.clusters.as_slice(), self.places);
            and_leaves(stop, left_behind(all, &places, failed))
        });
        let of = |at| StepEnd::of(at, self.places, &places, stop.as_ref());
        let steps = (0..self.steps.len()).map(of).collect();
        let error = stop.map(|stop| match stop {
            Stop::Failed { error, .. } | Stop::Left { error, .. } => error,
        });
        Came { steps, places, error }
    }

    /// The places of each cluster, in the order of the settings.
    fn groups(&self) -> Vec<Vec<usize>> {
        let places = self.places;
        let of = |context: &String| -> Vec<usize> {
            (0..places.len()).filter(|at| places[*at].cluster.context() == context).collect()
        };
        self.environment.clusters.iter().map(of).collect()
    }

    async fn in_order(&self, groups: &[Vec<usize>]) -> Option<Stop> {
        for here in groups {
            let stopped = match self.tell_all(here).await {
                Ok(told) => self.wait(told).await,
                Err(stop) => Some(stop),
            };
            if stopped.is_some() {
                return stopped;
            }
        }
        None
    }

    /// Tells all of them before the first is waited for: none is left in the middle of being told.
    async fn at_once(&self, groups: &[Vec<usize>]) -> Option<Stop> {
        let told = join_all(groups.iter().map(|here| self.tell_all(here))).await;
        let told = match told.into_iter().collect::<Result<Vec<_>, Stop>>() {
            Ok(told) => told,
            Err(stop) => return Some(stop),
        };
        let mut waits: FuturesUnordered<_> = told.into_iter().map(|told| self.wait(told)).collect();
        while let Some(stopped) = waits.next().await {
            if stopped.is_some() {
                return stopped;
            }
        }
        None
    }

    async fn tell_all(&self, here: &[usize]) -> Result<Vec<Told<'_>>, Stop> {
        let mut told = Vec::new();
        for at in here {
            if self.carry.listener.is_stopped() {
                return Err(self.interrupted());
            }
            let change = self.tell(*at).await?;
            told.push(Told::new(*at, &self.places[*at], change));
        }
        Ok(told)
    }

    async fn wait(&self, told: Vec<Told<'_>>) -> Option<Stop> {
        let mut wait = Wait::new(self, told);
        let over = tokio::select! {
            biased;
            ended = wait.run() => return ended.err(),
            () = self.carry.listener.stopped() => None,
            whole = self.patience.over() => Some(whole),
        };
        Some(match over {
            Some(whole) => self.still_waiting(whole, &wait.shown()),
            None => self.interrupted(),
        })
    }

    fn interrupted(&self) -> Stop {
        let environment = self.environment.name.clone();
        let is_told = self.ends.now().iter().any(|end| end.reached == Reached::Told);
        let (why, how_far) = if is_told {
            (
                "stopped while it was waited for: the rollout goes on in the cluster",
                format!("the rollout in {environment} goes on without being watched"),
            )
        } else {
            (
                "stopped before its clusters were told anything",
                format!("the clusters of {environment} were told nothing"),
            )
        };
        let steps = self.steps.iter().map(|step| again(&environment, step)).collect();
        let error = DeployError::Interrupted { environment, how_far, steps };
        Stop::Left { why: why.to_owned(), error }
    }

    fn still_waiting(&self, whole: Duration, shown: &[String]) -> Stop {
        let environment = self.environment.name.clone();
        let steps = self.steps.iter().map(|step| again(&environment, step)).collect();
        let (seconds, shown) = (whole.as_secs(), shown.join("; "));
        let why = format!("it was not over within {seconds} s and goes on: {shown}");
        Stop::Left { why, error: DeployError::StillWaiting { environment, seconds, shown, steps } }
    }

    /// Sets the images of one workload, where they are not set already.
    async fn tell(&self, at: usize) -> Result<Change, Stop> {
        let place = &self.places[at];
        let images = place.to_set();
        if images.is_empty() {
            self.ends.reach(at, Reached::Same);
            return Ok(Change::Stood { generation: place.facts.generation });
        }
        let named = (place.namespace.as_str(), &place.workload);
        let take_over = self.carry.take_over;
        let told =
            place.cluster.apply_images(named, &place.facts, &images, take_over, Rehearsal::No);
        match told.await {
            Ok(generation) => {
                self.ends.reach(at, Reached::Told);
                Ok(Change::Made { generation })
            }
            Err(ApplyError::Cluster(
                source @ (ClusterError::NoAnswer { .. } | ClusterError::TooLate { .. }),
            )) => {
                let why = format!("{place} may have been told: {source}");
                let environment = self.environment.name.clone();
                let steps = self.steps.iter().map(|step| again(&environment, step)).collect();
                let place = place.to_string();
                let error = DeployError::Unseen { environment, place, steps, source };
                Err(Stop::Left { why, error })
            }
            Err(source) => {
                let why = format!("{place}: {source}");
                let (place, left) = (place.to_string(), LeftBehind::default());
                let error = InClusterError::Apply { place, left, source }.into();
                Err(Stop::Failed { place: at, why, error })
            }
        }
    }

    pub(super) fn line(&self, place: &Place, what: &str) {
        let (place, what) = (place.to_string(), what.to_owned());
        self.carry.listener.tell(&News::Line { place, what });
    }

    /// A place that failed, with what the cluster adds about the first pod of it.
    pub(super) async fn failed(
        &self,
        (at, place): (usize, &Place),
        failures: Vec<Failure>,
    ) -> Stop {
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
        let left = LeftBehind::default();
        let error = DeployError::Rollout { image, environment, left, source: failed };
        Stop::Failed { place: at, why, error }
    }
}

/// Says what a stop leaves behind, for people and the record.
fn and_leaves(stop: Stop, now: LeftBehind) -> Stop {
    match stop {
        Stop::Failed { place, why, mut error } => {
            let why = format!("{why}{now}");
            if let DeployError::Rollout { left, .. }
            | DeployError::InCluster(InClusterError::Apply { left, .. }) = &mut error
            {
                *left = now;
            }
            Stop::Failed { place, why, error }
        }
        // That what was told goes on is said already.
        Stop::Left { why, error } => {
            let now = LeftBehind { unwatched: Vec::new(), ..now };
            Stop::Left { why: format!("{why}{now}"), error }
        }
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

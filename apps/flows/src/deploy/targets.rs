//! Where in which clusters images run: every workload is looked at before anything is written.
//!
//! ```text
//! clusters × workloads of the images  ->  prod-eu shop/deployment/api: container api, now …, shall be …
//! ```

use super::apply::Step;
use super::error::{DeployError, InClusterError, LeftBehind};
use crate::app::App;
use crate::look::connect_to;
use crate::settings::EnvironmentSettings;
use cluster::{Cluster, Rehearsal, TakeOver, WorkloadFacts};
use domain::{ImageRef, PinnedRef};
use futures_util::future::try_join_all;
use release::rollout::{Holder, Slot, Target, Workload};
use std::fmt;

/// One workload of one cluster.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    pub(super) namespace: String,
    pub(super) workload: Workload,
    pub(super) facts: WorkloadFacts,
    pub(super) containers: Vec<ToRun>,
}

/// A container, and what it shall run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToRun {
    /// Which step says so.
    pub(super) step: usize,
    pub(super) holder: Holder,
    pub(super) name: String,
    pub(super) image: PinnedRef,
    /// The digest stands there already: nothing restarts.
    pub(super) is_same: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.cluster.context(), self.namespace, self.workload)
    }
}

impl Place {
    /// The images that have to be set.
    pub(super) fn to_set(&self) -> Vec<Slot> {
        let differ = self.containers.iter().filter(|container| !container.is_same);
        let slot = |container: &ToRun| Slot {
            holder: container.holder,
            name: container.name.clone(),
            image: container.image.to_string(),
        };
        differ.map(slot).collect()
    }

    /// What the workload is judged by, once it was told.
    pub(super) fn target(&self, generation: i64) -> Target {
        let containers = self.containers.iter();
        let meant = containers.map(|one| (one.holder, one.name.clone(), one.image.clone()));
        Target { generation, containers: meant.collect() }
    }

    pub(super) fn has(&self, step: usize) -> bool {
        self.containers.iter().any(|container| container.step == step)
    }
}

/// Looks at every workload of the steps' images, in the order of the clusters.
pub(super) async fn gather(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
) -> Result<Vec<Place>, DeployError> {
    let missing = |key: &'static str| InClusterError::ClusterKey {
        environment: environment.name.clone(),
        key,
    };
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let namespace = match (environment.missing(), &environment.namespace) {
        (Some(key), _) => return Err(missing(key).into()),
        (None, Some(namespace)) => namespace,
        (None, None) => return Err(missing("namespace").into()),
    };
    let mut wanted: Vec<(&Workload, Vec<usize>)> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let workloads = environment.workloads.get(&step.image).ok_or_else(|| {
            let (image, environment) = (step.image.clone(), environment.name.clone());
            InClusterError::NoWorkload { image, environment }
        })?;
        for workload in workloads {
            match wanted.iter_mut().find(|(known, _)| *known == workload) {
                Some((_, steps)) => steps.push(at),
                None => wanted.push((workload, vec![at])),
            }
        }
    }
    let mut places = Vec::new();
    for context in &environment.clusters {
        let cluster = Cluster::connect(&connect_to(app.surroundings(), context)).await?;
        let looks =
            wanted.iter().map(|(workload, of)| look((&cluster, namespace), workload, (steps, of)));
        places.extend(try_join_all(looks).await?);
    }
    Ok(places)
}

async fn look(
    (cluster, namespace): (&Cluster, &str),
    workload: &Workload,
    (steps, of): (&[&Step], &[usize]),
) -> Result<Place, DeployError> {
    let name = format!("{} {namespace}/{workload}", cluster.context());
    let facts = cluster.workload(namespace, workload).await?;
    let facts = facts.ok_or_else(|| InClusterError::WorkloadGone { place: name.clone() })?;
    if let Some(why) = facts.refuses {
        return Err(InClusterError::WorkloadRefuses { place: name, why }.into());
    }
    let mut containers = Vec::new();
    for at in of {
        let step = steps[*at];
        let mut found = containers_of(step, *at, &facts);
        if found.is_empty() {
            let images = facts.template.iter().map(|slot| slot.image.clone()).collect();
            let repository = step.repository.clone();
            return Err(InClusterError::NoContainer { place: name, repository, images }.into());
        }
        containers.append(&mut found);
    }
    let (cluster, namespace, workload) = (cluster.clone(), namespace.to_owned(), workload.clone());
    Ok(Place { cluster, namespace, workload, facts, containers })
}

/// The containers of a template whose image is of the step's repository.
fn containers_of(step: &Step, at: usize, facts: &WorkloadFacts) -> Vec<ToRun> {
    let one = |slot: &Slot| {
        let image: ImageRef = slot.image.parse().ok()?;
        (*image.repository() == step.repository).then(|| ToRun {
            step: at,
            holder: slot.holder,
            name: slot.name.clone(),
            image: step.to.clone(),
            is_same: image.digest() == Some(&step.to.digest) && !facts.is_to_be_made_again,
        })
    };
    facts.template.iter().filter_map(one).collect()
}

/// Lets every server check the change without storing it: who owns what, and whether it is let in.
pub(super) async fn rehearse(places: &[Place], take_over: TakeOver) -> Result<(), DeployError> {
    let one = |place: &'_ Place| {
        let images = place.to_set();
        let (cluster, at) =
            (place.cluster.clone(), (place.namespace.clone(), place.workload.clone()));
        let facts = place.facts.clone();
        let name = place.to_string();
        async move {
            if images.is_empty() {
                return Ok(());
            }
            let at = (at.0.as_str(), &at.1);
            let told = cluster.apply_images(at, &facts, &images, take_over, Rehearsal::Only).await;
            let left = LeftBehind::default();
            let wrong = |source| InClusterError::Apply { place: name, left, source }.into();
            told.map(drop).map_err(wrong)
        }
    };
    try_join_all(places.iter().map(one)).await.map(drop)
}

//! `--break-glass`: where Argo CD heals a field by itself, its automatic sync is suspended until `resume`.
//!
//! ```text
//! begun -> application/argocd/shop suspended, a note in the record -> the cluster is told -> … -> resume: restored
//! ```
//! Git still says something else then: `resume` prints the command that brings it in line.

use super::apply::Step;
use super::carry::{Carry, News};
use super::error::DeployError;
use super::in_cluster::short;
use super::in_git::edited;
use super::targets::Place;
use crate::app::App;
use crate::look::connect_to;
use crate::seam::{Question, all, environment_state};
use crate::settings::EnvironmentSettings;
use ::record::Facet;
use ::record::claim::{Claim, Kind, NoteClaim};
use cluster::{Cluster, SyncChange};
use domain::{Digest, EnvironmentName, EventId};
use release::gitops::{SyncKind, SyncObject};

/// The beginnings of the keys of notes about suspended and restored syncs.
const SUSPENDED: &str = "sync-suspended";
const RESTORED: &str = "sync-restored";

/// Suspends automatic sync of every Application that brings a place that is about to change.
pub(super) async fn suspend(
    app: &App,
    environment: &EnvironmentSettings,
    places: &[Place],
    (steps, begun, carry): (&[&Step], &[Option<EventId>], &Carry),
) -> Result<(), DeployError> {
    let about = begun.iter().copied().flatten().next();
    let reason = steps.iter().find_map(|step| step.reason.as_ref());
    let reason = reason.map(|text| format!(": {text}")).unwrap_or_default();
    for place in places.iter().filter(|place| !place.to_set().is_empty()) {
        let at = (place.namespace.as_str(), &place.workload);
        for object in place.cluster.synced_by(at, &place.facts).await? {
            if object.kind != SyncKind::Application {
                continue;
            }
            let name = format!("{} {object}", place.cluster.context());
            if place.cluster.suspend_sync(&object).await? == SyncChange::Already {
                continue;
            }
            let text = format!("automatic sync of {name} suspended{reason}");
            note(app, &environment.name, (SUSPENDED, &name), about, &text).await?;
            let what =
                format!("automatic sync is suspended until indelible resume {}", environment.name);
            carry.listener.tell(&News::Line { place: name, what });
        }
    }
    Ok(())
}

async fn note(
    app: &App,
    environment: &EnvironmentName,
    (beginning, name): (&str, &str),
    about: Option<EventId>,
    text: &str,
) -> Result<(), DeployError> {
    let record = app.record().await?;
    let question = Question::of([Kind::Note]).about(Facet::Environment, environment);
    let last = all(record, &question).await?.last().map(|event| event.event.stamp.id);
    let object = Digest::sha256(name.as_bytes()).hex();
    let key =
        crate::decide::key_after(&format!("{beginning}/{environment}/{}", &object[..16]), last);
    let environment = Some(environment.clone());
    let claim = NoteClaim { key, environment, about, text: short(text) };
    record.append(vec![Claim::Note(claim)]).await?;
    Ok(())
}

/// Gives Applications of an environment their automatic sync back, where `--break-glass` took it.
///
/// Gives what a person is told, and the commands that bring git in line, each a line.
///
/// # Errors
/// The clusters, the repository or the record cannot be used.
pub async fn restore_sync(
    app: &App,
    environment: &EnvironmentName,
) -> Result<Vec<String>, DeployError> {
    let environment = app.environment(environment)?;
    let question = Question::of([Kind::Note]).about(Facet::Environment, &environment.name);
    let notes = all(app.record_to_read().await?, &question).await?;
    let of_sync = notes.iter().rev().find_map(|event| {
        let key = event.event.claim.key().as_str();
        (key.starts_with(SUSPENDED) || key.starts_with(RESTORED)).then(|| key.to_owned())
    });
    if !of_sync.is_some_and(|key| key.starts_with(SUSPENDED)) {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    for context in &environment.clusters {
        let cluster = Cluster::connect(&connect_to(app.surroundings(), context)).await?;
        for object in applications(environment, &cluster).await? {
            if cluster.restore_sync(&object).await? == SyncChange::Changed {
                let name = format!("{context} {object}");
                let text = format!("automatic sync of {name} restored");
                note(app, &environment.name, (RESTORED, &name), None, &text).await?;
                told.push(format!("{name}: it syncs by itself again, and brings what git says"));
            }
        }
    }
    if !told.is_empty() {
        told.extend(not_in_git(app, environment).await?);
    }
    Ok(told)
}

async fn applications(
    environment: &EnvironmentSettings,
    cluster: &Cluster,
) -> Result<Vec<SyncObject>, DeployError> {
    let namespace = environment.namespace.as_deref().unwrap_or_default();
    let mut found: Vec<SyncObject> = Vec::new();
    for workload in environment.workloads.values().flatten() {
        let Some(facts) = cluster.workload(namespace, workload).await? else { continue };
        for object in cluster.synced_by((namespace, workload), &facts).await? {
            if object.kind == SyncKind::Application && !found.contains(&object) {
                found.push(object);
            }
        }
    }
    Ok(found)
}

/// The commands that make git say what is intended.
async fn not_in_git(
    app: &App,
    environment: &EnvironmentSettings,
) -> Result<Vec<String>, DeployError> {
    let state = environment_state(app.record().await?, &environment.name).await?;
    let tree = match app.write_back(&environment.git).await {
        Ok(write_back) => write_back.tree().await.ok(),
        Err(_) => None,
    };
    let mut told = Vec::new();
    for image in state.images() {
        let Some(fact) = state.current(image) else { continue };
        let step = Step::of_fact(fact);
        let places = match &tree {
            None => Vec::new(),
            Some(tree) => match edited(tree, &environment.git.path, "there", &[&step]).await {
                Ok((files, _)) if files.is_empty() => continue,
                Ok((_, applied)) => {
                    applied.images.into_iter().flat_map(|one| one.changed).collect()
                }
                Err(_) => Vec::new(),
            },
        };
        let places =
            if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) };
        told.push(format!(
            "git says something else of {image}{places}; at once: indelible deploy {} {image}={} --deploy git",
            environment.name, fact.claim.to
        ));
    }
    Ok(told)
}

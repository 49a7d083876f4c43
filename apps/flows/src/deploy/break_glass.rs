//! `--break-glass`: where Argo CD heals a field by itself, its automatic sync is suspended until `resume`.
//!
//! ```text
//! begun -> application/argocd/shop suspended, a note in the record -> the cluster is told -> … -> resume: restored
//! ```
//! Git still says something else then: `resume` prints the command that brings it in line.

use super::Run;
use super::apply::Step;
use super::attempt::Attempt;
use super::carry::News;
use super::error::DeployError;
use super::in_git::edited;
use crate::app::App;
use crate::look::connect_to;
use crate::seam::{Question, all, environment_state};
use crate::settings::EnvironmentSettings;
use ::record::claim::{Claim, Kind, NoteClaim, Text};
use ::record::{ClaimKey, Facet};
use cluster::{Cluster, ClusterError, SyncChange};
use domain::{Digest, EnvironmentName, EventId, ImageName};
use release::gitops::{SyncKind, SyncObject};
use std::collections::BTreeMap;

/// The first words of the keys of notes about suspended and restored syncs.
const SUSPENDED: &str = "sync-suspended";
const RESTORED: &str = "sync-restored";

/// Suspends automatic sync of every Application that brings a place that is about to change.
///
/// The note comes first: whoever finds none need not look for a suspended sync. The attempt knows which ones were
/// suspended, also where a later one cannot be.
pub(super) async fn suspend(attempt: &mut Attempt<'_>) -> Result<(), DeployError> {
    let (app, environment) = (attempt.app, attempt.environment);
    let about = attempt.begun().into_iter().flatten().next();
    let reason = attempt.steps().iter().find_map(|step| step.reason.clone());
    let reason = reason.map(|text| format!(": {text}")).unwrap_or_default();
    for place in attempt.places.iter().filter(|place| !place.to_set().is_empty()) {
        let at = (place.namespace.as_str(), &place.workload);
        for object in place.cluster.synced_by(at, &place.facts).await? {
            if object.kind != SyncKind::Application {
                continue;
            }
            let facts = place.cluster.sync_facts(&object).await?;
            if facts.is_none_or(|facts| facts.stopped.is_some()) {
                continue;
            }
            let name = named(place.cluster.context(), &object);
            let text = format!("automatic sync of {name} suspended{reason}");
            note(app, &environment.name, (SUSPENDED, &name), about, &text).await?;
            if let Err(error) = place.cluster.suspend_sync(&object).await {
                if is_unanswered(&error) {
                    attempt.suspended.push(format!("{name} (perhaps)"));
                }
                return Err(error.into());
            }
            attempt.suspended.push(name.clone());
            let what =
                format!("automatic sync is suspended until indelible resume {}", environment.name);
            attempt.carry.listener.tell(&News::Line { place: name, what });
        }
    }
    Ok(())
}

/// Whether what was asked for may have been done all the same.
fn is_unanswered(error: &ClusterError) -> bool {
    matches!(error, ClusterError::NoAnswer { .. } | ClusterError::TooLate { .. })
}

fn named(context: &str, object: &SyncObject) -> String {
    format!("{context} {object}")
}

/// What stands in a note's key for one Application of an environment.
fn mark_of(environment: &EnvironmentName, name: &str) -> String {
    Digest::sha256(format!("{environment}\0{name}").as_bytes()).hex()[..32].to_owned()
}

async fn note(
    app: &App,
    environment: &EnvironmentName,
    (word, name): (&str, &str),
    about: Option<EventId>,
    text: &str,
) -> Result<(), DeployError> {
    let record = app.record().await?;
    let question = Question::of([Kind::Note]).about(Facet::Environment, environment);
    let last = all(record, &question).await?.last().map(|event| event.event.stamp.id);
    let last = last.map_or_else(|| "start".to_owned(), |id| id.to_string());
    let key = format!("{word}/{}/after/{last}", mark_of(environment, name));
    let key = ClaimKey::try_from(key).expect("words, hex and an id make a key");
    let environment = Some(environment.clone());
    let claim = NoteClaim { key, environment, about, text: Text::cut(text) };
    record.append(vec![Claim::Note(claim)]).await?;
    Ok(())
}

/// The notes of syncs that are suspended and not restored since, by their marks; `notes` are oldest first.
fn still_suspended<'a>(
    notes: impl Iterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<&'a str, &'a str> {
    let mut open = BTreeMap::new();
    for (key, text) in notes {
        let mut words = key.split('/');
        match (words.next(), words.next()) {
            (Some(SUSPENDED), Some(mark)) => {
                open.insert(mark, text);
            }
            (Some(RESTORED), Some(mark)) => {
                open.remove(mark);
            }
            _ => {}
        }
    }
    open
}

/// Gives Applications of an environment their automatic sync back, where `--break-glass` took it: of the workloads of
/// these images; none named: all of them.
///
/// Gives what a person is told, and the commands that bring git in line, each a line; a dry run gives what would be done.
///
/// # Errors
/// The clusters, the repository or the record cannot be used.
pub async fn restore_sync(
    app: &App,
    environment: &EnvironmentName,
    images: &[ImageName],
    run: Run,
) -> Result<Vec<String>, DeployError> {
    let environment = app.environment(environment)?;
    let question = Question::of([Kind::Note]).about(Facet::Environment, &environment.name);
    // Where no record has begun, nobody suspended anything.
    let notes = all(app.record().await?, &question).await?;
    let said = notes.iter().filter_map(|event| {
        let Claim::Note(note) = &event.event.claim else { return None };
        Some((note.key.as_str(), note.text.as_str()))
    });
    let mut open = still_suspended(said);
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    let of = (environment, images);
    match (run, images) {
        (Run::Dry, []) => {
            told.extend(open.values().map(|text| format!("would be restored: {text}")));
        }
        (Run::Dry | Run::Real, _) => {
            for context in &environment.clusters {
                told.extend(restore_in(app, of, (context, run), &mut open).await?);
            }
            let gone = |text: &&str| match images {
                [] => format!("its Application is not found any more: {text}"),
                _ => format!("stays as it is: {text}"),
            };
            told.extend(open.values().map(gone));
        }
    }
    told.extend(not_in_git(app, of).await?);
    Ok(told)
}

/// Whether an image is meant: none named means all.
fn is_meant(images: &[ImageName], image: &ImageName) -> bool {
    images.is_empty() || images.contains(image)
}

/// Restores what is open in one cluster, and takes it off what is `open`.
async fn restore_in(
    app: &App,
    (environment, images): (&EnvironmentSettings, &[ImageName]),
    (context, run): (&str, Run),
    open: &mut BTreeMap<&str, &str>,
) -> Result<Vec<String>, DeployError> {
    let cluster = Cluster::connect(&connect_to(app.surroundings(), context)).await?;
    let mut told = Vec::new();
    for object in applications((environment, images), &cluster).await? {
        let name = named(context, &object);
        let Some(text) = open.remove(mark_of(&environment.name, &name).as_str()) else { continue };
        if run == Run::Dry {
            told.push(format!("would be restored: {text}"));
            continue;
        }
        let (text, line) = match cluster.restore_sync(&object).await? {
            SyncChange::Changed => (
                format!("automatic sync of {name} restored"),
                format!("{name}: it syncs by itself again, and brings what git says"),
            ),
            SyncChange::Already => (
                format!("automatic sync of {name} was restored, or given up, by somebody else"),
                format!("{name}: left as it is, for it holds no sync that is suspended"),
            ),
        };
        note(app, &environment.name, (RESTORED, &name), None, &text).await?;
        told.push(line);
    }
    Ok(told)
}

async fn applications(
    (environment, images): (&EnvironmentSettings, &[ImageName]),
    cluster: &Cluster,
) -> Result<Vec<SyncObject>, DeployError> {
    let namespace = environment.namespace.as_deref().unwrap_or_default();
    let mut found: Vec<SyncObject> = Vec::new();
    let meant = environment.workloads.iter().filter(|(image, _)| is_meant(images, image));
    for workload in meant.flat_map(|(_, workloads)| workloads) {
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
    (environment, images): (&EnvironmentSettings, &[ImageName]),
) -> Result<Vec<String>, DeployError> {
    let state = environment_state(app.record().await?, &environment.name).await?;
    let tree = match app.write_back(&environment.git).await {
        Ok(write_back) => write_back.tree().await.ok(),
        Err(_) => None,
    };
    let mut told = Vec::new();
    for image in state.images().into_iter().filter(|image| is_meant(images, image)) {
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

#[cfg(test)]
mod tests {
    use super::still_suspended;

    #[test]
    fn a_sync_is_restored_by_its_own_note_and_by_no_other() {
        let notes = [
            ("sync-suspended/aa/after/start", "a, first"),
            ("sync-suspended/bb/after/1", "b"),
            ("note/aa/after/2", "of a person"),
            ("sync-restored/aa/after/3", "a is back"),
            ("sync-suspended/cc/after/4", "c"),
            ("sync-restored/cc/after/5", "c is back"),
            ("sync-suspended/cc/after/6", "c again"),
        ];
        let open: Vec<_> = still_suspended(notes.into_iter()).into_iter().collect();
        assert_eq!(open, [("bb", "b"), ("cc", "c again")]);
    }
}

//! Mode `git`: one commit on the environment's branch, the edit made again on every new tip.
//!
//! ```text
//! plan: api.yaml:12 names A, shall name B    refused, and on the new tip it names C  ->  a conflict, nothing is written
//! ```

use super::Run;
use super::apply::{Applied, Say, Step};
use super::error::DeployError;
use super::facts::next_key;
use super::message::message;
use super::places::{Read, below, edit, pass_over};
use crate::app::App;
use crate::edit::TextFile;
use crate::files::{Content, Guess, Unreadable, content};
use crate::seam::environment_state;
use crate::settings::EnvironmentSettings;
use ::record::claim::ClaimKey;
use domain::{CommitId, EnvironmentName, EventId};
use git::{
    Change, EntryKind, Landing, LandingError, NewFile, Retry, Signature, Tree, TreePath, WriteBack,
};
use std::sync::PoisonError;

/// Behind a commit that says it already, how far back that commit is looked for.
pub(super) const LOOK_BACK: u32 = 200;

/// Which event of an image must be the newest while its files are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follows<'a> {
    /// The one that the plan was made on.
    Plan,
    /// The beginning of this very deploy, of each step that is new.
    Begun(&'a [Option<EventId>]),
}

/// Checks on a new tip that nobody has decided about these images since the plan was made.
///
/// Without it a push that was refused once could put a build back that a rollback has just left.
pub(super) async fn still_next(
    app: &App,
    environment: &EnvironmentName,
    steps: &[&Step],
    follows: Follows<'_>,
) -> Result<(), DeployError> {
    let record = app.record().await?;
    record.refresh().await?;
    let state = environment_state(record, environment).await?;
    let expected = |at: usize, step: &Step| match follows {
        Follows::Begun(events) => key_behind(environment, step, events.get(at).copied().flatten()),
        Follows::Plan => step.key.clone(),
    };
    let is_overtaken = |(at, step): &(usize, &&Step)| {
        step.say == Say::New && next_key(&state, &step.image) != expected(*at, step)
    };
    match steps.iter().enumerate().find(is_overtaken) {
        Some((_, step)) => Err(DeployError::Overtaken {
            image: step.image.clone(),
            environment: environment.clone(),
        }),
        None => Ok(()),
    }
}

pub(super) async fn in_git(
    app: &App,
    environment: &EnvironmentSettings,
    steps: &[&Step],
    (run, follows): (Run, Follows<'_>),
) -> Result<Applied, DeployError> {
    let write_back = app.write_back(&environment.git).await?;
    let of_git = |source| DeployError::Git { environment: environment.name.clone(), source };
    let path = environment.git.path.as_str();
    let place =
        format!("{} on branch {} of {}", below(path), environment.git.branch, write_back.remote());
    if run == Run::Dry {
        let tree = write_back.tree().await.map_err(of_git)?;
        return Ok(edited(&tree, path, &place, steps).await?.1);
    }
    let person = app.person().await;
    let actor = person.actor(domain::Proof::Git);
    let message = message(&environment.name, steps, &actor, write_back.remote())?;
    let signature = Signature::new(person.name(), person.email(), app.surroundings().now())?;
    let applied = std::sync::Mutex::new((Applied::default(), Read::default()));
    let landing = write_back
        .land(&signature, Retry::seeded(app.surroundings().seed()), |tree: Tree| {
            let (applied, message, place) = (&applied, message.clone(), &place);
            async move {
                // At once, for what lands meanwhile makes this edit in vain.
                let next = still_next(app, &environment.name, steps, follows);
                let (next, edited) = tokio::join!(next, edited(&tree, path, place, steps));
                next?;
                let (files, now) = edited?;
                let files = files.into_iter().map(new_file).collect::<Result<Vec<_>, _>>()?;
                let mut known = applied.lock().unwrap_or_else(PoisonError::into_inner);
                known.1.check(&environment.name, steps, &now.images)?;
                known.0 = now;
                let change = Change { files, message };
                Ok::<_, DeployError>((!change.files.is_empty()).then_some(change))
            }
        })
        .await;
    let (mut applied, _) = applied.into_inner().unwrap_or_else(PoisonError::into_inner);
    applied.commit = match landing {
        Ok(Landing::Landed { commit, .. }) => Some(commit),
        // The branch says it already: a run before this one landed, and was cut off before the record.
        Ok(Landing::Nothing { tip }) => {
            let landed = landed(&write_back, &environment.name, steps).await.map_err(of_git)?;
            Some(landed.unwrap_or(tip))
        }
        Err(LandingError::Git(error)) => return Err(of_git(error)),
        Err(LandingError::Edit(error)) => return Err(error),
    };
    Ok(applied)
}

/// The newest commit that says of itself that it brought these builds here; none among the newest ones.
pub(super) async fn landed(
    write_back: &WriteBack,
    environment: &EnvironmentName,
    steps: &[&Step],
) -> Result<Option<CommitId>, git::GitError> {
    let Some(step) = steps.iter().find(|step| step.say == Say::New) else { return Ok(None) };
    let digest = step.to.digest.to_string();
    let is_here = |commit: &git::Commit| {
        commit.trailers.get("Environment") == Some(environment.as_str())
            && commit.trailers.all("Digest").any(|one| one == digest)
    };
    let log = write_back.log_with_merged(LOOK_BACK).await?;
    Ok(log.commits.into_iter().find(is_here).map(|commit| commit.id))
}

/// The key of what follows the beginning of a deploy.
pub(super) fn key_behind(
    environment: &EnvironmentName,
    step: &Step,
    begun: Option<EventId>,
) -> ClaimKey {
    ::record::deploy_key(environment, &step.image, begun)
}

pub(super) fn new_file(file: TextFile) -> Result<NewFile, DeployError> {
    let path: TreePath =
        file.path.parse().map_err(|error: git::TreePathError| DeployError::File {
            action: "write",
            path: file.path.clone().into(),
            source: std::io::Error::other(error),
        })?;
    Ok(NewFile { path, bytes: file.text.into_bytes() })
}

/// Edits the files of a commit; gives those with a new text.
pub(super) async fn edited(
    tree: &Tree,
    path: &str,
    place: &str,
    steps: &[&Step],
) -> Result<(Vec<TextFile>, Applied), DeployError> {
    let (files, unread) = readable(tree, path).await?;
    edit(&files, pass_over(unread, steps)?, place, steps)
}

/// Files that can be workload files, and those of which nobody can tell.
pub(crate) type WorkloadFiles = (Vec<TextFile>, Vec<(String, Unreadable, Guess)>);

/// The workload files of an environment, as the newest commit of its branch has them.
///
/// # Errors
/// The repository cannot be read.
pub(crate) async fn workload_files(
    app: &App,
    environment: &EnvironmentSettings,
) -> Result<WorkloadFiles, DeployError> {
    let write_back = app.write_back(&environment.git).await?;
    let of_git = |source| DeployError::Git { environment: environment.name.clone(), source };
    let tree = write_back.tree().await.map_err(of_git)?;
    readable(&tree, &environment.git.path).await
}

async fn readable(tree: &Tree, path: &str) -> Result<WorkloadFiles, DeployError> {
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for (path, bytes) in blobs(tree, path).await? {
        match content(path.as_str(), &bytes) {
            Content::Workload { text, .. } => {
                files.push(TextFile { path: path.as_str().to_owned(), text: text.to_owned() });
            }
            Content::Unread { why, guess } => unread.push((path.as_str().to_owned(), why, guess)),
            Content::Silent | Content::Other => {}
        }
    }
    Ok((files, unread))
}

/// The files of a commit below a folder that can be workload files by their names.
async fn blobs(tree: &Tree, below: &str) -> Result<Vec<(TreePath, Vec<u8>)>, DeployError> {
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| DeployError::File {
        action: "look through",
        path: below.into(),
        source: std::io::Error::other(source),
    };
    let folder: Option<TreePath> = match below {
        "" => None,
        path => Some(path.parse().map_err(|error: git::TreePathError| wrong(error.into()))?),
    };
    let entries = tree.list(folder.as_ref()).map_err(|error| wrong(error.into()))?;
    let is_file = |kind: EntryKind| matches!(kind, EntryKind::File | EntryKind::Executable);
    let paths: Vec<TreePath> = entries
        .into_iter()
        .filter(|entry| is_file(entry.kind) && pin::is_worth_opening(entry.path.as_str()))
        .map(|entry| entry.path)
        .collect();
    let all = tree.read_all(&paths).await.map_err(|error| wrong(error.into()))?;
    Ok(paths.into_iter().zip(all).collect())
}

//! Why nothing was deployed.

mod in_cluster;
mod left_behind;
mod rollout;

pub use in_cluster::InClusterError;
pub(super) use in_cluster::rights_hint;
pub use left_behind::LeftBehind;
pub use rollout::RolloutFailed;

use crate::app::OpenError;
use crate::decide::DecideError;
use crate::edit::{EditError, SeenAt, maybe_named};
use crate::files::{FilesError, WriteError};
use crate::publish::PublishError;
use crate::registries::RegistryError;
use crate::seam::RecordError;
use crate::source::SourceError;
use ::record::claim::TextError;
use cluster::ClusterError;
use domain::{Digest, EnvironmentName, ImageName, Repository, Tag};
use git::GitError;
use pin::Skip;
use release::{DeployRefused, PromoteRefused, RollbackRefused};
use std::path::PathBuf;
use vendors::pull_request::{PlaceError, PullRequestError};

/// Why nothing was deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Settings, record or git.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is being built.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Git.
    #[error("{environment}'s files were not written")]
    Git {
        /// The environment.
        environment: EnvironmentName,
        /// Why.
        source: GitError,
    },
    /// The branch of a pull request.
    #[error("`{name}` cannot be the branch of a pull request")]
    Branch {
        /// The branch.
        name: String,
        /// Why.
        source: git::RevisionError,
    },
    /// A pull request.
    #[error("the branch is pushed, and no pull request was opened")]
    PullRequest(#[from] PullRequestError),
    /// Where pull requests are opened.
    #[error("the settings do not tell where pull requests are opened")]
    PullRequestPlace(#[from] PlaceError),
    /// An edit.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A file.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The files of the work tree could not be looked through.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// They could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The plan of a deploy.
    #[error("`{image}` is not deployed to {environment}")]
    Deploy {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// Where its builds are promoted from, by the settings.
        promotes_from: Option<EnvironmentName>,
        /// Why.
        source: DeployRefused,
    },
    /// The plan of a promotion.
    #[error("`{image}` is not promoted to {environment}")]
    Promote {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// Why.
        source: PromoteRefused,
    },
    /// A rollback holds what it rolls back, and that could not be recorded.
    #[error("`{image}` was not held in {environment}, so nothing was rolled back")]
    Hold {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// Why.
        source: Box<DecideError>,
    },
    /// The plan of a rollback.
    #[error("`{image}` is not rolled back in {environment}")]
    Rollback {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// Why.
        source: RollbackRefused,
    },
    /// Somebody else decided about the image since the plan was made.
    #[error(
        "somebody else decided about `{image}` in {environment} meanwhile: nothing was written"
    )]
    Overtaken {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
    },
    /// A place changed after the plan was made.
    #[error(
        "{place} names {found}, and {planned} when the deploy of `{image}` to {environment} was planned: it is left as it is"
    )]
    Moved {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// The file and line.
        place: String,
        /// What the plan read.
        planned: String,
        /// What stands there now.
        found: String,
    },
    /// The settings have no such image, or none for this environment.
    #[error("the settings have no image `{image}`; they have {known}")]
    NoImage {
        /// What was named.
        image: String,
        /// Those that there are.
        known: String,
    },
    /// No build of the commit is recorded.
    #[error("no build of `{image}` from commit {commit} for {environment} is recorded")]
    NoBuild {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// The commit.
        commit: String,
    },
    /// There is no commit to look for.
    #[error("no commit is known here, so no build can be found by it")]
    NoCommit,
    /// The tag is not in the registry.
    #[error("{repository} has no tag `{tag}`")]
    NoTag {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
    },
    /// Nothing names the image.
    #[error(
        "no file {place} names {repository}, so there is nothing to deploy to{}",
        maybe_named(unsure)
    )]
    NoPlace {
        /// Where it was looked for, for people.
        place: String,
        /// The repository.
        repository: Repository,
        /// Places that another program fills in.
        unsure: Vec<SeenAt>,
    },
    /// A place names the image and cannot be edited.
    #[error("{seen} names the image and is not edited: {why}")]
    LeftAlone {
        /// The place, and what stands there.
        seen: SeenAt,
        /// Why.
        why: Skip,
    },
    /// What a rollback is to return to.
    #[error("`--to {text}` names no deploy, digest, tag or commit of `{image}` in {environment}")]
    NoTarget {
        /// What was said.
        text: String,
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
    },
    /// Several images, and none was named.
    #[error("{environment} has several images: name one of {}", images.join(", "))]
    WhichImage {
        /// Where.
        environment: EnvironmentName,
        /// The images.
        images: Vec<String>,
    },
    /// Nothing was deployed there, so there is nothing to return to.
    #[error("no deploy to {environment} is recorded")]
    NothingDeployed {
        /// Where.
        environment: EnvironmentName,
    },
    /// The target is not promoted to from there.
    #[error("`{from}` is not promoted to `{to}`: {}", chain_of(to, expected.as_ref()))]
    WrongChain {
        /// What was named.
        from: EnvironmentName,
        /// Where.
        to: EnvironmentName,
        /// What the settings say.
        expected: Option<EnvironmentName>,
    },
    /// The tag of the target environment.
    #[error(transparent)]
    Names(#[from] Box<PublishError>),
    /// A commit's message.
    #[error("the commit's message cannot be written")]
    Message(#[from] git::MessageError),
    /// The author of a commit.
    #[error("the commit's author cannot be written")]
    Signature(#[from] git::SignatureError),
    /// A reason or ticket.
    #[error("the reason or ticket cannot be recorded")]
    Text(#[from] TextError),
    /// A cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// What is in a cluster.
    #[error(transparent)]
    InCluster(#[from] InClusterError),
    /// What was told did not come to run.
    #[error("`{image}` does not run in {environment} as it was told{left}")]
    Rollout {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
        /// What it leaves behind elsewhere.
        left: LeftBehind,
        /// Why.
        source: RolloutFailed,
    },
    /// Somebody did not want to wait any longer.
    #[error("stopped: {how_far}, and the record says so")]
    Interrupted {
        /// Where.
        environment: EnvironmentName,
        /// What was done by then.
        how_far: String,
        /// What was carried out.
        steps: Vec<InterruptedStep>,
    },
    /// The time that somebody wanted to wait is over.
    #[error("the rollout in {environment} was not over within {seconds} s, and goes on: {shown}")]
    StillWaiting {
        /// Where.
        environment: EnvironmentName,
        /// How long was waited.
        seconds: u64,
        /// How far it is.
        shown: String,
        /// What was carried out.
        steps: Vec<InterruptedStep>,
    },
    /// A cluster was told, or may have been, and does not say what came of it.
    #[error("nobody knows what came of {place}")]
    Unseen {
        /// Where.
        environment: EnvironmentName,
        /// The workload.
        place: String,
        /// What was carried out.
        steps: Vec<InterruptedStep>,
        /// Why not.
        source: ClusterError,
    },
    /// It was stopped in an emergency after automatic sync was suspended.
    #[error(
        "the automatic sync of {} stays suspended, and the clusters of {environment} were told nothing",
        suspended.join(", ")
    )]
    StaysSuspended {
        /// Where.
        environment: EnvironmentName,
        /// The Applications.
        suspended: Vec<String>,
        /// Why it went no further.
        source: Box<DeployError>,
    },
    /// Clusters or files were changed, and the record does not say so.
    #[error(
        "{} in {environment}{}, and the record could not be told",
        listed(changed),
        and_failed(failed.as_deref())
    )]
    NotRecorded {
        /// Where.
        environment: EnvironmentName,
        /// What was changed.
        changed: Vec<String>,
        /// The commands that do no more than the record lacks.
        steps: Vec<InterruptedStep>,
        /// Why the deploy did not end well; none: it did.
        failed: Option<Box<DeployError>>,
        /// Why not.
        source: Box<DeployError>,
    },
    /// A deploy failed, and was rolled back because that was asked for.
    #[error("the deploy to {environment} failed and was rolled back: {}", back.join(", "))]
    RolledBack {
        /// Where.
        environment: EnvironmentName,
        /// What runs now.
        back: Vec<String>,
        /// Why it failed.
        source: Box<DeployError>,
    },
    /// A deploy failed, and so did the rollback that was asked for.
    #[error("the deploy to {environment} failed ({failed}), and so did the rollback")]
    NotRolledBack {
        /// Where.
        environment: EnvironmentName,
        /// Why the deploy failed.
        failed: String,
        /// Why the rollback failed.
        source: Box<DeployError>,
    },
    /// The digest is not what its registry has.
    #[error("{repository} does not have {digest}: it was deleted, or never pushed there")]
    Gone {
        /// The repository.
        repository: Repository,
        /// The digest.
        digest: Digest,
    },
}

/// What was carried out when somebody stopped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptedStep {
    /// The command that goes on with it.
    pub again: String,
}

fn listed(changed: &[String]) -> String {
    match changed {
        [] => "nothing was changed".to_owned(),
        changed => format!("{} was changed", changed.join(", ")),
    }
}

fn and_failed(failed: Option<&DeployError>) -> String {
    failed
        .map(|error| format!(", the deploy did not end well ({})", line(error)))
        .unwrap_or_default()
}

/// An error with its causes, as one line.
pub(super) fn line(error: &DeployError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        line = format!("{line}: {next}");
        cause = next.source();
    }
    line
}

fn chain_of(to: &EnvironmentName, expected: Option<&EnvironmentName>) -> String {
    match expected {
        Some(expected) => format!("the settings say `promotes-from: {expected}` for `{to}`"),
        None => format!("the settings have no `promotes-from` for `{to}`"),
    }
}

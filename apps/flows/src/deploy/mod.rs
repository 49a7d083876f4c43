//! Deploy, promote, roll back: a plan for each image, one edit for all of them, one event each.
//!
//! ```text
//! gather (record, registry, git)  ->  plan (engines/release)  ->  apply (files or one commit)  ->  record
//! ```
//! In clusters the pods are waited for, and the grade is "observed"; files and git are "applied".

mod advice;
mod alias;
mod apply;
mod asking;
mod attempt;
mod break_glass;
mod carry;
mod error;
mod facts;
mod in_cluster;
mod in_git;
mod known;
mod merged;
mod message;
mod on_failure;
mod patience;
mod places;
mod promote;
mod pull_request;
mod record_end;
mod rollback;
mod rolling;
mod run;
mod step_end;
mod synced;
mod targets;
mod wait;

pub use break_glass::restore_sync;
pub use carry::{Carry, Listener, News};
pub use cluster::TakeOver;
pub use error::{DeployError, InClusterError, InterruptedStep, LeftBehind, RolloutFailed};
pub use facts::{Knowledge, Wanted, knowledge};
pub(crate) use in_git::workload_files;
pub use on_failure::OnFailure;
pub use promote::{PromoteRequest, promote};
pub use pull_request::settle;
pub use rollback::{CandidateRow, RollbackRequest, candidates, rollback};
pub use run::{DeployRequest, NoteRequest, deploy, note_deploy};

use ::record::Hold;
use ::record::claim::{Grade, Mode};
use domain::{CommitId, Digest, EnvironmentName, EventId, ImageName, Tag};

/// What was done for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDone {
    /// The image.
    pub image: ImageName,
    /// What happened.
    pub what: Done,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Names in a registry that it was given, or would be.
    pub names: Vec<NameDone>,
}

impl ImageDone {
    /// What happened to an image that was given no names.
    #[must_use]
    pub fn new(image: ImageName, what: Done, warnings: Vec<String>) -> Self {
        Self { image, what, warnings, names: Vec::new() }
    }
}

/// A name in a registry that a build was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameDone {
    /// A tag of its own, create-only.
    Created(Tag),
    /// A tag of its own that it had already.
    Kept(Tag),
    /// The environment's alias follows to it.
    Moved {
        /// The alias.
        alias: Tag,
        /// What it named until then; none: nothing.
        from: Option<Digest>,
    },
}

/// What happened to one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Another digest is intended from now on.
    Changed {
        /// What was intended before.
        from: Option<Digest>,
        /// What is intended now.
        to: Digest,
        /// The tag beside it.
        tag: Option<Tag>,
        /// The kind of deploy, for people.
        how: &'static str,
        /// The build that a rollback left.
        condemns: Option<Digest>,
        /// Places that changed, as `path:line`.
        places: Vec<String>,
        /// The event; none with `--dry-run`.
        event: Option<EventId>,
    },
    /// Another digest is asked for, and intended once somebody merges it.
    Asked {
        /// What is intended until then.
        from: Option<Digest>,
        /// What is asked for.
        to: Digest,
        /// The tag beside it.
        tag: Option<Tag>,
        /// The kind of deploy, for people.
        how: &'static str,
        /// The build that a rollback leaves.
        condemns: Option<Digest>,
        /// Places that change, as `path:line`.
        places: Vec<String>,
        /// The event; none with `--dry-run`.
        event: Option<EventId>,
        /// The commit on the pull request's branch.
        commit: Option<CommitId>,
        /// Where the pull request is; none: a person has to open it.
        asks: Option<String>,
    },
    /// It is so already: nothing restarts.
    Same {
        /// What is intended.
        digest: Digest,
    },
    /// Automation waits.
    Held(Hold),
}

/// What was done for an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The environment.
    pub environment: EnvironmentName,
    /// How.
    pub mode: Mode,
    /// How much is known about the result.
    pub grade: Grade,
    /// The commit that landed.
    pub commit: Option<CommitId>,
    /// Image by image.
    pub images: Vec<ImageDone>,
    /// What a person should know beside the images: files that could not be looked through.
    pub warnings: Vec<String>,
    /// Images that automation leaves as they are from now on, because of a rollback.
    pub holds: Vec<ImageName>,
    /// Whether it was only planned.
    pub is_dry_run: bool,
}

impl Report {
    /// Whether any image waits.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.images.iter().any(|done| matches!(done.what, Done::Held(_)))
    }
}

/// Whether a plan is carried out or only shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Carried out.
    Real,
    /// Only shown.
    Dry,
}

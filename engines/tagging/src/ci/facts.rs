//! What was read, in words that every CI shares.

use domain::{CommitId, SourceRef};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub Actions.
    GitHub,
    /// Gitea Actions.
    Gitea,
    /// Forgejo Actions.
    Forgejo,
    /// GitLab CI.
    GitLab,
    /// Azure Pipelines.
    Azure,
    /// A CI that is not read yet: only `CI` is set.
    Unknown,
    /// No CI: somebody's checkout.
    Checkout,
}

/// What is known of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiFacts {
    /// Whose run it is.
    pub provider: Provider,
    /// The head commit: of a pull request its own last commit, where that could be found out.
    pub commit: Option<CommitId>,
    /// The commit that the CI made to try a merge, where it made one; it is in nobody's history.
    pub merge_commit: Option<CommitId>,
    /// The full ref that is built.
    pub source_ref: Option<SourceRef>,
    /// What started the run.
    pub event: Event,
    /// Whether the ref is protected.
    pub protected: Protected,
    /// The run, `None` outside of a CI.
    pub run: Option<RunId>,
    /// Where the source is, without credentials.
    pub repository_url: Option<String>,
    /// Who started it, as the CI says.
    pub actor: Option<String>,
}

/// What started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A push of a branch.
    Push,
    /// A push of a git tag.
    Tag,
    /// A pull or merge request, whoever's branch it targets.
    PullRequest(PullRequest),
    /// A merge queue tries what a merge would give; nothing is merged yet.
    MergeQueue,
    /// A clock.
    Schedule,
    /// A person, at the CI.
    Manual,
    /// Something else, in the CI's own word.
    Other(String),
    /// Nothing that is known: there is no CI, or it is not read.
    None,
}

/// What is known of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the project.
    pub number: Option<u64>,
    /// Whether its branch is in another repository.
    pub from_fork: Fork,
    /// The branch that it wants to get into.
    pub target: Option<String>,
}

/// Whether a pull request comes from another repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// It does.
    Yes,
    /// Its branch is in this repository.
    No,
    /// That could not be found out, and is not taken for safe.
    Unknown,
}

/// Whether the ref is protected in its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protected {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The CI does not say.
    Unknown,
}

/// A run of a CI.
///
/// `id` and `attempt` together are one run of the pipeline. `number` is for people: GitHub counts per
/// workflow and keeps it on a re-run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunId {
    /// Whose run it is.
    pub provider: Provider,
    /// Its id at the CI.
    pub id: String,
    /// Which attempt, from 1, where the CI counts them.
    pub attempt: Option<u32>,
    /// The number that the CI shows.
    pub number: Option<String>,
    /// Where people look at it.
    pub url: Option<String>,
}

/// What a checkout's HEAD is to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutFit {
    /// The head commit.
    Head,
    /// The merge that the CI made to try.
    Merge,
    /// Neither: another ref was checked out than the run is about.
    Other,
    /// The run's head commit is not known.
    Unknown,
}

impl CiFacts {
    pub(super) fn outside(
        provider: Provider,
        commit: Option<CommitId>,
        source_ref: Option<SourceRef>,
    ) -> Self {
        Self {
            provider,
            commit,
            merge_commit: None,
            source_ref,
            event: Event::None,
            protected: Protected::Unknown,
            run: None,
            repository_url: None,
            actor: None,
        }
    }

    /// Compares what is checked out with what the run is about.
    ///
    /// A pipeline that checks out another ref than its event's builds one commit and names another.
    #[must_use]
    pub fn compare_checkout(&self, head: &CommitId) -> CheckoutFit {
        if self.merge_commit.as_ref() == Some(head) {
            return CheckoutFit::Merge;
        }
        match &self.commit {
            Some(commit) if commit == head => CheckoutFit::Head,
            Some(_) => CheckoutFit::Other,
            None => CheckoutFit::Unknown,
        }
    }
}

impl Provider {
    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::Gitea => "Gitea Actions",
            Self::Forgejo => "Forgejo Actions",
            Self::GitLab => "GitLab CI",
            Self::Azure => "Azure Pipelines",
            Self::Unknown => "an unknown CI",
            Self::Checkout => "no CI",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Event {
    /// As in "a push of a branch".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push => f.write_str("a push of a branch"),
            Self::Tag => f.write_str("a push of a git tag"),
            Self::PullRequest(PullRequest { number: Some(number), .. }) => {
                write!(f, "pull request {number}")
            }
            Self::PullRequest(_) => f.write_str("a pull request"),
            Self::MergeQueue => f.write_str("a merge queue"),
            Self::Schedule => f.write_str("a schedule"),
            Self::Manual => f.write_str("a manual run"),
            Self::Other(word) => write!(f, "the event `{}`", word.escape_debug()),
            Self::None => f.write_str("no event"),
        }
    }
}

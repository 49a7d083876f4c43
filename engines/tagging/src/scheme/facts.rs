//! What is known of a build before it has a tag.

use crate::ci::{CiFacts, Event, RunId};
use domain::{CommitId, EnvironmentName, SourceRef, Tag, Timestamp};
use std::collections::BTreeSet;

/// The facts that schemes use. A fact that is absent is an error only for a scheme that needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The release's time, taken once for all its jobs.
    pub at: Timestamp,
    /// The environment that the build is for.
    pub environment: Option<EnvironmentName>,
    /// The head commit, never a pull request's merge commit.
    pub commit: Option<CommitId>,
    /// The name of the git tag that is built, such as `v1.4.2`.
    pub git_tag: Option<String>,
    /// The whole name of the branch that is built, such as `feature/prod`.
    pub branch: Option<String>,
    /// The CI's run.
    pub run: Option<RunId>,
}

impl Facts {
    /// Facts of which only the time is known.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self { at, environment: None, commit: None, git_tag: None, branch: None, run: None }
    }

    /// Takes over the branch or git tag that a full ref names.
    #[must_use]
    pub fn with_ref(mut self, source: Option<&SourceRef>) -> Self {
        match source {
            Some(SourceRef::Branch(name)) => self.branch = Some(name.clone()),
            Some(SourceRef::Tag(name)) => self.git_tag = Some(name.clone()),
            Some(SourceRef::Other(_)) | None => {}
        }
        self
    }

    /// Takes over what the CI said: the head commit, the branch or git tag, and the run.
    ///
    /// A pull request has no branch here, for its own is a stranger's word and its target is not what is built.
    #[must_use]
    pub fn with_ci(mut self, ci: &CiFacts) -> Self {
        self = match &ci.event {
            Event::PullRequest(_) | Event::MergeQueue => self,
            Event::Push
            | Event::Tag
            | Event::Schedule
            | Event::Manual
            | Event::Other(_)
            | Event::None => self.with_ref(ci.source_ref.as_ref()),
        };
        self.commit = ci.commit.clone().or(self.commit);
        self.run = ci.run.clone().or(self.run);
        self
    }
}

/// What the caller knows to be taken in the repository that the tag is for.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// Tags that name something else than this build, those that were deleted included: a name stays burnt.
    pub tags: &'a BTreeSet<Tag>,
    /// The least number of hex digits that tells the commit from every other of its source repository, as
    /// `git rev-parse --short` finds it; 0 where nobody asked.
    pub commit_digits: usize,
}

impl Taken<'static> {
    /// Nothing is known to be taken.
    #[must_use]
    pub fn nothing() -> Self {
        static NONE: BTreeSet<Tag> = BTreeSet::new();
        Self { tags: &NONE, commit_digits: 0 }
    }
}

//! Deploys: plans that were carried out.

use super::{ClaimKey, Text};
use domain::{CommitId, Digest, EnvironmentName, EventId, ImageName, Repository, Tag};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A plan carried out for one image of one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Where to.
    pub environment: EnvironmentName,
    /// The image's short name.
    pub image: ImageName,
    /// Its repository there.
    pub repository: Repository,
    /// What was intended before; none at the first deploy or where nobody knew.
    pub from: Option<Digest>,
    /// What is intended now.
    pub to: Digest,
    /// The tag beside the digest in the files.
    pub tag: Option<Tag>,
    /// What kind of deploy.
    pub how: DeployKind,
    /// Who chose this build.
    pub named_by: NamedBy,
    /// How it was carried out.
    pub mode: Mode,
    /// How much is known about the result.
    pub grade: Grade,
    /// The result.
    pub outcome: Outcome,
    /// The commit that the write-back made.
    pub commit: Option<CommitId>,
    /// Places that were changed, as `path` or `path:line`.
    pub places: Vec<String>,
    /// Why.
    pub reason: Option<Text>,
    /// A ticket.
    pub ticket: Option<Text>,
}

/// What kind of deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum DeployKind {
    /// A build of this environment.
    Deploy,
    /// The same digest came from another environment.
    Promote {
        /// From there.
        from: EnvironmentName,
    },
    /// Another build, from a commit that contains the verified one.
    PromotedByMerge {
        /// From there.
        from: EnvironmentName,
        /// The newest build that was verified there among the merged parents; none: cannot tell.
        verified: Option<Digest>,
        /// Its commit.
        commit: Option<CommitId>,
    },
    /// Back to an older build; the one that was left is condemned here.
    Rollback {
        /// The build that was left.
        condemns: Digest,
        /// The deploy that is returned to.
        returns_to: Option<EventId>,
    },
    /// Another tool did it.
    Noted,
    /// Read from what somebody else kept.
    Imported,
}

/// Who chose the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedBy {
    /// A person or script named this tag or digest; that lifts a condemnation.
    Name,
    /// It followed from a commit, a promotion or a rollback.
    Rule,
}

/// How a deploy is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Files of this work tree were edited.
    Files,
    /// A commit was pushed.
    Git,
    /// The workloads of clusters were told, and waited for.
    Cluster,
    /// A commit was pushed, and the workloads of clusters were told and waited for.
    #[serde(rename = "git+cluster")]
    GitCluster,
    /// A pull request asks for it.
    Pr,
    /// Another tool did it.
    Other,
}

/// How much is known about a deploy's result, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// The imageIDs of the pods agreed.
    Observed,
    /// Files or git landed; nothing observed the result.
    Applied,
    /// Read from what somebody else kept.
    Imported,
}

/// A deploy's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum Outcome {
    /// It landed.
    Done,
    /// It began, and its end is not known: it was stopped, or nobody was there to record it.
    Open {
        /// What is known of it.
        why: Text,
    },
    /// It did not.
    Failed {
        /// Why.
        why: Text,
    },
}

impl DeployClaim {
    /// Whether it is only asked for: a pull request that nobody was seen to merge yet.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.mode == Mode::Pr && matches!(self.outcome, Outcome::Open { .. })
    }
}

impl DeployKind {
    /// The word for people.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Promote { .. } => "promote",
            Self::PromotedByMerge { .. } => "promoted by merge",
            Self::Rollback { .. } => "rollback",
            Self::Noted => "noted",
            Self::Imported => "imported",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observed => "observed",
            Self::Applied => "applied",
            Self::Imported => "imported",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::Git => "git",
            Self::Cluster => "cluster",
            Self::GitCluster => "git+cluster",
            Self::Pr => "pr",
            Self::Other => "other",
        })
    }
}

//! What somebody else kept: an image that a workload was told to run, before anybody asked us.
//!
//! ```text
//! prod api  2026-03-01 09:12  sha256:9f…  replicaset/api-5d8f9 revision 3  of prod-eu/shop/deployment/api/api
//! ```
//! Never a decision: it moves no state, and what the record itself heard stands before it. A digest that nobody kept is
//! unknown, and stays so.

use super::{ClaimKey, Moment, Reported};
use domain::{CommitId, Digest, EnvironmentName, ImageName, Repository, Tag, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// That a workload was told to run an image, as somebody else kept it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// The environment that the place belongs to, by the settings.
    pub environment: EnvironmentName,
    /// The image of the settings.
    pub image: ImageName,
    /// The repository as it was written.
    pub repository: Repository,
    /// The tag as it was written.
    pub tag: Option<Tag>,
    /// Which bytes; none: nobody kept it.
    pub digest: Option<Digest>,
    /// From when on.
    pub began: Moment,
    /// Who kept it.
    pub kept_by: Keeper,
    /// What it is called there: `replicaset/api-5d8f9 revision 3`, `helm shop revision 2`, a commit.
    pub named: Reported,
    /// Where the image stands: `prod-eu/shop/deployment/api/api`, or `deploy/prod/api.yaml`. Facts of one place follow
    /// each other: each ends where the next begins.
    pub place: Reported,
    /// Whom the keeper names: a field manager, an author.
    pub by: Option<Reported>,
    /// The commit of the change.
    pub commit: Option<CommitId>,
    /// Whether it was brought there, as far as the keeper says.
    pub result: ImportedResult,
}

/// Who kept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// A ReplicaSet of a Deployment.
    ReplicaSet,
    /// A ControllerRevision of a StatefulSet or DaemonSet.
    ControllerRevision,
    /// A release that Helm stored.
    HelmRelease,
    /// A commit of the environment's workload files.
    Git,
}

/// Whether it was brought there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportedResult {
    /// The workload was told.
    Told,
    /// The keeper says that it failed: what ran then is unknown.
    Failed,
    /// From then on nothing there names the image any more.
    Removed,
}

impl ImportedClaim {
    /// The moment from which on it surely was so.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        match self.began {
            Moment::Exact { at } => at,
            Moment::Bounded { until, .. } | Moment::Unconfirmed { until, .. } => until,
        }
    }
}

impl Keeper {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReplicaSet => "ReplicaSet",
            Self::ControllerRevision => "ControllerRevision",
            Self::HelmRelease => "Helm",
            Self::Git => "git",
        }
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

//! What is wrong in a cluster: workloads that cannot be told, and commits that nothing brings.

use super::LeftBehind;
use crate::verdict::{Explain, Verdict};
use cluster::{ApplyError, ClusterError};
use domain::{EnvironmentName, ImageName, Repository};

const TAKE_OVER: &str = "to take the image over from them, run the command with `--take-over`";

/// What is wrong with the workloads of an environment, or with what brings them their files.
#[derive(Debug, thiserror::Error)]
pub enum InClusterError {
    /// A workload's images were not set.
    #[error("{place} was not changed{left}")]
    Apply {
        /// The workload.
        place: String,
        /// What it leaves behind elsewhere.
        left: LeftBehind,
        /// Why.
        source: ApplyError,
    },
    /// Mode `cluster` needs more of the settings.
    #[error("the settings do not say `{key}` of {environment}, which mode `cluster` needs")]
    ClusterKey {
        /// Where.
        environment: EnvironmentName,
        /// The key.
        key: &'static str,
    },
    /// Nothing runs the image there.
    #[error("the settings do not say what runs `{image}` in {environment}")]
    NoWorkload {
        /// The image.
        image: ImageName,
        /// Where.
        environment: EnvironmentName,
    },
    /// The workload is not in its cluster.
    #[error("{place} is not there")]
    WorkloadGone {
        /// The workload.
        place: String,
    },
    /// Nothing would roll out.
    #[error("{place} cannot be deployed to: {why}")]
    WorkloadRefuses {
        /// The workload.
        place: String,
        /// Why.
        why: &'static str,
    },
    /// No container of it runs the image.
    #[error("no container of {place} runs {repository}; it has {}", images.join(", "))]
    NoContainer {
        /// The workload.
        place: String,
        /// The repository.
        repository: Repository,
        /// What its containers run.
        images: Vec<String>,
    },
    /// Argo CD or Flux did not bring the commit.
    #[error("{object} does not bring the commit: {why}")]
    Sync {
        /// The cluster, and the object.
        object: String,
        /// In its own words.
        why: String,
    },
    /// Nothing moved for long.
    #[error(
        "{object} did not show the commit, and did not change for {minutes} minutes; it {said}"
    )]
    SyncLate {
        /// Where.
        environment: EnvironmentName,
        /// The cluster, and the object.
        object: String,
        /// How long.
        minutes: u64,
        /// What it said last.
        said: String,
    },
    /// The commit is there, and the workload says something else.
    #[error("the commit was brought, and {place} names another image than the files")]
    NotBrought {
        /// The workload.
        place: String,
    },
}

impl Explain for InClusterError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Sync { .. }
            | Self::NotBrought { .. }
            | Self::WorkloadRefuses { .. }
            | Self::Apply {
                source:
                    ApplyError::System { .. }
                    | ApplyError::Owned { .. }
                    | ApplyError::NotAdmitted { .. },
                ..
            } => Verdict::Refused,
            Self::SyncLate { .. }
            | Self::Apply { source: ApplyError::Cluster(_), .. }
            | Self::ClusterKey { .. }
            | Self::NoWorkload { .. }
            | Self::WorkloadGone { .. }
            | Self::NoContainer { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Sync { .. } => {
                Some("the commit stays; once it is mended, the same command goes on".to_owned())
            }
            Self::SyncLate { environment, .. } => {
                Some(format!("the same command goes on waiting; indelible history {environment}"))
            }
            Self::NotBrought { .. } => Some(
                "look for what overrides it: an overlay, ignoreDifferences, or another `git.path`"
                    .to_owned(),
            ),
            Self::Apply { source: ApplyError::Cluster(error), .. } => rights_hint(error),
            Self::Apply { source: ApplyError::Owned { .. }, .. } => Some(TAKE_OVER.to_owned()),
            Self::ClusterKey { environment, key } => {
                Some(format!("add `{key}` to environments.{environment} in indelible.yaml"))
            }
            Self::NoWorkload { image, environment } => Some(format!(
                "add `workloads: {{{image}: [deployment/NAME]}}` to environments.{environment} in indelible.yaml"
            )),
            Self::Apply {
                source: ApplyError::System { .. } | ApplyError::NotAdmitted { .. },
                ..
            }
            | Self::WorkloadGone { .. }
            | Self::WorkloadRefuses { .. }
            | Self::NoContainer { .. } => None,
        }
    }
}

/// The rights that mode `cluster` needs.
pub(in crate::deploy) fn rights_hint(error: &ClusterError) -> Option<String> {
    matches!(error, ClusterError::Denied { .. }).then(|| {
        "it needs `get` and `patch` on the workloads, `list` on pods and replicasets; events and pods/log are read where they may be"
            .to_owned()
    })
}

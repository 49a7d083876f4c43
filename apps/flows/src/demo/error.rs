//! Why the demo's stage is not as it should be, and what helps.

use crate::verdict::{Explain, Verdict};
use cluster::ClusterError;
use domain::Timestamp;

/// Why the stage is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A namespace that the demo would make is somebody's.
    #[error("{context} has a namespace {name} that no demo made: it is left alone")]
    Foreign {
        /// The context.
        context: String,
        /// The namespace.
        name: String,
    },
    /// A demo is there already.
    #[error("{context} has a namespace {name} that a demo made{}", at(.made.as_ref()))]
    Left {
        /// The context.
        context: String,
        /// The namespace.
        name: String,
        /// When.
        made: Option<Timestamp>,
    },
    /// The pods do not come to run.
    #[error("the pods of namespace {namespace} do not run: {why}")]
    NotRunning {
        /// The namespace.
        namespace: String,
        /// What keeps them.
        why: String,
    },
    /// It was told to stop while they were removed.
    #[error("stopped while {} were removed from {context}", .names.join(" and "))]
    Interrupted {
        /// The context.
        context: String,
        /// The namespaces.
        names: Vec<String>,
    },
    /// They do not go away.
    #[error("{context} has not removed {} within {} s", .names.join(" and "), super::GONE_WITHIN.as_secs())]
    StillThere {
        /// The context.
        context: String,
        /// The namespaces.
        names: Vec<String>,
    },
}

fn at(made: Option<&Timestamp>) -> String {
    made.map(|made| format!(" at {made}")).unwrap_or_default()
}

impl Explain for StageError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Foreign { .. } | Self::Left { .. } => Verdict::Refused,
            Self::Cluster(_)
            | Self::NotRunning { .. }
            | Self::Interrupted { .. }
            | Self::StillThere { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign { .. } => {
                Some("--namespace NAME lets the demo make NAME-uat and NAME-prod instead".to_owned())
            }
            Self::Left { .. } => Some(
                "if nobody needs it: the same with --replace removes it first; --namespace NAME takes another"
                    .to_owned(),
            ),
            Self::NotRunning { .. } => Some(
                "the nodes must be able to pull from the registry under the very name that --registry has".to_owned(),
            ),
            Self::Interrupted { context, names } => {
                Some(format!("kubectl --context {context} delete namespace {}", names.join(" ")))
            }
            Self::StillThere { context, names } => {
                Some(format!("kubectl --context {context} get namespace {}", names.join(" ")))
            }
            Self::Cluster(ClusterError::Denied { .. }) => Some(
                "the demo needs the rights to make and remove namespaces, and Deployments in them".to_owned(),
            ),
            Self::Cluster(_) => None,
        }
    }
}

//! The name of what runs an image: `deployment/api`.

use std::fmt;
use std::str::FromStr;

/// The longest name of an object. Source: RFC 1123 subdomain, as Kubernetes asks for.
const NAME_LEN_MAX: usize = 253;

/// One workload of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// What it is.
    pub kind: WorkloadKind,
    name: String,
}

/// The kinds whose image can be set, and whose rollout can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment
    Deployment,
    /// `apps/v1` StatefulSet
    StatefulSet,
    /// `apps/v1` DaemonSet
    DaemonSet,
    /// `batch/v1` CronJob: its next jobs run what it was told
    CronJob,
    /// `batch/v1` Job: its template cannot change, so a new one is made
    Job,
    /// `argoproj.io/v1alpha1` Rollout
    Rollout,
}

/// The text names no workload that can be deployed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// It is not `kind/name`.
    #[error("`{text}` is not a workload: write kind/name, such as deployment/api")]
    Shape {
        /// What was written.
        text: String,
    },
    /// The kind is none that can be deployed to.
    #[error("`{text}` cannot be deployed to: {why}")]
    Kind {
        /// What was written.
        text: String,
        /// Why not.
        why: &'static str,
    },
    /// The name is none that Kubernetes takes.
    #[error(
        "`{text}` has no name that Kubernetes takes: small letters, digits, `-` and `.`, at most {NAME_LEN_MAX}"
    )]
    Name {
        /// What was written.
        text: String,
    },
}

impl WorkloadKind {
    /// The word in settings and for kubectl.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::CronJob => "cronjob",
            Self::Job => "job",
            Self::Rollout => "rollout",
        }
    }

    /// Group and version of its API.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::CronJob | Self::Job => "batch/v1",
            Self::Rollout => "argoproj.io/v1alpha1",
        }
    }

    /// Kubernetes' own word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::CronJob => "CronJob",
            Self::Job => "Job",
            Self::Rollout => "Rollout",
        }
    }
}

const KINDS: [WorkloadKind; 6] = [
    WorkloadKind::Deployment,
    WorkloadKind::StatefulSet,
    WorkloadKind::DaemonSet,
    WorkloadKind::CronJob,
    WorkloadKind::Job,
    WorkloadKind::Rollout,
];

/// Why a kind is not taken.
fn not_taken(kind: &str) -> &'static str {
    match kind {
        "replicaset" => {
            "a bare ReplicaSet keeps the pods that it has when its image changes; a Deployment replaces them"
        }
        "pod" => "a bare pod is not made again anywhere else; a Deployment would be",
        _ => "it is none of deployment, statefulset, daemonset, cronjob, job and rollout",
    }
}

impl Workload {
    /// A workload that Kubernetes itself has named.
    #[must_use]
    pub fn of(kind: WorkloadKind, name: String) -> Self {
        Self { kind, name }
    }

    /// Its name in its namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Workload {
    type Err = WorkloadError;

    fn from_str(text: &str) -> Result<Self, WorkloadError> {
        let shown = || text.chars().take(80).collect::<String>();
        let Some((kind, name)) = text.split_once('/') else {
            return Err(WorkloadError::Shape { text: shown() });
        };
        let Some(kind) = KINDS.into_iter().find(|known| known.word() == kind) else {
            return Err(WorkloadError::Kind { text: shown(), why: not_taken(kind) });
        };
        if !is_subdomain(name) {
            return Err(WorkloadError::Name { text: shown() });
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}

/// Source: RFC 1123 and `k8s.io/apimachinery`, `IsDNS1123Subdomain`.
fn is_subdomain(name: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = bytes.first().zip(bytes.last());
        ends.is_some_and(|(first, last)| is_alphanumeric(*first) && is_alphanumeric(*last))
            && bytes.iter().all(|byte| is_alphanumeric(*byte) || *byte == b'-')
    };
    name.len() <= NAME_LEN_MAX && name.split('.').all(is_label)
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.word(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_is_read_and_written_alike() {
        for text in [
            "deployment/api",
            "statefulset/db-0.x",
            "daemonset/1",
            "cronjob/a",
            "job/b",
            "rollout/c",
        ] {
            assert_eq!(text.parse::<Workload>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_workload_is_said_with_the_reason() {
        let cases = [
            ("api", "write kind/name"),
            ("replicaset/api", "keeps the pods"),
            ("pod/api", "bare pod"),
            ("Deployment/api", "none of deployment"),
            ("deployment/", "no name that Kubernetes takes"),
            ("deployment/Api", "no name that Kubernetes takes"),
            ("deployment/-api", "no name that Kubernetes takes"),
            ("deployment/a/b", "no name that Kubernetes takes"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Workload>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_longest_name_is_taken_and_one_more_letter_is_not() {
        let named = |len: usize| format!("deployment/{}", "a".repeat(len)).parse::<Workload>();
        assert!(named(NAME_LEN_MAX).is_ok());
        assert!(matches!(named(NAME_LEN_MAX + 1), Err(WorkloadError::Name { .. })));
    }
}

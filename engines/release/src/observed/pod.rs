//! A pod as its API server reports it, cut down to what tells which bytes run.

use domain::Timestamp;
use std::fmt;

/// One pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its identity: a pod that is made again under the same name has another.
    pub uid: String,
    /// The version of the object, where its API server counts versions up (from Kubernetes 1.35 on).
    pub version: Option<u64>,
    /// When it was made, by the API server's clock.
    pub created: Option<Timestamp>,
    /// When somebody asked for its deletion, by the same clock.
    pub deleted: Option<Timestamp>,
    /// The node that it was given to.
    pub node: Option<String>,
    /// What made it.
    pub owner: Owner,
    /// How far it is.
    pub phase: Phase,
    /// Its containers of every role, in the order of the spec.
    pub containers: Vec<Container>,
}

/// What made a pod: `deployment/api`, `job/migrate`, or the pod itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Lower case, as kubectl takes it: `deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Source: Kubernetes API, PodStatus.phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accepted; not every container has started.
    Pending,
    /// Bound, and a container runs, starts or restarts.
    Running,
    /// All ended well.
    Succeeded,
    /// All ended, one badly.
    Failed,
    /// Its node does not answer, or the phase is one that we do not know.
    Unknown,
}

/// One container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Which list of the spec it stands in.
    pub role: Role,
    /// The image as the *spec* writes it.
    pub reference: String,
    /// `imageID` as the kubelet reports it, verbatim; empty before it has started.
    pub image_id: String,
    /// `containerID`: the one key of a container; a restart in place has another.
    pub container_id: String,
    /// What it does.
    pub state: ContainerState,
    /// How often it was started again.
    pub restarts: u32,
    /// The run before this one: the kubelet keeps the last.
    pub previous: Option<Previous>,
}

/// A run of a container that ended before the one that is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its `containerID`; empty where the kubelet lost it.
    pub container_id: String,
    /// From then, by the node's clock.
    pub started: Option<Timestamp>,
    /// Until then.
    pub finished: Option<Timestamp>,
    /// Its exit code.
    pub exit_code: i32,
}

/// Which list of the pod's spec a container stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `containers`
    Main,
    /// `initContainers`, sidecars among them
    Init,
    /// `ephemeralContainers`
    Ephemeral,
}

/// What a container does, as the kubelet reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Not started; the reason is the kubelet's word, such as `ImagePullBackOff`.
    Waiting {
        /// The kubelet's word.
        reason: String,
    },
    /// It runs.
    Running {
        /// Since when, by the node's clock.
        since: Option<Timestamp>,
    },
    /// It ran.
    Ended {
        /// From then, by the node's clock.
        started: Option<Timestamp>,
        /// Until then.
        finished: Option<Timestamp>,
        /// Its exit code.
        exit_code: i32,
    },
    /// Nothing is reported.
    Unreported,
}

impl Owner {
    /// The owner that a pod's `ownerReferences` lead to.
    ///
    /// A ReplicaSet that a Deployment made has the Deployment's name, a dash, and the hash that the pod carries as
    /// the label `pod-template-hash`. Source: Kubernetes, deployment controller, `getNewReplicaSet`.
    #[must_use]
    pub fn of(kind: &str, name: &str, template_hash: Option<&str>) -> Self {
        let of_deployment = template_hash
            .filter(|hash| kind == "ReplicaSet" && !hash.is_empty())
            .and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'))
            .filter(|name| !name.is_empty());
        match of_deployment {
            Some(name) => Self { kind: "deployment".to_owned(), name: name.to_owned() },
            None => Self { kind: kind.to_lowercase(), name: name.to_owned() },
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Container {
    /// Whether its imageID tells what it runs or ran: an id may be left over while it waits.
    #[must_use]
    pub fn has_started(&self) -> bool {
        match self.state {
            ContainerState::Running { .. } | ContainerState::Ended { .. } => true,
            ContainerState::Waiting { .. } | ContainerState::Unreported => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_set_of_a_deployment_leads_to_the_deployment() {
        let owner = |kind, name, hash| Owner::of(kind, name, hash).to_string();
        assert_eq!(owner("ReplicaSet", "api-6d5f8c", Some("6d5f8c")), "deployment/api");
        assert_eq!(owner("ReplicaSet", "api-v2", None), "replicaset/api-v2");
        assert_eq!(owner("ReplicaSet", "api-v2", Some("6d5f8c")), "replicaset/api-v2");
        assert_eq!(owner("ReplicaSet", "-6d5f8c", Some("6d5f8c")), "replicaset/-6d5f8c");
        assert_eq!(owner("StatefulSet", "db", Some("x")), "statefulset/db");
        assert_eq!(owner("Job", "migrate-28", None), "job/migrate-28");
    }
}

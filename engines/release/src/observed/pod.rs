//! A pod as its API server reports it, cut down to what tells which bytes run.

use super::owner::Owner;
use domain::Timestamp;

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

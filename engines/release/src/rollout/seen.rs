//! What a workload and its pods report at one moment.

use crate::observed::Role;
use std::fmt;

/// What of a template names an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// One of `containers`.
    Container,
    /// One of `initContainers`.
    InitContainer,
    /// One of `volumes`: its files are an image's. No pod reports which bytes it has mounted.
    Volume,
}

impl Holder {
    /// The list in a pod's status; none: there is none.
    #[must_use]
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Container => Some(Role::Main),
            Self::InitContainer => Some(Role::Init),
            Self::Volume => None,
        }
    }
}

/// A place for an image in a workload's template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Which list it stands in.
    pub holder: Holder,
    /// Its name.
    pub name: String,
    /// The image, as it is written there.
    pub image: String,
}

/// A workload, and the pods that its selector names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The newest generation that its controller has acted on.
    pub observed_generation: i64,
    /// What its template says.
    pub template: Vec<Slot>,
    /// How far its controller is.
    pub counts: Counts,
    /// What its controller cannot do for the new template: a quota, a webhook that refuses.
    pub cannot_create: Option<String>,
    /// Its pods.
    pub pods: Vec<SeenPod>,
}

/// How far a controller is. Source: Kubernetes API v1.33, the status of each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counts {
    /// A Deployment's.
    Deployment {
        /// `spec.replicas`
        wanted: i64,
        /// `status.replicas`, old ones too.
        replicas: i64,
        /// `status.updatedReplicas`
        updated: i64,
        /// `status.availableReplicas`
        available: i64,
        /// `spec.paused`
        is_paused: bool,
        /// The message of `ProgressDeadlineExceeded`, where that is its condition.
        too_slow: Option<String>,
    },
    /// A StatefulSet's.
    StatefulSet {
        /// `spec.replicas`
        wanted: i64,
        /// `status.readyReplicas`
        ready: i64,
        /// `status.updatedReplicas`
        updated: i64,
        /// Pods below this number keep the old template.
        partition: i64,
        /// Whether `currentRevision` is `updateRevision`.
        is_one_revision: bool,
    },
    /// A DaemonSet's.
    DaemonSet {
        /// `status.desiredNumberScheduled`
        wanted: i64,
        /// `status.updatedNumberScheduled`
        updated: i64,
        /// `status.numberAvailable`
        available: i64,
    },
    /// A CronJob has none: what was told holds for the jobs that it makes from now on.
    CronJob {
        /// `spec.suspend`
        is_suspended: bool,
    },
    /// A Job's.
    Job {
        /// `spec.completions`
        wanted: i64,
        /// `status.succeeded`
        succeeded: i64,
        /// Its condition `Complete`.
        is_complete: bool,
        /// Reason and message of its condition `Failed`.
        failed: Option<(String, String)>,
    },
    /// An Argo Rollout's. Source: argo-rollouts, `RolloutStatus`.
    Rollout {
        /// `spec.replicas`
        wanted: i64,
        /// `status.updatedReplicas`
        updated: i64,
        /// `status.phase`
        phase: RolloutPhase,
        /// `status.message`
        message: String,
    },
}

/// How far an Argo Rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutPhase {
    /// All of it runs.
    Healthy,
    /// It goes on, also by itself after a pause.
    Progressing,
    /// It goes on only when somebody promotes it.
    WaitsForSomebody,
    /// It was aborted, or does not come up.
    Degraded,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPod {
    /// Its name.
    pub name: String,
    /// Its identity: a StatefulSet gives the same name again.
    pub uid: String,
    /// Which template it was made from.
    pub template: Template,
    /// How far it is.
    pub state: PodState,
    /// Its containers of the template, init containers too.
    pub containers: Vec<SeenContainer>,
}

/// Which template a pod was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The newest.
    New,
    /// The one before, or any older one.
    Old,
    /// Neither the newest nor the last that ran everywhere: a rollout that was given up. Only a StatefulSet tells.
    Abandoned,
}

/// How far a pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodState {
    /// It is being deleted.
    Leaving,
    /// Its condition `Ready` is true.
    Ready,
    /// It did its work and ended well: a Job's.
    Completed,
    /// No node takes it, and the scheduler's reason.
    Unschedulable(String),
    /// It starts, or its probes do not agree.
    NotReady,
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenContainer {
    /// Which list it stands in.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// `imageID`, verbatim.
    pub image_id: String,
    /// Whether it runs or ran: an imageID may be left over while it waits.
    pub has_started: bool,
    /// Why it waits: the kubelet's word and message.
    pub waiting: Option<(String, String)>,
    /// Whether it has ended, and is not yet said to wait for its next start.
    pub has_ended: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// The exit code with which it ended last.
    pub last_exit: Option<i32>,
}

impl Counts {
    /// How many pods of the new template there are, and how many there shall be.
    #[must_use]
    pub fn new_of(&self) -> (i64, i64) {
        match self {
            Self::Deployment { wanted, updated, .. } | Self::DaemonSet { wanted, updated, .. } => {
                (*updated, *wanted)
            }
            Self::StatefulSet { wanted, updated, partition, .. } => {
                (*updated, (wanted - partition).max(0))
            }
            Self::CronJob { .. } => (0, 0),
            Self::Job { wanted, succeeded, .. } => (*succeeded, *wanted),
            Self::Rollout { wanted, updated, .. } => (*updated, *wanted),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

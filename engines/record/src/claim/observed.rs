//! What a watcher saw: containers that began and ended, and from when until when it was watching.
//!
//! ```text
//! began 14:40:00 (the node's clock), seen 14:40:01 (the watcher's)  ->  ended 15:02:10, exit code 137
//! ```
//! A run's key is made of cluster, pod and container ids: two watchers that see the same say it once.
//! Names and images are what the cluster reports, word for word; nothing here is resolved or judged.

use super::{ClaimKey, ClusterId, Reported, RunId};
use domain::{Digest, EventId, Platform, Timestamp};
use serde::{Deserialize, Serialize};

/// When something happened, as sharply as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "precision", deny_unknown_fields)]
pub enum Moment {
    /// Then: the node said so.
    Exact {
        /// By the node's clock, whole seconds.
        at: Timestamp,
    },
    /// After the one and not after the other.
    Bounded {
        /// It had not happened yet; none: nobody was looking before.
        after: Option<Timestamp>,
        /// It had happened.
        until: Timestamp,
    },
    /// After that, if at all: nothing confirms it.
    Unconfirmed {
        /// The last that is known of it.
        after: Option<Timestamp>,
        /// From then on nobody could look any more.
        until: Timestamp,
    },
}

/// One container, on one set of bytes, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerRunClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Which run.
    pub run: RunId,
    /// Where.
    pub cluster: ClusterId,
    /// The namespace.
    pub namespace: Reported,
    /// The digest that its imageID names; none: none is reported.
    pub digest: Option<Digest>,
    /// When the watcher saw it, by its own clock.
    pub seen: Timestamp,
    /// What happened.
    pub change: RunChange,
}

/// What happened to a container run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change", deny_unknown_fields)]
pub enum RunChange {
    /// It began.
    Began(Box<RunBegan>),
    /// Its node does not answer: it may run or not.
    Doubted {
        /// The last that is known of it.
        since: Timestamp,
    },
    /// Its node answers again, and it still runs.
    Confirmed,
    /// It ended.
    Ended {
        /// When.
        ended: Moment,
        /// Its exit code, where one is reported.
        exit_code: Option<i32>,
        /// When somebody asked for the pod's deletion, by the API server's clock.
        deleted: Option<Timestamp>,
    },
}

/// What a run is, said once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunBegan {
    /// The pod's name.
    pub pod: Reported,
    /// The pod's identity.
    pub pod_uid: Reported,
    /// What made the pod: `deployment/api`.
    pub workload: Reported,
    /// The container's name.
    pub container: Reported,
    /// Which list of the spec it stands in.
    pub role: RunRole,
    /// The runtime's name for it.
    pub container_id: Reported,
    /// The node.
    pub node: Option<Reported>,
    /// The image as the pod's spec names it.
    pub reference: Reported,
    /// `imageID`, word for word; empty where only the end of the run was seen.
    pub image_id: Reported,
    /// When it began.
    pub began: Moment,
    /// When the pod was made, by the API server's clock.
    pub created: Option<Timestamp>,
    /// How often this container was restarted before.
    pub restarts: u32,
    /// Runs of this container right before this one that nobody saw.
    pub missed: u32,
    /// Somebody changed the image of a pod that was there already.
    pub changed_in_place: bool,
    /// What the node is, where it tells; events of older versions say nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_info: Option<NodeInfo>,
}

/// What tells a later reader which bytes of an image a node would take. Source: research/deploy.md §2.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeInfo {
    /// `nodeInfo.operatingSystem` and `nodeInfo.architecture`: `linux/arm64`.
    pub platform: Platform,
    /// `nodeInfo.containerRuntimeVersion`: `containerd://1.6.20`.
    pub runtime: Reported,
}

/// Which list of the pod's spec a container stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunRole {
    /// `containers`
    Main,
    /// `initContainers`
    Init,
    /// `ephemeralContainers`
    Ephemeral,
}

/// A stretch of time in which a cluster, or a namespace of it, was watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchedClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Which stretch, of which watcher.
    pub watch: EventId,
    /// Where.
    pub cluster: ClusterId,
    /// The one namespace that is watched; none: all.
    pub namespace: Option<Reported>,
    /// When, by the watcher's clock.
    pub at: Timestamp,
    /// What happened.
    pub change: WatchChange,
}

/// What happened to a watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change", deny_unknown_fields)]
pub enum WatchChange {
    /// The first list was complete.
    Began {
        /// What the watcher calls the cluster: the context of its kubeconfig.
        name: Reported,
        /// How often it gives a sign of life, in milliseconds.
        sign_every_ms: i64,
        /// How far the API server's clock was ahead of the watcher's, in milliseconds, to a second or so; none: it
        /// did not say. Times of deletion and creation are the API server's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server_ahead_ms: Option<i64>,
    },
    /// Everything until this moment is in the record.
    Alive,
    /// The last sign of life was at this moment.
    Ended {
        /// Why: `stopped`, or what was lost.
        why: Reported,
    },
}

impl RunChange {
    /// The word of the key.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Began(_) => "began",
            Self::Doubted { .. } => "doubted",
            Self::Confirmed => "confirmed",
            Self::Ended { .. } => "ended",
        }
    }
}

impl ContainerRunClaim {
    /// The key under which every watcher says the same change of a run.
    ///
    /// A run begins and ends once; it can be doubted and confirmed again and again, each at its moment.
    #[must_use]
    pub fn key_of(run: RunId, seen: Timestamp, change: &RunChange) -> ClaimKey {
        let word = change.word();
        let text = match change {
            RunChange::Began(_) | RunChange::Ended { .. } => format!("run/{run}/{word}"),
            RunChange::Doubted { .. } | RunChange::Confirmed => {
                format!("run/{run}/{word}/{}", seen.as_millis())
            }
        };
        ClaimKey::try_from(text).expect("hex digits, a word and a number are a key")
    }
}

impl WatchedClaim {
    /// The key of a change of a watch.
    #[must_use]
    pub fn key_of(watch: EventId, at: Timestamp, change: &WatchChange) -> ClaimKey {
        let text = match change {
            WatchChange::Began { .. } => format!("watched/{watch}/began"),
            WatchChange::Alive => format!("watched/{watch}/alive/{}", at.as_millis()),
            WatchChange::Ended { .. } => format!("watched/{watch}/ended"),
        };
        ClaimKey::try_from(text).expect("an id, a word and a number are a key")
    }
}

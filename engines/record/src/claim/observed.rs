//! What a watcher saw: containers that began and ended, and from when until when it was watching.
//!
//! ```text
//! began 14:40:00 (the node's clock), seen 14:40:01 (the watcher's)  ->  ended 15:02:10, exit code 137
//! ```
//! A run's key is made of cluster, pod and container ids: two watchers that see the same say it once.
//! Names and images are what the cluster reports, word for word; nothing here is resolved or judged.

use super::ClaimKey;
use domain::{Digest, EventId, Platform, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest text of a cluster that is kept, in bytes; what is longer is cut.
pub const REPORTED_LEN_MAX: usize = 1_024;
/// The longest identity of a cluster or of a run.
const IDENTITY_LEN_MAX: usize = 64;

/// A text as a cluster reports it: a name, a reference, an imageID.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reported(String);

/// The text is too long or holds control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reported text has at most {REPORTED_LEN_MAX} bytes and no control characters")]
pub struct ReportedError;

impl Reported {
    /// Keeps a text: control characters become `?`, and what is too long is cut.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut kept = String::with_capacity(text.len().min(REPORTED_LEN_MAX));
        for c in text.chars() {
            let c = if c.is_control() { '?' } else { c };
            if kept.len() + c.len_utf8() > REPORTED_LEN_MAX {
                break;
            }
            kept.push(c);
        }
        Self(kept)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reported {
    type Error = ReportedError;

    fn try_from(text: String) -> Result<Self, ReportedError> {
        let fits = text.len() <= REPORTED_LEN_MAX && !text.contains(char::is_control);
        if fits { Ok(Self(text)) } else { Err(ReportedError) }
    }
}

impl From<Reported> for String {
    fn from(text: Reported) -> Self {
        text.0
    }
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a cluster: the uid of its namespace `kube-system`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterId(String);

/// The text is no identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identity has 1 to {IDENTITY_LEN_MAX} visible ASCII characters")]
pub struct IdentityError;

impl ClusterId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClusterId {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, IdentityError> {
        identity(text).map(Self)
    }
}

impl From<ClusterId> for String {
    fn from(id: ClusterId) -> Self {
        id.0
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn identity(text: String) -> Result<String, IdentityError> {
    let fits =
        (1..=IDENTITY_LEN_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(text) } else { Err(IdentityError) }
}

/// The identity of one container run: 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(u128);

impl RunId {
    /// The run of a container id: the one thing that a restart in place changes.
    #[must_use]
    pub fn of(cluster: &ClusterId, pod_uid: &str, container: &str, container_id: &str) -> Self {
        let text = format!("{cluster}\0{pod_uid}\0{container}\0{container_id}");
        let hash = Digest::sha256(text.as_bytes()).hex();
        Self(u128::from_str_radix(&hash[..32], 16).expect("a digest has 64 hex digits"))
    }

    /// The identity as bytes, for a store.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The identity of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl std::str::FromStr for RunId {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        Self::try_from(text.to_owned())
    }
}

impl std::str::FromStr for ClusterId {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        Self::try_from(text.to_owned())
    }
}

impl std::str::FromStr for Reported {
    type Err = ReportedError;

    fn from_str(text: &str) -> Result<Self, ReportedError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for RunId {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, IdentityError> {
        let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u128::from_str_radix(&text, 16) {
            Ok(id) if is_hex && text.len() == 32 => Ok(Self(id)),
            Ok(_) | Err(_) => Err(IdentityError),
        }
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reported_text_is_cut_at_its_limit_and_read_back() {
        let longest = "x".repeat(REPORTED_LEN_MAX);
        assert_eq!(Reported::of(&longest).as_str(), longest);
        assert!(Reported::try_from(longest.clone()).is_ok());
        assert_eq!(Reported::of(&format!("{longest}y")).as_str(), longest);
        assert!(Reported::try_from(format!("{longest}y")).is_err());
        // A character of several bytes is kept whole or not at all.
        let wide = Reported::of(&format!("{}é", "x".repeat(REPORTED_LEN_MAX - 1)));
        assert_eq!(wide.as_str().len(), REPORTED_LEN_MAX - 1);
        assert_eq!(Reported::of("a\u{1b}[31m").as_str(), "a?[31m");
        assert!(Reported::try_from("a\u{1b}[31m".to_owned()).is_err());
    }

    #[test]
    fn a_run_is_named_by_cluster_pod_container_and_container_id() {
        let cluster = |text: &str| ClusterId::try_from(text.to_owned()).unwrap();
        let one = RunId::of(&cluster("c"), "pod", "api", "containerd://1");
        assert_eq!(one, RunId::of(&cluster("c"), "pod", "api", "containerd://1"));
        for other in [
            RunId::of(&cluster("d"), "pod", "api", "containerd://1"),
            RunId::of(&cluster("c"), "pod2", "api", "containerd://1"),
            RunId::of(&cluster("c"), "pod", "log", "containerd://1"),
            RunId::of(&cluster("c"), "pod", "api", "containerd://2"),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(RunId::try_from(one.to_string()), Ok(one));
        assert!(RunId::try_from(one.to_string().to_uppercase() + "A").is_err());
        assert!(ClusterId::try_from("c".repeat(64)).is_ok());
        assert!(ClusterId::try_from("c".repeat(65)).is_err());
    }
}

//! Findings: something that should not be was seen, and later was so no more.
//!
//! ```text
//! two-builds  shop  deployment/api  api   opened 14:40 (sha256:9f… on api-1, sha256:3c… on api-2)   closed 15:02
//! ```
//! A finding's identity is made of what it is about, and it can open again and again: two watchers that see the same
//! count the same openings, and say each of them once.

use super::{ClaimKey, ClusterId, IdentityError, Reported};
use domain::{Digest, EnvironmentName, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most images that one finding names.
pub const FOUND_IMAGES_MAX: usize = 32;
/// The most pods, and the most places, that are named of one image; of more only the number is kept.
pub const FOUND_NAMED_MAX: usize = 16;

/// The identity of a finding: 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FindingId(u128);

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Pods of one workload run different builds.
    TwoBuilds,
    /// A build runs in an environment that it may not go to.
    NotEligible,
    /// It runs from a repository of ours, and nobody published it.
    UnknownBuild,
    /// A workload's image was changed by something else than a deploy.
    OutsideChange,
    /// Workloads that name one tag run different builds.
    SharedTag,
    /// The registry has the bytes no more.
    DigestGone,
    /// There is no such tag any more.
    TagGone,
    /// The tag names other bytes than those that run.
    TagMoved,
    /// The reference can move.
    Unpinned,
}

impl FindingKind {
    /// All of them, worst first.
    pub const ALL: [Self; 9] = [
        Self::TwoBuilds,
        Self::NotEligible,
        Self::UnknownBuild,
        Self::OutsideChange,
        Self::SharedTag,
        Self::DigestGone,
        Self::TagGone,
        Self::TagMoved,
        Self::Unpinned,
    ];

    /// The word in the event.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoBuilds => "two-builds",
            Self::NotEligible => "not-eligible",
            Self::UnknownBuild => "unknown-build",
            Self::OutsideChange => "outside-change",
            Self::SharedTag => "shared-tag",
            Self::DigestGone => "digest-gone",
            Self::TagGone => "tag-gone",
            Self::TagMoved => "tag-moved",
            Self::Unpinned => "unpinned",
        }
    }
}

impl FromStr for FindingKind {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(IdentityError)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A finding opened or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Which finding.
    pub finding: FindingId,
    /// Which of its openings, counted from 1.
    pub opening: u32,
    /// What is wrong.
    pub what: FindingKind,
    /// Where.
    pub cluster: ClusterId,
    /// The environment that the place belongs to, by the settings of whoever watches.
    pub environment: Option<EnvironmentName>,
    /// The namespace; none: several.
    pub namespace: Option<Reported>,
    /// `deployment/api`; none: several.
    pub workload: Option<Reported>,
    /// The container; none: several.
    pub container: Option<Reported>,
    /// Every digest that it is about.
    pub digests: Vec<Digest>,
    /// When the watcher judged so, by its own clock.
    pub at: Timestamp,
    /// What happened.
    pub change: FindingChange,
}

/// What happened to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change", deny_unknown_fields)]
pub enum FindingChange {
    /// It is so.
    Opened(Box<FindingOpened>),
    /// It is so no more.
    Closed {
        /// Why, for people.
        why: Reported,
    },
}

/// What was seen when a finding opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingOpened {
    /// One sentence for people.
    pub says: Reported,
    /// The image as the pods' spec names it; none: several.
    pub reference: Option<Reported>,
    /// What runs, or ran.
    pub found: Vec<FoundImage>,
    /// What should run, or what the name means now.
    pub expected: Option<Digest>,
    /// Who changed it, where that can be told.
    pub by: Option<ChangedBy>,
}

/// An image that a finding is about, with where it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundImage {
    /// As the kubelet reports it.
    pub digest: Digest,
    /// Its build: the tag that it was published under, where the record has one.
    pub build: Option<Reported>,
    /// Pods that run it, by name.
    pub pods: Vec<Reported>,
    /// How many there are.
    pub pods_total: u32,
    /// Where it runs, where that is not the finding's own place: `shop/deployment/api`.
    pub places: Vec<Reported>,
}

/// Who changed the fields of a workload, as its API server keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedBy {
    /// `managedFields[].manager`: `kubectl-set`, `kubectl-rollout`, …
    pub manager: Reported,
    /// `Apply` or `Update`.
    pub operation: Reported,
    /// When that manager changed the object last, by the API server's clock.
    pub at: Option<Timestamp>,
}

impl FindingId {
    /// The identity of what these parts name, in their order.
    #[must_use]
    pub fn of<'a>(
        what: FindingKind,
        cluster: &ClusterId,
        parts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut text = format!("{what}\0{cluster}");
        for part in parts {
            text.push('\0');
            text.push_str(part);
        }
        let hash = Digest::sha256(text.as_bytes()).hex();
        Self(u128::from_str_radix(&hash[..32], 16).expect("a digest has 64 hex digits"))
    }
}

impl TryFrom<String> for FindingId {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, IdentityError> {
        let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u128::from_str_radix(&text, 16) {
            Ok(id) if is_hex && text.len() == 32 => Ok(Self(id)),
            Ok(_) | Err(_) => Err(IdentityError),
        }
    }
}

impl From<FindingId> for String {
    fn from(id: FindingId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FindingChange {
    /// The word of the key.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Closed { .. } => "closed",
        }
    }
}

impl FindingClaim {
    /// The key under which every watcher says the same change of a finding.
    #[must_use]
    pub fn key_of(finding: FindingId, opening: u32, change: &FindingChange) -> ClaimKey {
        let text = format!("finding/{finding}/{opening}/{}", change.word());
        ClaimKey::try_from(text).expect("hex digits, a number and a word are a key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_named_by_its_kind_its_cluster_and_its_parts() {
        let cluster = |text: &str| ClusterId::try_from(text.to_owned()).unwrap();
        let of = |kind, name: &str, parts: &[&str]| {
            FindingId::of(kind, &cluster(name), parts.iter().copied())
        };
        let one = of(FindingKind::TwoBuilds, "c", &["shop", "deployment/api"]);
        assert_eq!(one, of(FindingKind::TwoBuilds, "c", &["shop", "deployment/api"]));
        for other in [
            of(FindingKind::Unpinned, "c", &["shop", "deployment/api"]),
            of(FindingKind::TwoBuilds, "d", &["shop", "deployment/api"]),
            of(FindingKind::TwoBuilds, "c", &["shopdeployment/api"]),
            of(FindingKind::TwoBuilds, "c", &["shop"]),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(FindingId::try_from(one.to_string()), Ok(one));
        assert!(FindingId::try_from("x".repeat(32)).is_err());
    }

    #[test]
    fn every_kind_is_read_by_its_own_word() {
        for kind in FindingKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert!("nonsense".parse::<FindingKind>().is_err());
    }

    #[test]
    fn each_opening_has_keys_of_its_own() {
        let cluster = ClusterId::try_from("c".to_owned()).unwrap();
        let id = FindingId::of(FindingKind::Unpinned, &cluster, ["shop"]);
        let closed = FindingChange::Closed { why: Reported::of("pinned") };
        let key = |opening| FindingClaim::key_of(id, opening, &closed).to_string();
        assert_eq!(key(1), format!("finding/{id}/1/closed"));
        assert_ne!(key(1), key(2));
    }
}

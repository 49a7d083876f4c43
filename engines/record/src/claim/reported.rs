//! What a cluster says of itself: texts as it reports them, and the identities made of those.
//!
//! ```text
//! "registry.example.com/shop/api:uat"      kube-system's uid  ->  a cluster      cluster, pod, container, container id  ->  a run
//! ```

use domain::Digest;
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

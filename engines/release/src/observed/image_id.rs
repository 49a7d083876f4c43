//! `imageID`: what a kubelet says that a container runs, in the forms of each runtime.
//!
//! ```text
//! reg.example.com/shop/api@sha256:9f…                    containerd: the digest that the reference led to
//! docker-pullable://reg.example.com/shop/api@sha256:9f…  Docker
//! sha256:9f…   docker://sha256:9f…   9f… (64 digits)     a configuration: imported, never pulled, or CRI-O
//! ```
//! Source: research/deploy.md §2.3.

use domain::{Digest, PinnedRef, Repository};

/// More than any runtime writes; what is longer is not looked at.
const IMAGE_ID_LEN_MAX: usize = 1_024;

/// An imageID, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageId {
    /// A manifest's or an index's digest, and one of the repositories that the node knows it from.
    InRepository {
        /// Not always the one that the spec names: nodes choose the first in the alphabet.
        repository: Repository,
        /// The digest.
        digest: Digest,
    },
    /// A digest alone, which is a configuration's.
    Alone(Digest),
    /// None is reported: not started, or a runtime that reports none.
    NotReported,
    /// A text that is none of these.
    Unreadable,
}

impl ImageId {
    /// Reads what the kubelet reports.
    #[must_use]
    pub fn read(text: &str) -> Self {
        if text.is_empty() {
            return Self::NotReported;
        }
        if text.len() > IMAGE_ID_LEN_MAX {
            return Self::Unreadable;
        }
        let id =
            ["docker-pullable://", "docker://"].iter().find_map(|form| text.strip_prefix(form));
        let id = id.unwrap_or(text);
        if let Ok(digest) = id.parse::<Digest>() {
            return Self::Alone(digest);
        }
        let is_hex = id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && let Ok(digest) = format!("sha256:{id}").parse() {
            return Self::Alone(digest);
        }
        match id.parse::<PinnedRef>() {
            Ok(pinned) => {
                Self::InRepository { repository: pinned.repository, digest: pinned.digest }
            }
            Err(_) => Self::Unreadable,
        }
    }

    /// The digest, where there is one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::InRepository { digest, .. } | Self::Alone(digest) => Some(*digest),
            Self::NotReported | Self::Unreadable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    /// The forms of research/deploy.md §2.3, each with the runtime that writes it.
    #[test]
    fn every_runtimes_form_is_read() {
        let digest: Digest = format!("sha256:{HEX}").parse().unwrap();
        let of = |text: String| ImageId::read(&text);
        let in_repository = ImageId::InRepository {
            repository: "reg.example.com:5000/shop/api".parse().unwrap(),
            digest,
        };
        // containerd, with a repository digest
        assert_eq!(of(format!("reg.example.com:5000/shop/api@sha256:{HEX}")), in_repository);
        // cri-dockerd
        let docker = format!("docker-pullable://reg.example.com:5000/shop/api@sha256:{HEX}");
        assert_eq!(of(docker), in_repository);
        // containerd, imported; cri-dockerd, never pushed; CRI-O from OpenShift 4.15 on
        for text in [format!("sha256:{HEX}"), format!("docker://sha256:{HEX}"), HEX.to_owned()] {
            assert_eq!(of(text), ImageId::Alone(digest));
        }
    }

    #[test]
    fn nothing_and_nonsense_are_no_digest() {
        assert_eq!(ImageId::read(""), ImageId::NotReported);
        for text in ["shop/api:1.4", "sha256:9f", "docker://", "@", &HEX.to_uppercase()] {
            assert_eq!(ImageId::read(text), ImageId::Unreadable, "{text}");
        }
    }

    #[test]
    fn a_text_of_the_longest_length_is_read_and_one_more_is_not() {
        let longest = "x".repeat(IMAGE_ID_LEN_MAX);
        assert_eq!(ImageId::read(&longest), ImageId::Unreadable);
        let padded = format!("{}/a@sha256:{HEX}", "a/".repeat(600));
        assert!(padded.len() > IMAGE_ID_LEN_MAX);
        assert_eq!(ImageId::read(&padded), ImageId::Unreadable);
    }
}

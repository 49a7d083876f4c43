//! Whether the bytes that a container runs are those that were meant.
//!
//! ```text
//! meant sha256:9f… (an index)   reported sha256:3c… (its linux/arm64 manifest)   ->  Match::Platform
//! ```
//! Two digests that differ may be one build: an index and its parts, or two indexes around the same parts.

use domain::{Digest, Repository, Tag};
use record::claim::PlatformImage;
use std::collections::{BTreeMap, BTreeSet};

/// What registries and the record say about the names and digests that a cluster mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// What each tag names now.
    pub tags: BTreeMap<(Repository, Tag), TagNow>,
    /// Whether each digest is still where a new pod would look for it.
    pub presence: BTreeMap<(Repository, Digest), Presence>,
    /// What the digests hold that were looked into: what an index lists, or the manifest itself.
    pub contents: BTreeMap<Digest, Vec<PlatformImage>>,
}

/// What a tag names now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagNow {
    /// This.
    Names(Digest),
    /// There is no such tag.
    Gone,
    /// It could not be found out, and why.
    Unknown(String),
}

/// Whether a repository has a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has.
    There,
    /// It has not, or not any more.
    Gone,
    /// It could not be found out, and why.
    Unknown(String),
}

/// How a reported digest stands to the one that was meant. Source: research/deploy.md §2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The same.
    Exact,
    /// A platform's manifest of the index that was meant.
    Platform,
    /// The configuration of a platform of it.
    Config,
    /// Another wrapper around the same platform image.
    Alias,
    /// Other bytes.
    Other,
    /// What one of the two holds could not be found out.
    Unknown,
}

impl Match {
    /// Whether the bytes are those that were meant; none: cannot tell.
    #[must_use]
    pub fn is_same_build(self) -> Option<bool> {
        match self {
            Self::Exact | Self::Platform | Self::Config | Self::Alias => Some(true),
            Self::Other => Some(false),
            Self::Unknown => None,
        }
    }
}

impl Registered {
    /// Compares what is reported with what was meant.
    #[must_use]
    pub fn compare(&self, reported: &Digest, meant: &Digest) -> Match {
        if reported == meant {
            return Match::Exact;
        }
        let (meant, reported_holds) = (self.held(meant), self.held(reported));
        if let Some(parts) = meant {
            if parts.iter().any(|part| part.manifest == *reported) {
                return Match::Platform;
            }
            if parts.iter().any(|part| part.config == Some(*reported)) {
                return Match::Config;
            }
        }
        let (Some(meant), Some(reported)) = (meant, reported_holds) else {
            return Match::Unknown;
        };
        match share_a_part(meant, reported) {
            Shared::Yes => Match::Alias,
            Shared::No => Match::Other,
            Shared::CannotTell => Match::Unknown,
        }
    }

    /// Compares two reported digests, neither of which is the one that was meant.
    #[must_use]
    pub fn is_same_build(&self, one: &Digest, other: &Digest) -> Option<bool> {
        let there = self.compare(one, other).is_same_build();
        if there == Some(true) { there } else { self.compare(other, one).is_same_build().or(there) }
    }

    /// Every image that a reported digest is, or is a part of; `meant` first where it is among them.
    #[must_use]
    pub fn builds_of(&self, reported: &Digest, meant: Option<&Digest>) -> Vec<Digest> {
        let mut builds: Vec<_> = self
            .contents
            .keys()
            .filter(|image| self.compare(reported, image).is_same_build() == Some(true))
            .copied()
            .collect();
        builds.sort_by_key(|image| (Some(image) != meant, image != reported));
        builds
    }

    fn held(&self, digest: &Digest) -> Option<&[PlatformImage]> {
        self.contents.get(digest).map(Vec::as_slice)
    }
}

enum Shared {
    Yes,
    No,
    CannotTell,
}

/// Configurations are compared, for they are the bits that run; without one, the manifests.
fn share_a_part(one: &[PlatformImage], other: &[PlatformImage]) -> Shared {
    let ids = |parts: &[PlatformImage]| -> BTreeSet<Digest> {
        parts.iter().map(|part| part.config.unwrap_or(part.manifest)).collect()
    };
    let manifests = |parts: &[PlatformImage]| -> BTreeSet<Digest> {
        parts.iter().map(|part| part.manifest).collect()
    };
    if !ids(one).is_disjoint(&ids(other)) || !manifests(one).is_disjoint(&manifests(other)) {
        return Shared::Yes;
    }
    let is_told = |parts: &[PlatformImage]| {
        !parts.is_empty() && parts.iter().all(|part| part.config.is_some())
    };
    if is_told(one) && is_told(other) { Shared::No } else { Shared::CannotTell }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::sha256(name.as_bytes())
    }

    fn part(manifest: &str, config: &str) -> PlatformImage {
        PlatformImage { platform: None, manifest: digest(manifest), config: Some(digest(config)) }
    }

    fn registered(images: &[(&str, Vec<PlatformImage>)]) -> Registered {
        let contents = images.iter().map(|(name, parts)| (digest(name), parts.clone()));
        Registered { contents: contents.collect(), ..Registered::default() }
    }

    /// The rows of research/deploy.md §2.3, "Resolver".
    #[test]
    fn each_way_to_be_the_same_bytes_is_told_apart() {
        let two = vec![part("amd64", "amd64 config"), part("arm64", "arm64 config")];
        let facts = registered(&[
            ("index", two.clone()),
            ("rewrapped", two),
            ("other", vec![part("other amd64", "other config")]),
        ]);
        let compare = |reported| facts.compare(&digest(reported), &digest("index"));
        assert_eq!(compare("index"), Match::Exact);
        assert_eq!(compare("arm64"), Match::Platform);
        assert_eq!(compare("arm64 config"), Match::Config);
        assert_eq!(compare("rewrapped"), Match::Alias);
        assert_eq!(compare("other"), Match::Other);
        assert_eq!(compare("never heard of"), Match::Unknown);
    }

    #[test]
    fn bytes_that_nobody_could_look_into_are_unknown_and_not_other() {
        let mut facts = registered(&[("index", vec![part("amd64", "config")])]);
        assert_eq!(facts.compare(&digest("silent"), &digest("index")), Match::Unknown);
        assert_eq!(facts.compare(&digest("index"), &digest("silent")), Match::Unknown);
        let no_config = PlatformImage { platform: None, manifest: digest("m"), config: None };
        facts.contents.insert(digest("bare"), vec![no_config]);
        assert_eq!(facts.compare(&digest("bare"), &digest("index")), Match::Unknown);
    }

    #[test]
    fn two_reports_of_one_build_are_one_build_whichever_comes_first() {
        let facts = registered(&[("index", vec![part("amd64", "config")])]);
        let same = |one, other| facts.is_same_build(&digest(one), &digest(other));
        assert_eq!(same("index", "amd64"), Some(true));
        assert_eq!(same("amd64", "index"), Some(true));
        assert_eq!(same("amd64", "stranger"), None);
    }

    #[test]
    fn all_builds_of_a_part_are_named_and_the_meant_one_first() {
        let parts = vec![part("amd64", "config")];
        let facts = registered(&[("a", parts.clone()), ("b", parts), ("c", vec![part("x", "y")])]);
        for meant in ["a", "b"] {
            let builds = facts.builds_of(&digest("amd64"), Some(&digest(meant)));
            assert_eq!(builds.len(), 2);
            assert_eq!(builds[0], digest(meant));
        }
        assert!(facts.builds_of(&digest("stranger"), None).is_empty());
    }
}

//! Something that should not be, under a name that scripts, baselines and documents may count on.
//!
//! ```text
//! no-tag   fails in a workload file, is noted of a base image   `shop/api` has no tag: it can move
//! ```
//! Each id is a heading of `docs/findings.md`. Who finds which is said where it is found.

use crate::site::Purpose;
use std::fmt;

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub kind: FindingKind,
    /// Whether it is a reason to fail.
    pub severity: Severity,
    /// For people, without the place.
    pub message: String,
}

/// What a finding does to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It is shown, and the answer is still yes.
    Noted,
    /// The answer is no.
    Fails,
}

/// The kinds of findings, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A build of another environment in an environment's files.
    OtherEnvironment,
    /// A digest that its registry has lost.
    DigestGone,
    /// A pin to something else than runs under its name.
    NotWhatRuns,
    /// A tag that its registry does not have.
    TagGone,
    /// Something that no client could pull.
    Malformed,
    /// A digest of an algorithm that we do not know.
    UnknownAlgorithm,
    /// Neither tag nor digest.
    NoTag,
    /// A tag that a rule says moves.
    AliasTag,
    /// A tag whose name says that it moves.
    MovingTag,
    /// A tag where a digest is required.
    NotPinned,
    /// A pin whose tag names other content by now.
    Moved,
    /// Two tags or digests of one image in the files of one environment.
    TwoTags,
    /// The digest of one platform where an index is there to be named.
    PlatformDigest,
    /// A pin whose tag names another index of the same images.
    Republished,
    /// A pull policy at odds with what the reference says.
    PullPolicy,
    /// A digest, and no tag that says which release it is.
    DigestWithoutTag,
    /// A variable or a template writes the name.
    Unresolved,
}

/// All kinds, the worst first.
const ALL: [FindingKind; 17] = [
    FindingKind::OtherEnvironment,
    FindingKind::DigestGone,
    FindingKind::NotWhatRuns,
    FindingKind::TagGone,
    FindingKind::Malformed,
    FindingKind::UnknownAlgorithm,
    FindingKind::NoTag,
    FindingKind::AliasTag,
    FindingKind::MovingTag,
    FindingKind::NotPinned,
    FindingKind::Moved,
    FindingKind::TwoTags,
    FindingKind::PlatformDigest,
    FindingKind::Republished,
    FindingKind::PullPolicy,
    FindingKind::DigestWithoutTag,
    FindingKind::Unresolved,
];

impl Finding {
    /// A finding at a place with this purpose.
    #[must_use]
    pub fn new(kind: FindingKind, purpose: Purpose, message: String) -> Self {
        Self { kind, severity: kind.severity(purpose), message }
    }
}

impl Severity {
    /// The word for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Fails => "fails",
        }
    }
}

impl FindingKind {
    /// All of them, the worst first.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter()
    }

    /// The name that scripts and baselines may count on.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::OtherEnvironment => "other-environment",
            Self::DigestGone => "digest-gone",
            Self::NotWhatRuns => "not-what-runs",
            Self::TagGone => "tag-gone",
            Self::Moved => "moved",
            Self::Republished => "republished",
            Self::Malformed => "malformed",
            Self::UnknownAlgorithm => "unknown-algorithm",
            Self::NoTag => "no-tag",
            Self::AliasTag => "alias-tag",
            Self::MovingTag => "moving-tag",
            Self::NotPinned => "not-pinned",
            Self::TwoTags => "two-tags",
            Self::PlatformDigest => "platform-digest",
            Self::PullPolicy => "pull-policy",
            Self::DigestWithoutTag => "digest-without-tag",
            Self::Unresolved => "unresolved",
        }
    }

    /// What it is in a few words, for a list of rules.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::OtherEnvironment => "The image was built for another environment",
            Self::DigestGone => "The registry has lost the digest",
            Self::NotWhatRuns => "Something else runs than the file names",
            Self::TagGone => "The registry does not have the tag",
            Self::Moved => "The tag names other content than the pin",
            Self::Republished => "The tag names another index of the same images",
            Self::Malformed => "No client could pull this name",
            Self::UnknownAlgorithm => "The digest is of an unknown algorithm",
            Self::NoTag => "The image has neither tag nor digest",
            Self::AliasTag => "The tag moves: a rule says so",
            Self::MovingTag => "The tag can move: its name says so",
            Self::NotPinned => "The image is not pinned to a digest",
            Self::TwoTags => "One environment names two builds of one image",
            Self::PlatformDigest => "The digest is of one platform only",
            Self::PullPolicy => "The pull policy is at odds with the reference",
            Self::DigestWithoutTag => "Nobody can read which release the digest is",
            Self::Unresolved => "A variable or a template writes the name",
        }
    }

    /// What it does to the answer at a place with this purpose: nothing fails but what runs in an environment.
    #[must_use]
    pub fn severity(self, purpose: Purpose) -> Severity {
        match purpose {
            Purpose::Base | Purpose::Pipeline => Severity::Noted,
            Purpose::Workload => match self {
                Self::OtherEnvironment
                | Self::DigestGone
                | Self::NotWhatRuns
                | Self::TagGone
                | Self::Malformed
                | Self::UnknownAlgorithm
                | Self::NoTag
                | Self::AliasTag
                | Self::MovingTag
                | Self::NotPinned
                | Self::Moved => Severity::Fails,
                // Done on purpose, or not ours to help: a canary, a builder that prints digests, a pipeline.
                Self::TwoTags
                | Self::PlatformDigest
                | Self::Republished
                | Self::PullPolicy
                | Self::DigestWithoutTag
                | Self::Unresolved => Severity::Noted,
            },
        }
    }

    /// Whether it is the verdict on the reference itself, of which a place has one at most.
    #[must_use]
    pub fn is_verdict(self) -> bool {
        match self {
            Self::Malformed
            | Self::UnknownAlgorithm
            | Self::NoTag
            | Self::AliasTag
            | Self::MovingTag
            | Self::NotPinned => true,
            Self::OtherEnvironment
            | Self::DigestGone
            | Self::NotWhatRuns
            | Self::TagGone
            | Self::Moved
            | Self::Republished
            | Self::TwoTags
            | Self::PlatformDigest
            | Self::PullPolicy
            | Self::DigestWithoutTag
            | Self::Unresolved => false,
        }
    }

    /// Whether `indelible pin` mends it.
    #[must_use]
    pub fn is_mended_by_a_pin(self) -> bool {
        match self {
            Self::NoTag | Self::AliasTag | Self::MovingTag | Self::NotPinned => true,
            Self::OtherEnvironment
            | Self::DigestGone
            | Self::NotWhatRuns
            | Self::TagGone
            | Self::Moved
            | Self::Republished
            | Self::Malformed
            | Self::UnknownAlgorithm
            | Self::TwoTags
            | Self::PlatformDigest
            | Self::PullPolicy
            | Self::DigestWithoutTag
            | Self::Unresolved => false,
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_kind_has_an_id_of_its_own() {
        let ids: HashSet<&str> = FindingKind::all().map(FindingKind::id).collect();
        assert_eq!(ids.len(), FindingKind::all().count());
        assert!(FindingKind::all().is_sorted(), "the list and the order of the kinds are one");
    }

    #[test]
    fn nothing_fails_but_what_runs_in_an_environment() {
        for kind in FindingKind::all() {
            for purpose in [Purpose::Base, Purpose::Pipeline] {
                assert_eq!(kind.severity(purpose), Severity::Noted, "{kind}");
            }
        }
        let fails =
            FindingKind::all().filter(|kind| kind.severity(Purpose::Workload) == Severity::Fails);
        assert_eq!(fails.count(), 11);
    }
}

//! What happens at a registry: tags, rules, unlocks, tokens.

use super::{ClaimKey, Text};
use domain::{Digest, Pattern, RegistryHost, RepositoryPath, Rule, Tag, TagClass, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A tag was created, moved, deleted or came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagChangeClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// The registry's host; left out where this record is the registry's own.
    pub registry: Option<RegistryHost>,
    /// The repository's path there.
    pub repository: RepositoryPath,
    /// The tag.
    pub tag: Tag,
    /// What happened.
    pub change: TagChange,
    /// The class that the tag has; unknown at registries of others.
    pub class: Option<TagClass>,
    /// Who says so.
    pub witness: Witness,
    /// Why, where somebody said it.
    pub reason: Option<Text>,
}

/// What happened to a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "change", deny_unknown_fields)]
pub enum TagChange {
    /// The first write.
    Created {
        /// What it names.
        digest: Digest,
    },
    /// From one digest to another.
    Moved {
        /// What it named.
        from: Digest,
        /// What it names.
        to: Digest,
    },
    /// It resolves no longer.
    Deleted {
        /// What it named last.
        last: Digest,
    },
    /// It was deleted and resolves again.
    Restored {
        /// What it named last.
        last: Digest,
        /// What it names.
        to: Digest,
    },
}

impl TagChange {
    /// What the tag names after the change.
    #[must_use]
    pub fn names(&self) -> Option<&Digest> {
        match self {
            Self::Created { digest } => Some(digest),
            Self::Moved { to, .. } | Self::Restored { to, .. } => Some(to),
            Self::Deleted { .. } => None,
        }
    }

    /// What the tag named before the change, as far as this says.
    #[must_use]
    pub fn named(&self) -> Option<&Digest> {
        match self {
            Self::Created { .. } => None,
            Self::Moved { from, .. } => Some(from),
            Self::Deleted { last } | Self::Restored { last, .. } => Some(last),
        }
    }
}

/// Who says that a tag changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Witness {
    /// The registry that holds the tag.
    Registry,
    /// Somebody who wrote to a registry of others, or looked at it.
    Observer,
}

/// A rule was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// The rule.
    pub rule: Rule,
}

/// One immutable tag may be moved until a moment. Source: DESIGN §3, law 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlockClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// The repository's path.
    pub repository: RepositoryPath,
    /// The one tag.
    pub tag: Tag,
    /// Why.
    pub reason: Text,
    /// Until then, at most an hour away.
    pub until: Timestamp,
}

/// The longest unlock, in milliseconds: an hour. Source: DESIGN §3, law 1.
pub const UNLOCK_MS_MAX: i64 = 3_600_000;

/// A token was made or revoked; its secret is never here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenClaim {
    /// See [`super::ClaimKey`].
    pub key: ClaimKey,
    /// Its name.
    pub name: String,
    /// What it may do; empty when it was revoked.
    pub rights: Vec<Right>,
    /// In which repositories.
    pub repositories: Pattern,
    /// Made or revoked.
    pub state: TokenState,
}

/// Whether a token is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// It was made.
    Created,
    /// It is of no use any more.
    Revoked,
}

/// What a token may do. Source: DESIGN §9.1 and §12, "Tokens".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Read images, tags and their history.
    Pull,
    /// Push blobs, manifests and tags that do not exist yet.
    PushNewTags,
    /// Move aliases and append tags.
    MoveAlias,
    /// Delete tags, manifests and blobs.
    Delete,
    /// Unlock an immutable tag.
    Unlock,
    /// Append claims to the record: builds, deploys and reservations.
    Claims,
    /// Append what people decide: holds, allows, blocks and notes; for those who answer for an environment.
    Decisions,
    /// Append what was seen to run: for a watcher, never for a publisher.
    Runs,
    /// Everything, rules and tokens included.
    Admin,
}

/// The text is no right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a right: pull, push-new-tags, move-alias, delete, unlock, claims, decisions, runs or admin", text = text.escape_debug())]
pub struct RightError {
    text: String,
}

impl Right {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 9] = [
        Self::Pull,
        Self::PushNewTags,
        Self::MoveAlias,
        Self::Delete,
        Self::Unlock,
        Self::Claims,
        Self::Decisions,
        Self::Runs,
        Self::Admin,
    ];

    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PushNewTags => "push-new-tags",
            Self::MoveAlias => "move-alias",
            Self::Delete => "delete",
            Self::Unlock => "unlock",
            Self::Claims => "claims",
            Self::Decisions => "decisions",
            Self::Runs => "runs",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Right {
    type Err = RightError;

    fn from_str(text: &str) -> Result<Self, RightError> {
        let wrong = || RightError { text: text.chars().take(40).collect() };
        Self::ALL.into_iter().find(|right| right.name() == text).ok_or_else(wrong)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

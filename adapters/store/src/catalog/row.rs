//! Values that are read: a manifest, a tag, a token.

use bytes::Bytes;
use domain::{Actor, Digest, Pattern, Tag, TagClass, TagState, Timestamp};
use record::claim::Right;

/// A manifest with its bytes, verified against its digest when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its digest.
    pub digest: Digest,
    /// The `Content-Type` under which it is served.
    pub media_type: String,
    /// The bytes, verbatim.
    pub bytes: Bytes,
    /// What it is attached to.
    pub subject: Option<Digest>,
    /// The class of the tag, where it was asked for by tag.
    pub class: Option<TagClass>,
}

/// A tag with its last write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRow {
    /// The tag.
    pub tag: Tag,
    /// Class, digest, and whether it resolves.
    pub state: TagState,
    /// How many changes it had.
    pub revision: u64,
    /// Who made the last one.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// The SHA-256 of a token's secret; the secret itself is never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Its name, by which people know it.
    pub name: String,
    /// The hash of its secret.
    pub hash: TokenHash,
    /// What it may do.
    pub rights: Vec<Right>,
    /// In which repositories.
    pub repositories: Pattern,
}

/// A token that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub rights: Vec<Right>,
    /// In which repositories.
    pub repositories: Pattern,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked; it is of no use since.
    pub revoked: Option<Timestamp>,
}

/// One immutable tag that shall be open for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlockTag {
    /// Where.
    pub repository: domain::RepositoryPath,
    /// Which.
    pub tag: Tag,
    /// Why.
    pub reason: record::claim::Text,
    /// Until when, at most an hour away.
    pub until: Timestamp,
}

//! Values of one manifest write: what is asked, what was done, and why it was refused.

use crate::catalog::Rights;
use crate::database::DatabaseError;
use crate::stamping::Stamping;
use bytes::Bytes;
use domain::{Actor, Digest, DigestMismatch, Expect, RepositoryPath, Tag, Timestamp};
use oci::Manifest;
use record::claim::{ImageClaim, Right, Text};

/// One manifest, and the tags that shall name it: all of it, or nothing.
#[derive(Clone, Debug)]
pub struct PutManifest {
    /// Where.
    pub repository: RepositoryPath,
    /// What the bytes are, by the client's word; compared before anything is kept.
    pub digest: Digest,
    /// The bytes, verbatim.
    pub bytes: Bytes,
    /// The same bytes, read.
    pub manifest: Manifest,
    /// What the bytes say, for the record; none for artifacts that are no image.
    pub image: Option<ImageClaim>,
    /// The tags, each once.
    pub tags: Vec<Tag>,
    /// What each tag must be before.
    pub expect: Expect,
    /// What the writer may do in this repository.
    pub rights: Rights,
    /// Why, where somebody said it.
    pub reason: Option<Text>,
    /// Who and when.
    pub by: Stamping,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutDone {
    /// The manifest.
    pub digest: Digest,
    /// Whether the repository had it before.
    pub manifest: Kept,
    /// What became of each tag, in the order of the request.
    pub tags: Vec<(Tag, TagOutcome)>,
}

/// Whether something was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New,
    /// It was there.
    Already,
}

/// What became of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagOutcome {
    /// Its first write.
    Created,
    /// It named this digest already: no event.
    Same,
    /// It named another digest.
    Moved {
        /// That one.
        from: Digest,
    },
    /// It was deleted and resolves again.
    Restored {
        /// What it named last.
        last: Digest,
    },
}

/// What a tag names, and who wrote that and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What it names, or named last.
    pub digest: Digest,
    /// Who wrote that.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The immutable tag names other bytes.
    #[error("tag `{tag}` cannot be overwritten because the tag is immutable: it names {}, put by {} at {}", .there.digest, .there.actor, .there.at)]
    Taken {
        /// The tag.
        tag: Tag,
        /// What is there.
        there: Holder,
    },
    /// The immutable tag was deleted; its name stays burnt.
    #[error("tag `{tag}` cannot be overwritten because the tag is immutable: it named {} until it was deleted by {} at {}", .there.digest, .there.actor, .there.at)]
    Burnt {
        /// The tag.
        tag: Tag,
        /// What was there; actor and time are those of the deletion.
        there: Holder,
    },
    /// The append tag would lose entries.
    #[error("tag `{tag}` only grows: the new manifest drops entries of {}, put by {} at {}", .there.digest, .there.actor, .there.at)]
    Drops {
        /// The tag.
        tag: Tag,
        /// What is there.
        there: Holder,
    },
    /// The writer's condition does not hold.
    #[error("tag `{tag}` is not as expected: it names {}", .found.map_or_else(|| "nothing".to_owned(), |found| found.to_string()))]
    Stale {
        /// The tag.
        tag: Tag,
        /// What it names.
        found: Option<Digest>,
    },
    /// The writer may not do what this write turned out to be.
    #[error("`{right}` is needed{}", .tag.as_ref().map_or_else(String::new, |tag| format!(" for tag `{tag}`")))]
    Denied {
        /// The tag; none: for the manifest itself.
        tag: Option<Tag>,
        /// What is missing.
        right: Right,
    },
    /// The repository lacks blobs or manifests that this one names.
    #[error("the repository lacks {} of what the manifest names, {} among them", .missing.len(), .missing.first().map_or_else(String::new, ToString::to_string))]
    Missing {
        /// All of them, each once.
        missing: Vec<Digest>,
    },
    /// The bytes are not what the digest names.
    #[error(transparent)]
    Digest(#[from] DigestMismatch),
    /// A fact that cannot be recorded.
    #[error("the write cannot be recorded")]
    Event(#[from] record::EventError),
    /// The bytes could not be kept beside the rows.
    #[error(transparent)]
    Blob(#[from] crate::blobs::BlobError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

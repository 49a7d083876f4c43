//! The registry's tables: manifests, tags, membership, rules, unlocks, tokens.
//!
//! ```text
//! put_manifest(shop/api, sha256:9f…, tags [20260317-143958-uat, uat]) -> Created, Moved { from }
//! ```
//! Each change and its event are one transaction; `domain::decide_tag_write` is asked inside it, on the
//! row that decides the race. Bytes are durable before any row names them.

mod put;
mod refused;
mod rights;
mod row;

pub use put::{Holder, Kept, PutDone, PutError, PutManifest, TagOutcome};
pub use refused::{DeleteError, RuleError, TokenError, UnlockError};
pub use rights::Rights;
pub use row::{NewToken, StoredManifest, TagRow, Token, TokenHash, UnlockTag};

use crate::blobs::Blobs;
use crate::database::{Database, DatabaseError};
use crate::stamping::Stamping;
use domain::{Digest, RepositoryPath, Rule, RuleSet, Tag, Timestamp};
use oci::{Descriptor, ManifestRef};
use record::Sequenced;
use record::claim::Text;

/// The longest name of a token, in bytes.
pub const TOKEN_NAME_LEN_MAX: usize = 100;
/// The most tokens that a registry keeps, revoked ones included.
pub const TOKENS_MAX: usize = 10_000;
/// Manifests up to this size are a column of their row, in bytes. Source: DESIGN §7, "Data".
pub const MANIFEST_IN_ROW_BYTES_MAX: usize = 64 * 1024;

/// A handle to the registry's tables; clones are cheap.
#[derive(Clone, Debug)]
pub struct Catalog {
    database: Database,
    blobs: Blobs,
}

impl Catalog {
    /// The tables in this database, with the bytes in these blobs.
    #[must_use]
    pub fn new(database: Database, blobs: Blobs) -> Self {
        Self { database, blobs }
    }

    /// Writes a manifest and its tags: all of it, or nothing.
    ///
    /// # Errors
    /// Says which law, condition, right or missing blob refuses it.
    pub async fn put_manifest(&self, put: PutManifest) -> Result<PutDone, PutError> {
        todo!("{put:?}")
    }

    /// The manifest under a tag or digest, if the repository has it.
    ///
    /// # Errors
    /// The database cannot be read, or what it holds is not what its digest names.
    pub async fn manifest(
        &self,
        repository: &RepositoryPath,
        reference: &ManifestRef,
    ) -> Result<Option<StoredManifest>, DatabaseError> {
        todo!("{repository} {reference:?}")
    }

    /// Deletes a tag; an immutable name stays burnt.
    ///
    /// # Errors
    /// The tag does not resolve.
    pub async fn delete_tag(
        &self,
        repository: RepositoryPath,
        tag: Tag,
        reason: Option<Text>,
        by: Stamping,
    ) -> Result<(), DeleteError> {
        todo!("{repository} {tag} {reason:?} {by:?}")
    }

    /// Deletes a manifest and every tag that names it; gives those tags.
    ///
    /// # Errors
    /// The repository lacks it, or an index there lists it.
    pub async fn delete_manifest(
        &self,
        repository: RepositoryPath,
        digest: Digest,
        reason: Option<Text>,
        by: Stamping,
    ) -> Result<Vec<Tag>, DeleteError> {
        todo!("{repository} {digest} {reason:?} {by:?}")
    }

    /// Takes a blob out of a repository; its bytes stay until garbage collection.
    ///
    /// # Errors
    /// The repository lacks it, or a manifest there names it.
    pub async fn delete_blob(
        &self,
        repository: RepositoryPath,
        digest: Digest,
    ) -> Result<(), DeleteError> {
        todo!("{repository} {digest}")
    }

    /// The tags that resolve, in byte order, after one; `None`: there is no such repository.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tags(
        &self,
        repository: &RepositoryPath,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Option<Vec<Tag>>, DatabaseError> {
        todo!("{repository} {after:?} {limit}")
    }

    /// One tag with its last write, also when it was deleted; `None`: it was never written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tag(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
    ) -> Result<Option<TagRow>, DatabaseError> {
        todo!("{repository} {tag}")
    }

    /// The changes of one tag, newest first, below a sequence number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tag_history(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Sequenced>, DatabaseError> {
        todo!("{repository} {tag} {before:?} {limit}")
    }

    /// What is attached to a digest, in order of digest, after one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn referrers(
        &self,
        repository: &RepositoryPath,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Descriptor>, DatabaseError> {
        todo!("{repository} {subject} {artifact_type:?} {after:?} {limit}")
    }

    /// The size of a blob, if the repository has it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn blob(
        &self,
        repository: &RepositoryPath,
        digest: &Digest,
    ) -> Result<Option<u64>, DatabaseError> {
        todo!("{repository} {digest}")
    }

    /// Puts a blob into a repository: after [`Blobs::commit`] made its bytes durable.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn link_blob(
        &self,
        repository: RepositoryPath,
        digest: Digest,
        size: u64,
    ) -> Result<(), DatabaseError> {
        todo!("{repository} {digest} {size}")
    }

    /// Puts a blob of one repository into another; `None`: the first lacks it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mount_blob(
        &self,
        from: RepositoryPath,
        to: RepositoryPath,
        digest: Digest,
    ) -> Result<Option<u64>, DatabaseError> {
        todo!("{from} {to} {digest}")
    }

    /// Repositories that have a blob, for a mount without a source; the caller drops those that may
    /// not be read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn repositories_with(
        &self,
        digest: &Digest,
        limit: usize,
    ) -> Result<Vec<RepositoryPath>, DatabaseError> {
        todo!("{digest} {limit}")
    }

    /// Repositories in byte order, after one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn repositories(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<RepositoryPath>, DatabaseError> {
        todo!("{after:?} {limit}")
    }

    /// The rules that somebody set.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules(&self) -> Result<RuleSet, DatabaseError> {
        todo!()
    }

    /// Sets a rule: it is asked first. The same rule in first place again is no event.
    ///
    /// # Errors
    /// There are too many rules.
    pub async fn set_rule(&self, rule: Rule, by: Stamping) -> Result<(), RuleError> {
        todo!("{rule:?} {by:?}")
    }

    /// Opens one immutable tag for a while.
    ///
    /// # Errors
    /// The tag is not immutable, was never written, or the span is longer than an hour.
    pub async fn unlock(&self, unlock: UnlockTag, by: Stamping) -> Result<(), UnlockError> {
        todo!("{unlock:?} {by:?}")
    }

    /// Keeps a new token's hash.
    ///
    /// # Errors
    /// The name was used before.
    pub async fn create_token(&self, token: NewToken, by: Stamping) -> Result<(), TokenError> {
        todo!("{token:?} {by:?}")
    }

    /// Makes a token useless; again is no event.
    ///
    /// # Errors
    /// There is none of that name.
    pub async fn revoke_token(&self, name: &str, by: Stamping) -> Result<(), TokenError> {
        todo!("{name} {by:?}")
    }

    /// All tokens, by name, revoked ones included.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, DatabaseError> {
        todo!()
    }

    /// The token whose secret has this hash, unless it was revoked.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn token(&self, hash: TokenHash) -> Result<Option<Token>, DatabaseError> {
        todo!("{hash:?}")
    }

    /// Whether a tag is unlocked at a moment.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unlocked_until(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
    ) -> Result<Option<Timestamp>, DatabaseError> {
        todo!("{repository} {tag}")
    }
}

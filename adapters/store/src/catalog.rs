//! The registry's tables: manifests, tags, membership, rules, unlocks, tokens.
//!
//! ```text
//! put_manifest(shop/api, sha256:9f…, tags [20260317-143958-uat, uat]) -> Created, Moved { from }
//! ```
//! Each change and its event are one transaction; `domain::decide_tag_write` is asked inside it, on the
//! row that decides the race. Bytes are durable before any row names them.

mod administer;
mod delete;
mod history;
mod hot;
mod hot_rows;
mod image;
mod manifest_row;
mod membership;
mod put;
mod read;
mod refused;
mod rights;
mod row;
mod rules;
mod tag_row;
mod tokens;
mod unlock;
mod write;

pub use image::{IMAGE_FACTS_BYTES_MAX, IMAGE_PLATFORMS_MAX};
pub use put::{Holder, Kept, PutDone, PutError, PutManifest, TagOutcome};
pub use refused::{DeleteError, RuleError, TokenError, UnlockError};
pub use rights::Rights;
pub use row::{NewToken, StoredManifest, TagRow, Token, TokenHash, UnlockTag};

use crate::blobs::Blobs;
use crate::database::{Database, DatabaseError};
use crate::stamping::Stamping;
use delete::Delete;
use domain::{Digest, RepositoryPath, Tag};
use hot_rows::{HotRows, key};
use image::Asked;
use oci::{Descriptor, Manifest, ManifestRef};
use record::claim::{ImageClaim, Text};
use rules::KeptRules;
use rusqlite::Connection;
use std::sync::Arc;
use write::Write;

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
    rules: Arc<KeptRules>,
    hot: Arc<HotRows>,
}

impl Catalog {
    /// The tables in this database, with the bytes in these blobs.
    #[must_use]
    pub fn new(database: Database, blobs: Blobs) -> Self {
        Self { database, blobs, rules: Arc::default(), hot: Arc::default() }
    }

    /// Writes a manifest and its tags: all of it, or nothing.
    ///
    /// # Errors
    /// Says which law, condition, right or missing blob refuses it.
    pub async fn put_manifest(&self, put: PutManifest) -> Result<PutDone, PutError> {
        if put.bytes.len() > MANIFEST_IN_ROW_BYTES_MAX {
            // Durable before any row names it; left to garbage collection when the write is refused.
            self.blobs.write(put.digest, put.bytes.clone()).await?;
        } else {
            put.digest.verify(&put.bytes)?;
        }
        let (rules, blobs) = (Arc::clone(&self.rules), self.blobs.clone());
        let (hot, path) = (Arc::clone(&self.hot), put.repository.clone());
        let tags = put.tags.clone();
        self.database
            .write_then(
                move |tx| Write { tx, put: &put, rules: &rules, blobs: &blobs }.run(),
                move || hot.changed(&path, &tags),
            )
            .await
    }

    /// What the bytes of a manifest say about an image, read from what the repository holds.
    ///
    /// `None`: it is no image, or that cannot be told within [`IMAGE_PLATFORMS_MAX`] and
    /// [`IMAGE_FACTS_BYTES_MAX`], or from what is there.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn image(
        &self,
        repository: &RepositoryPath,
        digest: Digest,
        size: u64,
        manifest: &Manifest,
    ) -> Result<Option<ImageClaim>, DatabaseError> {
        if !manifest.is_image() {
            return Ok(None);
        }
        let asked = Asked { repository, digest, size, manifest };
        if let Some(claim) = asked.remembered(&self.hot) {
            return Ok(Some(claim));
        }
        let (path, manifest) = (repository.clone(), manifest.clone());
        let (blobs, hot) = (self.blobs.clone(), Arc::clone(&self.hot));
        let read = move |reader: &Connection| {
            let asked = Asked { repository: &path, digest, size, manifest: &manifest };
            asked.read(reader, &blobs, &hot)
        };
        match self.database.read(read).await {
            // What it names is damaged: that is for whoever reads it, not for this write.
            Err(DatabaseError::Corrupt { what }) => {
                tracing::warn!(%digest, what, "what an image is was not recorded");
                Ok(None)
            }
            other => other,
        }
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
        let key = key(repository, reference);
        let ticket = match self.hot.manifests.get(&key) {
            Ok(manifest) => return Ok(Some(manifest)),
            Err(ticket) => ticket,
        };
        let (path, reference) = (repository.clone(), reference.clone());
        let blobs = self.blobs.clone();
        let read = move |reader: &Connection| read::whole(reader, &path, &reference, &blobs);
        let found = self.database.read(read).await?;
        if let Some(manifest) = &found {
            let weight = key.len() + manifest.bytes.len();
            self.hot.manifests.keep(ticket, key, manifest.clone(), weight);
        }
        Ok(found)
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
        let (hot, path, gone) = (Arc::clone(&self.hot), repository.clone(), tag.clone());
        let delete = move |tx: &Connection| {
            let delete = Delete { tx, path: &repository, reason: reason.as_ref(), by: &by };
            delete.tag(&tag)
        };
        self.database.write_then(delete, move || hot.changed(&path, [&gone])).await
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
        let hot = Arc::clone(&self.hot);
        let delete = move |tx: &Connection| {
            let delete = Delete { tx, path: &repository, reason: reason.as_ref(), by: &by };
            delete.manifest(&digest)
        };
        // Its tags are known in the transaction only, and this is rare.
        let forget = move || hot.manifests.forget_all();
        self.database.write_then(delete, forget).await
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
        let (hot, path) = (Arc::clone(&self.hot), repository.clone());
        let delete = move |tx: &Connection| delete::blob(tx, &repository, &digest);
        let forget = move || hot.blobs.forget(&key(&path, &ManifestRef::Digest(digest)));
        self.database.write_then(delete, forget).await
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
        let (path, after) = (repository.clone(), after.unwrap_or_default().to_owned());
        self.database
            .read(move |reader| {
                manifest_row::repository(reader, &path)?
                    .map(|repository| tag_row::page(reader, repository, &after, limit))
                    .transpose()
            })
            .await
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
        let (path, tag) = (repository.clone(), tag.clone());
        self.database
            .read(move |reader| {
                let Some(repository) = manifest_row::repository(reader, &path)? else {
                    return Ok(None);
                };
                let kept = tag_row::find(reader, repository, &tag)?;
                kept.map(|kept| tag_row::shown(reader, &tag, &kept)).transpose()
            })
            .await
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
        let (path, subject) = (repository.clone(), *subject);
        let (artifact_type, after) = (artifact_type.map(str::to_owned), after.copied());
        self.database
            .read(move |reader| {
                let Some(repository) = manifest_row::repository(reader, &path)? else {
                    return Ok(Vec::new());
                };
                let kind = artifact_type.as_deref();
                let page = (after.as_ref(), limit);
                manifest_row::referrers(reader, repository, &subject, kind, page)
            })
            .await
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
        let key = key(repository, &ManifestRef::Digest(*digest));
        let ticket = match self.hot.blobs.get(&key) {
            Ok(size) => return Ok(Some(size)),
            Err(ticket) => ticket,
        };
        let (path, digest) = (repository.clone(), *digest);
        let read = move |reader: &Connection| membership::size(reader, &path, &digest);
        let found = self.database.read(read).await?;
        if let Some(size) = found {
            let weight = key.len();
            self.hot.blobs.keep(ticket, key, size, weight);
        }
        Ok(found)
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
        self.database.write(move |tx| membership::link(tx, &repository, &digest, size)).await
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
        self.database.write(move |tx| membership::mount(tx, &from, &to, &digest)).await
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
        let digest = *digest;
        self.database.read(move |reader| membership::having(reader, &digest, limit)).await
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
        let after = after.unwrap_or_default().to_owned();
        self.database.read(move |reader| membership::repositories(reader, &after, limit)).await
    }
}

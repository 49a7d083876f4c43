//! Reading a manifest: one indexed read by tag or digest, and its bytes compared with their digest.

use crate::blobs::Blobs;
use crate::catalog::StoredManifest;
use crate::catalog::manifest_row::read_digest;
use crate::catalog::tag_row::read_class;
use crate::database::DatabaseError;
use bytes::Bytes;
use domain::{Digest, RepositoryPath, Tag, TagClass};
use oci::ManifestRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A manifest's row; without a body its bytes are a file.
pub(super) struct Found {
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) body: Option<Vec<u8>>,
    subject: Option<Digest>,
    class: Option<TagClass>,
}

impl Found {
    /// The manifest with these bytes, which are compared with its digest.
    pub(super) fn with(self, bytes: Bytes) -> Result<StoredManifest, DatabaseError> {
        self.digest
            .verify(&bytes)
            .map_err(|why| DatabaseError::unreadable("bytes of a manifest", why))?;
        Ok(StoredManifest {
            digest: self.digest,
            media_type: self.media_type,
            bytes,
            subject: self.subject,
            class: self.class,
        })
    }
}

struct Raw {
    digest: String,
    media_type: String,
    subject: Option<String>,
    body: Option<Vec<u8>>,
    class: Option<String>,
}

impl Raw {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            digest: row.get(0)?,
            media_type: row.get(1)?,
            subject: row.get(2)?,
            body: row.get(3)?,
            class: row.get(4)?,
        })
    }

    fn read(self) -> Result<Found, DatabaseError> {
        Ok(Found {
            digest: read_digest(&self.digest)?,
            media_type: self.media_type,
            body: self.body,
            subject: self.subject.as_deref().map(read_digest).transpose()?,
            class: self.class.as_deref().map(read_class).transpose()?,
        })
    }
}

/// The manifest under a tag or digest, with its bytes from the row or the file.
pub(super) fn whole(
    reader: &Connection,
    repository: &RepositoryPath,
    reference: &ManifestRef,
    blobs: &Blobs,
) -> Result<Option<StoredManifest>, DatabaseError> {
    let Some(mut found) = find(reader, repository, reference)? else {
        return Ok(None);
    };
    let bytes = match found.body.take() {
        Some(body) => body.into(),
        None => {
            let file = blobs.read_now(&found.digest);
            let file = file.map_err(|why| DatabaseError::unreadable("file of a manifest", why))?;
            file.ok_or_else(|| DatabaseError::unreadable("manifest", "its file is missing"))?
        }
    };
    found.with(bytes).map(Some)
}

/// The row under a tag or digest.
pub(super) fn find(
    connection: &Connection,
    repository: &RepositoryPath,
    reference: &ManifestRef,
) -> Result<Option<Found>, DatabaseError> {
    match reference {
        ManifestRef::Tag(tag) => by_tag(connection, repository, tag),
        ManifestRef::Digest(digest) => {
            let mut select = connection.prepare_cached(
                "SELECT m.digest, m.media_type, m.subject, m.body, NULL FROM repository AS r \
                 JOIN manifest AS m ON m.repository = r.id AND m.digest = ?2 WHERE r.name = ?1",
            )?;
            let values = params![repository.as_str(), digest.to_string()];
            select.query_row(values, Raw::of).optional()?.map(Raw::read).transpose()
        }
    }
}

fn by_tag(
    connection: &Connection,
    repository: &RepositoryPath,
    tag: &Tag,
) -> Result<Option<Found>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT m.digest, m.media_type, m.subject, m.body, t.class FROM repository AS r \
         JOIN tag AS t ON t.repository = r.id AND t.name = ?2 AND t.deleted = 0 \
         JOIN manifest AS m ON m.repository = r.id AND m.digest = t.digest WHERE r.name = ?1",
    )?;
    let values = params![repository.as_str(), tag.as_str()];
    select.query_row(values, Raw::of).optional()?.map(Raw::read).transpose()
}

/// The row under a digest, by the repository's number.
pub(super) fn by_digest(
    connection: &Connection,
    repository: i64,
    digest: &Digest,
) -> Result<Option<Found>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT digest, media_type, subject, body, NULL FROM manifest \
         WHERE repository = ?1 AND digest = ?2",
    )?;
    let values = params![repository, digest.to_string()];
    select.query_row(values, Raw::of).optional()?.map(Raw::read).transpose()
}

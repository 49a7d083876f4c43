//! Repositories, manifests and what these name, as rows.

use crate::catalog::MANIFEST_IN_ROW_BYTES_MAX;
use crate::database::DatabaseError;
use domain::{Digest, RepositoryPath};
use oci::{Descriptor, Manifest, referrer_descriptor};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// The number of a repository, if there is one of that name.
pub(super) fn repository(
    connection: &Connection,
    name: &RepositoryPath,
) -> Result<Option<i64>, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT id FROM repository WHERE name = ?1")?;
    Ok(select.query_row([name.as_str()], |row| row.get(0)).optional()?)
}

/// The number of a repository; made if there is none.
pub(super) fn repository_or_new(
    tx: &Connection,
    name: &RepositoryPath,
) -> Result<i64, DatabaseError> {
    if let Some(id) = repository(tx, name)? {
        return Ok(id);
    }
    let mut insert = tx.prepare_cached("INSERT INTO repository (name) VALUES (?1)")?;
    insert.execute([name.as_str()])?;
    Ok(tx.last_insert_rowid())
}

/// The number of a manifest's row.
pub(super) fn manifest(
    connection: &Connection,
    repository: i64,
    digest: &Digest,
) -> Result<Option<i64>, DatabaseError> {
    let mut select = connection
        .prepare_cached("SELECT id FROM manifest WHERE repository = ?1 AND digest = ?2")?;
    let found = select.query_row(params![repository, digest.to_string()], |row| row.get(0));
    Ok(found.optional()?)
}

/// Whether the repository has a blob, and how large it is.
pub(super) fn blob(
    connection: &Connection,
    repository: i64,
    digest: &Digest,
) -> Result<Option<i64>, DatabaseError> {
    let mut select = connection
        .prepare_cached("SELECT size FROM repo_blob WHERE repository = ?1 AND digest = ?2")?;
    let found = select.query_row(params![repository, digest.to_string()], |row| row.get(0));
    Ok(found.optional()?)
}

/// What the repository lacks of what a manifest needs there, each once.
pub(super) fn missing(
    tx: &Connection,
    repository: i64,
    manifest: &Manifest,
) -> Result<Vec<Digest>, DatabaseError> {
    let mut lacking = BTreeSet::new();
    for needed in manifest.blobs() {
        if blob(tx, repository, &needed.digest)?.is_none() {
            lacking.insert(needed.digest);
        }
    }
    for child in manifest.children() {
        if self::manifest(tx, repository, &child.digest)?.is_none() {
            lacking.insert(child.digest);
        }
    }
    Ok(lacking.into_iter().collect())
}

/// Inserts a manifest and what it names.
pub(super) fn insert(
    tx: &Connection,
    repository: i64,
    digest: &Digest,
    bytes: &[u8],
    manifest: &Manifest,
) -> Result<(), DatabaseError> {
    let listed = referrer_descriptor(*digest, bytes.len() as u64, manifest);
    let subject = manifest.subject.as_ref().map(|subject| subject.digest.to_string());
    let annotations = subject.as_ref().map(|_| {
        serde_json::to_string(&listed.annotations).expect("a map of strings is always JSON")
    });
    let body = (bytes.len() <= MANIFEST_IN_ROW_BYTES_MAX).then_some(bytes);
    let mut insert = tx.prepare_cached(
        "INSERT INTO manifest (repository, digest, media_type, size, subject, artifact_type, \
         annotations, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        repository,
        digest.to_string(),
        manifest.media_type.as_str(),
        i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        subject,
        listed.artifact_type,
        annotations,
        body,
    ])?;
    let parent = tx.last_insert_rowid();
    let mut insert =
        tx.prepare_cached("INSERT OR IGNORE INTO manifest_ref (parent, child) VALUES (?1, ?2)")?;
    let named = manifest.config().into_iter().chain(manifest.layers()).chain(manifest.children());
    for child in named {
        insert.execute(params![parent, child.digest.to_string()])?;
    }
    Ok(())
}

/// Deletes a manifest's rows.
pub(super) fn delete(tx: &Connection, id: i64) -> Result<(), DatabaseError> {
    tx.prepare_cached("DELETE FROM manifest_ref WHERE parent = ?1")?.execute([id])?;
    tx.prepare_cached("DELETE FROM manifest WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// A manifest of the repository that names this digest.
pub(super) fn user_of(
    connection: &Connection,
    repository: i64,
    digest: &Digest,
) -> Result<Option<Digest>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT m.digest FROM manifest_ref AS r JOIN manifest AS m ON m.id = r.parent \
         WHERE r.child = ?2 AND m.repository = ?1 AND m.digest <> ?2 LIMIT 1",
    )?;
    let found = select.query_row(params![repository, digest.to_string()], |row| row.get(0));
    found.optional()?.map(|text: String| read_digest(&text)).transpose()
}

/// One page of what is attached to a digest.
pub(super) fn referrers(
    connection: &Connection,
    repository: i64,
    subject: &Digest,
    artifact_type: Option<&str>,
    (after, limit): (Option<&Digest>, usize),
) -> Result<Vec<Descriptor>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT media_type, digest, size, artifact_type, annotations FROM manifest \
         WHERE repository = ?1 AND subject = ?2 AND digest > ?3 \
         AND (?4 IS NULL OR artifact_type = ?4) ORDER BY digest LIMIT ?5",
    )?;
    let after = after.map_or_else(String::new, ToString::to_string);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let subject = subject.to_string();
    let mut rows = select.query(params![repository, subject, after, artifact_type, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let digest = read_digest(&row.get::<_, String>(1)?)?;
        let size = row.get::<_, i64>(2)?.unsigned_abs();
        let mut descriptor = Descriptor::new(row.get::<_, String>(0)?, digest, size);
        descriptor.artifact_type = row.get(3)?;
        let annotations: Option<String> = row.get(4)?;
        descriptor.annotations = serde_json::from_str(annotations.as_deref().unwrap_or("{}"))
            .map_err(|why| DatabaseError::unreadable("annotations of a referrer", why))?;
        found.push(descriptor);
    }
    Ok(found)
}

/// Reads a digest that a row holds.
pub(super) fn read_digest(text: &str) -> Result<Digest, DatabaseError> {
    text.parse().map_err(|why| DatabaseError::unreadable("digest in a row", why))
}

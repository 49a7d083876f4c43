//! Which repositories there are, and which blobs they may show.

use crate::catalog::manifest_row;
use crate::database::DatabaseError;
use domain::{Digest, RepositoryPath};
use rusqlite::{Connection, params};

/// Puts a blob into a repository.
pub(super) fn link(
    tx: &Connection,
    path: &RepositoryPath,
    digest: &Digest,
    size: u64,
) -> Result<(), DatabaseError> {
    let repository = manifest_row::repository_or_new(tx, path)?;
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO repo_blob (repository, digest, size) VALUES (?1, ?2, ?3)",
    )?;
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    insert.execute(params![repository, digest.to_string(), size])?;
    Ok(())
}

/// How large a blob is, if the repository has it.
pub(super) fn size(
    connection: &Connection,
    path: &RepositoryPath,
    digest: &Digest,
) -> Result<Option<u64>, DatabaseError> {
    let Some(repository) = manifest_row::repository(connection, path)? else {
        return Ok(None);
    };
    let size = manifest_row::blob(connection, repository, digest)?;
    Ok(size.map(i64::unsigned_abs))
}

/// Puts a blob of one repository into another; `None`: the first lacks it.
pub(super) fn mount(
    tx: &Connection,
    from: &RepositoryPath,
    to: &RepositoryPath,
    digest: &Digest,
) -> Result<Option<u64>, DatabaseError> {
    let Some(source) = manifest_row::repository(tx, from)? else {
        return Ok(None);
    };
    let Some(size) = manifest_row::blob(tx, source, digest)? else {
        return Ok(None);
    };
    link(tx, to, digest, size.unsigned_abs())?;
    Ok(Some(size.unsigned_abs()))
}

/// Repositories that have a blob, in byte order.
pub(super) fn having(
    connection: &Connection,
    digest: &Digest,
    limit: usize,
) -> Result<Vec<RepositoryPath>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT r.name FROM repo_blob AS b JOIN repository AS r ON r.id = b.repository \
         WHERE b.digest = ?1 ORDER BY r.name LIMIT ?2",
    )?;
    let values = params![digest.to_string(), as_i64(limit)];
    let names = select.query_map(values, |row| row.get::<_, String>(0))?;
    names.map(|name| read_path(&name?)).collect()
}

/// Repositories in byte order, after one.
pub(super) fn repositories(
    connection: &Connection,
    after: &str,
    limit: usize,
) -> Result<Vec<RepositoryPath>, DatabaseError> {
    let mut select = connection
        .prepare_cached("SELECT name FROM repository WHERE name > ?1 ORDER BY name LIMIT ?2")?;
    let names = select.query_map(params![after, as_i64(limit)], |row| row.get::<_, String>(0))?;
    names.map(|name| read_path(&name?)).collect()
}

fn read_path(text: &str) -> Result<RepositoryPath, DatabaseError> {
    text.parse().map_err(|why| DatabaseError::unreadable("repository in a row", why))
}

fn as_i64(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

//! Deleting tags, manifests and blobs. What is in use stays; an immutable name stays burnt.

use crate::catalog::tag_row::{self, Change};
use crate::catalog::{DeleteError, manifest_row};
use crate::stamping::Stamping;
use domain::tag_write::Life;
use domain::{Digest, RepositoryPath, Tag};
use record::claim::{TagChange, Text};
use rusqlite::{Connection, params};

/// Where, why, by whom.
pub(super) struct Delete<'a> {
    pub(super) tx: &'a Connection,
    pub(super) path: &'a RepositoryPath,
    pub(super) reason: Option<&'a Text>,
    pub(super) by: &'a Stamping,
}

fn unknown(what: impl ToString) -> DeleteError {
    DeleteError::Unknown { what: what.to_string() }
}

impl Delete<'_> {
    pub(super) fn tag(&self, tag: &Tag) -> Result<(), DeleteError> {
        let repository = self.repository(tag)?;
        self.tag_of(repository, tag, 0)
    }

    /// Deletes a manifest and the tags that name it.
    pub(super) fn manifest(&self, digest: &Digest) -> Result<Vec<Tag>, DeleteError> {
        let repository = self.repository(digest)?;
        let id = manifest_row::manifest(self.tx, repository, digest)?;
        let id = id.ok_or_else(|| unknown(digest))?;
        if let Some(by) = manifest_row::user_of(self.tx, repository, digest)? {
            return Err(DeleteError::InUse { digest: *digest, by });
        }
        let tags = tag_row::naming(self.tx, repository, digest)?;
        for (nth, tag) in (0..).zip(&tags) {
            self.tag_of(repository, tag, nth)?;
        }
        manifest_row::delete(self.tx, id)?;
        Ok(tags)
    }

    fn repository(&self, what: impl ToString) -> Result<i64, DeleteError> {
        manifest_row::repository(self.tx, self.path)?.ok_or_else(|| unknown(what))
    }

    fn tag_of(&self, repository: i64, tag: &Tag, nth: u32) -> Result<(), DeleteError> {
        let kept = tag_row::find(self.tx, repository, tag)?;
        let live = kept.filter(|kept| kept.state.life == Life::Live);
        let kept = live.ok_or_else(|| unknown(tag))?;
        let change = Change {
            path: self.path,
            repository,
            tag,
            class: kept.state.class,
            change: TagChange::Deleted { last: kept.state.digest },
            reason: self.reason,
            revision: kept.revision,
        };
        change.write(self.tx, self.by, nth)
    }
}

/// Takes a blob out of a repository; other repositories keep it, and its bytes stay.
pub(super) fn blob(
    tx: &Connection,
    path: &RepositoryPath,
    digest: &Digest,
) -> Result<(), DeleteError> {
    let repository = manifest_row::repository(tx, path)?.ok_or_else(|| unknown(digest))?;
    if manifest_row::blob(tx, repository, digest)?.is_none() {
        return Err(unknown(digest));
    }
    if let Some(by) = manifest_row::user_of(tx, repository, digest)? {
        return Err(DeleteError::InUse { digest: *digest, by });
    }
    let deleted = tx
        .prepare_cached("DELETE FROM repo_blob WHERE repository = ?1 AND digest = ?2")
        .and_then(|mut delete| delete.execute(params![repository, digest.to_string()]));
    deleted.map_err(crate::database::DatabaseError::from)?;
    Ok(())
}

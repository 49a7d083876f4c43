//! Tags as rows: the row that decides a race, and the event of its last change.

use crate::catalog::{Holder, TagRow};
use crate::database::DatabaseError;
use crate::ledger::event_row::{self, Prepared};
use crate::stamping::Stamping;
use domain::tag_write::Life;
use domain::{Digest, RepositoryPath, Tag, TagClass, TagState, Timestamp};
use record::claim::{TagChange, TagChangeClaim, Text, Witness};
use record::{Claim, ClaimKey, Event, EventError};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A tag's row.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) state: TagState,
    pub(super) revision: i64,
    /// The event of the last change.
    pub(super) seq: i64,
}

struct Raw {
    class: String,
    digest: String,
    is_deleted: bool,
    revision: i64,
    seq: i64,
}

impl Raw {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            class: row.get(0)?,
            digest: row.get(1)?,
            is_deleted: row.get(2)?,
            revision: row.get(3)?,
            seq: row.get(4)?,
        })
    }

    fn read(self) -> Result<Kept, DatabaseError> {
        let state = TagState {
            class: read_class(&self.class)?,
            digest: super::manifest_row::read_digest(&self.digest)?,
            life: if self.is_deleted { Life::Deleted } else { Life::Live },
        };
        Ok(Kept { state, revision: self.revision, seq: self.seq })
    }
}

/// Reads a class that a row holds.
pub(super) fn read_class(text: &str) -> Result<TagClass, DatabaseError> {
    text.parse().map_err(|why| DatabaseError::unreadable("class of a tag", why))
}

/// The tag's row, also of a deleted one.
pub(super) fn find(
    connection: &Connection,
    repository: i64,
    tag: &Tag,
) -> Result<Option<Kept>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT class, digest, deleted, revision, seq FROM tag WHERE repository = ?1 AND name = ?2",
    )?;
    let raw = select.query_row(params![repository, tag.as_str()], Raw::of).optional()?;
    raw.map(Raw::read).transpose()
}

/// Who made the last change, and when.
pub(super) fn holder(connection: &Connection, kept: &Kept) -> Result<Holder, DatabaseError> {
    let lost = || DatabaseError::unreadable("tag", format!("event {} is missing", kept.seq));
    let event = event_row::at(connection, kept.seq)?.ok_or_else(lost)?.event;
    Ok(Holder { digest: kept.state.digest, actor: event.stamp.actor, at: event.stamp.at })
}

/// The row as it is given away.
pub(super) fn shown(
    connection: &Connection,
    tag: &Tag,
    kept: &Kept,
) -> Result<TagRow, DatabaseError> {
    let holder = holder(connection, kept)?;
    Ok(TagRow {
        tag: tag.clone(),
        state: kept.state,
        revision: kept.revision.unsigned_abs(),
        actor: holder.actor,
        at: holder.at,
    })
}

/// The live tags that name a digest.
pub(super) fn naming(
    connection: &Connection,
    repository: i64,
    digest: &Digest,
) -> Result<Vec<Tag>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT name FROM tag WHERE repository = ?1 AND digest = ?2 AND deleted = 0 ORDER BY name",
    )?;
    let names =
        select.query_map(params![repository, digest.to_string()], |row| row.get::<_, String>(0))?;
    names.map(|name| read_tag(&name?)).collect()
}

/// One page of the live tags, in byte order.
pub(super) fn page(
    connection: &Connection,
    repository: i64,
    after: &str,
    limit: usize,
) -> Result<Vec<Tag>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT name FROM tag WHERE repository = ?1 AND name > ?2 AND deleted = 0 \
         ORDER BY name LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let names =
        select.query_map(params![repository, after, limit], |row| row.get::<_, String>(0))?;
    names.map(|name| read_tag(&name?)).collect()
}

/// Reads a tag that a row holds.
pub(super) fn read_tag(text: &str) -> Result<Tag, DatabaseError> {
    text.parse().map_err(|why| DatabaseError::unreadable("tag in a row", why))
}

/// Until when a tag is unlocked, if it ever was.
pub(super) fn unlocked_until(
    connection: &Connection,
    repository: &RepositoryPath,
    tag: &Tag,
) -> Result<Option<Timestamp>, DatabaseError> {
    let mut select =
        connection.prepare_cached("SELECT until FROM unlock WHERE repository = ?1 AND tag = ?2")?;
    let until = select.query_row([repository.as_str(), tag.as_str()], |row| row.get(0));
    Ok(until.optional()?.map(Timestamp::from_millis))
}

/// One change of one tag: its event, and the row that follows from it.
pub(super) struct Change<'a> {
    pub(super) path: &'a RepositoryPath,
    pub(super) repository: i64,
    pub(super) tag: &'a Tag,
    pub(super) class: TagClass,
    pub(super) change: TagChange,
    pub(super) reason: Option<&'a Text>,
    /// The revision that the row had; 0 for a new one.
    pub(super) revision: i64,
}

impl Change<'_> {
    /// Writes both; the row and the event are never apart.
    pub(super) fn write<E>(self, tx: &Connection, by: &Stamping, nth: u32) -> Result<(), E>
    where
        E: From<EventError> + From<DatabaseError>,
    {
        let stamp = by.stamp(nth);
        let key = ClaimKey::try_from(format!("tag-change/{}", stamp.id))
            .expect("a ULID is visible ASCII and short");
        let (digest, life) = match &self.change {
            TagChange::Created { digest } => (*digest, Life::Live),
            TagChange::Moved { to, .. } | TagChange::Restored { to, .. } => (*to, Life::Live),
            TagChange::Deleted { last } => (*last, Life::Deleted),
        };
        let claim = Claim::TagChange(TagChangeClaim {
            key,
            registry: None,
            repository: self.path.clone(),
            tag: self.tag.clone(),
            change: self.change,
            class: Some(self.class),
            witness: Witness::Registry,
            reason: self.reason.cloned(),
        });
        let seq = Prepared::new(Event { stamp, claim })?.insert(tx)?;
        let row = (self.class, digest, life, self.revision + 1);
        upsert(tx, self.repository, self.tag, row, seq)?;
        Ok(())
    }
}

fn upsert(
    tx: &Connection,
    repository: i64,
    tag: &Tag,
    (class, digest, life, revision): (TagClass, Digest, Life, i64),
    seq: u64,
) -> Result<(), DatabaseError> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO tag (repository, name, class, digest, deleted, revision, seq) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (repository, name) DO UPDATE SET \
         digest = excluded.digest, deleted = excluded.deleted, revision = excluded.revision, \
         seq = excluded.seq",
    )?;
    upsert.execute(params![
        repository,
        tag.as_str(),
        class.to_string(),
        digest.to_string(),
        life == Life::Deleted,
        revision,
        i64::try_from(seq).unwrap_or(i64::MAX),
    ])?;
    Ok(())
}

//! One event as rows: its canonical bytes and leaf hash, its key, its facets, what it decides.

use crate::database::DatabaseError;
use crate::ledger::{decision, observed};
use domain::EventId;
use record::event::leaf_hash;
use record::{Claim, Event, EventError, Facet, Sequenced, facets};
use rusqlite::{Connection, OptionalExtension, params};

/// An event in its one spelling, ready to be inserted: only the disk can refuse it from here on.
pub(crate) struct Prepared {
    event: Event,
    bytes: Vec<u8>,
}

impl Prepared {
    pub(crate) fn new(event: Event) -> Result<Self, EventError> {
        let bytes = event.to_bytes()?;
        Ok(Self { event, bytes })
    }

    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    /// Inserts all rows of the event; gives its sequence number.
    pub(crate) fn insert(&self, tx: &Connection) -> Result<u64, DatabaseError> {
        let stamp = &self.event.stamp;
        let mut insert = tx.prepare_cached(
            "INSERT INTO event (id, kind, at, leaf, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        insert.execute(params![
            stamp.id.to_string(),
            self.event.claim.kind().name(),
            stamp.at.as_millis(),
            leaf_hash(&self.bytes),
            self.bytes,
        ])?;
        // Rows are never deleted, so that this is one more than the last: sequences have no holes.
        let seq = tx.last_insert_rowid();
        index(tx, seq, &self.event)?;
        decision::apply(tx, seq, &self.event)?;
        observed::project(tx, seq, &self.event)?;
        Ok(seq.unsigned_abs())
    }
}

/// Inserts what an event is found by. The first event of a key keeps it: a git record can hold two.
pub(super) fn index(tx: &Connection, seq: i64, event: &Event) -> Result<(), DatabaseError> {
    let mut key =
        tx.prepare_cached("INSERT OR IGNORE INTO claim_key (key, seq) VALUES (?1, ?2)")?;
    key.execute(params![event.claim.key().as_str(), seq])?;
    let mut facet =
        tx.prepare_cached("INSERT INTO event_facet (facet, value, seq) VALUES (?1, ?2, ?3)")?;
    for (name, value) in facets(event) {
        facet.execute(params![facet_number(name), value, seq])?;
    }
    Ok(())
}

/// The number of a facet in the file; one that was given away is never given to another.
pub(super) fn facet_number(facet: Facet) -> i64 {
    match facet {
        Facet::Environment => 1,
        Facet::Image => 2,
        Facet::Digest => 3,
        Facet::Repository => 4,
        Facet::Tag => 5,
        Facet::Commit => 6,
        Facet::Cluster => 7,
        Facet::Namespace => 8,
    }
}

/// Reads the bytes of one row.
pub(crate) fn read(seq: i64, bytes: &[u8]) -> Result<Sequenced, DatabaseError> {
    let event = Event::read(bytes)
        .map_err(|why| DatabaseError::unreadable(&format!("event {seq}"), why))?;
    Ok(Sequenced { seq: seq.unsigned_abs(), event })
}

/// The event in this place.
pub(crate) fn at(connection: &Connection, seq: i64) -> Result<Option<Sequenced>, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT body FROM event WHERE seq = ?1")?;
    let bytes: Option<Vec<u8>> = select.query_row([seq], |row| row.get(0)).optional()?;
    bytes.map(|bytes| read(seq, &bytes)).transpose()
}

/// The event of this name.
pub(crate) fn by_id(
    connection: &Connection,
    id: EventId,
) -> Result<Option<Sequenced>, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT seq, body FROM event WHERE id = ?1")?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?));
    let found = select.query_row([id.to_string()], row).optional()?;
    found.map(|(seq, bytes)| read(seq, &bytes)).transpose()
}

/// The event whose claim has this key.
pub(crate) fn by_key(
    connection: &Connection,
    key: &str,
) -> Result<Option<Sequenced>, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT seq FROM claim_key WHERE key = ?1")?;
    match select.query_row([key], |row| row.get(0)).optional()? {
        Some(seq) => at(connection, seq),
        None => Ok(None),
    }
}

/// Whether a claim is in the record under its key.
pub(crate) fn has_key(connection: &Connection, claim: &Claim) -> Result<bool, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT 1 FROM claim_key WHERE key = ?1")?;
    Ok(select.exists([claim.key().as_str()])?)
}

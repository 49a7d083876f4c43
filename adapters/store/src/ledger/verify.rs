//! Reading the whole record again, and comparing what is kept beside each event with what it gives.

use crate::database::DatabaseError;
use crate::ledger::PAGE_MAX;
use crate::ledger::event_row::{self, facet_number};
use crate::ledger::{decision, observed};
use record::event::leaf_hash;
use record::{Claim, Event, facets};
use rusqlite::{Connection, OptionalExtension, params};

/// What a verification saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Events that were read.
    pub events: u64,
    /// What is wrong, at most [`crate::PAGE_MAX`]; empty is good.
    pub problems: Vec<Problem>,
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The bytes are no event any more, or have another hash.
    #[error("event {seq} is not what was recorded: {why}")]
    Event {
        /// Its place.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// A sequence number is missing.
    #[error("event {seq} is missing")]
    Missing {
        /// The place.
        seq: u64,
    },
    /// The index does not say what the event says: `rebuild` repairs it.
    #[error("the index of event {seq} differs from the event")]
    Facets {
        /// Its place.
        seq: u64,
    },
    /// The key or reservation of the event leads elsewhere: `rebuild` repairs it.
    #[error("the key or reservation of event {seq} does not lead to an event")]
    Decision {
        /// Its place.
        seq: u64,
    },
    /// The rows of what ran are not what the events give: `rebuild` repairs it.
    #[error("{found} rows of `{table}` are not what the events give")]
    Observed {
        /// The table.
        table: &'static str,
        /// How many rows differ.
        found: u64,
    },
    /// The index has entries that no event gives: `rebuild` repairs it.
    #[error("the index has {found} entries, the events give {expected}")]
    Surplus {
        /// How many it has.
        found: u64,
        /// How many it should have.
        expected: u64,
    },
}

struct Row {
    seq: i64,
    id: String,
    kind: String,
    at: i64,
    leaf: Vec<u8>,
    body: Vec<u8>,
}

/// Reads every event; `Ok` also with problems.
pub(super) fn verify(connection: &Connection) -> Result<Verified, DatabaseError> {
    // One snapshot for all pages: events that come meanwhile are not half seen.
    let snapshot = connection.unchecked_transaction()?;
    let mut problems = Vec::new();
    let (mut last, mut events, mut entries) = (0, 0, 0);
    loop {
        let rows = page(&snapshot, last)?;
        for row in &rows {
            (last + 1..row.seq).for_each(|seq| {
                problems.push(Problem::Missing { seq: seq.unsigned_abs() });
            });
            last = row.seq;
            events += 1;
            entries += check(&snapshot, row, &mut problems)?;
        }
        problems.truncate(PAGE_MAX);
        if rows.is_empty() || problems.len() == PAGE_MAX {
            break;
        }
    }
    let found: i64 =
        snapshot.query_row("SELECT count(*) FROM event_facet", [], |row| row.get(0))?;
    let found = found.unsigned_abs();
    if problems.is_empty() && found != entries {
        problems.push(Problem::Surplus { found, expected: entries });
    }
    drop(snapshot);
    if problems.is_empty() {
        problems.extend(observed::differing(connection)?);
    }
    Ok(Verified { events, problems })
}

fn page(connection: &Connection, after: i64) -> Result<Vec<Row>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT seq, id, kind, at, leaf, body FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1000",
    )?;
    let rows = select.query_map([after], |row| {
        Ok(Row {
            seq: row.get(0)?,
            id: row.get(1)?,
            kind: row.get(2)?,
            at: row.get(3)?,
            leaf: row.get(4)?,
            body: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Checks one event; gives how many index entries it has to have.
fn check(
    connection: &Connection,
    row: &Row,
    problems: &mut Vec<Problem>,
) -> Result<u64, DatabaseError> {
    let seq = row.seq.unsigned_abs();
    let event = match read(row) {
        Ok(event) => event,
        Err(why) => {
            problems.push(Problem::Event { seq, why });
            return Ok(0);
        }
    };
    let expected = facets(&event);
    let mut has_facet = connection
        .prepare_cached("SELECT 1 FROM event_facet WHERE facet = ?1 AND value = ?2 AND seq = ?3")?;
    for (facet, value) in &expected {
        if !has_facet.exists(params![facet_number(*facet), value, row.seq])? {
            problems.push(Problem::Facets { seq });
            break;
        }
    }
    if !is_led_to(connection, &event)? {
        problems.push(Problem::Decision { seq });
    }
    Ok(expected.len() as u64)
}

fn read(row: &Row) -> Result<Event, String> {
    if leaf_hash(&row.body).as_slice() != row.leaf {
        return Err("its hash differs".to_owned());
    }
    let event = Event::read(&row.body).map_err(|error| error.to_string())?;
    let stamp = &event.stamp;
    let is_same = stamp.id.to_string() == row.id
        && stamp.at.as_millis() == row.at
        && event.claim.kind().name() == row.kind;
    is_same.then_some(event).ok_or_else(|| "its columns differ from its bytes".to_owned())
}

/// Whether the key, and for a reservation its tag, lead to an event at all.
fn is_led_to(connection: &Connection, event: &Event) -> Result<bool, DatabaseError> {
    let mut key = connection
        .prepare_cached("SELECT 1 FROM claim_key JOIN event USING (seq) WHERE key = ?1")?;
    let has_key = key.exists([event.claim.key().as_str()])?;
    let Claim::Reservation(claim) = &event.claim else {
        return Ok(has_key);
    };
    let there = decision::reservation(connection, &claim.repository, &claim.tag)?;
    Ok(has_key && there.is_some())
}

/// Makes the index and the reservations again from the events.
pub(super) fn rebuild(tx: &Connection) -> Result<(), DatabaseError> {
    tx.execute_batch("DELETE FROM event_facet; DELETE FROM claim_key; DELETE FROM reservation;")?;
    let mut next = tx.prepare("SELECT seq, body FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1")?;
    let mut last = 0;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
    while let Some((seq, body)) = next.query_row([last], row).optional()? {
        let event = event_row::read(seq, &body)?.event;
        event_row::index(tx, seq, &event)?;
        if let Claim::Reservation(claim) = &event.claim {
            decision::reserve(tx, seq, claim)?;
        }
        last = seq;
    }
    observed::rebuild(tx)
}

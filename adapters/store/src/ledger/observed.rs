//! What was seen to run, as rows: written in an event's own transaction, read without folding events.
//!
//! ```text
//! event began api-1   -> a row, open             event ended api-1  -> the row's end and length class
//! question: shop, at 14:05                       -> rows, and every stretch in which the cluster was watched
//! ```
//! What a run is, and what counts of what is said about it, is `record::Run`'s to decide: a row is read, told, and
//! written back. All of it can be made again from the events.

mod compare;
mod length_class;
mod packed;
mod query;
mod row;
mod watched_row;
mod words;

pub(super) use compare::differing;
pub(super) use query::page;

use crate::database::DatabaseError;
use crate::ledger::event_row;
use record::claim::RunId;
use record::{Claim, Event, Kind, Sequenced};
use rusqlite::{Connection, OptionalExtension, params};

/// The tables that [`rebuild`] makes again.
pub(super) const TABLES: [&str; 5] =
    ["container_run", "watched", "run_text", "run_place", "run_workload"];

/// Takes an event in; most say nothing about runs.
pub(super) fn project(tx: &Connection, seq: i64, event: &Event) -> Result<(), DatabaseError> {
    match &event.claim {
        Claim::ContainerRun(claim) => row::project(tx, seq, claim),
        Claim::Watched(claim) => watched_row::project(tx, claim),
        Claim::TagChange(_)
        | Claim::Image(_)
        | Claim::Build(_)
        | Claim::Deploy(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Reservation(_)
        | Claim::Rule(_)
        | Claim::Unlock(_)
        | Claim::Token(_)
        | Claim::Finding(_)
        | Claim::Imported(_)
        | Claim::Note(_) => Ok(()),
    }
}

/// The event that began a run.
pub(super) fn event_of(
    connection: &Connection,
    run: RunId,
) -> Result<Option<Sequenced>, DatabaseError> {
    match row::seq_of(connection, run)? {
        Some(seq) => event_row::at(connection, seq),
        None => Ok(None),
    }
}

/// Makes the rows again from the events. One that cannot be read is passed over: `verify` names it.
pub(crate) fn rebuild(tx: &Connection) -> Result<(), DatabaseError> {
    for table in TABLES {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    replay(tx)
}

/// Projects every event, oldest first, into the tables that their plain names mean.
pub(super) fn replay(tx: &Connection) -> Result<(), DatabaseError> {
    let mut next = tx.prepare(
        "SELECT seq, body FROM event WHERE kind IN (?1, ?2) AND seq > ?3 ORDER BY seq LIMIT 1",
    )?;
    let kinds = (Kind::ContainerRun.name(), Kind::Watched.name());
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
    let mut last = 0;
    while let Some((seq, body)) = next.query_row(params![kinds.0, kinds.1, last], row).optional()? {
        if let Ok(event) = event_row::read(seq, &body) {
            project(tx, seq, &event.event)?;
        }
        last = seq;
    }
    Ok(())
}

//! Inserting events that were stamped elsewhere: the git record's cache.

use crate::database::DatabaseError;
use crate::ledger::decision;
use crate::ledger::event_row::{self, Prepared};
use domain::EventId;
use record::EventError;
use rusqlite::Connection;

/// The marker of the position up to which another record was read.
pub(super) const TIP_MARKER: &str = "tip";

/// What an insertion changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// Events that were not there before.
    pub new: usize,
    /// Events that were.
    pub known: usize,
}

/// Why nothing was inserted.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// The id has other content here: somebody changed an event.
    #[error("event {id} is recorded with other content")]
    Changed {
        /// The event.
        id: EventId,
    },
    /// An event that cannot be recorded.
    #[error("an event cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Inserts events and the new position in one transaction.
pub(super) fn insert(
    tx: &Connection,
    events: &[Prepared],
    tip: Option<&str>,
) -> Result<Inserted, InsertError> {
    let mut inserted = Inserted { new: 0, known: 0 };
    for prepared in events {
        let id = prepared.event().stamp.id;
        match event_row::by_id(tx, id)? {
            Some(there) if there.event == *prepared.event() => inserted.known += 1,
            Some(_) => return Err(InsertError::Changed { id }),
            None => {
                prepared.insert(tx)?;
                inserted.new += 1;
            }
        }
    }
    if let Some(tip) = tip {
        decision::set_marker(tx, TIP_MARKER, tip)?;
    }
    Ok(inserted)
}

//! Inserting events that were stamped elsewhere: the git record's cache.

use crate::database::DatabaseError;
use domain::EventId;
use record::EventError;

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

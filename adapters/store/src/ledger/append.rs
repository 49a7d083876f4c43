//! Appending claims.

use crate::database::DatabaseError;
use crate::ledger::Reserved;
use domain::{EventId, Tag, Timestamp};
use record::{ClaimKey, EventError};

/// One claim that is in the record now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place.
    pub seq: u64,
    /// Its event.
    pub id: EventId,
    /// When it was recorded.
    pub at: Timestamp,
    /// Whether this call made the event; otherwise it was there.
    pub is_new: bool,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The key stands for another claim.
    #[error("claim key `{key}` already stands for another claim, event {event}")]
    KeyTaken {
        /// The key.
        key: ClaimKey,
        /// The event that has it.
        event: EventId,
    },
    /// The tag belongs to another release.
    #[error("tag `{tag}` is reserved by release `{}`, event {}", .by.release, .by.event)]
    Reserved {
        /// The tag.
        tag: Tag,
        /// Who has it.
        by: Reserved,
    },
    /// More than [`record::claim::CLAIMS_AT_ONCE_MAX`].
    #[error("at most {max} claims are appended at once, found {found}", max = record::claim::CLAIMS_AT_ONCE_MAX)]
    TooMany {
        /// How many.
        found: usize,
    },
    /// A claim that cannot be recorded.
    #[error("a claim cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

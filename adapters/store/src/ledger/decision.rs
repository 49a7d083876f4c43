//! Decision tables: what an event decides, written in the event's own transaction.

use domain::EventId;

/// A tag that belongs to a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The release, as it named itself.
    pub release: String,
    /// The event.
    pub event: EventId,
}

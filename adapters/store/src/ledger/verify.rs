//! Reading the whole record again and comparing.

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
}

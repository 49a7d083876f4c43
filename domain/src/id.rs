//! Names of events: ULIDs, which sort by the millisecond in which they were made.
//!
//! ```text
//! 01JQ3K8Z5T9V4W6X7Y8Z9A0B1C
//! ```
//! Randomness and time are arguments. Order in the record is by sequence, never by this.

use crate::time::Timestamp;
use std::fmt;
use std::str::FromStr;
use ulid::Ulid;

/// An event's id. Source: the ULID specification, 48 bits of milliseconds and 80 of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Ulid);

/// The text is no event id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an event id: 26 characters of Crockford's base 32", text = text.escape_debug())]
pub struct EventIdError {
    text: String,
}

impl EventId {
    /// Makes an id from a time and 80 bits of randomness, of which the low ones are used.
    #[must_use]
    pub fn new(at: Timestamp, randomness: u128) -> Self {
        let ms = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(Ulid::from_parts(ms, randomness))
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let wrong = || EventIdError { text: text.chars().take(40).collect() };
        let id: Ulid = text.parse().map_err(|_| wrong())?;
        // The decoder takes lower case and look-alikes too; one id has one spelling.
        if id.to_string() == text { Ok(Self(id)) } else { Err(wrong()) }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::text::serde_as_text!(EventId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = EventId::new("2026-03-17T14:39:58Z".parse().unwrap(), 7);
        let text = id.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse::<EventId>().unwrap(), id);
        assert!(text.to_lowercase().parse::<EventId>().is_err());
        assert!("".parse::<EventId>().is_err());
    }

    #[test]
    fn ids_sort_by_time() {
        let at = |text: &str| text.parse().unwrap();
        let early = EventId::new(at("2026-03-17T14:39:58.001Z"), u128::MAX);
        assert!(early.to_string() < EventId::new(at("2026-03-17T14:39:58.002Z"), 0).to_string());
    }
}

//! What the stamps of one request are made of: who, when, and randomness; all of them arguments.

use domain::{Actor, EventId, Timestamp};
use record::{Event, Stamp};

/// Who writes, when, and the randomness for the names of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamping {
    /// Who, as it was proven.
    pub actor: Actor,
    /// The record's clock.
    pub now: Timestamp,
    /// 80 fresh random bits; the events of one request count up from them.
    pub randomness: u128,
    /// The event that brings these about.
    pub cause: Option<EventId>,
}

impl Stamping {
    /// The stamp of the request's `nth` event, counted from 0.
    #[must_use]
    pub fn stamp(&self, nth: u32) -> Stamp {
        Stamp {
            id: EventId::new(self.now, self.randomness.wrapping_add(u128::from(nth))),
            at: self.now,
            actor: self.actor.clone(),
            cause: self.cause,
            imported: None,
        }
    }

    /// The request's `nth` event, which another record stamped before: that stamp goes inside of ours.
    pub(crate) fn restamp(&self, nth: u32, event: Event) -> Event {
        let imported = Some(Box::new(event.stamp));
        Event { stamp: Stamp { imported, ..self.stamp(nth) }, claim: event.claim }
    }
}

//! A stretch of time that somebody asks about.
//!
//! ```text
//! --from 2026-03-01 --to 2026-04-01   ->  [2026-03-01, 2026-04-01)      either end may be left open
//! ```

use domain::Timestamp;

/// From a moment, included, until another, not included; an end that is left out is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// No moment that has been lies between the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// None at all does.
    #[error("the time from {from} to {until} is empty: its end is not after its beginning")]
    Empty {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// It begins in the future.
    #[error("the time from {from} has not come yet: it is {now}")]
    NotYet {
        /// Its beginning.
        from: Timestamp,
        /// The clock.
        now: Timestamp,
    },
}

impl Span {
    /// All time.
    pub const ALL: Self = Self { from: None, until: None };

    /// Joins two ends. What the future holds of it is nobody's to say, so it must begin by now.
    ///
    /// # Errors
    /// The end is not after the beginning, or the beginning has not come: whatever is asked about such a time
    /// would have an empty answer, and that reads as "nothing happened".
    pub fn new(
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, SpanError> {
        match from {
            Some(from) if until.is_none_or(|until| from < until) && from > now => {
                Err(SpanError::NotYet { from, now })
            }
            Some(_) | None => Self::between(from, until),
        }
    }

    /// One moment: the millisecond that begins with it.
    #[must_use]
    pub fn moment(at: Timestamp) -> Self {
        Self { from: Some(at), until: Some(at.plus_millis(1)) }
    }

    /// Joins two ends that a program sends: its clock may be ahead, so that the future is no mistake.
    ///
    /// # Errors
    /// The end is not after the beginning.
    pub fn between(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Self, SpanError> {
        match (from, until) {
            (Some(from), Some(until)) if until <= from => Err(SpanError::Empty { from, until }),
            (from, until) => Ok(Self { from, until }),
        }
    }

    /// Its beginning; none: open.
    #[must_use]
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// Its end; none: open.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Whether a moment lies in it.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    /// Whether it shares a moment with the stretch from `begin` until `end`; no end: it goes on.
    #[must_use]
    pub fn touches(&self, begin: Timestamp, end: Option<Timestamp>) -> bool {
        self.until.is_none_or(|until| begin < until)
            && self.from.is_none_or(|from| end.is_none_or(|end| from < end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let span = |from, until| Span::new(Some(at(from)), Some(at(until)), at("23:00"));
        assert!(span("12:00", "11:00").is_err());
        assert!(span("12:00", "12:00").is_err(), "it holds no moment");
        assert!(span("12:00", "12:01").is_ok());
        assert_eq!(Span::new(None, None, at("23:00")), Ok(Span::ALL));
    }

    #[test]
    fn a_span_that_begins_in_the_future_is_refused() {
        let (now, later) = (at("12:00"), at("12:01"));
        let refused = Span::new(Some(later), None, now);
        assert_eq!(refused, Err(SpanError::NotYet { from: later, now }));
        assert!(Span::new(Some(later), Some(at("13:00")), now).is_err());
        // What has begun by now may be asked about, although it has not ended.
        assert!(Span::new(Some(now), Some(later), now).is_ok());
        assert!(Span::new(None, Some(later), now).is_ok());
    }

    #[test]
    fn a_moment_is_a_span_that_holds_it_alone() {
        let span = Span::moment(at("12:00"));
        assert!(span.holds(at("12:00")) && !span.holds(at("12:00").plus_millis(1)));
        // What begins then is there, and what ends then is not.
        assert!(span.touches(at("12:00"), None) && !span.touches(at("11:00"), Some(at("12:00"))));
        assert!(Span::between(Some(at("13:00")), Some(at("12:00"))).is_err());
    }

    #[test]
    fn a_span_holds_its_beginning_and_not_its_end() {
        let span = Span::new(Some(at("12:00")), Some(at("13:00")), at("23:00")).unwrap();
        assert!(span.holds(at("12:00")) && span.holds(at("12:59")));
        assert!(!span.holds(at("13:00")) && !span.holds(at("11:59")));
        assert!(Span::ALL.holds(at("00:00")));
        // Half-open on both sides: what ends where the span begins shares no moment with it.
        assert!(!span.touches(at("11:00"), Some(at("12:00"))));
        assert!(span.touches(at("11:00"), Some(at("12:01"))));
        assert!(span.touches(at("11:00"), None));
        assert!(!span.touches(at("13:00"), None));
    }
}

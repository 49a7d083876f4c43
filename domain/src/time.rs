//! A moment, to the millisecond, in UTC.
//!
//! ```text
//! 2026-03-17T14:39:58.000Z
//! ```
//! Never reads a clock; zones and people's words ("2h ago") are read where they are asked.

use std::fmt;
use std::str::FromStr;

/// Milliseconds since 1970-01-01T00:00:00Z, from year 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time with a zone, such as 2026-03-17T14:39:58Z", text = text.escape_debug())]
pub struct TimestampError {
    text: String,
}

const YEAR_1_MS: i64 = -62_135_596_800_000;
const YEAR_9999_END_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// A moment by its milliseconds; one outside the years 1 to 9999 becomes the nearest inside.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(YEAR_1_MS, YEAR_9999_END_MS))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment that many milliseconds later.
    #[must_use]
    pub fn plus_millis(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }

    /// The moment with its fraction of a second cut off.
    #[must_use]
    pub fn to_second(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// The UTC calendar's year, month, day, hour, minute and second.
    #[must_use]
    pub fn civil(self) -> jiff::civil::DateTime {
        jiff::tz::Offset::UTC.to_datetime(self.to_jiff())
    }

    /// The same moment as the calendar library's.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).expect("years 1 to 9999 are inside jiff's range")
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(moment: jiff::Timestamp) -> Self {
        Self::from_millis(moment.as_millisecond())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let wrong = || TimestampError { text: text.chars().take(64).collect() };
        // RFC 3339 is narrower than the ISO 8601 that jiff reads: date, `T`, time with seconds, zone.
        let head = text.as_bytes();
        let separated = |at: usize, by: &[u8]| head.get(at).is_some_and(|b| by.contains(b));
        let is_narrow = separated(4, b"-")
            && separated(7, b"-")
            && separated(10, b"Tt ")
            && separated(13, b":")
            && separated(16, b":")
            && text.len() <= 40;
        if !is_narrow {
            return Err(wrong());
        }
        text.parse::<jiff::Timestamp>().map(Self::from).map_err(|_| wrong())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with milliseconds and `Z`. Source: DESIGN §12, "Event".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second(),
            c.millisecond()
        )
    }
}

crate::text::serde_as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_printed_in_utc_with_milliseconds() {
        let cases = [
            ("2026-03-17T14:39:58Z", "2026-03-17T14:39:58.000Z"),
            ("2026-03-17T15:39:58.25+01:00", "2026-03-17T14:39:58.250Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ];
        for (text, printed) in cases {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn a_time_without_a_zone_is_no_moment() {
        for bad in [
            "",
            "2026-03-17",
            "2026-03-17T14:39:58",
            "14:05",
            "2026-13-01T00:00:00Z",
            "20260317T143958Z",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fractions_are_cut_also_before_the_epoch() {
        assert_eq!(Timestamp::from_millis(-1).to_second(), Timestamp::from_millis(-1000));
        assert_eq!(Timestamp::from_millis(1999).to_second(), Timestamp::from_millis(1000));
    }
}

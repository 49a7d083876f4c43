//! Moments as people say them, and the zone in which they were taken.
//!
//! ```text
//! 2026-03-17T14:39:58Z   2026-03-17 14:05   2026-03-17   14:05   yesterday 14:05   "2h ago"   now
//! ```
//! A time of day alone is the last one that has been: at 09:00, `14:05` is yesterday's.
//! The clock and the zone are arguments.

use domain::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};

/// The longest text that is looked at.
pub const WHEN_LEN_MAX: usize = 64;

/// A moment, and how its text was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// The moment.
    pub at: Timestamp,
    /// The same in the zone that was assumed, for an echo: `2026-03-17 14:05:00 Europe/Berlin`.
    pub echo: String,
}

/// The text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// None of the forms.
    #[error("`{text}` is not a time: write 2026-03-17T14:05:00Z, `2026-03-17 14:05`, `14:05`, `yesterday 14:05` or `2h ago`", text = text.escape_debug())]
    Form {
        /// The text, cut.
        text: String,
    },
    /// The clocks were put forward over it.
    #[error("`{text}` does not exist in {zone}: clocks were put forward over it", text = text.escape_debug())]
    Skipped {
        /// The text.
        text: String,
        /// The zone.
        zone: String,
    },
    /// The clocks were put back: it was twice.
    #[error("`{text}` was twice in {zone}, when clocks were put back: write it with its offset, as in 2026-10-25T02:30:00+01:00", text = text.escape_debug())]
    Twice {
        /// The text.
        text: String,
        /// The zone.
        zone: String,
    },
}

/// Reads a moment.
///
/// # Errors
/// Names the forms that are understood, or the change of clocks that makes the text mean nothing or two things.
pub fn parse_when(text: &str, now: Timestamp, zone: &TimeZone) -> Result<When, WhenError> {
    let form = || WhenError::Form { text: text.chars().take(WHEN_LEN_MAX).collect() };
    if text.len() > WHEN_LEN_MAX {
        return Err(form());
    }
    let said = text.trim();
    if let Ok(at) = said.parse::<Timestamp>() {
        return Ok(When { at, echo: echo(at, zone) });
    }
    let here = now.to_jiff().to_zoned(zone.clone());
    let at = if said == "now" {
        now
    } else if let Some(ago) = said.strip_suffix("ago") {
        now.plus_millis(-span_ms(ago.trim()).ok_or_else(form)?)
    } else {
        let civil = civil_of(said, &here).ok_or_else(form)?;
        only_moment(civil, zone, said)?
    };
    Ok(When { at, echo: echo(at, zone) })
}

/// A moment in a zone, with the zone's name.
#[must_use]
pub fn echo(at: Timestamp, zone: &TimeZone) -> String {
    let zoned = at.to_jiff().to_zoned(zone.clone());
    let name = zone.iana_name().map_or_else(|| zoned.offset().to_string(), str::to_owned);
    format!("{} {name}", zoned.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Reads a length of time: `10m`, `2h`, `1h30m`, `3 days`; in milliseconds.
#[must_use]
pub fn parse_length(text: &str) -> Option<i64> {
    span_ms(text)
}

/// `2h`, `90 min`, `3 days`, `1h30m`: whole numbers and units, in milliseconds.
fn span_ms(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..digits].parse().ok()?;
        let tail = rest[digits..].trim_start();
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        total = total.checked_add(count.checked_mul(unit_ms(&tail[..end])?)?)?;
        rest = tail[end..].trim_start();
    }
    Some(total)
}

fn unit_ms(unit: &str) -> Option<i64> {
    Some(match unit {
        "s" | "sec" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 7 * 86_400_000,
        _ => return None,
    })
}

fn civil_of(said: &str, here: &Zoned) -> Option<DateTime> {
    if let Some(time) = time_of(said) {
        let today = here.date().to_datetime(time);
        return if today > here.datetime() {
            Some(here.date().yesterday().ok()?.to_datetime(time))
        } else {
            Some(today)
        };
    }
    let (day, time) = said.split_once([' ', 'T']).unwrap_or((said, "00:00"));
    let date = match day {
        "today" => here.date(),
        "yesterday" => here.date().yesterday().ok()?,
        written => date_of(written)?,
    };
    Some(date.to_datetime(time_of(time.trim())?))
}

fn date_of(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

fn time_of(text: &str) -> Option<Time> {
    matches!(text.len(), 4 | 5 | 8)
        .then(|| {
            let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
            let (hour, minute) = (parts.next()??, parts.next()??);
            let second = parts.next().unwrap_or(Some(0))?;
            Time::new(hour, minute, second, 0).ok()
        })
        .flatten()
}

fn only_moment(civil: DateTime, zone: &TimeZone, said: &str) -> Result<Timestamp, WhenError> {
    use jiff::tz::AmbiguousOffset;
    let (text, name) = (said.to_owned(), zone.iana_name().unwrap_or("this zone").to_owned());
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => Err(WhenError::Skipped { text, zone: name }),
        AmbiguousOffset::Fold { .. } => Err(WhenError::Twice { text, zone: name }),
        AmbiguousOffset::Unambiguous { .. } => {
            let moment = ambiguous.compatible().map_err(|_| WhenError::Form { text })?;
            Ok(Timestamp::from(moment))
        }
    }
}

/// A length of time for people: `3d 4h`, `12m`, `40s`.
#[must_use]
pub fn length(ms: i64) -> String {
    let seconds = SignedDuration::from_millis(ms.max(0)).as_secs();
    let (d, h, m, s) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, _) => format!("{m}m {s}s"),
        (0, _, _) => format!("{h}h {m}m"),
        (_, _, _) => format!("{d}d {h}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(text: &str) -> Result<String, WhenError> {
        let now = "2026-03-17T09:00:00Z".parse().unwrap();
        parse_when(text, now, &TimeZone::UTC).map(|when| when.at.to_string())
    }

    #[test]
    fn people_s_words_are_moments() {
        let cases = [
            ("2026-03-17T14:05:00+01:00", "2026-03-17T13:05:00.000Z"),
            ("2026-03-17 08:05", "2026-03-17T08:05:00.000Z"),
            ("2026-03-16", "2026-03-16T00:00:00.000Z"),
            ("08:05", "2026-03-17T08:05:00.000Z"),
            ("8:05", "2026-03-17T08:05:00.000Z"),
            ("14:05", "2026-03-16T14:05:00.000Z"),
            ("yesterday 14:05:30", "2026-03-16T14:05:30.000Z"),
            ("today 01:00", "2026-03-17T01:00:00.000Z"),
            ("2h ago", "2026-03-17T07:00:00.000Z"),
            ("1h30m ago", "2026-03-17T07:30:00.000Z"),
            ("3 days ago", "2026-03-14T09:00:00.000Z"),
            ("now", "2026-03-17T09:00:00.000Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(when(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in [
            "",
            "soon",
            "25:00",
            "2h",
            "ago",
            "-2h ago",
            "2026-02-30",
            "14",
            "2 fortnights ago",
            "99999999999999999999d ago",
        ] {
            assert!(matches!(when(bad), Err(WhenError::Form { .. })), "{bad}");
        }
        assert!(when(&"1".repeat(65)).is_err());
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_repeat_is_refused() {
        // Central European rules: forward on the last Sunday of March, back on that of October.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now = "2026-11-01T00:00:00Z".parse().unwrap();
        let read = |text: &str| parse_when(text, now, &zone);
        assert!(matches!(read("2026-03-29 02:30"), Err(WhenError::Skipped { .. })));
        assert!(matches!(read("2026-10-25 02:30"), Err(WhenError::Twice { .. })));
        assert_eq!(read("2026-07-01 12:00").unwrap().at.to_string(), "2026-07-01T10:00:00.000Z");
    }

    #[test]
    fn lengths_are_short() {
        let cases = [
            (0, "0s"),
            (59_999, "59s"),
            (60_000, "1m 0s"),
            (3_660_000, "1h 1m"),
            (90_000_000, "1d 1h"),
            (-5, "0s"),
        ];
        for (ms, text) in cases {
            assert_eq!(length(ms), text);
        }
    }
}

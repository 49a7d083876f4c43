//! `20260317-143958` and `20260317-143958-prod`: written, and read back.
//!
//! The time has a fixed width and is in UTC, so tags sort by time as text. What follows it is the whole
//! environment: `20260317-143958-eu-prod` is of `eu-prod`, never of `prod`.

use domain::{EnvironmentName, Tag, Timestamp};

/// The width of `20260317-143958`.
pub(crate) const TIMESTAMP_LEN: usize = 15;

/// `20260317`.
pub(crate) fn date(at: Timestamp) -> String {
    let civil = at.civil();
    format!("{:04}{:02}{:02}", civil.year(), civil.month(), civil.day())
}

/// `143958`.
pub(crate) fn time(at: Timestamp) -> String {
    let civil = at.civil();
    format!("{:02}{:02}{:02}", civil.hour(), civil.minute(), civil.second())
}

/// `20260317-143958`.
pub(crate) fn timestamp(at: Timestamp) -> String {
    format!("{}-{}", date(at), time(at))
}

/// `20260317-143958-prod`.
pub(crate) fn timestamp_env(at: Timestamp, environment: &EnvironmentName) -> String {
    format!("{}-{environment}", timestamp(at))
}

/// Reads exactly `20260317-143958`; a day or time that the calendar does not have is none.
pub(crate) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let is_written = text.len() == TIMESTAMP_LEN
        && text.bytes().enumerate().all(
            |(at, b)| {
                if at == 8 { b == b'-' } else { b.is_ascii_digit() }
            },
        );
    if !is_written {
        return None;
    }
    let part = |from: usize, to: usize| &text[from..to];
    let moment: Timestamp = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(9, 11),
        part(11, 13),
        part(13, 15)
    )
    .parse()
    .ok()?;
    // Written again, because a reader of times may take 23:59:60 for the second before.
    (timestamp(moment) == text).then_some(moment)
}

/// Reads a tag as a fixed-width time and then the whole remainder, which must be a known environment.
#[must_use]
pub fn parse_timestamp_env(
    tag: &Tag,
    known: &[EnvironmentName],
) -> Option<(Timestamp, EnvironmentName)> {
    let text = tag.as_str();
    // A tag is ASCII, so every index is a character's start.
    let (time, rest) = text.split_at_checked(TIMESTAMP_LEN)?;
    let name = rest.strip_prefix('-')?;
    let environment = known.iter().find(|known| known.as_str() == name)?;
    Some((parse_timestamp(time)?, environment.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<EnvironmentName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn read(text: &str, known: &[&str]) -> Option<String> {
        parse_timestamp_env(&text.parse().unwrap(), &names(known))
            .map(|(at, environment)| format!("{at} {environment}"))
    }

    #[test]
    fn the_whole_remainder_is_the_environment() {
        let tag = "20260317-143958-eu-prod";
        assert_eq!(
            read(tag, &["prod", "eu-prod"]).as_deref(),
            Some("2026-03-17T14:39:58.000Z eu-prod")
        );
        assert_eq!(read(tag, &["prod"]), None);
        assert_eq!(read("20260317-143958-prod", &["uat"]), None);
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for tag in [
            "20260230-143958-prod",
            "20260317-250000-prod",
            "20260317-143960-prod",
            "20260317-14395-prod",
            "20260317-1439580-prod",
            "20260317143958-prod",
            "20260317-143958",
            "20260317-143958-",
            "20260317-143958prod",
            "x20260317-143958-prod",
        ] {
            assert_eq!(read(tag, &["prod"]), None, "{tag}");
        }
        assert!(read("20240229-000000-prod", &["prod"]).is_some());
    }
}

//! When to ask again.
//!
//! ```text
//! Retry-After: 30
//! Retry-After: Sun, 06 Nov 1994 08:49:37 GMT
//! ```
//! Source: RFC 9110, section 10.2.3; DESIGN §12 for how long a wait is honoured.

use crate::limit::RETRY_AFTER_S_MAX;
use domain::Timestamp;
use http::StatusCode;

/// What a registry's `Retry-After` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Ask again after so many milliseconds.
    Wait {
        /// At most [`RETRY_AFTER_S_MAX`] seconds.
        ms: u64,
    },
    /// Longer than is waited here: tell the person instead.
    TooLong {
        /// What it asks for.
        seconds: u64,
    },
}

impl RetryAfter {
    /// Reads the header; `None` for what is neither seconds nor a date.
    #[must_use]
    pub fn read(text: &str, now: Timestamp) -> Option<Self> {
        let text = text.trim();
        let ms = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let seconds: u64 = text.parse().unwrap_or(u64::MAX);
            seconds.saturating_mul(1000)
        } else {
            let at = read_http_date(text)?;
            let left = at.as_millis().saturating_sub(now.as_millis());
            u64::try_from(left).unwrap_or(0)
        };
        Some(if ms > RETRY_AFTER_S_MAX * 1000 {
            let seconds = ms.div_ceil(1000);
            Self::TooLong { seconds }
        } else {
            Self::Wait { ms }
        })
    }
}

/// Reads the one form of date that RFC 9110 lets a sender write.
fn read_http_date(text: &str) -> Option<Timestamp> {
    if text.len() > 64 || !text.ends_with("GMT") {
        return None;
    }
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from(zoned.timestamp()))
}

/// Whether an answer may be another one when the same is asked again.
#[must_use]
pub fn is_worth_a_retry(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, now: &str) -> Option<RetryAfter> {
        RetryAfter::read(text, now.parse().unwrap())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        // The date is RFC 9110's own example.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let wait = |ms| Some(RetryAfter::Wait { ms });
        let now = "1994-11-06T08:49:07Z";
        assert_eq!(read("30", now), wait(30_000));
        assert_eq!(read("0", now), wait(0));
        assert_eq!(read(date, now), wait(30_000));
        assert_eq!(read(date, "1994-11-06T08:50:00Z"), wait(0));
    }

    #[test]
    fn waits_are_honoured_up_to_120_seconds() {
        let now = "1994-11-06T08:47:37Z";
        assert_eq!(read("120", now), Some(RetryAfter::Wait { ms: 120_000 }));
        assert_eq!(read("121", now), Some(RetryAfter::TooLong { seconds: 121 }));
        let at_120 = read("Sun, 06 Nov 1994 08:49:37 GMT", now);
        assert_eq!(at_120, Some(RetryAfter::Wait { ms: 120_000 }));
        let at_121 = read("Sun, 06 Nov 1994 08:49:38 GMT", now);
        assert_eq!(at_121, Some(RetryAfter::TooLong { seconds: 121 }));
        assert!(matches!(read("99999999999999999999999", now), Some(RetryAfter::TooLong { .. })));
    }

    #[test]
    fn anything_else_says_nothing() {
        for bad in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "1994-11-06T08:49:37Z",
            "Xxx, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(bad, "1994-11-06T08:47:37Z"), None, "{bad}");
        }
    }

    #[test]
    fn refusals_are_final() {
        for (code, expected) in [
            (408, true),
            (429, true),
            (503, true),
            (500, true),
            (501, false),
            (404, false),
            (409, false),
            (201, false),
        ] {
            let status = StatusCode::from_u16(code).unwrap();
            assert_eq!(is_worth_a_retry(status), expected, "{code}");
        }
    }
}

//! The time of a release, taken once and handed on.
//!
//! ```text
//! INDELIBLE_RELEASE_TIME=2026-03-17T14:39:58Z   -> that second, in every job of the pipeline
//! ```
//! Two jobs that each look at the clock give one build two tags.

use domain::{Timestamp, TimestampError};

/// The variable that hands the time on. Source: DESIGN §12.
pub const RELEASE_TIME_VARIABLE: &str = "INDELIBLE_RELEASE_TIME";

/// How far a time that was handed on may lie ahead of this machine's clock, in milliseconds.
///
/// Clocks of runners differ by seconds; a tag from the far future would sort as the newest for ever.
pub const AHEAD_MS_MAX: i64 = 60 * 60 * 1000;

/// The release's time, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseTime {
    /// The second; fractions are cut.
    pub at: Timestamp,
    /// Who took it.
    pub source: ReleaseTimeSource,
}

/// Who took a release's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseTimeSource {
    /// An earlier job.
    HandedOn,
    /// This one: it hands it on.
    TakenNow,
}

/// Why there is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseTimeError {
    /// The value is no time.
    #[error("variable `INDELIBLE_RELEASE_TIME` holds no time")]
    Text {
        /// Why not.
        source: TimestampError,
    },
    /// The value is too far ahead of the clock.
    #[error(
        "variable `INDELIBLE_RELEASE_TIME` is {at}, more than an hour ahead of this machine's {now}: a tag from the future would stay the newest"
    )]
    Ahead {
        /// The value.
        at: Timestamp,
        /// The machine's clock.
        now: Timestamp,
    },
}

/// Reads the time that an earlier job handed on, or takes `now`.
///
/// An empty variable counts as absent, for that is what a CI leaves of an output that was not set.
///
/// # Errors
/// Refuses a value that is no time, or more than an hour ahead.
pub fn release_time(handed: Option<&str>, now: Timestamp) -> Result<ReleaseTime, ReleaseTimeError> {
    let Some(text) = handed.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(ReleaseTime { at: now.to_second(), source: ReleaseTimeSource::TakenNow });
    };
    let at: Timestamp = text.parse().map_err(|source| ReleaseTimeError::Text { source })?;
    if at > now.plus_millis(AHEAD_MS_MAX) {
        return Err(ReleaseTimeError::Ahead { at, now });
    }
    Ok(ReleaseTime { at: at.to_second(), source: ReleaseTimeSource::HandedOn })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_job_gets_the_second_that_the_first_took() {
        let now = moment("2026-03-17T14:39:58.750Z");
        let first = release_time(None, now).unwrap();
        assert_eq!(first.at, moment("2026-03-17T14:39:58Z"));
        assert_eq!(first.source, ReleaseTimeSource::TakenNow);
        assert_eq!(release_time(Some(" "), now).unwrap(), first);

        let handed = first.at.to_string();
        let second = release_time(Some(&handed), moment("2026-03-18T00:00:00Z")).unwrap();
        assert_eq!(second.at, first.at);
        assert_eq!(second.source, ReleaseTimeSource::HandedOn);
        assert_eq!(release_time(Some("2026-03-17T15:39:58+01:00"), now).unwrap().at, first.at);
    }

    #[test]
    fn a_time_may_be_an_hour_ahead_and_not_more() {
        let now = moment("2026-03-17T12:00:00Z");
        assert!(release_time(Some("2026-03-17T13:00:00Z"), now).is_ok());
        assert!(matches!(
            release_time(Some("2026-03-17T13:00:00.001Z"), now),
            Err(ReleaseTimeError::Ahead { .. })
        ));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let now = moment("2026-03-17T12:00:00Z");
        for bad in ["yesterday", "20260317-120000", "2026-03-17T12:00:00", "1773750000"] {
            assert!(
                matches!(release_time(Some(bad), now), Err(ReleaseTimeError::Text { .. })),
                "{bad}"
            );
        }
    }
}

//! `20260414-001`: the next number of a UTC day in one repository.
//!
//! The width is fixed and the counter refuses to overflow: `20260414-1000` sorts before `20260414-999` as
//! text, and as a number it is a digit wider than all of tomorrow. Source: research/tagging.md §3.3.

use super::timestamp::date;
use super::{SchemeError, SchemeTextError};
use domain::{Tag, Timestamp};
use std::collections::BTreeSet;

/// Digits of a day's number.
pub const COUNTER_WIDTH_DEFAULT: usize = 3;
/// The fewest digits.
pub const COUNTER_WIDTH_MIN: usize = 2;
/// The most digits: six would make `20260414-153012`, which scheme `timestamp` writes too.
pub const COUNTER_WIDTH_MAX: usize = 5;

/// How many digits a day's number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterWidth(usize);

impl Default for CounterWidth {
    fn default() -> Self {
        Self(COUNTER_WIDTH_DEFAULT)
    }
}

impl CounterWidth {
    /// A width of 2 to 5 digits.
    ///
    /// # Errors
    /// Refuses any other width.
    pub fn new(digits: usize) -> Result<Self, SchemeTextError> {
        if (COUNTER_WIDTH_MIN..=COUNTER_WIDTH_MAX).contains(&digits) {
            Ok(Self(digits))
        } else {
            Err(SchemeTextError::CounterWidth { found: digits })
        }
    }

    /// The number of digits.
    #[must_use]
    pub fn digits(self) -> usize {
        self.0
    }

    /// The largest number.
    fn last(self) -> u32 {
        (0..self.0).fold(0, |last, _| last * 10 + 9)
    }
}

/// The number after the largest that the day has, 1 where it has none.
pub(crate) fn date_build(
    at: Timestamp,
    width: CounterWidth,
    tags: &BTreeSet<Tag>,
) -> Result<String, SchemeError> {
    let (day, digits) = (date(at), width.digits());
    let number_of = |tag: &Tag| {
        let number = tag.as_str().strip_prefix(&day)?.strip_prefix('-')?;
        let fits = number.len() == digits && number.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| number.parse::<u32>().ok()).flatten()
    };
    let largest = tags.iter().filter_map(number_of).max().unwrap_or(0);
    if largest >= width.last() {
        return Err(SchemeError::CounterFull { day, width: digits, last: width.last() });
    }
    Ok(format!("{day}-{next:0digits$}", next = largest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(tags: &[&str], width: usize) -> Result<String, SchemeError> {
        let at = "2026-04-14T23:59:59Z".parse().unwrap();
        let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        date_build(at, CounterWidth::new(width).unwrap(), &tags)
    }

    #[test]
    fn the_next_number_follows_the_largest_of_the_day() {
        assert_eq!(next(&[], 3).unwrap(), "20260414-001");
        let tags = ["20260414-001", "20260414-009", "20260413-500", "latest"];
        assert_eq!(next(&tags, 3).unwrap(), "20260414-010");
    }

    #[test]
    fn other_schemes_of_the_repository_are_not_counted() {
        let tags = [
            "20260414-153012",
            "20260414-g123456789ab",
            "20260414-0007",
            "20260414-12x",
            "20260414-700-uat",
        ];
        assert_eq!(next(&tags, 3).unwrap(), "20260414-001");
    }

    #[test]
    fn the_last_number_is_given_and_none_after_it() {
        assert_eq!(next(&["20260414-998"], 3).unwrap(), "20260414-999");
        assert_eq!(
            next(&["20260414-999"], 3),
            Err(SchemeError::CounterFull { day: "20260414".into(), width: 3, last: 999 })
        );
        assert_eq!(
            next(&["20260414-99"], 2).unwrap_err().to_string(),
            "all 99 numbers of 20260414 are used in this repository: a longer number would sort before the others; set `width: 3` from tomorrow on"
        );
        assert_eq!(next(&["20260414-99998"], 5).unwrap(), "20260414-99999");
    }

    #[test]
    fn a_counter_has_2_to_5_digits() {
        assert!(CounterWidth::new(2).is_ok() && CounterWidth::new(5).is_ok());
        for found in [0, 1, 6] {
            assert_eq!(CounterWidth::new(found), Err(SchemeTextError::CounterWidth { found }));
        }
    }
}

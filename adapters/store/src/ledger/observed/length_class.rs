//! How long a run is at most, as a small number: what makes "which of ten million ran then" a few short ranges.
//!
//! ```text
//! open 0 · up to a minute 1 · 4 minutes 2 · 16 minutes 3 · … · 728 days 11 · longer 12
//! ran at T: of class 2 only what began in (T - 4 min, T]      at most three in four that are read had ended before
//! ```
//! One row a run, whatever its length: a run of a month would stand in 30 buckets of a day. The numbers are in
//! files: a class never changes its meaning.

use record::{RunState, Span};

/// Not seen to end.
pub(super) const OPEN: i64 = 0;
/// The shortest class ends at a minute, and each further one at four times that.
const SHORTEST_MS: i64 = 60_000;
const GROWTH: i64 = 4;
/// The last class that has an end.
const LAST_BOUNDED: i64 = 11;
/// Longer than that.
const LONGER: i64 = LAST_BOUNDED + 1;

/// The class of a run from `lo` until `hi`.
pub(super) fn of(lo: i64, hi: Option<i64>) -> i64 {
    let Some(hi) = hi else { return OPEN };
    let length = hi.saturating_sub(lo);
    (1..=LAST_BOUNDED).find(|class| length <= longest(*class)).unwrap_or(LONGER)
}

/// The longest run of a bounded class, in milliseconds.
fn longest(class: i64) -> i64 {
    (1..class).fold(SHORTEST_MS, |length, _| length * GROWTH)
}

/// A class, and between which begins its runs can touch a span: after the one, before the other.
pub(super) struct Range {
    pub(super) class: i64,
    pub(super) after: i64,
    pub(super) before: i64,
    /// Their end is to be after that; none: they have no end, or any will do.
    pub(super) ends_after: Option<i64>,
}

/// The ranges in which everything stands that touches a span.
pub(super) fn ranges(when: &Span, state: RunState) -> Vec<Range> {
    let last = match state {
        RunState::Open => OPEN,
        RunState::Any => LONGER,
    };
    let from = when.from().map(|from| from.as_millis());
    let before = when.until().map_or(i64::MAX, |until| until.as_millis());
    let range = |class| Range {
        class,
        // An end after `from` and a length of at most `longest`: the begin is later than that.
        after: match from {
            Some(from) if (1..=LAST_BOUNDED).contains(&class) => from - longest(class),
            Some(_) | None => i64::MIN,
        },
        before,
        ends_after: from.filter(|_| class != OPEN),
    };
    (OPEN..=last).map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    const DAY_MS: i64 = 24 * 60 * 60_000;

    #[test]
    fn a_class_holds_its_longest_run_and_not_one_that_is_longer() {
        assert_eq!(of(5, None), OPEN);
        assert_eq!((of(0, Some(0)), of(0, Some(60_000)), of(0, Some(60_001))), (1, 1, 2));
        assert_eq!((of(7, Some(240_007)), of(7, Some(240_008))), (2, 3));
        // 4^10 minutes.
        let longest = 1_048_576 * 60_000;
        assert_eq!((of(0, Some(longest)), of(0, Some(longest + 1))), (11, 12));
        assert_eq!(of(0, Some(-1)), 1, "an end before its begin, by another clock");
    }

    #[test]
    fn whatever_touches_a_span_stands_in_one_of_its_ranges() {
        let at = Timestamp::from_millis(1_000 * DAY_MS);
        let all = ranges(&Span::moment(at), RunState::Any);
        for length in [0, 1, 59_999, 60_000, 60_001, DAY_MS, 45 * DAY_MS, 800 * DAY_MS] {
            // Ends one millisecond after the moment: the earliest begin that touches it.
            let (lo, hi) = (at.as_millis() + 1 - length, at.as_millis() + 1);
            let range = all.iter().find(|range| range.class == of(lo, Some(hi))).unwrap();
            let is_found = range.after < lo
                && lo < range.before
                && range.ends_after.is_none_or(|after| hi > after);
            assert_eq!(is_found, length > 0, "{length}");
        }
        assert!(ranges(&Span::ALL, RunState::Open).iter().all(|range| range.class == OPEN));
    }
}

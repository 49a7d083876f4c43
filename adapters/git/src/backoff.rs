//! How often, and after what wait, a refused push is made again.
//!
//! ```text
//! refused, the branch had moved:   another writer won; wait a little, edit again on the new tip
//! refused, the branch stands:      the server does not want it; ten tries, then an error
//! ```
//! A lost race is progress by somebody else and is bounded apart from a refusal: with twenty writers,
//! ten tries in all would fail some of them although every one could land.

use std::time::Duration;

/// How often the bound by a try's length doubles.
const TRY_DOUBLINGS_MAX: u32 = 3;

/// The longest wait for which the length of a try is the reason.
const WAIT_OF_TRY_MAX: Duration = Duration::from_secs(10);

/// The limits of one append or one landing, and the randomness of its waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries against a branch that does not move.
    pub tries: u32,
    /// Races lost against other writers.
    pub races: u32,
    /// The longest first wait; each later one may be twice as long.
    pub wait_first: Duration,
    /// The longest wait.
    pub wait_most: Duration,
    /// Randomness, another for every caller, so that two losers do not meet again.
    pub seed: u64,
}

impl Retry {
    /// Ten tries, 50 ms to 2 s, and at most a hundred lost races. Source: DESIGN §12, `research/deploy.md` §3.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            tries: 10,
            races: 100,
            wait_first: Duration::from_millis(50),
            wait_most: Duration::from_secs(2),
            seed,
        }
    }
}

/// Why no further try is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    Tries(u32),
    Races(u32),
}

/// Counts the refusals of one append or landing.
#[derive(Debug)]
pub(crate) struct Refusals {
    retry: Retry,
    state: u64,
    standing: u32,
    lost: u32,
}

impl Refusals {
    pub(crate) fn new(retry: Retry) -> Self {
        Self { retry, state: retry.seed, standing: 0, lost: 0 }
    }

    /// The pushes that were refused so far.
    pub(crate) fn count(&self) -> u32 {
        self.standing + self.lost
    }

    /// Notes a refusal by a server whose branch has not moved.
    pub(crate) fn stood(&mut self) -> Result<(), Spent> {
        self.standing += 1;
        if self.standing >= self.retry.tries { Err(Spent::Tries(self.count())) } else { Ok(()) }
    }

    /// Notes a race lost to another writer.
    pub(crate) fn lost(&mut self) -> Result<(), Spent> {
        self.lost += 1;
        if self.lost >= self.retry.races { Err(Spent::Races(self.count())) } else { Ok(()) }
    }

    /// The next wait: anywhere between nothing and a bound that doubles, and that is longer where a try `took` long.
    ///
    /// A try that takes longer than the waits meets all the others again, whose work then makes it slower still.
    pub(crate) fn wait(&mut self, took: Duration) -> Duration {
        let doublings = self.count().min(16);
        let bound = self.retry.wait_first.saturating_mul(1 << doublings).min(self.retry.wait_most);
        let by_try = took.saturating_mul(1 << self.count().min(TRY_DOUBLINGS_MAX));
        let bound = bound.max(by_try.min(WAIT_OF_TRY_MAX));
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.random() % micros.max(1))
    }

    /// SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_refusals_by_a_standing_branch_are_the_end() {
        let mut refusals = Refusals::new(Retry::seeded(1));
        for _ in 0..9 {
            assert_eq!(refusals.stood(), Ok(()));
        }
        assert_eq!(refusals.stood(), Err(Spent::Tries(10)));
    }

    #[test]
    fn a_lost_race_does_not_use_up_a_try() {
        let mut refusals = Refusals::new(Retry::seeded(1));
        for _ in 0..99 {
            assert_eq!(refusals.lost(), Ok(()));
        }
        assert_eq!(refusals.stood(), Ok(()));
        assert_eq!(refusals.lost(), Err(Spent::Races(101)));
    }

    #[test]
    fn waits_stay_below_two_seconds_and_differ_by_seed() {
        let waits = |seed| {
            let mut refusals = Refusals::new(Retry::seeded(seed));
            (0..50)
                .map(|_| {
                    let _bounded = refusals.lost();
                    refusals.wait(Duration::ZERO)
                })
                .collect::<Vec<_>>()
        };
        assert!(waits(1).iter().all(|wait| *wait < Duration::from_secs(2)));
        assert_ne!(waits(1), waits(2));
    }

    #[test]
    fn after_slow_tries_waits_are_longer_and_never_more_than_ten_seconds() {
        let longest = |took| {
            let mut refusals = Refusals::new(Retry::seeded(3));
            let waits = (0..50).map(|_| {
                let _bounded = refusals.lost();
                refusals.wait(took)
            });
            waits.max().unwrap_or_default()
        };
        let slow = longest(Duration::from_secs(1));
        assert!(slow > Duration::from_secs(4) && slow < Duration::from_secs(8), "{slow:?}");
        let slowest = longest(Duration::from_secs(60));
        assert!(slowest > Duration::from_secs(8) && slowest < Duration::from_secs(10));
    }
}

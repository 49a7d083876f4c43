//! How long is waited, and for what: only time in which a cluster answered speaks against a rollout.
//!
//! ```text
//! `--timeout 1h`  ->  over after an hour: nobody knows how it ends, which is no failure
//! a full quota    ->  stays for 15 s of answered looks: a failure
//! ```
//! Pure but for sleeping: the moments are handed in. When a workload itself is too slow its own controller says:
//! `progressDeadlineSeconds` of a Deployment or Rollout, `activeDeadlineSeconds` and `backoffLimit` of a Job.

use std::time::Duration;
use tokio::time::Instant;

/// Rounds in a row in which a place may stay without an answer.
const SILENT_ROUNDS_MAX: u32 = 30;
/// How long what keeps pods from being made may last: an old pod that leaves makes room in a full quota, and a policy that
/// refused an earlier try may be gone.
const DOUBT_MAX: Duration = Duration::from_secs(15);
/// How often a digest is asked for whose contents cannot be read, and the first pause between two times.
const READS_MAX: u32 = 5;
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long a whole deploy is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    whole: Option<Duration>,
    begun: Instant,
}

impl Patience {
    /// Begins now; none: without end.
    pub(super) fn begins(whole: Option<Duration>) -> Self {
        Self { whole, begun: Instant::now() }
    }

    /// Resolves when it is over, with how long it was.
    pub(super) async fn over(&self) -> Duration {
        match self.whole.and_then(|whole| Some((whole, self.begun.checked_add(whole)?))) {
            Some((whole, until)) => {
                tokio::time::sleep_until(until).await;
                whole
            }
            None => std::future::pending().await,
        }
    }
}

/// How often in a row one place gave no answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence(u32);

impl Silence {
    pub(super) fn answered(&mut self) {
        self.0 = 0;
    }

    /// Counts a round without an answer; whether that was one too many.
    pub(super) fn is_too_long(&mut self) -> bool {
        self.0 += 1;
        self.0 > SILENT_ROUNDS_MAX
    }
}

/// How long something that should pass has stayed, as far as it was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubt {
    last: Option<Instant>,
    stayed: Duration,
}

impl Doubt {
    /// It is still there; whether it has stayed too long.
    pub(super) fn stays(&mut self, now: Instant) -> bool {
        let since = self.last.replace(now).map(|last| now.saturating_duration_since(last));
        self.stayed += since.unwrap_or_default();
        self.stayed > DOUBT_MAX
    }

    /// Nobody can tell whether it is still there: this time does not count.
    pub(super) fn unanswered(&mut self) {
        self.last = None;
    }

    pub(super) fn passes(&mut self) {
        *self = Self::default();
    }
}

/// When something that could not be read is tried again: after 1, 2, 4 and 8 seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reads {
    tried: u32,
    next: Option<Instant>,
}

impl Reads {
    pub(super) fn is_due(&self, now: Instant) -> bool {
        !self.is_given_up() && self.next.is_none_or(|next| next <= now)
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.tried >= READS_MAX
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.next = now.checked_add(READ_AGAIN_AFTER * 2_u32.pow(self.tried.min(READS_MAX)));
        self.tried += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn patience_is_over_after_its_time_and_never_without_one() {
        let begun = Instant::now();
        let ten = Duration::from_secs(600);
        assert_eq!(Patience::begins(Some(ten)).over().await, ten);
        assert_eq!(begun.elapsed().as_secs(), 600);
        let endless = Patience::begins(None);
        let year = Duration::from_secs(365 * 86_400);
        assert!(tokio::time::timeout(year, endless.over()).await.is_err());
    }

    #[test]
    fn a_place_may_be_silent_for_thirty_rounds_in_a_row_and_not_for_one_more() {
        let mut silence = Silence::default();
        for _ in 0..2 {
            assert!((0..SILENT_ROUNDS_MAX).all(|_| !silence.is_too_long()));
            silence.answered();
        }
        assert!((0..SILENT_ROUNDS_MAX).all(|_| !silence.is_too_long()));
        assert!(silence.is_too_long());
    }

    #[test]
    fn a_doubt_stays_only_while_somebody_answers() {
        let begun = Instant::now();
        let mut doubt = Doubt::default();
        assert!(!doubt.stays(begun));
        assert!(!doubt.stays(begun + DOUBT_MAX), "as long as it may");
        doubt.unanswered();
        let later = begun + Duration::from_secs(3_600);
        assert!(!doubt.stays(later), "an hour without an answer is no hour of a full quota");
        assert!(doubt.stays(later + SECOND), "and a second more than it may");
        doubt.passes();
        assert!(!doubt.stays(later + 100 * SECOND));
    }

    #[test]
    fn what_cannot_be_read_is_tried_five_times_with_growing_pauses() {
        let begun = Instant::now();
        let (mut reads, mut now, mut pauses) = (Reads::default(), begun, Vec::new());
        while !reads.is_given_up() {
            let asked = now;
            while !reads.is_due(now) {
                now += SECOND;
            }
            pauses.push((now - asked).as_secs());
            reads.failed(now);
        }
        assert_eq!(pauses, [0, 1, 2, 4, 8]);
        assert!(!reads.is_due(now + 3_600 * SECOND));
    }
}

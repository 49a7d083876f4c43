//! A pause that a registry asks for is kept by every request to it, not only by the one that was told.
//!
//! ```text
//! 429, Retry-After: 30, to one of 64     the other 63 that have not gone out yet wait these 30 s too
//! ```

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oci::limit::RETRY_AFTER_S_MAX;
use tokio::time::Instant;

/// The longest that one request waits because others were told to.
const WAIT_MAX: Duration = Duration::from_secs(RETRY_AFTER_S_MAX);

/// From when on a registry may be asked again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    until: Mutex<Option<Instant>>,
}

impl Pace {
    /// Keeps requests back for so long; a longer pause that is under way stays.
    pub(super) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause.min(WAIT_MAX);
        let mut kept = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(kept.map_or(until, |kept| kept.max(until)));
    }

    /// Waits until the pause is over, and for new ones at most [`WAIT_MAX`] in all.
    pub(super) async fn wait(&self) {
        let last = Instant::now() + WAIT_MAX;
        loop {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.map(|until| until.min(last)) {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                Some(_) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_all_and_ends_at_its_bound() {
        let pace = Pace::default();
        let start = Instant::now();
        pace.wait().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.pause(Duration::from_secs(30));
        pace.pause(Duration::from_secs(5));
        pace.wait().await;
        assert_eq!(start.elapsed().as_secs(), 30);
        let start = Instant::now();
        pace.pause(Duration::from_secs(RETRY_AFTER_S_MAX + 1));
        pace.wait().await;
        assert_eq!(start.elapsed().as_secs(), RETRY_AFTER_S_MAX);
    }
}

//! How long is waited, and how often is asked again.

use std::time::Duration;

/// The longest pause that we choose ourselves; a registry's `Retry-After` may be longer.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// Limits on waiting. Source of the defaults: DESIGN §12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte, either way.
    pub idle: Duration,
    /// How often is asked again after the first time.
    pub retries: u32,
    /// How often a connection is tried again that was not made: a restart is bridged, and a wrong name or port
    /// is told while the person still looks.
    pub connect_retries: u32,
    /// The first pause; each further one is twice as long, up to 20 s.
    pub first_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            retries: 5,
            connect_retries: 2,
            first_pause: Duration::from_millis(500),
        }
    }
}

impl Patience {
    /// The pause before the retry after `tried` tries: between half of its length and all of it.
    pub(super) fn pause(&self, tried: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << tried.saturating_sub(1).min(16));
        let full = doubled.min(PAUSE_MAX);
        full.mul_f64(0.5 + 0.5 * fraction())
    }
}

/// A number from 0 to 1, so that many clients that failed together do not come back together.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness the pause is the same for all, which is worse but no failure.
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_jitter_up_to_20_seconds() {
        let patience = Patience::default();
        for (tried, full_ms) in
            [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 20_000), (40, 20_000)]
        {
            let pause = patience.pause(tried).as_millis();
            assert!((full_ms / 2..=full_ms).contains(&pause), "{tried}: {pause}");
        }
    }
}

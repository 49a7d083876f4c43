//! Waiting for a condition with a deadline and a reason, never for a while.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `holds` says yes, for 30 seconds at most; `what` goes into the error.
///
/// # Errors
/// The deadline passed.
pub fn wait_until(what: &str, holds: impl FnMut() -> bool) -> Result<()> {
    wait_until_within(WAIT, what, holds)
}

/// Waits until `holds` says yes, for `limit` at most; `what` goes into the error.
///
/// # Errors
/// The deadline passed.
pub fn wait_until_within(
    limit: Duration,
    what: &str,
    mut holds: impl FnMut() -> bool,
) -> Result<()> {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() >= limit {
            bail!("waited {} s in vain: {what}", limit.as_secs_f32());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_ends_the_wait() {
        let mut asked = 0;
        wait_until("the third question", || {
            asked += 1;
            asked == 3
        })
        .unwrap();
        assert_eq!(asked, 3);
    }

    #[test]
    fn a_wait_in_vain_says_what_for() {
        let error = wait_until_within(Duration::ZERO, "rain", || false).unwrap_err();
        assert_eq!(error.to_string(), "waited 0 s in vain: rain");
    }
}

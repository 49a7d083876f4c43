//! What a connection is doing, so that one that does nothing can be closed.
//!
//! ```text
//! handling 0, sending 1, last moved 61 s ago  -> stalled: the client reads nothing
//! handling 0, sending 0, last moved 61 s ago  -> idle, or its header never ends
//! ```
//! One watch for HTTP/1 and HTTP/2, from the first byte on: a client that connects and says nothing too.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One connection's activity; shared by its requests and bodies.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    /// Requests inside a handler; a handler's own waits have their own limits.
    handling: AtomicU32,
    /// Milliseconds after `began` at which something moved.
    moved_ms: AtomicU64,
}

/// A request that is inside its handler, until this is dropped.
#[derive(Debug)]
pub(crate) struct Handling<'a>(&'a Activity);

impl Activity {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), handling: AtomicU32::new(0), moved_ms: AtomicU64::new(0) }
    }

    /// Something went in or out.
    pub(crate) fn moved(&self) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(ms, Ordering::Relaxed);
    }

    /// A request is being handled.
    pub(crate) fn handle(&self) -> Handling<'_> {
        self.handling.fetch_add(1, Ordering::Relaxed);
        Handling(self)
    }

    /// How long nothing has moved; zero while a handler works.
    pub(crate) fn still_for(&self) -> Duration {
        if self.handling.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        let moved = Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(moved)
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        self.0.handling.fetch_sub(1, Ordering::Relaxed);
        self.0.moved();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_not_still_while_a_handler_works() {
        let activity = Activity {
            began: Instant::now() - Duration::from_secs(100),
            handling: AtomicU32::new(0),
            moved_ms: AtomicU64::new(0),
        };
        assert!(activity.still_for() >= Duration::from_secs(100));
        let handling = activity.handle();
        assert_eq!(activity.still_for(), Duration::ZERO);
        drop(handling);
        assert!(activity.still_for() < Duration::from_secs(50));
    }
}

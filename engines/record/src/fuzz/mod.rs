//! Bodies for fuzzers, and stories for tests: records made of one-line steps.

pub mod story;

use crate::event::Event;

/// Any bytes: read as an event or refused; what is read has one spelling.
///
/// # Panics
/// When an invariant breaks, which is what a fuzzer looks for.
pub fn event(bytes: &[u8]) {
    if let Ok(event) = Event::read(bytes) {
        assert_eq!(event.to_bytes().ok().as_deref(), Some(bytes));
    }
}

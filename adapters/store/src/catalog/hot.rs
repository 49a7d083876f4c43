//! What was read lately, kept in memory: bounded, and never older than an answered write.
//!
//! ```text
//! ticket = miss(key) -> read the row -> keep(ticket, value)      unless key was forgotten meanwhile
//! commit -> forget(key) -> answer
//! ```
//! A write forgets after its commit and before its answer, on the writer's thread. A reader that started
//! before and ends after keeps nothing: its ticket is void. The data folder has one process, so that
//! nobody writes behind this.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys share this many counters: forgetting one voids the tickets of few others.
const COUNTERS: usize = 64;

/// A bounded cache of rows.
#[derive(Debug)]
pub(super) struct Hot<V> {
    weight_max: usize,
    hasher: RandomState,
    state: Mutex<State<V>>,
}

#[derive(Debug)]
struct State<V> {
    /// Entries go from here to `old` all at once, when they weigh half of what may be kept.
    young: HashMap<String, (V, usize)>,
    young_weight: usize,
    old: HashMap<String, (V, usize)>,
    forgotten: [u64; COUNTERS],
}

/// The right to keep what is read from now on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    counter: usize,
    forgotten: u64,
}

impl<V: Clone> Hot<V> {
    pub(super) fn new(weight_max: usize) -> Self {
        let state = State {
            young: HashMap::new(),
            young_weight: 0,
            old: HashMap::new(),
            forgotten: [0; COUNTERS],
        };
        Self { weight_max, hasher: RandomState::new(), state: Mutex::new(state) }
    }

    /// The value, or a ticket to keep it once it was read.
    pub(super) fn get(&self, key: &str) -> Result<V, Ticket> {
        let mut state = self.state();
        if let Some((value, _)) = state.young.get(key) {
            return Ok(value.clone());
        }
        if let Some((value, weight)) = state.old.remove(key) {
            self.insert(&mut state, key.to_owned(), value.clone(), weight);
            return Ok(value);
        }
        let counter = self.counter(key);
        Err(Ticket { counter, forgotten: state.forgotten[counter] })
    }

    /// Keeps what was read, unless it was forgotten since the ticket was given.
    pub(super) fn keep(&self, ticket: Ticket, key: String, value: V, weight: usize) {
        let mut state = self.state();
        if state.forgotten[ticket.counter] == ticket.forgotten && weight <= self.weight_max / 4 {
            self.insert(&mut state, key, value, weight);
        }
    }

    /// Forgets a value that has changed.
    pub(super) fn forget(&self, key: &str) {
        let mut state = self.state();
        state.forgotten[self.counter(key)] += 1;
        if let Some((_, weight)) = state.young.remove(key) {
            state.young_weight -= weight;
        }
        state.old.remove(key);
    }

    /// Forgets everything.
    pub(super) fn forget_all(&self) {
        let mut state = self.state();
        state.forgotten.iter_mut().for_each(|count| *count += 1);
        state.young.clear();
        state.young_weight = 0;
        state.old.clear();
    }

    fn insert(&self, state: &mut State<V>, key: String, value: V, weight: usize) {
        if state.young_weight + weight > self.weight_max / 2 {
            state.old = std::mem::take(&mut state.young);
            state.young_weight = 0;
        }
        state.young_weight += weight;
        if let Some((_, replaced)) = state.young.insert(key, (value, weight)) {
            state.young_weight -= replaced;
        }
    }

    fn counter(&self, key: &str) -> usize {
        // The remainder of a 64-bit hash by 64 fits any usize.
        usize::try_from(self.hasher.hash_one(key) % COUNTERS as u64).unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(hot: &Hot<u32>, key: &str) -> Option<u32> {
        hot.get(key).ok()
    }

    fn keep(hot: &Hot<u32>, key: &str, value: u32, weight: usize) {
        let ticket = hot.get(key).unwrap_err();
        hot.keep(ticket, key.to_owned(), value, weight);
    }

    #[test]
    fn what_was_forgotten_while_it_was_read_is_not_kept() {
        let hot = Hot::new(100);
        let ticket = hot.get("a").unwrap_err();
        hot.forget("a");
        hot.keep(ticket, "a".to_owned(), 1, 1);
        assert_eq!(kept(&hot, "a"), None);
        keep(&hot, "a", 2, 1);
        assert_eq!(kept(&hot, "a"), Some(2));
        hot.forget("a");
        assert_eq!(kept(&hot, "a"), None);
        keep(&hot, "a", 3, 1);
        hot.forget_all();
        assert_eq!(kept(&hot, "a"), None);
    }

    #[test]
    fn what_is_used_stays_and_the_weight_is_bounded() {
        let hot = Hot::new(100);
        keep(&hot, "used", 0, 10);
        for at in 1..100 {
            keep(&hot, &at.to_string(), at, 10);
            assert_eq!(kept(&hot, "used"), Some(0), "after {at}");
            let state = hot.state();
            let weight = |map: &HashMap<_, (u32, usize)>| map.values().map(|v| v.1).sum::<usize>();
            assert!(weight(&state.young) + weight(&state.old) <= 100);
            assert_eq!(weight(&state.young), state.young_weight);
        }
        assert_eq!(kept(&hot, "1"), None);
    }

    #[test]
    fn one_value_takes_a_quarter_at_most() {
        let hot = Hot::new(100);
        keep(&hot, "fits", 1, 25);
        keep(&hot, "large", 2, 26);
        assert_eq!((kept(&hot, "fits"), kept(&hot, "large")), (Some(1), None));
    }
}

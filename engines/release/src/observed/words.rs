//! Words that many containers share, each kept once.
//!
//! ```text
//! 10 pods of shop/api:1@sha256:9f…, 3 runs of each  ->  one text, 30 pointers
//! ```
//! What nobody uses any more is forgotten when there are twice as many as after the last look.

use std::collections::HashSet;
use std::sync::Arc;

/// Fewer are not looked through.
const FEW: usize = 1_024;

/// The words that are in use.
#[derive(Clone, Debug)]
pub(super) struct Words {
    known: HashSet<Arc<str>>,
    look_at: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self { known: HashSet::new(), look_at: FEW }
    }
}

impl Words {
    /// The one that is kept of this text.
    pub(super) fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.look_at {
            self.known.retain(|word| Arc::strong_count(word) > 1);
            self.look_at = (self.known.len() * 2).max(FEW);
        }
        let word: Arc<str> = text.into();
        self.known.insert(Arc::clone(&word));
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_kept_once() {
        let mut words = Words::default();
        let (one, other) = (words.keep("shop/api:1"), words.keep("shop/api:1"));
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(&*words.keep("shop/web:1"), "shop/web:1");
    }

    #[test]
    fn what_nobody_uses_is_forgotten_and_what_is_used_stays() {
        let mut words = Words::default();
        let used = words.keep("used");
        for nth in 0..10 * FEW {
            words.keep(&nth.to_string());
            assert!(words.known.len() <= FEW + 1, "{nth}");
        }
        assert!(Arc::ptr_eq(&used, &words.keep("used")));
    }
}

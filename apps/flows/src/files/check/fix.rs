//! What `pin` would write at a place, where the lock knows the digest: a change that another program can carry out.
//!
//! ```text
//! 9:16-9:30  shop/api:1.4.2  ->  shop/api:1.4.2@sha256:9f…
//! ```
//! Asks nobody. The same plan as `pin`'s; only `pin` proves it and writes it.

use crate::files::lock::Lock;
use crate::files::resolve::asks_for;
use pin::{Scan, Style, plan_pin};
use std::collections::BTreeMap;

/// A part of a file that becomes another text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Line and column of its first character, both from 1.
    pub start: (usize, usize),
    /// Line and column behind its last one.
    pub end: (usize, usize),
    /// What stands there then.
    pub text: String,
}

/// The replacements of each site, by its place in the scan.
pub(super) fn fixes(text: &str, scan: &Scan, lock: &Lock) -> BTreeMap<usize, Vec<Replacement>> {
    let mut answers = BTreeMap::new();
    for reference in scan.unpinned() {
        let locked = asks_for(reference).and_then(|asked| lock.images.get(&asked));
        if let Some(locked) = locked {
            answers.insert(reference.clone(), locked.digest);
        }
    }
    let mut fixes: BTreeMap<usize, Vec<Replacement>> = BTreeMap::new();
    if answers.is_empty() {
        return fixes;
    }
    let mut edits = plan_pin(scan, &answers, Style::TagDigest).edits;
    // In the order of the file, so that its lines are counted once.
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut lines = pin::Places::new(text);
    for edit in edits {
        let (start, end) = (lines.of(edit.span.start), lines.of(edit.span.end));
        let replacement = Replacement { start, end, text: edit.text };
        fixes.entry(edit.site).or_default().push(replacement);
    }
    fixes
}

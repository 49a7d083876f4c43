//! Answers: what is said, how it is known, how sharp it is, and what it leaves out.
//!
//! ```text
//! { basis: intended, precision: unconfirmed, gaps: [nothing observes prod], items: […] }
//! ```
//! "Unknown" is an answer: a question about a time that nothing covers has a gap, never an empty "no".

use domain::Timestamp;
use serde::Serialize;
use std::fmt;

/// How an answer is known. Source: DESIGN §3, laws 5 and 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Containers were watched.
    Observed,
    /// It was decided and written to files or git; nothing observed the result.
    Intended,
    /// Read from what somebody else kept.
    Imported,
}

/// How sharp the ends of an interval are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The moment itself was reported.
    Exact,
    /// The moment lies between two that were.
    Bounded,
    /// Nothing confirms it.
    Unconfirmed,
}

/// A stretch of time, or a place, that the answer does not cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// From then on; none: from the beginning.
    pub from: Option<Timestamp>,
    /// Until then; none: until now.
    pub until: Option<Timestamp>,
    /// Why nothing is known.
    pub why: String,
}

/// What is said, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer<T> {
    /// How the items are known; the weakest of theirs.
    pub basis: Basis,
    /// How sharp they are; the weakest of theirs.
    pub precision: Precision,
    /// What is not covered.
    pub gaps: Vec<Gap>,
    /// What is said.
    pub items: Vec<T>,
}

impl<T> Answer<T> {
    /// An answer from what was decided, where nothing observes.
    #[must_use]
    pub fn intended(items: Vec<T>) -> Self {
        let why = "nothing observes: this is what was decided, not what was seen to run".to_owned();
        let gaps = vec![Gap { from: None, until: None, why }];
        Self { basis: Basis::Intended, precision: Precision::Unconfirmed, gaps, items }
    }

    /// The same answer about something else of each item.
    #[must_use]
    pub fn map<U>(&self, of: impl FnMut(&T) -> U) -> Answer<U> {
        let items = self.items.iter().map(of).collect();
        Answer { basis: self.basis, precision: self.precision, gaps: self.gaps.clone(), items }
    }

    /// Adds something that the answer does not cover.
    #[must_use]
    pub fn with_gap(mut self, gap: Gap) -> Self {
        self.gaps.push(gap);
        self
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observed => "observed",
            Self::Intended => "intended",
            Self::Imported => "imported",
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Bounded => "bounded",
            Self::Unconfirmed => "unconfirmed",
        })
    }
}

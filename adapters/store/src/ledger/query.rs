//! Questions to the record, and the SQL that answers them.

use domain::Timestamp;
use record::{Facet, Kind};

/// The most events of one page. Source: DESIGN §12, limits.
pub const PAGE_MAX: usize = 1_000;

/// Which events, in which order. `Query::default()` asks for the oldest [`PAGE_MAX`] of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Only of these kinds; of all where empty.
    pub kinds: Vec<Kind>,
    /// About all of these.
    pub all_of: Vec<(Facet, String)>,
    /// About at least one of these, where there are any.
    pub any_of: Vec<(Facet, String)>,
    /// Only with a higher sequence.
    pub after: Option<u64>,
    /// Only with a lower sequence.
    pub before: Option<u64>,
    /// Only stamped then or later.
    pub from: Option<Timestamp>,
    /// Only stamped earlier than then.
    pub until: Option<Timestamp>,
    /// At most so many; [`PAGE_MAX`] is the most.
    pub limit: usize,
    /// By sequence, never by clock.
    pub order: Order,
}

/// In which order of sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the first on.
    #[default]
    OldestFirst,
    /// From the last back.
    NewestFirst,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            all_of: Vec::new(),
            any_of: Vec::new(),
            after: None,
            before: None,
            from: None,
            until: None,
            limit: PAGE_MAX,
            order: Order::OldestFirst,
        }
    }
}

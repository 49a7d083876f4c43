//! What a rollout that failed leaves behind elsewhere, for people and the record.
//!
//! ```text
//! ; told and not waited for: prod-eu shop/deployment/worker; left as they were: prod-us
//! ```

use std::fmt;

/// What a rollout that failed leaves behind elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Workloads that were told, and that nobody waits for.
    pub unwatched: Vec<String>,
    /// Clusters, and workloads of a cluster, that were told nothing.
    pub untouched: Vec<String>,
}

impl fmt::Display for LeftBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.unwatched.is_empty() {
            write!(f, "; told and not waited for: {}", self.unwatched.join(", "))?;
        }
        if !self.untouched.is_empty() {
            write!(f, "; left as they were: {}", self.untouched.join(", "))?;
        }
        Ok(())
    }
}

//! One SQLite file: one writer thread with group commit, some reader threads, append-only migrations.
//!
//! ```text
//! jobs -> bounded queue -> writer: BEGIN IMMEDIATE, a savepoint a job, COMMIT (one sync) -> answers
//! ```
//! A batch is what queued while the last one synced: no timer. Nothing is answered before its commit.

mod error;
mod readers;
mod schema;
mod writer;

pub use error::{DatabaseError, OpenError};

use std::path::Path;

/// A handle to an open database; clones are cheap, and the last one ends the writer.
#[derive(Clone, Debug)]
pub struct Database {}

impl Database {
    /// Opens a file, makes it if needed, and brings it to the newest schema. Blocks.
    ///
    /// # Errors
    /// A newer program made it, it is no store, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        todo!("{path:?}")
    }
}

//! What can go wrong with the file itself, by what a caller can do about it.

use std::path::PathBuf;

/// A read or write that the database did not carry out.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// More is waiting than the queue holds: later.
    #[error("the store is busy: {waiting} operations are waiting")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// A write or sync failed; whether it survived is unknown, and none is taken until the file was
    /// opened again with success.
    #[error("the store cannot write to its disk: {why}")]
    Unavailable {
        /// What the disk said.
        why: String,
    },
    /// No space is left; nothing was written.
    #[error("no space is left on the store's disk; nothing was written")]
    Full,
    /// What is kept is not what was written.
    #[error("the store is damaged: {what}")]
    Corrupt {
        /// What, and how that was seen.
        what: String,
    },
    /// SQLite refuses for another reason.
    #[error("the store cannot read or write a row")]
    Sqlite(#[source] rusqlite::Error),
}

/// A database file that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer program made the file.
    #[error(
        "{path} has schema {found}, made by a newer version; this one reads up to schema {known}: use the newer program, or another folder"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// The file is no database of ours.
    #[error("{path} is not a store")]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The disk refuses.
    #[error("{path} cannot be opened")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refuses for another reason.
    #[error("{path} cannot be opened as a store")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

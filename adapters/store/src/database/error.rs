//! What can go wrong with the file itself, by what a caller can do about it.

use rusqlite::ErrorCode;
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
    /// Another process kept the file to itself for too long.
    #[error("another process has been writing to the store for {seconds} s")]
    Locked {
        /// How long this one waited.
        seconds: u64,
    },
    /// A write or sync failed; whether it survived is unknown, and none is taken until the file was
    /// opened again with success.
    #[error("the store cannot use its disk: {why}")]
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
        "{} has schema {found}, made by a newer version; this one reads up to schema {known}: use the newer program, or another folder", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// The file is a database of another program.
    #[error("{} is no store of this program", .path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The disk refuses.
    #[error("{} cannot be opened", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: std::io::Error,
    },
    /// The tables of an older schema cannot be filled from its events.
    #[error("{} cannot be brought to the newest schema", .path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DatabaseError,
    },
    /// SQLite refuses for another reason.
    #[error("{} cannot be opened as a store", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

impl DatabaseError {
    /// A second copy, for each of the writers whose batch failed together.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Busy { waiting } => Self::Busy { waiting: *waiting },
            Self::Locked { seconds } => Self::Locked { seconds: *seconds },
            Self::Full => Self::Full,
            Self::Corrupt { what } => Self::Corrupt { what: what.clone() },
            Self::Unavailable { why } => Self::Unavailable { why: why.clone() },
            Self::Sqlite(error) => Self::Unavailable { why: error.to_string() },
        }
    }

    /// What a row holds cannot be read as what it must be.
    pub(crate) fn unreadable(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { what: format!("{what}: {why}") }
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                Self::Unavailable { why }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt { what: why }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Locked { seconds: super::LOCK_WAIT.as_secs() }
            }
            // SQLite's enum, not ours: what is left means a mistake in a statement.
            Some(_) | None => Self::Sqlite(error),
        }
    }
}

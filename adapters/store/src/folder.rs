//! The server's data folder: its lock, its database, its blobs.
//!
//! ```text
//! data/lock  data/indelible.db  data/blobs/  data/uploads/  data/admin.token
//! ```
//! Made with mode 0700; a second program that opens the same folder is told who has it.

use crate::blobs::{BlobLimits, Blobs};
use crate::catalog::Catalog;
use crate::database::{Database, OpenError};
use crate::ledger::Ledger;
use std::path::{Path, PathBuf};

/// An open data folder; the lock is held until the last clone of it goes.
#[derive(Clone, Debug)]
pub struct DataFolder {}

/// A folder that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another program has it.
    #[error("data folder {folder} is in use{}: stop that program, or use another folder", .pid.map_or_else(String::new, |pid| format!(" by process {pid}")))]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Who, where the lock file tells.
        pid: Option<u32>,
    },
    /// The disk refuses.
    #[error("{path} cannot be used")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
}

/// What a file that is made once turned out to be.
#[derive(Clone, PartialEq, Eq)]
pub enum WriteOnce {
    /// It was made now, with these contents.
    Made,
    /// It was there, with other or the same contents.
    There(Vec<u8>),
}

impl DataFolder {
    /// Opens a folder, makes what it lacks, and takes its lock. Blocks.
    ///
    /// # Errors
    /// Another program has it, a newer one made it, or the disk refuses.
    pub fn open(path: &Path, limits: BlobLimits) -> Result<Self, FolderError> {
        todo!("{path:?} {limits:?}")
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        todo!()
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &Database {
        todo!()
    }

    /// The registry's tables.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        todo!()
    }

    /// The record.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        todo!()
    }

    /// The bytes.
    #[must_use]
    pub fn blobs(&self) -> Blobs {
        todo!()
    }

    /// Makes a file with mode 0600 and these contents, durably, unless it is there. Blocks.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write_once(&self, name: &str, contents: &[u8]) -> Result<WriteOnce, FolderError> {
        todo!("{name} {contents:?}")
    }
}

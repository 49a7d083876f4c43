//! One SQLite file: one writer thread with group commit, some readers, append-only migrations.
//!
//! ```text
//! jobs -> bounded queue -> writer: BEGIN IMMEDIATE, job after job, COMMIT (one sync) -> answers
//! ```
//! A batch is what queued while the last one synced: no timer. Nothing is answered before its commit.

mod batch;
mod connection;
mod error;
mod observed_tables;
mod readers;
mod schema;
mod writer;

pub use error::{DatabaseError, OpenError};
pub use readers::READS_WAITING_MAX;
pub use writer::WRITES_WAITING_MAX;

use readers::Readers;
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use writer::Writer;

/// How long another process may keep the file to itself.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A handle to an open database; clones are cheap, and the last one ends the writer.
#[derive(Clone, Debug)]
pub struct Database {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    readers: Readers,
    writer: Writer,
}

impl Database {
    /// Opens a file, makes it if needed, and brings it to the newest schema. Blocks.
    ///
    /// # Errors
    /// A newer program made it, it is no store, or the disk refuses.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let connection = connection::open(path)?;
        // SQLite syncs the folder for its journals only; the file's own name must last too, also when a
        // process before us made it and was killed.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        let inner = Inner {
            path: path.to_owned(),
            readers: Readers::new(path),
            writer: Writer::start(path, connection).map_err(io)?,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs a job in a transaction, and answers once that is on the disk.
    ///
    /// An error takes the job's own changes back, and nobody else's. The job may run twice: the first run is
    /// then taken back before.
    pub(crate) async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        F: Fn(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.inner.writer.write(job, || ()).await
    }

    /// As [`Database::write`]; `after` runs between the end of the transaction, whatever that was, and
    /// the answer, also when nobody waits for the answer any more.
    pub(crate) async fn write_then<T, E, F, A>(&self, job: F, after: A) -> Result<T, E>
    where
        F: Fn(&Connection) -> Result<T, E> + Send + 'static,
        A: FnOnce() + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.inner.writer.write(job, after).await
    }

    /// Runs a question on one of the readers, off the runtime's threads.
    pub(crate) async fn read<T, F>(&self, question: F) -> Result<T, DatabaseError>
    where
        F: FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.readers.read(question).await
    }
}

//! Connections that only read: a few, opened when first needed, each used by one question at a time.

use super::connection;
use super::error::DatabaseError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// The most questions that wait for a connection; above: busy.
pub const READS_WAITING_MAX: usize = 10_000;
/// The most connections: SQLite readers do not block each other, but each has a cache.
const CONNECTIONS_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Semaphore,
    waiting: AtomicUsize,
}

/// Counts one question as waiting for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Arc::default(),
            permits: Semaphore::new(CONNECTIONS_MAX),
            waiting: AtomicUsize::new(0),
        }
    }

    pub(super) async fn read<T, F>(&self, question: F) -> Result<T, DatabaseError>
    where
        F: FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
        T: Send + 'static,
    {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let counted = Waiting(&self.waiting);
        if waiting >= READS_WAITING_MAX {
            return Err(DatabaseError::Busy { waiting });
        }
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        drop(counted);
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let answered = tokio::task::spawn_blocking(move || ask(&idle, &path, question)).await;
        drop(permit);
        answered.unwrap_or_else(|fault| {
            Err(DatabaseError::Unavailable {
                why: format!("a read was given up: {fault}"),
            })
        })
    }
}

/// A connection goes back only after an answer: one that met an error is opened anew.
fn ask<T>(
    idle: &Mutex<Vec<Connection>>,
    path: &Path,
    question: impl FnOnce(&Connection) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let connection = kept.map_or_else(|| connection::open_reader(path), Ok)?;
    let answer = question(&connection)?;
    idle.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(connection);
    Ok(answer)
}

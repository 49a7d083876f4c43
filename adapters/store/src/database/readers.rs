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
        let permit = self.permits.acquire().await.expect("the semaphore is never closed");
        drop(counted);
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let answered = tokio::task::spawn_blocking(move || ask(&idle, &path, question)).await;
        drop(permit);
        answered.unwrap_or_else(|fault| {
            Err(DatabaseError::Unavailable { why: format!("a read was given up: {fault}") })
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
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::{CONNECTIONS_MAX, READS_WAITING_MAX};
    use crate::database::{Database, DatabaseError};
    use std::sync::{Arc, Barrier};

    #[tokio::test]
    async fn the_limit_of_questions_waits_and_one_above_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("a.db")).unwrap();
        let barrier = Arc::new(Barrier::new(CONNECTIONS_MAX + 1));
        let (entered, mut inside) = tokio::sync::mpsc::channel(CONNECTIONS_MAX);
        let stalled: Vec<_> = (0..CONNECTIONS_MAX)
            .map(|_| {
                let (database, barrier) = (database.clone(), Arc::clone(&barrier));
                let entered = entered.clone();
                tokio::spawn(async move {
                    let question = move |_: &rusqlite::Connection| {
                        entered.blocking_send(()).unwrap();
                        barrier.wait();
                        Ok(())
                    };
                    database.read(question).await
                })
            })
            .collect();
        for _ in 0..CONNECTIONS_MAX {
            inside.recv().await.unwrap();
        }
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut waiting: Vec<_> =
            (0..READS_WAITING_MAX).map(|_| Box::pin(database.read(|_| Ok(())))).collect();
        for read in &mut waiting {
            assert!(read.as_mut().poll(&mut context).is_pending());
        }
        let error = database.read(|_| Ok(())).await.unwrap_err();
        assert!(matches!(error, DatabaseError::Busy { waiting: READS_WAITING_MAX }), "{error}");
        // Those that go away no longer wait.
        drop(waiting);
        barrier.wait();
        for read in stalled {
            read.await.unwrap().unwrap();
        }
        database.read(|_| Ok(())).await.unwrap();
    }
}

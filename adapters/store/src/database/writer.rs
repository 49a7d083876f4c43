//! The one thread that writes: it takes what has queued, commits it together, and answers.
//!
//! After a failed write or sync nothing is known about the disk. The batch is lost, never tried again;
//! the file is opened anew and its log emptied before another write is taken.

use super::batch::{self, Closure, Ended, Job};
use super::connection::{self, Emptied};
use super::error::DatabaseError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most writes that wait; above: busy.
pub const WRITES_WAITING_MAX: usize = 4_096;
/// The most writes in one transaction: what queued during one sync, and a bound for its answer's delay.
const JOBS_IN_BATCH_MAX: usize = 256;
/// After a failure the disk is tried again at most so often.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(path: &Path, connection: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::sync_channel(WRITES_WAITING_MAX);
        let mut turn = Turn { path: path.to_owned(), state: State::Open(connection) };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || turn.until_closed(&jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(super) async fn write<T, E, F, A>(&self, job: F, after: A) -> Result<T, E>
    where
        F: Fn(&Connection) -> Result<T, E> + Send + 'static,
        A: FnOnce() + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Box::new(Closure::new(job, after, answer)))?;
        answered.await.unwrap_or_else(|_| Err(stopped().into()))
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), DatabaseError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(job).map_err(|refused| match refused {
            mpsc::TrySendError::Full(_) => DatabaseError::Busy { waiting: WRITES_WAITING_MAX },
            mpsc::TrySendError::Disconnected(_) => stopped(),
        })
    }
}

impl Drop for Writer {
    /// Waits until what was queued is written: whoever opens the file next finds it closed.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _faulted = thread.join();
        }
    }
}

fn stopped() -> DatabaseError {
    DatabaseError::Unavailable { why: "the writer has stopped".to_owned() }
}

enum State {
    Open(Connection),
    Closed { why: DatabaseError, tried: Instant },
}

struct Turn {
    path: PathBuf,
    state: State,
}

impl Turn {
    fn until_closed(&mut self, queue: &mpsc::Receiver<Box<dyn Job>>) {
        while let Ok(first) = queue.recv() {
            let more = queue.try_iter().take(JOBS_IN_BATCH_MAX - 1);
            let jobs: Vec<_> = std::iter::once(first).chain(more).collect();
            self.batch(jobs);
        }
    }

    fn batch(&mut self, jobs: Vec<Box<dyn Job>>) {
        self.reopen_when_due();
        match &self.state {
            State::Closed { why, .. } => {
                jobs.into_iter().for_each(|job| job.lost(why.again()));
            }
            State::Open(connection) => {
                if let Ended::Unknown(error) = batch::run(connection, jobs) {
                    let why = error.to_string();
                    tracing::error!(path = %self.path.display(), why, "the store cannot write");
                    self.state = closed(&why);
                }
            }
        }
    }

    fn reopen_when_due(&mut self) {
        let State::Closed { tried, .. } = &self.state else {
            return;
        };
        if tried.elapsed() < REOPEN_EVERY {
            return;
        }
        self.state = match reopen(&self.path) {
            Ok(connection) => {
                tracing::info!(path = %self.path.display(), "the store writes again");
                State::Open(connection)
            }
            Err(why) => closed(&why),
        };
    }
}

fn closed(why: &str) -> State {
    let why = format!("a write before it failed ({why}), and the file is opened again first");
    State::Closed { why: DatabaseError::Unavailable { why }, tried: Instant::now() }
}

/// Opens the file and empties its log: a frame whose sync failed may be on the disk or not, and no
/// answered write may ever stand behind it.
fn reopen(path: &Path) -> Result<Connection, String> {
    let connection = connection::open(path).map_err(|error| error.to_string())?;
    match connection::empty_write_ahead_log(&connection) {
        Ok(Emptied::Yes) => Ok(connection),
        Ok(Emptied::HeldByReader) => Err("a reader holds the log".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use crate::database::{Database, DatabaseError, WRITES_WAITING_MAX};
    use std::sync::mpsc;

    fn database() -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("a.db")).unwrap();
        (folder, database)
    }

    /// Keeps the writer inside one job until the sender goes.
    async fn stall(database: &Database) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
        let (go, wait) = mpsc::channel::<()>();
        let (inside, entered) = tokio::sync::oneshot::channel();
        let handle = database.clone();
        let job = tokio::spawn(async move {
            let inside = std::sync::Mutex::new(Some(inside));
            let job = move |_: &rusqlite::Connection| {
                let inside = inside.lock().unwrap().take().unwrap();
                let _sent = inside.send(());
                let _gone = wait.recv();
                Ok::<_, DatabaseError>(())
            };
            handle.write(job).await.unwrap();
        });
        entered.await.unwrap();
        (go, job)
    }

    fn mark(name: String) -> impl Fn(&rusqlite::Connection) -> Result<(), DatabaseError> {
        move |tx| Ok(tx.execute("INSERT INTO marker VALUES (?1, '')", [&name]).map(drop)?)
    }

    #[tokio::test]
    async fn the_queue_holds_its_limit_and_refuses_one_above() {
        let (_folder, database) = database();
        let (go, stalled) = stall(&database).await;
        let writes: Vec<_> = (0..WRITES_WAITING_MAX)
            .map(|at| Box::pin(database.write(mark(at.to_string()))))
            .collect();
        // A future queues its job when it is first polled.
        let mut writes: Vec<_> = writes.into_iter().map(queued).collect();
        let error = database.write(mark("more".to_owned())).await.unwrap_err();
        assert!(matches!(error, DatabaseError::Busy { waiting: WRITES_WAITING_MAX }), "{error}");
        drop(go);
        stalled.await.unwrap();
        for write in &mut writes {
            write.await.unwrap();
        }
    }

    /// Polls once, so that the job is queued.
    fn queued<F: Future + Unpin>(mut future: F) -> F {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(&mut future).poll(&mut context).is_pending());
        future
    }

    #[tokio::test]
    async fn a_failed_job_takes_back_its_own_changes_and_nobody_else_s() {
        let (_folder, database) = database();
        let (go, stalled) = stall(&database).await;
        let mut good = queued(Box::pin(database.write(mark("good".to_owned()))));
        let mut bad = queued(Box::pin(database.write(|tx: &rusqlite::Connection| {
            mark("bad".to_owned())(tx)?;
            Err::<(), _>(DatabaseError::Full)
        })));
        let mut faulty = queued(Box::pin(database.write(
            |tx: &rusqlite::Connection| -> Result<(), DatabaseError> {
                mark("faulty".to_owned())(tx)?;
                panic!("a fault of the program")
            },
        )));
        drop(go);
        stalled.await.unwrap();
        (&mut good).await.unwrap();
        assert!(matches!((&mut bad).await, Err(DatabaseError::Full)));
        assert!(matches!((&mut faulty).await, Err(DatabaseError::Unavailable { .. })));
        let names = database
            .read(|reader| {
                let mut statement = reader.prepare("SELECT name FROM marker")?;
                let names = statement.query_map([], |row| row.get::<_, String>(0))?;
                Ok(names.collect::<Result<Vec<_>, _>>()?)
            })
            .await
            .unwrap();
        assert_eq!(names, ["good"]);
    }

    #[tokio::test]
    async fn what_was_queued_is_written_before_the_last_handle_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let database = Database::open(&path).unwrap();
        drop(queued(Box::pin(database.write(mark("late".to_owned())))));
        drop(database);
        let file = rusqlite::Connection::open(&path).unwrap();
        let count: i64 = file.query_row("SELECT count(*) FROM marker", [], |r| r.get(0)).unwrap();
        assert_eq!(count, 1);
    }
}

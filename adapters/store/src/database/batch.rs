//! One transaction for many jobs: each can be taken back alone, all are answered after the commit.
//!
//! The first run keeps no savepoints. When a job fails after its first change, which is rare (the second of
//! several tags is taken), everything is rolled back and run again with a savepoint for each job.

use super::error::DatabaseError;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// Something to be done in a transaction, and somebody who waits for its end.
pub(super) trait Job: Send {
    /// Does it; says whether its changes stay. May be called again after a rollback.
    fn run(&mut self, tx: &Connection) -> Changes;
    /// Answers with what was done, now that it is on the disk.
    fn committed(self: Box<Self>);
    /// Answers that the batch was lost.
    fn lost(self: Box<Self>, why: DatabaseError);
}

/// Whether a job's changes stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    Stay,
    Go,
}

/// The one kind of job: a closure, what follows the batch's end, and the channel of its caller.
pub(super) struct Closure<T, E, F, A> {
    work: F,
    after: A,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F, A> Closure<T, E, F, A> {
    pub(super) fn new(work: F, after: A, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work, after, result: None, answer }
    }
}

impl<T, E, F, A> Job for Closure<T, E, F, A>
where
    F: Fn(&Connection) -> Result<T, E> + Send,
    A: FnOnce() + Send,
    T: Send,
    E: From<DatabaseError> + Send,
{
    fn run(&mut self, tx: &Connection) -> Changes {
        let work = &self.work;
        // A fault in one job must not end the thread that all others need.
        let result = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or_else(|_| {
            let why = "the program met a fault in this write; it was taken back".to_owned();
            Err(DatabaseError::Unavailable { why }.into())
        });
        let changes = if result.is_ok() { Changes::Stay } else { Changes::Go };
        self.result = Some(result);
        changes
    }

    fn committed(self: Box<Self>) {
        if let Some(result) = self.result {
            (self.after)();
            // The caller may have gone away; what it asked for is done all the same.
            let _gone = self.answer.send(result);
        }
    }

    fn lost(self: Box<Self>, why: DatabaseError) {
        // It may have reached the disk all the same.
        (self.after)();
        let _gone = self.answer.send(Err(why.into()));
    }
}

/// How a batch ended.
pub(super) enum Ended {
    /// All jobs were answered, or the batch was rolled back cleanly; the connection is good.
    Clean,
    /// What is on the disk is unknown: the connection must not be used again.
    Unknown(DatabaseError),
}

/// Runs a batch in one transaction and answers every job.
pub(super) fn run(connection: &Connection, mut jobs: Vec<Box<dyn Job>>) -> Ended {
    match carry_out(connection, &mut jobs) {
        Ok(()) => {
            jobs.into_iter().for_each(Job::committed);
            Ended::Clean
        }
        Err(error) => {
            jobs.into_iter().for_each(|job| job.lost(error.again()));
            end_after(connection, error)
        }
    }
}

/// How each job is kept apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apart {
    /// Not at all: nearly every refused job is refused before its first change.
    Unchecked,
    /// By a savepoint, for which SQLite copies every page that is changed.
    BySavepoint,
}

/// What became of a run over all jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Committed,
    /// A job wants its changes back, which cannot be told from the others'.
    Entangled,
}

fn carry_out(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), DatabaseError> {
    match run_all(connection, jobs, Apart::Unchecked)? {
        Run::Committed => Ok(()),
        Run::Entangled => {
            execute(connection, "ROLLBACK")?;
            run_all(connection, jobs, Apart::BySavepoint).map(drop)
        }
    }
}

fn run_all(
    connection: &Connection,
    jobs: &mut [Box<dyn Job>],
    apart: Apart,
) -> Result<Run, DatabaseError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    for job in jobs {
        let entangled = match apart {
            Apart::Unchecked => {
                let before = connection.total_changes();
                job.run(connection) == Changes::Go && connection.total_changes() != before
            }
            Apart::BySavepoint => {
                execute(connection, "SAVEPOINT job")?;
                if job.run(connection) == Changes::Go {
                    execute(connection, "ROLLBACK TO job")?;
                }
                false
            }
        };
        // SQLite ends the whole transaction behind our back when the disk fails or is full.
        if connection.is_autocommit() {
            let why = "it failed, or is full, inside a transaction".to_owned();
            return Err(DatabaseError::Unavailable { why });
        }
        match apart {
            Apart::Unchecked if entangled => return Ok(Run::Entangled),
            Apart::Unchecked => {}
            Apart::BySavepoint => execute(connection, "RELEASE job")?,
        }
    }
    execute(connection, "COMMIT")?;
    Ok(Run::Committed)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), DatabaseError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// After a clean refusal the transaction is taken back; after anything else nothing is trusted.
fn end_after(connection: &Connection, error: DatabaseError) -> Ended {
    let is_clean = match &error {
        DatabaseError::Full | DatabaseError::Locked { .. } | DatabaseError::Busy { .. } => true,
        DatabaseError::Unavailable { .. }
        | DatabaseError::Corrupt { .. }
        | DatabaseError::Sqlite(_) => false,
    };
    if !is_clean {
        return Ended::Unknown(error);
    }
    if connection.is_autocommit() {
        return Ended::Clean;
    }
    match connection.execute_batch("ROLLBACK") {
        Ok(()) => Ended::Clean,
        Err(failed) => Ended::Unknown(failed.into()),
    }
}

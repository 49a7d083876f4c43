//! Writers of one branch take turns: whose turn it is brings what all of them want, in one fetch and one push.
//!
//! ```text
//! a lands alone; b, c and d come meanwhile  ->  one fetch, a commit each for b, c and d, one push
//! ```
//! No timer: a batch is what queued while the last one was under way. Each edit stays with its own caller, who
//! is shown the tip and answers with files; a caller that goes away takes nobody with it. Processes of one
//! machine take turns by a file; machines race, and the loser edits again.

use crate::backoff::{Refusals, Retry};
use crate::branch_store::{note_refusal, push_refused};
use crate::cache::{Cache, Depth, Pushed};
use crate::error::GitError;
use crate::signature::Signature;
use crate::tree::Tree;
use crate::write_back::{Change, Landing};
use domain::CommitId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// The most edits of one push; those behind them have the next turn.
pub(crate) const BATCH_MAX: usize = 256;

/// How far back it is looked for a commit whose push ended without an answer.
const UNCLEAR_DEPTH: u32 = 256;

/// The callers that wait to write to one branch.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: Mutex<Vec<Job>>,
    turn: tokio::sync::Mutex<()>,
}

/// One caller, as the one whose turn it is sees it.
#[derive(Debug)]
struct Job {
    shows: mpsc::Sender<Tree>,
    wants: mpsc::Receiver<Option<Change>>,
    answer: oneshot::Sender<Result<Landing, GitError>>,
    signature: Signature,
    retry: Retry,
}

/// A caller's own end.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The tips that its edit is asked about.
    pub(crate) shown: mpsc::Receiver<Tree>,
    /// What it wants there.
    pub(crate) wants: mpsc::Sender<Option<Change>>,
    /// What became of it; closed where whoever had the turn went away.
    pub(crate) answer: oneshot::Receiver<Result<Landing, GitError>>,
}

/// What the edits of a batch came to on one tip.
struct Made {
    /// What each job is told once the last commit is on the branch, in the order of the jobs.
    landings: Vec<Landing>,
    last: CommitId,
}

impl Turns {
    /// Queues a caller.
    pub(crate) fn join(&self, signature: Signature, retry: Retry) -> Seat {
        let (shows, shown) = mpsc::channel(1);
        let (sends, wants) = mpsc::channel(1);
        let (answer, answered) = oneshot::channel();
        let job = Job { shows, wants, answer, signature, retry };
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        Seat { shown, wants: sends, answer: answered }
    }

    /// Waits for the turn, says when it `holds` it, and brings what is queued by then; nothing where another one
    /// has brought it.
    pub(crate) async fn take(&self, cache: &Cache, holds: &AtomicBool) {
        let _turn = self.turn.lock().await;
        holds.store(true, Ordering::Relaxed);
        let batch: Vec<Job> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let count = waiting.len().min(BATCH_MAX);
            waiting.drain(..count).filter(|job| !job.answer.is_closed()).collect()
        };
        if batch.is_empty() {
            return;
        }
        let _file = cache.turn().await;
        // Where the remote refuses several at once, one of them may be why: each is offered alone.
        for job in together(cache, batch).await {
            let left = together(cache, vec![job]).await;
            debug_assert!(left.is_empty(), "one alone is always answered");
        }
    }
}

/// Brings a batch, and answers each job; gives back those that are to be offered one by one.
async fn together(cache: &Cache, mut jobs: Vec<Job>) -> Vec<Job> {
    match push(cache, &mut jobs).await {
        Ok(Some(landings)) => {
            for (job, landing) in jobs.into_iter().zip(landings) {
                // Nobody listens where the caller went away.
                let _ = job.answer.send(Ok(landing));
            }
            Vec::new()
        }
        Ok(None) => jobs,
        Err(error) => {
            for job in jobs {
                let _ = job.answer.send(Err(error.clone()));
            }
            Vec::new()
        }
    }
}

/// Offers the jobs' commits until the remote takes them. `None`: refused, and there are several.
async fn push(cache: &Cache, jobs: &mut Vec<Job>) -> Result<Option<Vec<Landing>>, GitError> {
    let Some(retry) = jobs.first().map(|job| job.retry) else { return Ok(Some(Vec::new())) };
    let mut refusals = Refusals::new(retry);
    let mut tip = cache.tip(Depth::Newest(1)).await?;
    loop {
        let begun = Instant::now();
        let made = make(cache, &tip, jobs, &refusals).await?;
        if made.last == tip {
            return Ok(Some(made.landings));
        }
        let (said, depth) = match cache.push(&made.last).await? {
            Pushed::Landed => return Ok(Some(made.landings)),
            Pushed::Refused { said } => (said, Depth::Newest(1)),
            Pushed::Unclear { said } => (said, Depth::Newest(UNCLEAR_DEPTH)),
        };
        tokio::time::sleep(refusals.wait(begun.elapsed())).await;
        let now = cache.tip(depth).await?;
        let stands = now == tip;
        if !stands && cache.contains(&now, &made.last).await? {
            return Ok(Some(made.landings));
        }
        if stands && jobs.len() > 1 {
            return Ok(None);
        }
        note_refusal(&mut refusals, stands).map_err(|spent| push_refused(cache, spent, said))?;
        tip = now;
    }
}

/// Asks each job for its edit, and makes a commit of it on those before. Jobs that said no are gone afterwards.
async fn make(
    cache: &Cache,
    tip: &CommitId,
    jobs: &mut Vec<Job>,
    refusals: &Refusals,
) -> Result<Made, GitError> {
    let mut tree = Tree::list_commit(cache, tip.clone()).await?;
    let mut landings = Vec::with_capacity(jobs.len());
    let mut kept = Vec::with_capacity(jobs.len());
    let mut last = tip.clone();
    for mut job in jobs.drain(..) {
        if *tree.commit() != last {
            tree = Tree::list_commit(cache, last.clone()).await?;
        }
        let Some(change) = job.ask(tree.clone()).await else { continue };
        let commit = match commit(cache, &tree, change, &job.signature).await {
            Ok(commit) => commit,
            // Only this one's files are in the way.
            Err(error) => {
                let _ = job.answer.send(Err(error));
                continue;
            }
        };
        landings.push(match commit {
            None => Landing::Nothing { tip: last.clone() },
            Some(commit) => {
                last = commit.clone();
                Landing::Landed { commit, refusals: refusals.count() }
            }
        });
        kept.push(job);
    }
    *jobs = kept;
    Ok(Made { landings, last })
}

impl Job {
    /// `None` where the caller said no, or went away.
    async fn ask(&mut self, tree: Tree) -> Option<Option<Change>> {
        self.shows.send(tree).await.ok()?;
        self.wants.recv().await
    }
}

/// The commit of one edit; `None` where the tree says all of it already.
async fn commit(
    cache: &Cache,
    tree: &Tree,
    change: Option<Change>,
    signature: &Signature,
) -> Result<Option<CommitId>, GitError> {
    let Some(change) = change else { return Ok(None) };
    let files = tree.changes(&change.files).await?;
    if files.is_empty() {
        return Ok(None);
    }
    cache.commit(Some(tree.commit()), &files, signature, &change.message).await.map(Some)
}

//! An edit of a branch that somebody else may be editing too.
//!
//! ```text
//! fetch the tip -> ask for the edit -> commit -> push -> refused? fetch, ask again on the new tip …
//! ```
//! Edits are made again, never rebased as text: the caller sees the newest files each time and may find
//! that another one has done the work, or that its own plan no longer holds. No checkout is made. Clones of one
//! value share their turns (`turns.rs`): what queues while one push is under way goes out with the next one.

use crate::backoff::Retry;
use crate::cache::{Cache, Depth};
use crate::credential::Credential;
use crate::error::GitError;
use crate::history::{self, Log};
use crate::import::NewFile;
use crate::message::Message;
use crate::remote_url::RemoteUrl;
use crate::revision::BranchName;
use crate::run::Git;
use crate::signature::Signature;
use crate::tree::Tree;
use crate::turns::Turns;
use domain::CommitId;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How far back a revision is looked for.
const HOLDS_DEPTH: u32 = 256;

/// A branch of a remote that edits are written back to. Clones take turns.
#[derive(Clone, Debug)]
pub struct WriteBack {
    pub(crate) cache: Cache,
    turns: Arc<Turns>,
}

/// What the caller wants changed on the tip that it was shown.
#[derive(Clone, Debug)]
pub struct Change {
    /// The files with their new bytes; those that are the same already are left out.
    pub files: Vec<NewFile>,
    /// The commit's message.
    pub message: Message,
}

/// What became of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// A commit with the edit is on the branch.
    Landed {
        /// That commit.
        commit: CommitId,
        /// The pushes that were refused before.
        refusals: u32,
    },
    /// The branch says all of it already.
    Nothing {
        /// Where the branch stands.
        tip: CommitId,
    },
}

/// An edit that was not made.
#[derive(Debug, thiserror::Error)]
pub enum LandingError<E: std::error::Error + 'static> {
    /// Git could not do it.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The caller's own edit said no.
    #[error(transparent)]
    Edit(E),
}

impl WriteBack {
    /// The branch of a remote; nothing is fetched yet.
    ///
    /// `cache` is a folder of its own for this remote and branch; it may be deleted at any time.
    #[must_use]
    pub fn new(
        git: &Git,
        remote: RemoteUrl,
        credential: Credential,
        branch: BranchName,
        cache: &Path,
    ) -> Self {
        let cache = Cache::new(git, remote, credential, branch, cache);
        Self { cache, turns: Arc::default() }
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The remote's address.
    #[must_use]
    pub fn remote(&self) -> &RemoteUrl {
        self.cache.remote()
    }

    /// The branch.
    #[must_use]
    pub fn branch(&self) -> &BranchName {
        self.cache.branch()
    }

    /// The files of the branch's newest commit, for a plan that is only shown.
    ///
    /// # Errors
    /// [`GitError::NoSuchBranch`], or why the remote was not reached.
    pub async fn tree(&self) -> Result<Tree, GitError> {
        let tip = self.cache.tip(Depth::Newest(1)).await?;
        Tree::list_commit(&self.cache, tip).await
    }

    /// The newest `most` commits of the branch, first parents only, newest first.
    ///
    /// # Errors
    /// [`GitError::NoSuchBranch`], or why the remote was not reached.
    pub async fn log(&self, most: u32) -> Result<Log, GitError> {
        let tip = self.cache.tip(Depth::Newest(most.saturating_add(1))).await?;
        let call = self.cache.call("log", ["log", "--first-parent"]);
        history::read_log(call, tip.as_str(), None, most).await
    }

    /// The same with the commits that merges brought, newest first.
    ///
    /// # Errors
    /// [`GitError::NoSuchBranch`], or why the remote was not reached.
    pub async fn log_with_merged(&self, most: u32) -> Result<Log, GitError> {
        let tip = self.cache.tip(Depth::Newest(most.saturating_add(1))).await?;
        history::read_log(self.cache.call("log", ["log"]), tip.as_str(), None, most).await
    }

    /// Whether a revision of the branch is a commit, or holds it, as far as the newest commits tell.
    ///
    /// # Errors
    /// [`GitError::NoSuchBranch`], or why the remote was not reached.
    pub async fn holds(&self, revision: &CommitId, commit: &CommitId) -> Result<bool, GitError> {
        if revision == commit {
            return Ok(true);
        }
        self.cache.tip(Depth::Newest(HOLDS_DEPTH)).await?;
        self.cache.contains(revision, commit).await
    }

    /// Makes the edit that `edit` says, which is asked again on each new tip.
    ///
    /// `None` and files that are the same already are [`Landing::Nothing`]. A refused push of any
    /// wording is a race.
    ///
    /// # Errors
    /// What `edit` said, or why git could not do it; [`GitError::PushRefused`] when the tries are spent.
    pub async fn land<F, Fut, E>(
        &self,
        signature: &Signature,
        retry: Retry,
        mut edit: F,
    ) -> Result<Landing, LandingError<E>>
    where
        F: FnMut(Tree) -> Fut,
        Fut: Future<Output = Result<Option<Change>, E>>,
        E: std::error::Error + 'static,
    {
        loop {
            let mut seat = self.turns.join(signature.clone(), retry);
            let (holds, mut is_over) = (AtomicBool::new(false), false);
            let turn = self.turns.take(&self.cache, &holds);
            tokio::pin!(turn);
            let outcome = loop {
                tokio::select! {
                    biased;
                    answered = &mut seat.answer => {
                        break answered.ok().map(|landing| landing.map_err(LandingError::Git));
                    }
                    Some(tree) = seat.shown.recv() => match edit(tree).await {
                        // Whoever asked may be gone: then the answer's channel is closed, and says so.
                        Ok(change) => drop(seat.wants.send(change).await),
                        Err(error) => break Some(Err(LandingError::Edit(error))),
                    },
                    () = &mut turn, if !is_over => is_over = true,
                }
            };
            drop(seat);
            // Others may wait for the rest of our turn.
            if holds.load(Ordering::Relaxed) && !is_over {
                turn.await;
            }
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }
}

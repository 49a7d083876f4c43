//! An edit of a branch that somebody else may be editing too.
//!
//! ```text
//! fetch the tip -> ask for the edit -> commit -> push -> refused? fetch, ask again on the new tip …
//! ```
//! Edits are made again, never rebased as text: the caller sees the newest files each time and may find
//! that another one has done the work, or that its own plan no longer holds. No checkout is made.

use crate::backoff::{Refusals, Retry};
use crate::branch_store::{note_refusal, push_refused};
use crate::cache::{Cache, Depth, Pushed};
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
use domain::CommitId;
use std::future::Future;
use std::path::Path;

/// How far back it is looked for a commit whose push ended without an answer.
const UNCLEAR_DEPTH: u32 = 256;

/// A branch of a remote that edits are written back to.
#[derive(Clone, Debug)]
pub struct WriteBack {
    cache: Cache,
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
        Self { cache: Cache::new(git, remote, credential, branch, cache) }
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
        let tip = self.tip(Depth::Newest(1)).await?;
        Tree::list_commit(&self.cache, tip).await
    }

    /// The newest `most` commits of the branch, first parents only, newest first.
    ///
    /// # Errors
    /// [`GitError::NoSuchBranch`], or why the remote was not reached.
    pub async fn log(&self, most: u32) -> Result<Log, GitError> {
        let tip = self.tip(Depth::Newest(most.saturating_add(1))).await?;
        let call = self.cache.call("log", ["log", "--first-parent"]);
        history::read_log(call, tip.as_str(), None, most).await
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
        let mut refusals = Refusals::new(retry);
        let mut tip = self.tip(Depth::Newest(1)).await?;
        loop {
            let tree = Tree::list_commit(&self.cache, tip.clone()).await?;
            let change = edit(tree.clone()).await.map_err(LandingError::Edit)?;
            let Some(change) = change else {
                return Ok(Landing::Nothing { tip });
            };
            let files = tree.changes(&change.files).await?;
            if files.is_empty() {
                return Ok(Landing::Nothing { tip });
            }
            let commit = self.cache.commit(Some(&tip), &files, signature, &change.message).await?;
            let landed = |commit, refusals: &Refusals| {
                Ok(Landing::Landed { commit, refusals: refusals.count() })
            };
            let (said, depth) = match self.cache.push(&commit).await? {
                Pushed::Landed => return landed(commit, &refusals),
                Pushed::Refused { said } => (said, Depth::Newest(1)),
                Pushed::Unclear { said } => (said, Depth::Newest(UNCLEAR_DEPTH)),
            };
            tokio::time::sleep(refusals.wait()).await;
            let now = self.tip(depth).await?;
            if self.cache.contains(&now, &commit).await? {
                return landed(commit, &refusals);
            }
            note_refusal(&mut refusals, now == tip)
                .map_err(|spent| push_refused(&self.cache, spent, said))?;
            tip = now;
        }
    }

    async fn tip(&self, depth: Depth) -> Result<CommitId, GitError> {
        self.cache.fetch(depth).await?.ok_or_else(|| GitError::NoSuchBranch {
            branch: self.branch().to_string(),
            remote: self.remote().to_string(),
        })
    }
}

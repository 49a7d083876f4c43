//! An edit on a branch of our own beside the one that it is for: what a pull request asks to merge.
//!
//! ```text
//! main ──o            deploy/prod/api ──o──x     x: the edit on main's newest commit, made again when that moves
//! ```
//! The branch keeps its name and is written by us alone, with a lease on where it was seen. Somebody else's
//! commit on it is never thrown away: that is an error. Opening the pull request is not done here.

use crate::backoff::{Refusals, Retry};
use crate::branch_store::{note_refusal, push_refused};
use crate::cache::{Depth, Pushed};
use crate::error::GitError;
use crate::history::{self, Commit};
use crate::revision::BranchName;
use crate::signature::Signature;
use crate::tree::Tree;
use crate::write_back::{Change, LandingError, WriteBack};
use domain::CommitId;
use std::future::Future;
use std::time::Instant;

/// The trailer by which a commit of ours is known.
pub const TRAILER_OF_OURS: &str = "Deploy-Id";

/// How far back a commit of ours is looked for behind merges.
const LOOK_BACK: u32 = 32;

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// The branch holds the edit now.
    Pushed {
        /// Its commit.
        commit: CommitId,
    },
    /// The branch held the same edit on the same commit already.
    Same {
        /// Its commit.
        commit: CommitId,
    },
    /// The branch that it is for says all of it already.
    Nothing {
        /// Where that branch stands.
        tip: CommitId,
    },
}

impl WriteBack {
    /// Puts the edit that `edit` says on a branch of its own, made on the newest commit of this one.
    ///
    /// `edit` is asked again when either branch moved meanwhile.
    ///
    /// # Errors
    /// What `edit` said; [`GitError::NotOurs`] where somebody else wrote to the branch; or why git could not do it.
    pub async fn propose<F, Fut, E>(
        &self,
        onto: &BranchName,
        signature: &Signature,
        retry: Retry,
        mut edit: F,
    ) -> Result<Proposed, LandingError<E>>
    where
        F: FnMut(Tree) -> Fut,
        Fut: Future<Output = Result<Option<Change>, E>>,
        E: std::error::Error + 'static,
    {
        let mut refusals = Refusals::new(retry);
        loop {
            let begun = Instant::now();
            let tip = self.cache.tip(Depth::Newest(1)).await?;
            let tree = Tree::list_commit(&self.cache, tip.clone()).await?;
            let change = edit(tree.clone()).await.map_err(LandingError::Edit)?;
            let Some(change) = change else { return Ok(Proposed::Nothing { tip }) };
            let files = tree.changes(&change.files).await?;
            if files.is_empty() {
                return Ok(Proposed::Nothing { tip });
            }
            let seen = self.cache.fetch_beside(onto).await?;
            let commit = self.cache.commit(Some(&tip), &files, signature, &change.message).await?;
            if let Some(seen) = &seen
                && self.is_same(seen, &commit, &tip, onto).await?
            {
                return Ok(Proposed::Same { commit: seen.clone() });
            }
            let said = match self.cache.push_with_lease(&commit, onto, seen.as_ref()).await? {
                Pushed::Landed => return Ok(Proposed::Pushed { commit }),
                Pushed::Refused { said } | Pushed::Unclear { said } => said,
            };
            tokio::time::sleep(refusals.wait(begun.elapsed())).await;
            let now = self.cache.ask_remote_of(onto).await?;
            if now.as_ref() == Some(&commit) {
                return Ok(Proposed::Pushed { commit });
            }
            note_refusal(&mut refusals, now == seen)
                .map_err(|spent| push_refused(&self.cache, spent, said))?;
        }
    }

    /// Whether the branch holds the same edit on the same commit. Refuses to go on where it is not ours alone.
    async fn is_same(
        &self,
        seen: &CommitId,
        new: &CommitId,
        tip: &CommitId,
        onto: &BranchName,
    ) -> Result<bool, GitError> {
        let call = self.cache.call("log", ["log", "--first-parent"]);
        let log = history::read_log(call, seen.as_str(), None, LOOK_BACK).await?;
        // A merge of the target into it, as git hosts offer by a button, holds nobody's own work.
        let newest = log.commits.iter().find(|commit| commit.parents.len() < 2);
        match newest {
            Some(commit) if commit.trailers.get(TRAILER_OF_OURS).is_some() => {}
            // Nothing was ever put on it, or it was merged: it stands on the target's own past.
            Some(commit) if self.cache.contains(tip, &commit.id).await? => {}
            Some(commit) => return Err(not_ours(onto, commit)),
            None => {}
        }
        let is_on_tip = log.commits.first().is_some_and(|first| first.parents == [tip.clone()]);
        if !is_on_tip {
            return Ok(false);
        }
        let trees = [format!("{seen}^{{tree}}"), format!("{new}^{{tree}}")];
        let call = self.cache.call("rev-parse", ["rev-parse", "--verify", "--end-of-options"]);
        let seen_tree = call.arg(&trees[0]).ok().await?;
        let call = self.cache.call("rev-parse", ["rev-parse", "--verify", "--end-of-options"]);
        let new_tree = call.arg(&trees[1]).ok().await?;
        Ok(seen_tree.line()? == new_tree.line()?)
    }
}

fn not_ours(onto: &BranchName, commit: &Commit) -> GitError {
    GitError::NotOurs {
        branch: onto.to_string(),
        commit: commit.id.clone(),
        author: commit.author_name.chars().filter(|c| !c.is_control()).take(100).collect(),
    }
}

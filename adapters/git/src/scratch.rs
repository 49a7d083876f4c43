//! A small repository with files, made for the demo and the tests: commits at given times, merges.
//!
//! ```text
//! develop  A───B        prod  A───────M   (M merges B, by one of four ways)
//! ```
//! Not for the user's own repositories: it checks files out and moves branches.

use crate::credential::Credential;
use crate::error::GitError;
use crate::message::Message;
use crate::remote_url::RemoteUrl;
use crate::revision::BranchName;
use crate::run::{Call, Git};
use crate::signature::Signature;
use crate::tree_path::TreePath;
use domain::CommitId;
use std::path::{Path, PathBuf};

/// A repository with files that belongs to the caller.
#[derive(Clone, Debug)]
pub struct Scratch {
    git: Git,
    folder: PathBuf,
}

/// How one branch is brought into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The branch only moves forward; no commit is made.
    FastForward,
    /// A commit with two parents.
    Commit,
    /// One commit with all the changes and no trace of where they came from.
    Squash,
    /// The other branch's newest commit, made again.
    CherryPick,
}

impl Scratch {
    /// Makes an empty repository with files, on `branch`.
    ///
    /// # Errors
    /// When git cannot do it.
    pub async fn init(git: &Git, folder: &Path, branch: &BranchName) -> Result<Self, GitError> {
        init_with(git, folder, branch, "--no-bare").await?;
        Ok(Self { git: git.clone(), folder: folder.to_owned() })
    }

    /// Makes an empty repository without files, which others push to.
    ///
    /// # Errors
    /// When git cannot do it, or the folder's name cannot be an address.
    pub async fn init_bare(
        git: &Git,
        folder: &Path,
        branch: &BranchName,
    ) -> Result<RemoteUrl, GitError> {
        init_with(git, folder, branch, "--bare").await?;
        RemoteUrl::folder(folder)
            .map_err(|source| GitError::Remote { name: folder.display().to_string(), source })
    }

    /// Makes a copy of a branch of a remote, with its whole past.
    ///
    /// # Errors
    /// When git cannot do it.
    pub async fn clone_of(
        git: &Git,
        remote: &RemoteUrl,
        credential: &Credential,
        branch: &BranchName,
        folder: &Path,
    ) -> Result<Self, GitError> {
        let call = git.call("clone", ["clone", "--quiet", "--template=", "--no-hardlinks"]);
        let call = call.arg(format!("--branch={branch}")).arg("--").arg(remote.as_str());
        let call = call.arg(folder).reaching(remote, credential);
        let output = call.run().await?;
        if output.code != Some(0) {
            let said = output.said(&credential.secrets());
            return Err(GitError::unreached(remote.as_str(), &output.stderr, said));
        }
        Ok(Self { git: git.clone(), folder: folder.to_owned() })
    }

    /// The folder that holds the files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes files and commits all that changed.
    ///
    /// # Errors
    /// When a file cannot be written or git cannot do it.
    pub async fn commit(
        &self,
        signature: &Signature,
        message: &Message,
        files: &[(&TreePath, &[u8])],
    ) -> Result<CommitId, GitError> {
        for (path, bytes) in files {
            let at = self.folder.join(path.as_str());
            let wrong = |source| GitError::io(format!("cannot write {}", at.display()), source);
            if let Some(parent) = at.parent() {
                std::fs::create_dir_all(parent).map_err(wrong)?;
            }
            std::fs::write(&at, bytes).map_err(wrong)?;
        }
        self.call("add", ["add", "--all", "--", "."]).ok().await?;
        self.commit_index(signature, message).await
    }

    /// Makes a branch at the checked-out commit and checks it out.
    ///
    /// # Errors
    /// When git cannot do it, such as for a branch that exists.
    pub async fn branch(&self, name: &BranchName) -> Result<(), GitError> {
        self.call("switch", ["switch", "--quiet", "--create", name.as_str()]).ok().await?;
        Ok(())
    }

    /// Checks out a branch.
    ///
    /// # Errors
    /// When git cannot do it.
    pub async fn switch(&self, name: &BranchName) -> Result<(), GitError> {
        self.call("switch", ["switch", "--quiet", "--no-guess", name.as_str()]).ok().await?;
        Ok(())
    }

    /// Brings another branch into the one that is checked out, and says where that stands then.
    ///
    /// # Errors
    /// When git cannot do it, such as for a conflict.
    pub async fn merge(
        &self,
        from: &BranchName,
        how: Merge,
        signature: &Signature,
        message: &Message,
    ) -> Result<CommitId, GitError> {
        let full = from.full();
        match how {
            Merge::FastForward => {
                let args = ["merge", "--quiet", "--ff-only", &full];
                self.signed(self.call("merge", args), signature).ok().await?;
            }
            Merge::Commit => {
                let text = message.to_string();
                let args = ["merge", "--quiet", "--no-ff", "--no-edit", "-m", &text, &full];
                self.signed(self.call("merge", args), signature).ok().await?;
            }
            Merge::Squash => {
                let args = ["merge", "--quiet", "--squash", &full];
                self.signed(self.call("merge", args), signature).ok().await?;
                return self.commit_index(signature, message).await;
            }
            Merge::CherryPick => {
                let args = ["cherry-pick", "--no-commit", &full];
                self.signed(self.call("cherry-pick", args), signature).ok().await?;
                return self.commit_index(signature, message).await;
            }
        }
        self.head().await
    }

    /// Puts a plain tag on the checked-out commit.
    ///
    /// # Errors
    /// When git cannot do it, such as for a tag that exists.
    pub async fn tag(&self, name: &BranchName) -> Result<(), GitError> {
        self.call("tag", ["tag", "--no-sign", "--", name.as_str()]).ok().await?;
        Ok(())
    }

    /// The checked-out commit.
    ///
    /// # Errors
    /// When there is none yet.
    pub async fn head(&self) -> Result<CommitId, GitError> {
        let output = self.call("rev-parse", ["rev-parse", "--verify", "HEAD"]).ok().await?;
        output.line()?.parse().map_err(|_| GitError::garbled("rev-parse", &output.stdout))
    }

    /// Sets the address called `origin`.
    ///
    /// # Errors
    /// When git cannot do it.
    pub async fn set_origin(&self, remote: &RemoteUrl) -> Result<(), GitError> {
        let args = ["config", "remote.origin.url", remote.as_str()];
        self.call("config", args).ok().await?;
        Ok(())
    }

    /// Pushes a branch to a remote, without force.
    ///
    /// # Errors
    /// When the remote cannot be reached or refuses it.
    pub async fn push(
        &self,
        remote: &RemoteUrl,
        credential: &Credential,
        branch: &BranchName,
    ) -> Result<(), GitError> {
        let call = self.call("push", ["push", "--quiet", "--no-verify", "--"]);
        let call = call.arg(remote.as_str()).arg(format!("{0}:{0}", branch.full()));
        call.reaching(remote, credential).ok().await?;
        Ok(())
    }

    fn call<const N: usize>(&self, what: &'static str, args: [&str; N]) -> Call<'_> {
        self.git.call(what, args).in_folder(&self.folder)
    }

    fn signed<'a>(&self, call: Call<'a>, signature: &Signature) -> Call<'a> {
        call.variable("GIT_AUTHOR_NAME", signature.name())
            .variable("GIT_AUTHOR_EMAIL", signature.email())
            .variable("GIT_AUTHOR_DATE", signature.date())
            .variable("GIT_COMMITTER_NAME", signature.name())
            .variable("GIT_COMMITTER_EMAIL", signature.email())
            .variable("GIT_COMMITTER_DATE", signature.date())
    }

    async fn commit_index(
        &self,
        signature: &Signature,
        message: &Message,
    ) -> Result<CommitId, GitError> {
        let args = ["commit", "--quiet", "--cleanup=verbatim", "--file=-"];
        let call = self.signed(self.call("commit", args), signature);
        call.stdin(message.to_string().into_bytes()).ok().await?;
        self.head().await
    }
}

async fn init_with(
    git: &Git,
    folder: &Path,
    branch: &BranchName,
    kind: &str,
) -> Result<(), GitError> {
    let call = git.call("init", ["init", "--quiet", "--template=", kind]);
    let call = call.arg(format!("--initial-branch={branch}")).arg("--").arg(folder);
    call.ok().await?;
    Ok(())
}

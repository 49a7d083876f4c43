//! A private copy of one branch of a remote, without files.
//!
//! ```text
//! cache/shop-record/            bare; may be deleted at any time; `indelible-cache` marks it as ours
//! cache/shop-record.old         what is being removed
//! ```
//! Beside it are the locks of `held.rs`.
//! Fetches one branch, makes commits, pushes without force. Never a checkout, so no filter, no
//! attribute, no symbolic link and no submodule of the branch is ever acted upon.

use crate::credential::Credential;
use crate::error::GitError;
use crate::held;
use crate::import::{self, FileMode, NewFile};
use crate::message::Message;
use crate::remote_url::RemoteUrl;
use crate::revision::BranchName;
use crate::run::{Call, Git};
use crate::signature::Signature;
use domain::CommitId;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The ref that holds the fetched branch.
const FETCHED: &str = "refs/indelible/fetched";

/// Made beside git's own files, so that nobody else's folder is ever emptied.
const MARKER: &str = "indelible-cache";

/// The ref that holds the fetched branch of a proposal.
const PROPOSED: &str = "refs/indelible/proposed";

/// How much of a proposal's past is fetched: our one commit, and merges that a person pressed a button for.
const PROPOSED_DEPTH: u32 = 32;

/// How much of a branch's past is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Whole,
    /// The newest so many commits, where the server can cut there.
    Newest(u32),
}

/// What became of a push.
#[derive(Debug)]
pub(crate) enum Pushed {
    Landed,
    /// The remote said no.
    Refused {
        said: String,
    },
    /// The connection ended before the remote said anything; the commit may have landed.
    Unclear {
        said: String,
    },
}

/// One branch of a remote, and the folder that it is copied into.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    git: Git,
    remote: RemoteUrl,
    credential: Credential,
    branch: BranchName,
    folder: PathBuf,
}

impl Cache {
    pub(crate) fn new(
        git: &Git,
        remote: RemoteUrl,
        credential: Credential,
        branch: BranchName,
        folder: &Path,
    ) -> Self {
        Self { git: git.clone(), remote, credential, branch, folder: folder.to_owned() }
    }

    pub(crate) fn git(&self) -> &Git {
        &self.git
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn branch(&self) -> &BranchName {
        &self.branch
    }

    pub(crate) fn remote(&self) -> &RemoteUrl {
        &self.remote
    }

    /// A local process on the copy.
    pub(crate) fn call<const N: usize>(&self, what: &'static str, args: [&str; N]) -> Call<'_> {
        self.git.call(what, args).on_bare(&self.folder)
    }

    /// Brings the branch here; `None` where the remote has no such branch.
    pub(crate) async fn fetch(&self, depth: Depth) -> Result<Option<CommitId>, GitError> {
        let _held = self.lock().await?;
        self.make().await?;
        match self.fetch_branch(depth).await? {
            Ok(tip) => return Ok(Some(tip)),
            Err(_) if self.ask_remote().await?.is_none() => return Ok(None),
            Err(_) => {}
        }
        // The branch is there, so either it appeared just now, the server cannot cut the past, or
        // the copy is damaged. A new copy of the whole branch answers all three.
        self.fetch_anew().await.map(Some)
    }

    /// Brings the whole branch into a new copy.
    async fn fetch_anew(&self) -> Result<CommitId, GitError> {
        self.remove()?;
        self.make().await?;
        self.fetch_branch(Depth::Whole).await?
    }

    /// Brings the branch here, which must be there.
    pub(crate) async fn tip(&self, depth: Depth) -> Result<CommitId, GitError> {
        self.fetch(depth).await?.ok_or_else(|| GitError::NoSuchBranch {
            branch: self.branch.to_string(),
            remote: self.remote.to_string(),
        })
    }

    /// Brings another branch of the remote here beside ours; `None` where there is no such branch.
    pub(crate) async fn fetch_beside(
        &self,
        branch: &BranchName,
    ) -> Result<Option<CommitId>, GitError> {
        if self.ask_remote_of(branch).await?.is_none() {
            return Ok(None);
        }
        let _held = self.lock().await?;
        self.make().await?;
        let depth = Depth::Newest(PROPOSED_DEPTH);
        if let Ok(tip) = self.fetch_as(branch, PROPOSED, depth).await? {
            return Ok(Some(tip));
        }
        // As above; what the caller knows of our own branch must be in the new copy too.
        self.fetch_anew().await?;
        self.fetch_as(branch, PROPOSED, Depth::Whole).await?.map(Some)
    }

    /// The branch's commit as the remote tells it, without fetching.
    pub(crate) async fn ask_remote(&self) -> Result<Option<CommitId>, GitError> {
        self.ask_remote_of(&self.branch).await
    }

    /// Another branch's commit as the remote tells it.
    pub(crate) async fn ask_remote_of(
        &self,
        branch: &BranchName,
    ) -> Result<Option<CommitId>, GitError> {
        let call = self.git.call("ls-remote", ["ls-remote", "--refs", "--"]);
        let call = call.arg(self.remote.as_str()).arg(branch.full());
        let output = call.reaching(&self.remote, &self.credential).run().await?;
        if output.code != Some(0) {
            return Err(self.unreached(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let wanted = branch.full();
        let line = text.lines().find_map(|line| {
            line.split_once('\t').filter(|(_, name)| *name == wanted).map(|(id, _)| id)
        });
        line.map(|id| id.parse().map_err(|_| GitError::garbled("ls-remote", id.as_bytes())))
            .transpose()
    }

    /// The inner error is why this fetch brought nothing.
    async fn fetch_branch(&self, depth: Depth) -> Result<Result<CommitId, GitError>, GitError> {
        self.fetch_as(&self.branch, FETCHED, depth).await
    }

    async fn fetch_as(
        &self,
        branch: &BranchName,
        here: &str,
        depth: Depth,
    ) -> Result<Result<CommitId, GitError>, GitError> {
        let mut call =
            self.call("fetch", ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]);
        call = call.args(["--no-auto-maintenance", "--no-recurse-submodules"]);
        if let Depth::Newest(commits) = depth {
            call = call.arg(format!("--depth={commits}"));
        }
        let refspec = format!("+{}:{here}", branch.full());
        let call = call.arg("--").arg(self.remote.as_str()).arg(refspec);
        let output = call.reaching(&self.remote, &self.credential).run().await?;
        if output.code != Some(0) {
            return Ok(Err(self.unreached(&output)));
        }
        if let Some(tip) = self.loose_ref(here) {
            return Ok(Ok(tip));
        }
        let args = ["rev-parse", "--verify", "--quiet", here];
        let output = self.call("rev-parse", args).ok().await?;
        let tip = output.line()?.parse();
        tip.map(Ok).map_err(|_| GitError::garbled("rev-parse", &output.stdout))
    }

    /// A ref of ours out of its file, without a process; nothing where git keeps it in another way.
    fn loose_ref(&self, name: &str) -> Option<CommitId> {
        fs::read_to_string(self.folder.join(name)).ok()?.strip_suffix('\n')?.parse().ok()
    }

    /// Makes one commit that changes these files and nothing else. No branch points to it.
    pub(crate) async fn commit(
        &self,
        parent: Option<&CommitId>,
        files: &[(&NewFile, FileMode)],
        signature: &Signature,
        message: &Message,
    ) -> Result<CommitId, GitError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let count = MADE.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{}-{count}", std::process::id());
        let stream = import::stream(parent, files, signature, message, &unique);
        let call = self.call("fast-import", ["fast-import", "--quiet", "--done"]);
        let output = call.stdin(stream).ok().await?;
        let id = output.line()?;
        id.parse().map_err(|_| GitError::garbled("fast-import", &output.stdout))
    }

    /// Offers a commit as the branch's next; never by force.
    pub(crate) async fn push(&self, commit: &CommitId) -> Result<Pushed, GitError> {
        let call = self.call("push", ["push", "--porcelain", "--no-verify", "--no-follow-tags"]);
        self.pushed(call, commit, &self.branch).await
    }

    /// Puts a commit on a branch that stands where we saw it, and nowhere else; `None`: it is not there.
    pub(crate) async fn push_with_lease(
        &self,
        commit: &CommitId,
        branch: &BranchName,
        seen: Option<&CommitId>,
    ) -> Result<Pushed, GitError> {
        let call = self.call("push", ["push", "--porcelain", "--no-verify", "--no-follow-tags"]);
        let seen = seen.map(CommitId::as_str).unwrap_or_default();
        let call = call.arg(format!("--force-with-lease={}:{seen}", branch.full()));
        self.pushed(call, commit, branch).await
    }

    /// Offers an empty commit for a branch, and takes the offer back before anything is sent.
    pub(crate) async fn offer(
        &self,
        signature: &Signature,
        message: &Message,
        branch: &BranchName,
    ) -> Result<Pushed, GitError> {
        let _held = self.lock().await?;
        self.make().await?;
        let commit = self.commit(None, &[], signature, message).await?;
        let call = self.call("push", ["push", "--dry-run", "--porcelain", "--no-verify"]);
        self.pushed(call, &commit, branch).await
    }

    async fn pushed(
        &self,
        call: Call<'_>,
        commit: &CommitId,
        branch: &BranchName,
    ) -> Result<Pushed, GitError> {
        let call = call.args(["--no-recurse-submodules", "--"]).arg(self.remote.as_str());
        let call = call.arg(format!("{commit}:{}", branch.full()));
        let output = call.reaching(&self.remote, &self.credential).run().await?;
        if output.code == Some(0) {
            return Ok(Pushed::Landed);
        }
        // Only whether a line starts with `!` counts, never what it says.
        let text = String::from_utf8_lossy(&output.stdout);
        let secrets = self.credential.secrets();
        match text.lines().find_map(|line| line.strip_prefix("!\t")) {
            Some(line) => {
                let reason = line.split_once('\t').map_or(line, |(_, reason)| reason);
                let said = crate::said::refusal(&output.stderr, reason, &secrets);
                Ok(Pushed::Refused { said })
            }
            None => {
                let error = self.unreached(&output);
                if matches!(error, GitError::AuthRefused { .. }) {
                    return Err(error);
                }
                let said = output.said(&secrets);
                Ok(Pushed::Unclear { said })
            }
        }
    }

    /// Whether `old` is `new` or one of its ancestors, as far as the copy knows.
    pub(crate) async fn contains(&self, new: &CommitId, old: &CommitId) -> Result<bool, GitError> {
        if new == old {
            return Ok(true);
        }
        let args = ["merge-base", "--is-ancestor", old.as_str(), new.as_str()];
        let output = self.call("merge-base", args).run().await?;
        // Anything but 0 and 1 says that a commit is not here: then it is no known ancestor.
        Ok(output.code == Some(0))
    }

    fn unreached(&self, output: &crate::process::Output) -> GitError {
        let said = output.said(&self.credential.secrets());
        GitError::unreached(self.remote.as_str(), &output.stderr, said)
    }

    async fn make(&self) -> Result<(), GitError> {
        if self.folder.join("HEAD").is_file() && self.folder.join(MARKER).is_file() {
            return Ok(());
        }
        let wrong = |source| {
            GitError::io(format!("cannot make the folder {}", self.folder.display()), source)
        };
        held::make_private_folder(&self.folder).map_err(wrong)?;
        let call = self.git.call("init", ["init", "--quiet", "--bare", "--template=", "--"]);
        let call = call.variable("GIT_DEFAULT_REF_FORMAT", "files");
        call.arg(&self.folder).ok().await?;
        fs::write(self.folder.join(MARKER), "May be deleted at any time.\n").map_err(wrong)
    }

    fn remove(&self) -> Result<(), GitError> {
        if !self.folder.join(MARKER).is_file() {
            return Ok(());
        }
        let wrong = |source| {
            GitError::io(format!("cannot remove the folder {}", self.folder.display()), source)
        };
        // A copy of which half the objects are gone looks whole to a fetch: it goes at once, or not at all.
        let old = self.beside("old");
        match fs::remove_dir_all(&old) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(wrong(source));
            }
            Ok(()) | Err(_) => {}
        }
        fs::rename(&self.folder, &old).map_err(wrong)?;
        fs::remove_dir_all(&old).map_err(wrong)
    }

    /// A path beside the copy.
    fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.folder.clone().into_os_string();
        name.push(format!(".{what}"));
        PathBuf::from(name)
    }

    /// Waits until no other process fetches into the same folder.
    async fn lock(&self) -> Result<fs::File, GitError> {
        let limit = self.git.timeouts().remote * 2;
        let held = held::within(&self.beside("lock"), limit).await?;
        held.ok_or(GitError::Timeout { what: "fetch", seconds: limit.as_secs() })
    }

    /// The turn of this process among those of this machine that write to the same branch.
    ///
    /// `None` where it cannot be had, or not in time: then they race, as machines do.
    pub(crate) async fn turn(&self) -> Option<fs::File> {
        held::within(&self.beside("turn"), held::TURN_WITHIN).await.ok().flatten()
    }
}

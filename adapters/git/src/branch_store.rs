//! An append-only branch: each file is made once, by a commit that adds nothing else.
//!
//! ```text
//! indelible/record:  events/2026/03/17/01JQ….json   reserve/9f….json
//! ```
//! Two writers race by pushing without force; the loser fetches, asks its caller again, and commits on
//! the new tip. Processes of one machine that share a copy do not race: they take turns. The same path twice is
//! the conflict, unless the bytes are the same too. What the files mean is not known here.

use crate::backoff::{Refusals, Retry, Spent};
use crate::branch_log::{self, AddedFile};
use crate::cache::{Cache, Depth, Pushed};
use crate::credential::Credential;
use crate::error::GitError;
use crate::import::{FileMode, NewFile};
use crate::lookup;
use crate::message::Message;
use crate::objects::{FILE_BYTES_MAX, Found};
use crate::remote_url::RemoteUrl;
use crate::revision::BranchName;
use crate::run::Git;
use crate::signature::Signature;
use crate::tree_path::TreePath;
use domain::CommitId;
use std::future::Future;
use std::path::Path;
use std::time::Instant;

/// The folders in which a file, once made, stays as it is.
const FROZEN: [&str; 2] = ["events", "reserve"];

/// The most files in one append.
pub(crate) const APPEND_FILES_MAX: usize = 1000;

/// An append-only branch of a remote.
#[derive(Clone, Debug)]
pub struct BranchStore {
    cache: Cache,
}

/// Where the branch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tip {
    /// The remote has no such branch yet.
    Absent,
    /// Its newest commit.
    At(CommitId),
}

/// What to append.
#[derive(Clone, Debug)]
pub struct Append {
    /// The files; none means that there is nothing to append.
    pub files: Vec<NewFile>,
    /// The commit's message.
    pub message: Message,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// A commit that adds the files is on the branch.
    New {
        /// That commit.
        commit: CommitId,
        /// The pushes that were refused before.
        refusals: u32,
    },
    /// The branch had the same files with the same bytes, or there was nothing to append.
    Same {
        /// Where the branch stands.
        tip: Tip,
    },
    /// A file is there with other bytes; nothing was appended.
    Taken {
        /// The first such path.
        path: String,
        /// What is there.
        bytes: Vec<u8>,
    },
}

/// An append that was not made.
#[derive(Debug, thiserror::Error)]
pub enum AppendError<E: std::error::Error + 'static> {
    /// Git could not do it.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The caller's own check said no.
    #[error(transparent)]
    Decide(E),
}

/// What was looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Where the branch stands.
    pub tip: Tip,
    /// The files that were added and never touched again.
    pub files: usize,
}

impl BranchStore {
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

    /// Brings the branch here and says where it stands.
    ///
    /// # Errors
    /// When the remote cannot be reached or does not accept the credentials.
    pub async fn fetch(&self) -> Result<Tip, GitError> {
        Ok(self.cache.fetch(Depth::Whole).await?.map_or(Tip::Absent, Tip::At))
    }

    /// The files added after `since`, up to `tip`, in first-parent order, then by path.
    ///
    /// `tip` comes from [`BranchStore::fetch`] or an append.
    ///
    /// # Errors
    /// [`GitError::Rewritten`] when `since` is no longer part of the branch, [`GitError::Altered`]
    /// when a file in `events` or `reserve` was changed or removed.
    pub async fn added_since(&self, since: &Tip, tip: &Tip) -> Result<Vec<AddedFile>, GitError> {
        let steps = self.steps(since, tip).await?;
        branch_log::added(&self.cache, steps, &FROZEN, FILE_BYTES_MAX).await
    }

    /// Looks through the whole branch for a file that was changed or removed.
    ///
    /// `known` is a commit that was seen earlier, or [`Tip::Absent`].
    ///
    /// # Errors
    /// [`GitError::Altered`] names the commit and the path; [`GitError::Rewritten`] when `known` is gone.
    pub async fn verify(&self, known: &Tip) -> Result<Verified, GitError> {
        let tip = self.fetch().await?;
        self.check_descends(known, &tip).await?;
        let steps = self.steps(&Tip::Absent, &tip).await?;
        branch_log::check_frozen(&steps, &FROZEN)?;
        Ok(Verified { tip, files: steps.len() })
    }

    /// Appends what `decide` says, which is asked again on each new tip.
    ///
    /// `decide` gets the tip that its files will stand on; there it may read [`BranchStore::added_since`]
    /// and check its precondition. A refused push of any wording is a race.
    ///
    /// # Errors
    /// What `decide` said, or why git could not do it; [`GitError::PushRefused`] when the tries are spent.
    pub async fn append<F, Fut, E>(
        &self,
        signature: &Signature,
        retry: Retry,
        mut decide: F,
    ) -> Result<Appended, AppendError<E>>
    where
        F: FnMut(Tip) -> Fut,
        Fut: Future<Output = Result<Append, E>>,
        E: std::error::Error + 'static,
    {
        let _turn = self.cache.turn().await;
        let mut refusals = Refusals::new(retry);
        let mut tip = self.fetch().await?;
        loop {
            let begun = Instant::now();
            let append = decide(tip.clone()).await.map_err(AppendError::Decide)?;
            check_count(&append.files)?;
            let new = match self.compare(&tip, &append.files).await? {
                Compared::Taken { path, bytes } => return Ok(Appended::Taken { path, bytes }),
                Compared::New(new) if new.is_empty() => return Ok(Appended::Same { tip }),
                Compared::New(new) => new,
            };
            let parent = tip.commit();
            let commit = self.cache.commit(parent, &new, signature, &append.message).await?;
            let said = match self.cache.push(&commit).await? {
                Pushed::Landed => {
                    return Ok(Appended::New { commit, refusals: refusals.count() });
                }
                Pushed::Refused { said } | Pushed::Unclear { said } => said,
            };
            tokio::time::sleep(refusals.wait(begun.elapsed())).await;
            let now = self.fetch().await?;
            if let Tip::At(new_tip) = &now
                && now != tip
                && self.cache.contains(new_tip, &commit).await?
            {
                return Ok(Appended::New { commit, refusals: refusals.count() });
            }
            note_refusal(&mut refusals, now == tip)
                .map_err(|spent| push_refused(&self.cache, spent, said))?;
            tip = now;
        }
    }

    async fn steps(&self, since: &Tip, tip: &Tip) -> Result<Vec<branch_log::Step>, GitError> {
        let (since, tip) = match (since, tip) {
            (_, Tip::Absent) => {
                self.check_descends(since, tip).await?;
                return Ok(Vec::new());
            }
            (Tip::At(since), Tip::At(tip)) if since == tip => return Ok(Vec::new()),
            (Tip::Absent, Tip::At(tip)) => {
                return Ok(branch_log::steps(&self.cache, None, tip).await?.steps);
            }
            (Tip::At(since), Tip::At(tip)) => (since, tip),
        };
        match branch_log::steps(&self.cache, Some(since), tip).await {
            // What the commits say of their parents proves it already.
            Ok(line) if line.stands_on.as_ref() == Some(since) => Ok(line.steps),
            other => {
                self.check_descends(&Tip::At(since.clone()), &Tip::At(tip.clone())).await?;
                Ok(other?.steps)
            }
        }
    }

    async fn check_descends(&self, known: &Tip, tip: &Tip) -> Result<(), GitError> {
        let Tip::At(known) = known else { return Ok(()) };
        let descends = match tip {
            Tip::Absent => false,
            Tip::At(tip) => self.cache.contains(tip, known).await?,
        };
        if descends {
            return Ok(());
        }
        Err(GitError::Rewritten {
            branch: self.branch().to_string(),
            remote: self.remote().to_string(),
            known: known.clone(),
        })
    }

    /// Which of the files are not there yet.
    async fn compare<'a>(&self, tip: &Tip, files: &'a [NewFile]) -> Result<Compared<'a>, GitError> {
        let Tip::At(commit) = tip else {
            return Ok(Compared::New(files.iter().map(|file| (file, FileMode::Plain)).collect()));
        };
        let paths: Vec<&TreePath> = files.iter().map(|file| &file.path).collect();
        let found = lookup::at(&self.cache, commit, &paths, FILE_BYTES_MAX).await?;
        let mut new = Vec::new();
        for (file, found) in files.iter().zip(found) {
            match found {
                Found::Missing => new.push((file, FileMode::Plain)),
                Found::File(bytes) if bytes == file.bytes => {}
                Found::File(bytes) => {
                    return Ok(Compared::Taken { path: file.path.to_string(), bytes });
                }
                Found::Other => {
                    let path = file.path.to_string();
                    return Ok(Compared::Taken { path, bytes: Vec::new() });
                }
            }
        }
        Ok(Compared::New(new))
    }
}

enum Compared<'a> {
    New(Vec<(&'a NewFile, FileMode)>),
    Taken { path: String, bytes: Vec<u8> },
}

impl Tip {
    /// The commit, where the branch exists.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitId> {
        match self {
            Self::Absent => None,
            Self::At(commit) => Some(commit),
        }
    }
}

fn check_count(files: &[NewFile]) -> Result<(), GitError> {
    if files.len() > APPEND_FILES_MAX {
        let what =
            format!("one append of {} files: more files than {APPEND_FILES_MAX}, it", files.len());
        return Err(GitError::TooLarge { what, limit: APPEND_FILES_MAX });
    }
    match files.iter().find(|file| file.bytes.len() > FILE_BYTES_MAX) {
        None => Ok(()),
        Some(file) => {
            Err(GitError::TooLarge { what: format!("file {}", file.path), limit: FILE_BYTES_MAX })
        }
    }
}

/// Counts a refusal by whether the branch still stands where the try began.
pub(crate) fn note_refusal(refusals: &mut Refusals, stands: bool) -> Result<(), Spent> {
    if stands { refusals.stood() } else { refusals.lost() }
}

/// The error when no further try is made.
pub(crate) fn push_refused(cache: &Cache, spent: Spent, said: String) -> GitError {
    let (tries, said) = match spent {
        Spent::Tries(tries) => (tries, said),
        Spent::Races(tries) => {
            (tries, format!("other writers were faster each time; last: {said}"))
        }
    };
    GitError::PushRefused {
        remote: cache.remote().to_string(),
        branch: cache.branch().to_string(),
        tries,
        said,
    }
}

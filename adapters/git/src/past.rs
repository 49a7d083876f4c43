//! What each commit of a branch did to the files below a folder, along its first parents, and their bytes.
//!
//! ```text
//! 1a2b3c…  Ann, 2026-03-01 09:12   apps/prod/api.yaml -> blob 9f…     apps/prod/old.yaml -> gone
//! ```
//! Oldest first. Where the past is cut off, the first commit has every file as it stood then, and is told apart: nobody
//! knows since when. A rename is one file that is gone and one that is there. Links and submodules are no files.

use crate::cache::{Cache, Depth};
use crate::checkout::Checkout;
use crate::credential::Credential;
use crate::error::GitError;
use crate::history::{self, Commit, FIELDS, FORMAT};
use crate::objects::{self, FILE_BYTES_MAX, Found};
use crate::remote_url::RemoteUrl;
use crate::revision::{BranchName, Revision};
use crate::run::{Call, Git};
use crate::tree_path::TreePath;
use domain::CommitId;
use std::path::{Path, PathBuf};

/// The largest log that is read: about half a million changes of files.
const LOG_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The whole past, also of a copy that was cut before. Source: git-fetch(1), `--unshallow` is this depth.
const WHOLE: Depth = Depth::Newest(0x7fff_ffff);

/// How many files are read by one process.
const READ_AT_ONCE: usize = 200;

const WHAT: &str = "log";

/// The past of one branch, or of what is checked out.
#[derive(Clone, Debug)]
pub struct Past(Of);

#[derive(Clone, Debug)]
enum Of {
    Branch(Cache),
    Checkout(Checkout),
}

/// What commits did, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastChanges {
    /// The commits that changed a file below the folder.
    pub commits: Vec<PastCommit>,
    /// Where it begins.
    pub begins: Begins,
}

/// Where a past begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// With the first commit that there ever was.
    AtFirst,
    /// More commits changed the folder than were asked for: the first one here has all files, as it left them.
    AtLimit,
    /// This clone is shallow: the first one here has all files, as it left them.
    Shallow,
}

/// One commit of the first-parent line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastCommit {
    /// What it tells of itself.
    pub commit: Commit,
    /// The files that it changed.
    pub files: Vec<PastFile>,
}

/// One file as a commit left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastFile {
    /// The path; with replacement characters where it is not UTF-8.
    pub path: String,
    /// Its bytes' name; none: it is gone, or no file any more.
    pub blob: Option<BlobId>,
}

/// The name of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(String);

/// A file's bytes, where they could be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastBytes {
    /// The bytes.
    Read(Vec<u8>),
    /// More than [`FILE_BYTES_MAX`].
    TooLarge,
    /// This clone does not have them.
    Missing,
}

impl Past {
    /// The past of a branch of a remote, fetched whole into a folder of its own, which may be deleted at any time.
    #[must_use]
    pub fn of_branch(
        git: &Git,
        remote: RemoteUrl,
        credential: Credential,
        branch: BranchName,
        cache: &Path,
    ) -> Self {
        Self(Of::Branch(Cache::new(git, remote, credential, branch, cache)))
    }

    /// The past of what is checked out. Nothing is fetched.
    #[must_use]
    pub fn of_checkout(checkout: &Checkout) -> Self {
        Self(Of::Checkout(checkout.clone()))
    }

    /// The newest `most` commits that changed something below a folder; none: anything.
    ///
    /// # Errors
    /// There is no commit, git cannot say, or the remote was not reached.
    pub async fn changes(
        &self,
        below: Option<&TreePath>,
        most: u32,
    ) -> Result<PastChanges, GitError> {
        let tip = self.tip().await?;
        let most = most.clamp(1, history::LOG_COMMITS_MAX);
        let call = self.call(WHAT, [WHAT, "-z", "--first-parent", "-m", "--raw", "--no-abbrev"]);
        let call = call.args(["--no-renames", "--no-ext-diff", "--no-textconv", FORMAT]);
        let call = call.arg(format!("--max-count={}", most.saturating_add(1)));
        let call = call.setting("log.showRoot", "true").setting("trailer.separators", ":");
        let call = call.variable("GIT_LITERAL_PATHSPECS", "1").stdout_max(LOG_BYTES_MAX);
        let call = call.args(["--end-of-options", tip.as_str(), "--"]);
        let output = call.args(below.map(TreePath::as_str)).ok().await?;
        let mut commits = read(&output.stdout)?;
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        let is_over = commits.len() > limit;
        commits.truncate(limit);
        commits.reverse();
        let begins = match (is_over, commits.first()) {
            (true, _) => Begins::AtLimit,
            (false, Some(first)) if self.is_cut_at(&first.commit.id).await? => Begins::Shallow,
            (false, Some(_) | None) => Begins::AtFirst,
        };
        if let (Begins::AtLimit, Some(first)) = (begins, commits.first_mut()) {
            first.files = self.files_of(&first.commit.id, below).await?;
        }
        Ok(PastChanges { commits, begins })
    }

    /// The bytes of files, in their order; never more than some hundred files in memory for each call of this.
    ///
    /// # Errors
    /// Git cannot say.
    pub async fn read(&self, blobs: &[BlobId]) -> Result<Vec<PastBytes>, GitError> {
        let mut all = Vec::with_capacity(blobs.len());
        for some in blobs.chunks(READ_AT_ONCE) {
            match self.read_at_once(some).await {
                Ok(read) => all.extend(read),
                // One of them, or all of them together: each for itself then.
                Err(GitError::TooLarge { .. }) => {
                    for one in some {
                        match self.read_at_once(std::slice::from_ref(one)).await {
                            Ok(read) => all.extend(read),
                            Err(GitError::TooLarge { .. }) => all.push(PastBytes::TooLarge),
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    async fn read_at_once(&self, blobs: &[BlobId]) -> Result<Vec<PastBytes>, GitError> {
        let names: Vec<String> = blobs.iter().map(|blob| blob.0.clone()).collect();
        let (git, repository) = match &self.0 {
            Of::Branch(cache) => (cache.git(), cache.folder().to_owned()),
            Of::Checkout(checkout) => (checkout.git(), self.git_folder().await?),
        };
        let found = objects::read_files(git, &repository, &names, FILE_BYTES_MAX).await?;
        let read = |found| match found {
            Found::File(bytes) => PastBytes::Read(bytes),
            Found::Missing | Found::Other => PastBytes::Missing,
        };
        Ok(found.into_iter().map(read).collect())
    }

    async fn tip(&self) -> Result<CommitId, GitError> {
        match &self.0 {
            Of::Branch(cache) => cache.tip(WHOLE).await,
            Of::Checkout(checkout) => {
                let tip = checkout.commit_of(&Revision::Head).await?;
                tip.ok_or_else(|| checkout.no_such_commit("HEAD"))
            }
        }
    }

    fn call<const N: usize>(&self, what: &'static str, args: [&str; N]) -> Call<'_> {
        match &self.0 {
            Of::Branch(cache) => cache.call(what, args),
            Of::Checkout(checkout) => checkout.call(what, args),
        }
    }

    async fn git_folder(&self) -> Result<PathBuf, GitError> {
        let args = ["rev-parse", "--absolute-git-dir"];
        Ok(PathBuf::from(self.call("rev-parse", args).ok().await?.line()?))
    }

    /// Whether the history of this commit's line is cut: a shallow clone's oldest commits seem to have no parents.
    async fn is_cut_at(&self, first: &CommitId) -> Result<bool, GitError> {
        let args = ["rev-parse", "--is-shallow-repository"];
        if self.call("rev-parse", args).ok().await?.line()? != "true" {
            return Ok(false);
        }
        let args = ["rev-list", "--first-parent", "--max-parents=0", "--end-of-options"];
        let roots = self.call("rev-list", args).arg(first.as_str()).arg("--").ok().await?;
        let root = roots.line()?.to_owned();
        // As it is stored: what git shows of it leaves out the parents that are not here.
        let args = ["cat-file", "commit", root.as_str()];
        let stored = self.call("cat-file", args).ok().await?;
        let mut header =
            stored.stdout.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        Ok(header.any(|line| line.starts_with(b"parent ")))
    }

    /// Every file below the folder, as a commit left it.
    async fn files_of(
        &self,
        commit: &CommitId,
        below: Option<&TreePath>,
    ) -> Result<Vec<PastFile>, GitError> {
        let args = ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit.as_str()];
        let call = self.call("ls-tree", args).stdout_max(LOG_BYTES_MAX).arg("--");
        let output =
            call.variable("GIT_LITERAL_PATHSPECS", "1").args(below.map(TreePath::as_str)).ok();
        let stdout = output.await?.stdout;
        let mut files = Vec::new();
        for line in stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let garbled = || GitError::garbled("ls-tree", line);
            let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(garbled)?;
            let head = std::str::from_utf8(&line[..tab]).map_err(|_| garbled())?;
            let words: Vec<&str> = head.split(' ').collect();
            let [mode, _, object] = words.as_slice() else { return Err(garbled()) };
            files.push(file(mode, object, &line[tab + 1..]));
        }
        files.retain(|file: &PastFile| file.blob.is_some());
        Ok(files)
    }
}

/// Reads commits with their raw differences, as `-z` writes them.
fn read(stdout: &[u8]) -> Result<Vec<PastCommit>, GitError> {
    let garbled = |token: &[u8]| GitError::garbled(WHAT, token);
    let body = stdout.strip_suffix(b"\0").unwrap_or(stdout);
    let tokens: Vec<&[u8]> = match body.is_empty() {
        true => Vec::new(),
        false => body.split(|byte| *byte == 0).collect(),
    };
    let mut commits = Vec::new();
    let mut rest = tokens.as_slice();
    while !rest.is_empty() {
        let fields = rest.get(..FIELDS).ok_or_else(|| garbled(stdout))?;
        let commit = history::read_commit(fields)?;
        rest = &rest[FIELDS..];
        let mut files = Vec::new();
        while let Some(entry) = rest.first().and_then(|token| entry_of(token)) {
            let path = rest.get(1).ok_or_else(|| garbled(entry))?;
            let text = std::str::from_utf8(entry).map_err(|_| garbled(entry))?;
            let words: Vec<&str> = text.split(' ').collect();
            let [_, mode, _, object, _] = words.as_slice() else { return Err(garbled(entry)) };
            files.push(file(mode, object, path));
            rest = &rest[2..];
        }
        commits.push(PastCommit { commit, files });
    }
    Ok(commits)
}

/// `OLDMODE NEWMODE OLDOBJECT NEWOBJECT STATUS` behind a colon; a commit's id has none.
fn entry_of(token: &[u8]) -> Option<&[u8]> {
    token.strip_prefix(b"\n").unwrap_or(token).strip_prefix(b":")
}

fn file(mode: &str, object: &str, path: &[u8]) -> PastFile {
    let is_object = !object.is_empty() && object.bytes().all(|byte| byte.is_ascii_hexdigit());
    let blob = match mode {
        "100644" | "100755" | "100664" if is_object => Some(BlobId(object.to_owned())),
        _ => None,
    };
    PastFile { path: String::from_utf8_lossy(path).into_owned(), blob }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_read_with_what_they_changed_and_those_that_changed_nothing() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let (zero, one) = ("0".repeat(40), "1".repeat(40));
        let log = format!(
            "{b}\0{a}\0Ann\0a@b\x007\x008\0two\0Deploy-Id: x\n\0\n:100644 000000 {one} {zero} D\0z.yaml\0\
             :000000 120000 {zero} {one} A\0:link\0{c}\0\0Eve\0e@f\x005\x005\0none\0\0\
             {a}\0\0Ann\0a@b\x005\x006\0one\0\0\n:000000 100644 {zero} {one} A\0z.yaml\0"
        );
        let commits = read(log.as_bytes()).unwrap();
        let seen: Vec<_> = commits
            .iter()
            .map(|one| {
                let files = one.files.iter().map(|file| (file.path.as_str(), file.blob.is_some()));
                (one.commit.subject.as_str(), files.collect::<Vec<_>>())
            })
            .collect();
        let expected = [
            ("two", vec![("z.yaml", false), (":link", false)]),
            ("none", vec![]),
            ("one", vec![("z.yaml", true)]),
        ];
        assert_eq!(seen, expected);
        assert_eq!(commits[0].commit.trailers.get("Deploy-Id"), Some("x"));
        assert_eq!(read(b"").unwrap(), []);
        assert!(read(b"x\0y\0").is_err());
    }
}

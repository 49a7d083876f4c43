//! What can go wrong with git, one variant for each thing that a caller can do something about.
//!
//! `said` is one line of git's own, without secrets and control characters (`said.rs`). Variants are
//! chosen by exit codes and machine-readable output; only the reason for which a remote could not be
//! reached is read from text, which is git's own and English because every process runs in locale C.

use crate::branch_log::AlteredHow;
use crate::remote_url::RemoteUrlError;
use domain::CommitId;
use std::path::PathBuf;
use std::sync::Arc;

/// Git could not do, or did not answer, what it was asked. A clone says the same: several may wait for one answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no git program.
    #[error("the program `{program}` was not found on PATH: install git 2.32 or newer")]
    ProgramMissing {
        /// The program that was looked for.
        program: PathBuf,
    },
    /// The git program is too old to be kept harmless.
    #[error("git is version {found}, older than {needed}")]
    ProgramTooOld {
        /// What it answered.
        found: String,
        /// The oldest that is used.
        needed: &'static str,
    },
    /// A file or a process of this machine.
    #[error("{what}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The cause.
        source: Arc<std::io::Error>,
    },
    /// The folder is in no work tree.
    #[error("{path} is in no git repository with files ({said})")]
    NotARepository {
        /// The folder.
        path: PathBuf,
        /// Git's line.
        said: String,
    },
    /// Git refuses a repository that belongs to another user.
    #[error(
        "{path} belongs to another user: `git config --global --add safe.directory` allows it ({said})"
    )]
    NotOwned {
        /// The folder or address.
        path: String,
        /// Git's line.
        said: String,
    },
    /// The repository's settings put its files elsewhere.
    #[error("the settings of the repository at {path} put its files into {root}, outside of it")]
    SymlinkOutside {
        /// The folder that was asked about.
        path: PathBuf,
        /// Where its files are said to be.
        root: PathBuf,
    },
    /// A commit, branch or tag that is not there.
    #[error("there is no commit `{name}` in {place}")]
    NoSuchCommit {
        /// What was looked for.
        name: String,
        /// Where.
        place: String,
    },
    /// A short commit id that several commits begin with.
    #[error("`{name}` is not one commit: give more of its digits")]
    AmbiguousCommit {
        /// What was looked for.
        name: String,
    },
    /// A branch that the remote does not have.
    #[error("{remote} has no branch `{branch}`")]
    NoSuchBranch {
        /// The branch.
        branch: String,
        /// The address.
        remote: String,
    },
    /// A file that the commit does not have.
    #[error("there is no file {path} in commit {commit}")]
    NoSuchFile {
        /// The path.
        path: String,
        /// The commit.
        commit: CommitId,
    },
    /// A path that is no plain file, so it is not edited.
    #[error("{path} is {kind} in commit {commit}, not a file: it is not followed")]
    NotAFile {
        /// The path.
        path: String,
        /// What it is: "a symbolic link", "a submodule", "a folder", "below a file".
        kind: &'static str,
        /// The commit.
        commit: CommitId,
    },
    /// A file or an answer larger than its limit.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// The remote does not accept who is asking.
    #[error("{remote} does not accept the credentials ({said})")]
    AuthRefused {
        /// The address.
        remote: String,
        /// Git's line.
        said: String,
    },
    /// The remote has no such repository, or does not show it.
    #[error("there is no repository at {remote}, or it is not shown to these credentials ({said})")]
    NoSuchRepository {
        /// The address.
        remote: String,
        /// Git's line.
        said: String,
    },
    /// The remote could not be reached.
    #[error("{remote} could not be reached ({said})")]
    Unreachable {
        /// The address.
        remote: String,
        /// Git's line.
        said: String,
    },
    /// The remote refused every try although nobody else moved the branch, or too many others did.
    #[error("{remote} refused to move branch `{branch}` {tries} times: {said}")]
    PushRefused {
        /// The address.
        remote: String,
        /// The branch.
        branch: String,
        /// How often it was tried.
        tries: u32,
        /// What the remote said.
        said: String,
    },
    /// A process took too long and was killed with its children.
    #[error("`git {what}` took longer than {seconds} s and was stopped")]
    Timeout {
        /// The command.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The commit that was last seen is no longer part of the branch.
    #[error("branch `{branch}` of {remote} was rewritten: commit {known} is no longer part of it")]
    Rewritten {
        /// The branch.
        branch: String,
        /// The address.
        remote: String,
        /// The commit that was seen before.
        known: CommitId,
    },
    /// A file that is made once was changed or removed.
    #[error("{path} was {how} by commit {commit}, but files there are made once and stay")]
    Altered {
        /// The file.
        path: String,
        /// The commit that did it.
        commit: CommitId,
        /// What it did.
        how: AlteredHow,
    },
    /// A branch that we write alone holds somebody else's work.
    #[error(
        "branch `{branch}` holds commit {commit} by {author}, which is not ours: it would be lost"
    )]
    NotOurs {
        /// The branch.
        branch: String,
        /// The commit.
        commit: CommitId,
        /// Who made it.
        author: String,
    },
    /// The address in a repository's settings is none that git is given.
    #[error("the remote `{name}` is not usable")]
    Remote {
        /// The remote's name.
        name: String,
        /// Why.
        source: RemoteUrlError,
    },
    /// Git did something else than it was asked.
    #[error("`git {what}` ended with {code}: {said}")]
    Failed {
        /// The command.
        what: &'static str,
        /// Its exit code, or "a signal".
        code: String,
        /// Git's line.
        said: String,
    },
    /// Git answered in a form that is not known.
    #[error("`git {what}` answered in an unknown form: {found}")]
    Garbled {
        /// The command.
        what: &'static str,
        /// The part that was not understood, shortened.
        found: String,
    },
}

impl GitError {
    pub(crate) fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io { what: what.into(), source: Arc::new(source) }
    }

    pub(crate) fn garbled(what: &'static str, found: &[u8]) -> Self {
        let head = &found[..found.len().min(200)];
        Self::Garbled { what, found: crate::said::clean(&String::from_utf8_lossy(head), &[]) }
    }

    /// Reads out of git's own English why a remote was not reached.
    pub(crate) fn unreached(remote: &str, stderr: &[u8], said: String) -> Self {
        let text = String::from_utf8_lossy(stderr);
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let remote = remote.to_owned();
        if says(&["dubious ownership", "unsafe repository"]) {
            Self::NotOwned { path: remote, said }
        } else if says(&AUTH_REFUSED) {
            Self::AuthRefused { remote, said }
        } else if says(&NO_REPOSITORY) {
            Self::NoSuchRepository { remote, said }
        } else {
            Self::Unreachable { remote, said }
        }
    }
}

/// Git's, curl's and ssh's words for credentials that are missing or wrong.
const AUTH_REFUSED: [&str; 9] = [
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "terminal prompts disabled",
    "returned error: 401",
    "returned error: 403",
    "Permission denied (",
    "Host key verification failed",
    "Access denied",
];

/// Git's words for an address without a repository.
const NO_REPOSITORY: [&str; 4] = [
    "does not appear to be a git repository",
    "not a git repository",
    "returned error: 404",
    "not found",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_for_an_unreached_remote_is_read_from_gits_own_words() {
        let of = |text: &str| GitError::unreached("r", text.as_bytes(), String::new());
        let auth = "fatal: could not read Username for 'https://h': terminal prompts disabled";
        assert!(matches!(of(auth), GitError::AuthRefused { .. }));
        let missing = "fatal: '/x' does not appear to be a git repository";
        assert!(matches!(of(missing), GitError::NoSuchRepository { .. }));
        let owner = "fatal: detected dubious ownership in repository at '/x'";
        assert!(matches!(of(owner), GitError::NotOwned { .. }));
        let network = "ssh: connect to host h port 22: Connection refused";
        assert!(matches!(of(network), GitError::Unreachable { .. }));
    }
}

//! Commits as they tell of themselves, and how one stands to another.
//!
//! ```text
//! deploy(prod): api …    Deploy-Id: 01JQ…   Digest: sha256:9f…   Previous-Digest: sha256:1c…
//! ```
//! "No" to a question of ancestry is only said where the whole past is here; a shallow checkout and a
//! squashed or cherry-picked commit cannot tell.

use crate::error::GitError;
use crate::run::Call;
use domain::{CommitId, Timestamp};

/// The most commits in one answer.
pub(crate) const LOG_COMMITS_MAX: u32 = 100_000;

const WHAT: &str = "log";

/// Fields of one commit in `FORMAT`.
pub(crate) const FIELDS: usize = 8;

/// NUL can be in none of these, so no message can forge a field.
pub(crate) const FORMAT: &str = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%at%x00%ct%x00%s%x00%(trailers:only=true,unfold=true)";

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its parents; the first is the branch that it was made on.
    pub parents: Vec<CommitId>,
    /// Who wrote the change, as the commit claims.
    pub author_name: String,
    /// The author's address, as the commit claims.
    pub author_email: String,
    /// When the change was written, to the second, as the commit claims.
    pub authored: Timestamp,
    /// When the commit was made, to the second, as the commit claims.
    pub committed: Timestamp,
    /// The first line.
    pub subject: String,
    /// The lines `Key: value` at the end.
    pub trailers: Trailers,
}

/// The lines `Key: value` at the end of a commit's message, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers(Vec<(String, String)>);

/// Commits, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The commits.
    pub commits: Vec<Commit>,
    /// Whether that is all there is: no limit was met, and the past is not cut off.
    pub is_whole: bool,
}

/// Whether one commit is another, or one of its ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ancestry {
    /// It is.
    Yes,
    /// It is not, and the whole past is here.
    No,
    /// It could not be found out.
    CannotTell(WhyUnknown),
}

/// Why ancestry could not be found out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyUnknown {
    /// A commit is not in this repository.
    #[error("commit {0} is not in this repository: fetch it first")]
    NotHere(CommitId),
    /// The past is cut off.
    #[error("this checkout is shallow: `git fetch --unshallow` brings the whole past")]
    Shallow,
}

impl Trailers {
    /// The first value under a key; keys are compared without case, as git does.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(found, _)| found.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.as_str())
    }

    /// Each value under a key, in order.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let fits = move |(found, _): &&(String, String)| found.eq_ignore_ascii_case(key);
        self.0.iter().filter(fits).map(|(_, value)| value.as_str())
    }

    /// Every key and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn read(text: &str) -> Self {
        let split = |line: &str| {
            line.split_once(':')
                .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        };
        Self(text.lines().filter_map(split).collect())
    }
}

/// Runs `log` with what the caller has set, up to `most` commits ending in `tip`.
pub(crate) async fn read_log(
    call: Call<'_>,
    tip: &str,
    path: Option<&str>,
    most: u32,
) -> Result<Log, GitError> {
    let most = most.min(LOG_COMMITS_MAX);
    let wanted = most.saturating_add(1);
    let call = call.args(["-z", "--no-patch", FORMAT, &format!("--max-count={wanted}")]);
    let call = call.setting("trailer.separators", ":");
    let call = call.args(["--end-of-options", tip, "--"]).args(path);
    let mut commits = read_commits(&call.ok().await?.stdout)?;
    let is_whole = commits.len() <= usize::try_from(most).unwrap_or(usize::MAX);
    commits.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(Log { commits, is_whole })
}

/// Reads what `FORMAT` with `-z` prints.
fn read_commits(stdout: &[u8]) -> Result<Vec<Commit>, GitError> {
    let Some(body) = stdout.strip_suffix(b"\0") else {
        return if stdout.is_empty() {
            Ok(Vec::new())
        } else {
            Err(GitError::garbled(WHAT, stdout))
        };
    };
    let fields: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
    if !fields.len().is_multiple_of(FIELDS) {
        return Err(GitError::garbled(WHAT, stdout));
    }
    fields.chunks_exact(FIELDS).map(read_commit).collect()
}

pub(crate) fn read_commit(fields: &[&[u8]]) -> Result<Commit, GitError> {
    let text = |at: usize| String::from_utf8_lossy(fields[at]).into_owned();
    let garbled = |at: usize| GitError::garbled(WHAT, fields[at]);
    let id = |text: &str| text.parse::<CommitId>();
    let seconds = |at: usize| {
        let seconds = text(at).parse::<i64>().map_err(|_| garbled(at))?;
        Ok::<_, GitError>(Timestamp::from_millis(seconds.saturating_mul(1000)))
    };
    let parents = text(1).split_whitespace().map(id).collect::<Result<_, _>>();
    Ok(Commit {
        id: id(&text(0)).map_err(|_| garbled(0))?,
        parents: parents.map_err(|_| garbled(1))?,
        author_name: text(2),
        author_email: text(3),
        authored: seconds(4)?,
        committed: seconds(5)?,
        subject: text(6),
        trailers: Trailers::read(&text(7)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_field_by_field() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let printed = format!(
            "{a}\0{b} {c}\0Ann\0a@b\01773758398\01773758399\0deploy(prod): api\0\
             Deploy-Id: 01JQ\nDigest: sha256:9f\ndigest: sha256:1c\n\0"
        );
        let commits = read_commits(printed.as_bytes()).unwrap();
        let [commit] = commits.as_slice() else { panic!("{commits:?}") };
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.committed.to_string(), "2026-03-17T14:39:59.000Z");
        assert_eq!(commit.trailers.get("deploy-id"), Some("01JQ"));
        let all: Vec<_> = commit.trailers.all("Digest").collect();
        assert_eq!(all, ["sha256:9f", "sha256:1c"]);
        assert!(read_commits(b"x\0y\0").is_err());
        assert!(read_commits(b"x").is_err());
        assert_eq!(read_commits(b"").unwrap(), []);
    }
}

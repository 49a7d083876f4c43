//! Questions about the commits of the user's own repository.
//!
//! ```text
//! 1a2b3c4  ->  1a2b3c4d5e6f…  parents, author, trailers, tags; is it in refs/heads/prod?
//! ```
//! What the repository cannot know (a past that is cut off, a commit that was never fetched) is told as
//! that, never as "no".

use crate::checkout::Checkout;
use crate::error::GitError;
use crate::history::{self, Ancestry, Commit, Log, WhyUnknown};
use crate::revision::Revision;
use domain::CommitId;
use std::collections::BTreeSet;

/// The longest name of a commit that git is asked about.
const REVISION_LEN_MAX: usize = 1_024;

impl Checkout {
    /// The commit that a person means, in whatever way git names one: `1a2b3c4`, `v1.4.2`, `HEAD~1`.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`]; [`GitError::AmbiguousCommit`] for too few digits.
    pub async fn find_commit(&self, text: &str) -> Result<CommitId, GitError> {
        let shown = || crate::said::clean(text, &[]);
        // Git is told that this is no option, and to name one commit; `^A` would be "not A".
        let is_name = (1..=REVISION_LEN_MAX).contains(&text.len())
            && !text.starts_with(['-', '^'])
            && !text.chars().any(char::is_control);
        if !is_name || text.contains("..") {
            return Err(self.no_such_commit(&shown()));
        }
        if let Some(commit) = self.resolve(text).await? {
            return Ok(commit);
        }
        let is_hex = text.len() >= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex {
            let args = ["rev-parse", &format!("--disambiguate={text}")];
            let several = self.call("rev-parse", args).ok().await?;
            if several.stdout.iter().filter(|byte| **byte == b'\n').count() > 1 {
                return Err(GitError::AmbiguousCommit { name: shown() });
            }
        }
        Err(self.no_such_commit(&shown()))
    }

    /// The names of the tags that point to a commit, sorted.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`], or when git cannot say.
    pub async fn tags_at(&self, commit: &CommitId) -> Result<Vec<String>, GitError> {
        self.check_here(commit).await?;
        let points = format!("--points-at={commit}");
        let args = ["for-each-ref", &points, "--format=%(refname)", "refs/tags/"];
        let output = self.call("for-each-ref", args).ok().await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let name = |line: &str| line.strip_prefix("refs/tags/").map(str::to_owned);
        Ok(text.lines().filter_map(name).collect())
    }

    /// The fewest digits, at least `fewest`, by which this repository knows the commit from every other object.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`], or when git cannot say.
    pub async fn unique_digits(&self, commit: &CommitId, fewest: usize) -> Result<usize, GitError> {
        self.check_here(commit).await?;
        let short = format!("--short={}", fewest.clamp(4, 64));
        let args = ["rev-parse", &short, "--verify", "--end-of-options", commit.as_str()];
        let call = self.call("rev-parse", args);
        Ok(call.ok().await?.line()?.len())
    }

    /// What a commit tells of itself.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`], or when git cannot say.
    pub async fn commit(&self, id: &CommitId) -> Result<Commit, GitError> {
        self.check_here(id).await?;
        let log = history::read_log(self.call("log", ["log"]), id.as_str(), None, 1).await?;
        log.commits.into_iter().next().ok_or_else(|| self.no_such_commit(id.as_str()))
    }

    /// The newest `most` commits up to `tip`, newest first; with `path`, those that changed it.
    ///
    /// # Errors
    /// [`GitError::NoSuchCommit`], or when git cannot say.
    pub async fn log(
        &self,
        tip: &Revision,
        path: Option<&str>,
        most: u32,
    ) -> Result<Log, GitError> {
        let Some(tip_id) = self.commit_of(tip).await? else {
            return Err(self.no_such_commit(&tip.to_string()));
        };
        let call = self.call("log", ["log"]).variable("GIT_LITERAL_PATHSPECS", "1");
        let mut log = history::read_log(call, tip_id.as_str(), path, most).await?;
        log.is_whole &= !self.is_shallow().await?;
        Ok(log)
    }

    /// Whether `old` is `new` or one of its ancestors.
    ///
    /// # Errors
    /// When git cannot be asked at all; what it does not know is [`Ancestry::CannotTell`].
    pub async fn is_ancestor(&self, old: &CommitId, new: &CommitId) -> Result<Ancestry, GitError> {
        for commit in [old, new] {
            if self.commit_of(&Revision::Commit(commit.clone())).await?.is_none() {
                return Ok(Ancestry::CannotTell(WhyUnknown::NotHere(commit.clone())));
            }
        }
        let args = ["merge-base", "--is-ancestor", old.as_str(), new.as_str()];
        let output = self.call("merge-base", args).run().await?;
        match output.code {
            Some(0) => Ok(Ancestry::Yes),
            Some(1) if self.is_shallow().await? => Ok(Ancestry::CannotTell(WhyUnknown::Shallow)),
            Some(1) => Ok(Ancestry::No),
            Some(_) | None => Err(output.failed()),
        }
    }

    /// Whether `old` is each of `candidates` or one of its ancestors, in their order, in few processes.
    ///
    /// # Errors
    /// When git cannot be asked at all; what it does not know is [`Ancestry::CannotTell`].
    pub async fn which_contain(
        &self,
        old: &CommitId,
        candidates: &[CommitId],
    ) -> Result<Vec<Ancestry>, GitError> {
        let asked: Vec<&CommitId> = candidates.iter().chain([old]).collect();
        let here = self.commits_here(&asked).await?;
        if !here.contains(old.as_str()) {
            let unknown = Ancestry::CannotTell(WhyUnknown::NotHere(old.clone()));
            return Ok(vec![unknown; candidates.len()]);
        }
        let known = candidates.iter().filter(|candidate| here.contains(candidate.as_str()));
        let mut input = format!("^{old}\n");
        for candidate in known {
            input.push_str(candidate.as_str());
            input.push('\n');
        }
        let call = self.call("rev-list", ["rev-list", "--ancestry-path", "--stdin"]);
        let output = call.stdin(input.into_bytes()).ok().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let descendants: BTreeSet<&str> = text.lines().collect();
        let otherwise = match self.is_shallow().await? {
            true => Ancestry::CannotTell(WhyUnknown::Shallow),
            false => Ancestry::No,
        };
        let answer = |candidate: &CommitId| {
            if !here.contains(candidate.as_str()) {
                Ancestry::CannotTell(WhyUnknown::NotHere(candidate.clone()))
            } else if candidate == old || descendants.contains(candidate.as_str()) {
                Ancestry::Yes
            } else {
                otherwise.clone()
            }
        };
        Ok(candidates.iter().map(answer).collect())
    }

    /// Those of the ids that are commits of this repository.
    async fn commits_here(&self, asked: &[&CommitId]) -> Result<BTreeSet<String>, GitError> {
        let mut input = String::new();
        for commit in asked {
            input.push_str(commit.as_str());
            input.push('\n');
        }
        let call = self.call("cat-file", ["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
        let output = call.stdin(input.into_bytes()).run().await?;
        if output.code != Some(0) {
            // In a partial clone git before 2.44 ends at the first that is missing.
            return self.commits_here_one_by_one(asked).await;
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let commit = |line: &str| line.strip_suffix(" commit").map(str::to_owned);
        Ok(text.lines().filter_map(commit).collect())
    }

    async fn commits_here_one_by_one(
        &self,
        asked: &[&CommitId],
    ) -> Result<BTreeSet<String>, GitError> {
        let mut here = BTreeSet::new();
        for commit in asked {
            if let Some(commit) = self.resolve(commit.as_str()).await? {
                here.insert(commit.to_string());
            }
        }
        Ok(here)
    }

    async fn check_here(&self, commit: &CommitId) -> Result<(), GitError> {
        match self.resolve(commit.as_str()).await? {
            Some(_) => Ok(()),
            None => Err(self.no_such_commit(commit.as_str())),
        }
    }
}

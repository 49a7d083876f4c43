//! Names of commits as git is given them: never anything that it could read as an option.
//!
//! ```text
//! HEAD    1a2b3c…(40)    refs/heads/prod
//! ```

use domain::{CommitId, SourceRef};
use std::fmt;
use std::str::FromStr;

/// A commit, by one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// What is checked out.
    Head,
    /// The commit itself.
    Commit(CommitId),
    /// What a full ref points to.
    Ref(SourceRef),
}

/// A branch's name, without `refs/heads/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchName(String);

/// The text is no branch's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of a branch", text = text.escape_debug())]
pub struct RevisionError {
    text: String,
}

impl BranchName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full ref, `refs/heads/NAME`.
    #[must_use]
    pub fn full(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl FromStr for BranchName {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, RevisionError> {
        let wrong = || RevisionError { text: text.chars().take(200).collect() };
        if text.starts_with('-') || text == "HEAD" {
            return Err(wrong());
        }
        match format!("refs/heads/{text}").parse::<SourceRef>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("HEAD"),
            Self::Commit(id) => id.fmt(f),
            Self::Ref(full) => full.fmt(f),
        }
    }
}

impl From<CommitId> for Revision {
    fn from(id: CommitId) -> Self {
        Self::Commit(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_never_an_option_or_a_range() {
        for good in ["main", "feature/prod", "indelible/record", "a-b"] {
            assert!(good.parse::<BranchName>().is_ok(), "{good}");
        }
        for bad in ["", "-d", "--all", "main:prod", "a..b", "a b", "HEAD", "x.lock", "@{-1}"] {
            assert!(bad.parse::<BranchName>().is_err(), "{bad}");
        }
    }
}

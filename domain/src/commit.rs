//! Git's names: a commit, and a full ref.
//!
//! ```text
//! 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d   a commit
//! refs/heads/prod                            a branch; `refs/heads/feature/prod` is another one
//! ```
//! Never the last segment of a ref: that is how `feature/prod` becomes production elsewhere.

use std::fmt;
use std::str::FromStr;

/// A commit's full id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

/// The text is no full commit id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a full commit id: 40 or 64 lower-case hex digits", text = text.escape_debug())]
pub struct CommitError {
    text: String,
}

/// What a full ref names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceRef {
    /// `refs/heads/NAME`.
    Branch(String),
    /// `refs/tags/NAME`.
    Tag(String),
    /// Any other ref below `refs/`, such as `refs/pull/7/merge`, whole.
    Other(String),
}

/// The text is no full ref.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a full ref such as refs/heads/prod", text = text.escape_debug())]
pub struct SourceRefError {
    text: String,
}

/// The longest ref that is looked at, in bytes; file systems under git allow no more for a path's parts.
pub const REF_LEN_MAX: usize = 1024;

impl CommitId {
    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits; all of them where fewer are there.
    #[must_use]
    pub fn short(&self, digits: usize) -> &str {
        &self.0[..digits.min(self.0.len())]
    }
}

impl FromStr for CommitId {
    type Err = CommitError;

    fn from_str(text: &str) -> Result<Self, CommitError> {
        let fits = matches!(text.len(), 40 | 64)
            && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(CommitError { text: text.chars().take(80).collect() })
        }
    }
}

impl SourceRef {
    /// The branch's name, where this is a branch.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch(name) => Some(name),
            Self::Tag(_) | Self::Other(_) => None,
        }
    }
}

/// Whether git would take this as a ref's name. Source: git-check-ref-format(1).
fn is_ref(text: &str) -> bool {
    let part_fits =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    text.len() <= REF_LEN_MAX
        && text.split('/').all(part_fits)
        && !text.contains("..")
        && !text.contains("@{")
        && !text.ends_with('.')
        && !text.contains(|c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c))
}

impl FromStr for SourceRef {
    type Err = SourceRefError;

    fn from_str(text: &str) -> Result<Self, SourceRefError> {
        if !text.starts_with("refs/") || !is_ref(text) {
            return Err(SourceRefError { text: text.chars().take(200).collect() });
        }
        Ok(match (text.strip_prefix("refs/heads/"), text.strip_prefix("refs/tags/")) {
            (Some(branch), _) => Self::Branch(branch.to_owned()),
            (None, Some(tag)) => Self::Tag(tag.to_owned()),
            (None, None) => Self::Other(text.to_owned()),
        })
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "refs/heads/{name}"),
            Self::Tag(name) => write!(f, "refs/tags/{name}"),
            Self::Other(whole) => f.write_str(whole),
        }
    }
}

crate::text::serde_as_text!(CommitId);
crate::text::serde_as_text!(SourceRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_keeps_its_whole_name() {
        let read = |text: &str| text.parse::<SourceRef>().unwrap();
        assert_eq!(read("refs/heads/feature/prod").branch(), Some("feature/prod"));
        assert_eq!(read("refs/tags/prod"), SourceRef::Tag("prod".into()));
        assert_eq!(read("refs/pull/7/merge"), SourceRef::Other("refs/pull/7/merge".into()));
        for bad in [
            "prod",
            "heads/prod",
            "refs/heads/",
            "refs/heads/a b",
            "refs/heads/a..b",
            "refs/heads/-x:y",
            "",
        ] {
            assert!(bad.parse::<SourceRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_full_ids_are_commits() {
        assert!("a".repeat(40).parse::<CommitId>().is_ok());
        assert!("a".repeat(64).parse::<CommitId>().is_ok());
        for bad in [39, 41, 63, 65, 0] {
            assert!("a".repeat(bad).parse::<CommitId>().is_err(), "{bad}");
        }
        assert!("A".repeat(40).parse::<CommitId>().is_err());
        assert_eq!("0".repeat(40).parse::<CommitId>().unwrap().short(12), "000000000000");
    }
}

//! The path of a file inside a repository.
//!
//! ```text
//! events/2026/03/17/01JQ3K8Z5T9V4W6X7Y8Z9A0B1C.json
//! ```
//! Slashes on every system; never absolute, never `..`, never into `.git`.

use std::fmt;
use std::str::FromStr;

/// The longest path, in bytes. Source: PATH_MAX of Linux.
pub const TREE_PATH_LEN_MAX: usize = 4096;

/// A path below a repository's root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// The text is no path inside a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a path inside a repository, such as deploy/prod/api.yaml", text = text.escape_debug())]
pub struct TreePathError {
    text: String,
}

impl TreePath {
    /// The path as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders above the file, nearest the root first.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }
}

impl FromStr for TreePath {
    type Err = TreePathError;

    fn from_str(text: &str) -> Result<Self, TreePathError> {
        // `.git` in any case, and as NTFS and HFS+ would fold it, is where a checkout would be taken over.
        let is_git = |part: &str| {
            let part = part.trim_end_matches(['.', ' ']).to_ascii_lowercase();
            part == ".git" || part == "git~1"
        };
        let part_fits =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !is_git(part);
        let fits = text.len() <= TREE_PATH_LEN_MAX
            && text.split('/').all(part_fits)
            && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TreePathError { text: text.chars().take(200).collect() })
        }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside_the_repository() {
        for good in ["a", "a/b.json", "-x", "apps/prod/värde.yaml", ".github/x", "a/.gitignore"] {
            assert!(good.parse::<TreePath>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "./a",
            ".git/config",
            "a/.GIT/hooks",
            ".git. /x",
            "GIT~1/x",
            "a\nb",
            "a\0b",
        ] {
            assert!(bad.parse::<TreePath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_path_has_a_longest_length() {
        assert!("a".repeat(TREE_PATH_LEN_MAX).parse::<TreePath>().is_ok());
        assert!("a".repeat(TREE_PATH_LEN_MAX + 1).parse::<TreePath>().is_err());
    }

    #[test]
    fn parents_come_from_the_root_down() {
        let path: TreePath = "a/b/c.json".parse().unwrap();
        assert_eq!(path.parents().collect::<Vec<_>>(), ["a", "a/b"]);
    }
}

//! A commit's id as a tag, or as a part of one.

use super::{MissingFact, SchemeError, SchemeTextError, Taken};
use domain::CommitId;
use domain::tag::is_tag_byte;

/// Digits of an abbreviated id. At 12, one chance in 5 million that two of 10 000 commits agree.
pub const SHA_DIGITS_DEFAULT: usize = 12;
/// The fewest digits: git itself never abbreviates below 7 by default.
pub const SHA_DIGITS_MIN: usize = 7;
/// The most digits: a SHA-256 id whole.
const SHA_DIGITS_MAX: usize = 64;
/// What stands before the digits; without one, 1 id of 7 digits in 27 is a number to YAML.
pub const SHA_PREFIX_DEFAULT: &str = "git-";
/// The longest prefix: with 64 digits the tag keeps its limit of 128.
pub const SHA_PREFIX_LEN_MAX: usize = 64;

/// The options of scheme `sha`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sha {
    digits: usize,
    prefix: String,
}

impl Default for Sha {
    fn default() -> Self {
        Self { digits: SHA_DIGITS_DEFAULT, prefix: SHA_PREFIX_DEFAULT.to_owned() }
    }
}

impl Sha {
    /// A scheme with so many digits, all of them where an id has fewer, behind a prefix that may be empty.
    ///
    /// # Errors
    /// Refuses fewer than 7 or more than 64 digits, and a prefix that cannot start a tag.
    pub fn new(digits: usize, prefix: &str) -> Result<Self, SchemeTextError> {
        check_digits(digits)?;
        let fits = prefix.len() <= SHA_PREFIX_LEN_MAX
            && prefix.bytes().all(is_tag_byte)
            && !prefix.starts_with(['.', '-']);
        if !fits {
            return Err(SchemeTextError::Prefix {
                prefix: prefix.chars().take(SHA_PREFIX_LEN_MAX + 16).collect(),
            });
        }
        Ok(Self { digits, prefix: prefix.to_owned() })
    }

    /// The least number of digits.
    #[must_use]
    pub fn digits(&self) -> usize {
        self.digits
    }

    /// What stands before them.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn tag_text(&self, commit: &CommitId, taken: &Taken<'_>) -> String {
        format!("{}{}", self.prefix, unique(commit, self.digits, taken))
    }
}

pub(crate) fn check_digits(digits: usize) -> Result<(), SchemeTextError> {
    if (SHA_DIGITS_MIN..=SHA_DIGITS_MAX).contains(&digits) {
        Ok(())
    } else {
        Err(SchemeTextError::ShaLength { found: digits })
    }
}

/// The first digits of an id, more than asked where another commit starts with the same.
pub(crate) fn unique<'a>(commit: &'a CommitId, digits: usize, taken: &Taken<'_>) -> &'a str {
    commit.short(digits.max(taken.commit_digits))
}

/// `g1a2b3c4d5e6f`: digits that no tool takes for a number.
pub(crate) fn g_sha(commit: &CommitId, taken: &Taken<'_>) -> String {
    format!("g{}", unique(commit, SHA_DIGITS_DEFAULT, taken))
}

/// The commit that a scheme needs.
pub(crate) fn needed<'a>(
    scheme: &str,
    commit: Option<&'a CommitId>,
) -> Result<&'a CommitId, SchemeError> {
    commit.ok_or_else(|| SchemeError::Missing {
        scheme: scheme.to_owned(),
        fact: MissingFact::Commit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit() -> CommitId {
        "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d".parse().unwrap()
    }

    #[test]
    fn digits_and_prefix_can_be_kept_as_a_team_has_them() {
        let text = |digits, prefix| {
            let sha = Sha::new(digits, prefix).unwrap();
            sha.tag_text(&commit(), &Taken::nothing())
        };
        assert_eq!(text(12, "git-"), "git-1a2b3c4d5e6f");
        assert_eq!(text(7, ""), "1a2b3c4");
        assert_eq!(text(40, ""), commit().as_str());
        assert_eq!(text(64, ""), commit().as_str());
    }

    #[test]
    fn digits_are_added_until_the_commit_is_alone() {
        let taken = Taken { commit_digits: 14, ..Taken::nothing() };
        let text = Sha::default().tag_text(&commit(), &taken);
        assert_eq!(text, "git-1a2b3c4d5e6f70");
        assert_eq!(g_sha(&commit(), &taken), "g1a2b3c4d5e6f70");
    }

    #[test]
    fn limits_hold_at_and_above() {
        assert!(Sha::new(7, "").is_ok() && Sha::new(64, "").is_ok());
        for digits in [0, 6, 65] {
            assert_eq!(Sha::new(digits, ""), Err(SchemeTextError::ShaLength { found: digits }));
        }
        assert!(Sha::new(64, &"p".repeat(64)).is_ok());
        for prefix in ["-", ".x", "a/", "a b", &"p".repeat(65)] {
            assert!(Sha::new(12, prefix).is_err(), "{prefix}");
        }
    }
}

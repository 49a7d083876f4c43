//! A tag: a name in a repository.
//!
//! ```text
//! 20260317-143958-uat   v1.4.2-g1a2b3c4d5e6f   latest
//! ```

use std::fmt;
use std::str::FromStr;

/// The longest tag, in characters. Source: OCI distribution-spec 1.1, "Pulling manifests".
pub const TAG_LEN_MAX: usize = 128;

/// A tag: one word character, then up to 127 of word characters, `.` and `-`.
///
/// Source: distribution/reference `regexp.go`, `[\w][\w.-]{0,127}`; OCI distribution-spec 1.1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// The ways in which a text is no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Nothing was there.
    #[error("a tag is not empty")]
    Empty,
    /// It starts with `.` or `-`, or holds something else than `A–Z a–z 0–9 _ . -`.
    #[error("a tag has only letters, digits, `_`, `.` and `-`, and starts with none of the last two; found `{found}` at {at}", found = found.escape_debug())]
    Character {
        /// The first character that may not stand there.
        found: char,
        /// Its position in bytes, from 0.
        at: usize,
    },
    /// More than [`TAG_LEN_MAX`] characters.
    #[error("a tag has at most {TAG_LEN_MAX} characters, found {found}")]
    Length {
        /// The number of characters.
        found: usize,
    },
}

impl Tag {
    /// The tag as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a byte may stand in a tag after its first character.
#[must_use]
pub fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

pub(crate) fn check(text: &str) -> Result<(), TagError> {
    if text.is_empty() {
        return Err(TagError::Empty);
    }
    for (at, found) in text.char_indices() {
        let byte = u8::try_from(found).ok().filter(u8::is_ascii);
        let fits = byte.is_some_and(|b| is_tag_byte(b) && (at > 0 || !matches!(b, b'.' | b'-')));
        if !fits {
            return Err(TagError::Character { found, at });
        }
    }
    if text.len() > TAG_LEN_MAX {
        return Err(TagError::Length { found: text.len() });
    }
    Ok(())
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::text::serde_as_text!(Tag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_128_characters_and_not_129() {
        assert!("a".repeat(128).parse::<Tag>().is_ok());
        assert_eq!("a".repeat(129).parse::<Tag>(), Err(TagError::Length { found: 129 }));
    }

    #[test]
    fn the_grammar_decides() {
        for good in ["a", "_", "0", "latest", "v1.4.2", "V1-x_y.z", "sha256-00.sig", "a..b", "a--"]
        {
            assert_eq!(good.parse::<Tag>().map(|t| t.to_string()).as_deref(), Ok(good));
        }
        let bad =
            [("-a", '-', 0), (".a", '.', 0), ("a+b", '+', 1), ("a b", ' ', 1), ("a/b", '/', 1)];
        for (text, found, at) in bad {
            assert_eq!(text.parse::<Tag>(), Err(TagError::Character { found, at }), "{text}");
        }
        assert_eq!("ä".parse::<Tag>(), Err(TagError::Character { found: 'ä', at: 0 }));
        assert_eq!("".parse::<Tag>(), Err(TagError::Empty));
    }
}

//! The short name by which settings and commands call an image.
//!
//! ```text
//! api   web   billing-worker
//! ```

use std::fmt;
use std::str::FromStr;

/// The longest short name.
pub const IMAGE_NAME_LEN_MAX: usize = 100;

/// The key of an image in `indelible.yaml`, `api` in `indelible deploy prod api=…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(String);

/// The text is no short name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image's name: 1 to {IMAGE_NAME_LEN_MAX} lower-case letters, digits, `.`, `_` and `-`, with a letter or digit first", text = text.escape_debug())]
pub struct ImageNameError {
    text: String,
}

impl ImageName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageName {
    type Err = ImageNameError;

    fn from_str(text: &str) -> Result<Self, ImageNameError> {
        let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let fits = text.len() <= IMAGE_NAME_LEN_MAX
            && text.bytes().next().is_some_and(is_word)
            && text.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'_' | b'-'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ImageNameError { text: text.chars().take(120).collect() })
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::text::serde_as_text!(ImageName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_100_characters_and_not_101() {
        assert!("a".repeat(100).parse::<ImageName>().is_ok());
        assert!("a".repeat(101).parse::<ImageName>().is_err());
    }

    #[test]
    fn options_and_paths_are_no_names() {
        for bad in ["", "-a", "--x", "a/b", "A", "a=b", ".a"] {
            assert!(bad.parse::<ImageName>().is_err(), "{bad}");
        }
    }
}

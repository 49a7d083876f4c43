//! A commit's message: one subject, and trailers that a program reads back.
//!
//! ```text
//! deploy(prod): api 20260317-143958-prod [skip ci]
//!
//! Deploy-Id: 01JQ3K8Z5T9V4W6X7Y8Z9A0B1C
//! Digest: sha256:9f…
//! ```
//! A value never spans lines, so none can add a trailer that nobody meant.

use std::fmt;

/// The longest subject, in bytes.
pub const SUBJECT_LEN_MAX: usize = 200;

/// The longest value of a trailer, in bytes.
pub const TRAILER_LEN_MAX: usize = 4096;

/// The most trailers in one message.
pub const TRAILERS_MAX: usize = 1000;

/// A commit's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    subject: String,
    skip_ci: Option<String>,
    trailers: Vec<(String, String)>,
}

/// A part of the message would not be read back as it was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Nothing is there.
    #[error("the {part} of a commit message is empty")]
    Empty {
        /// Which part.
        part: String,
    },
    /// A line break or another control character.
    #[error("the {part} of a commit message holds the control character {found:?}")]
    ControlCharacter {
        /// Which part.
        part: String,
        /// The character.
        found: char,
    },
    /// Too long.
    #[error("the {part} of a commit message has {len} bytes, more than {most}")]
    TooLong {
        /// Which part.
        part: String,
        /// The bytes found.
        len: usize,
        /// The most that is allowed.
        most: usize,
    },
    /// No name of a trailer.
    #[error("`{key}` is no name of a trailer, such as Deploy-Id", key = key.escape_debug())]
    Key {
        /// The name, shortened.
        key: String,
    },
    /// Too many trailers.
    #[error("a commit message has more than {TRAILERS_MAX} trailers")]
    TooMany,
}

impl Message {
    /// A message with this subject.
    ///
    /// # Errors
    /// Refuses an empty subject, one of several lines, and one over [`SUBJECT_LEN_MAX`].
    pub fn new(subject: &str) -> Result<Self, MessageError> {
        check_line("subject", subject, SUBJECT_LEN_MAX)?;
        Ok(Self { subject: subject.trim().to_owned(), skip_ci: None, trailers: Vec::new() })
    }

    /// The same, with the provider's word (`[skip ci]`, `***NO_CI***`) after the subject.
    ///
    /// # Errors
    /// Refuses a word of several lines.
    pub fn with_skip_ci(mut self, word: &str) -> Result<Self, MessageError> {
        check_line("word that skips CI", word, SUBJECT_LEN_MAX)?;
        self.skip_ci = Some(word.trim().to_owned());
        Ok(self)
    }

    /// The same, with one more trailer. A person's text of several lines goes through
    /// [`Message::in_one_line`] first.
    ///
    /// # Errors
    /// Refuses a name that git would not read back, and a value of several lines.
    pub fn with_trailer(mut self, key: &str, value: &str) -> Result<Self, MessageError> {
        let key_fits = key.len() <= 64
            && key.starts_with(|c: char| c.is_ascii_alphabetic())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !key_fits {
            return Err(MessageError::Key { key: key.chars().take(64).collect() });
        }
        check_line(&format!("trailer {key}"), value, TRAILER_LEN_MAX)?;
        if self.trailers.len() >= TRAILERS_MAX {
            return Err(MessageError::TooMany);
        }
        self.trailers.push((key.to_owned(), value.trim().to_owned()));
        Ok(self)
    }

    /// A person's text with every run of white space and control characters as one space.
    #[must_use]
    pub fn in_one_line(text: &str) -> String {
        text.split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        if let Some(word) = &self.skip_ci {
            write!(f, " {word}")?;
        }
        writeln!(f)?;
        if !self.trailers.is_empty() {
            writeln!(f)?;
        }
        for (key, value) in &self.trailers {
            writeln!(f, "{key}: {value}")?;
        }
        Ok(())
    }
}

fn check_line(part: &str, text: &str, most: usize) -> Result<(), MessageError> {
    let part = || part.to_owned();
    if text.trim().is_empty() {
        return Err(MessageError::Empty { part: part() });
    }
    if text.len() > most {
        return Err(MessageError::TooLong { part: part(), len: text.len(), most });
    }
    // Line and paragraph separators are no control characters, yet some readers break lines there.
    let breaks = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    match text.chars().find(breaks) {
        None => Ok(()),
        Some(found) => Err(MessageError::ControlCharacter { part: part(), found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_subject_and_trailers() {
        let message = Message::new("deploy(prod): api 20260317-143958-prod")
            .and_then(|m| m.with_skip_ci("[skip ci]"))
            .and_then(|m| m.with_trailer("Deploy-Id", "01JQ3K8Z5T9V4W6X7Y8Z9A0B1C"))
            .and_then(|m| m.with_trailer("Actor", "ann"))
            .unwrap();
        assert_eq!(
            message.to_string(),
            "deploy(prod): api 20260317-143958-prod [skip ci]\n\n\
             Deploy-Id: 01JQ3K8Z5T9V4W6X7Y8Z9A0B1C\nActor: ann\n"
        );
        assert_eq!(Message::new("note").unwrap().to_string(), "note\n");
    }

    #[test]
    fn no_value_can_add_a_trailer() {
        let message = || Message::new("x").unwrap();
        for bad in ["a\nDigest: sha256:0", "a\rb", "a\0b", "a\u{2028}Digest: x", "", " "] {
            assert!(message().with_trailer("Reason", bad).is_err(), "{bad:?}");
            assert!(Message::new(bad).is_err(), "{bad:?}");
            assert!(message().with_skip_ci(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a b", "a:b", "-a", "1a", "a\n"] {
            assert!(message().with_trailer(bad, "x").is_err(), "{bad:?}");
        }
        assert_eq!(Message::in_one_line(" a\r\n\tDigest: b\u{0} "), "a Digest: b");
    }

    #[test]
    fn each_limit_holds_at_it_and_refuses_one_above() {
        assert!(Message::new(&"x".repeat(SUBJECT_LEN_MAX)).is_ok());
        assert!(Message::new(&"x".repeat(SUBJECT_LEN_MAX + 1)).is_err());
        let message = || Message::new("x").unwrap();
        assert!(message().with_trailer("A", &"x".repeat(TRAILER_LEN_MAX)).is_ok());
        assert!(message().with_trailer("A", &"x".repeat(TRAILER_LEN_MAX + 1)).is_err());
        let full = (0..TRAILERS_MAX).try_fold(message(), |m, _| m.with_trailer("A", "x")).unwrap();
        assert_eq!(full.with_trailer("A", "x"), Err(MessageError::TooMany));
    }
}

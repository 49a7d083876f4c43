//! Who a commit is by, and when.
//!
//! ```text
//! Ann <ann@example.com> 1773758398 +0000
//! ```

use domain::Timestamp;

/// Author or committer of a commit. Times before 1970 are written as 1970: git has none earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: String,
    email: String,
    at: Timestamp,
}

/// The name or address cannot stand in a commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be the {part} of a commit: it is empty, or holds `<`, `>` or a control character", text = text.escape_debug())]
pub struct SignatureError {
    part: &'static str,
    text: String,
}

impl Signature {
    /// A signature.
    ///
    /// # Errors
    /// Refuses an empty name, and characters that would end the field.
    pub fn new(name: &str, email: &str, at: Timestamp) -> Result<Self, SignatureError> {
        let check = |part, text: &str| {
            let fits = !text.trim().is_empty()
                && text.len() <= 256
                && !text.chars().any(|c| c.is_control() || c == '<' || c == '>');
            if fits {
                Ok(text.trim().to_owned())
            } else {
                Err(SignatureError { part, text: text.chars().take(80).collect() })
            }
        };
        Ok(Self { name: check("name", name)?, email: check("address", email)?, at })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    fn seconds(&self) -> i64 {
        self.at.as_millis().div_euclid(1000).max(0)
    }

    /// As a commit object has it.
    pub(crate) fn line(&self) -> String {
        format!("{} <{}> {} +0000", self.name, self.email, self.seconds())
    }

    /// As git's `GIT_AUTHOR_DATE` has it.
    pub(crate) fn date(&self) -> String {
        format!("@{} +0000", self.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_cannot_smuggle_a_second_header() {
        let at = Timestamp::from_millis(1_773_758_398_999);
        let ann = Signature::new("Ann", "ann@example.com", at).unwrap();
        assert_eq!(ann.line(), "Ann <ann@example.com> 1773758398 +0000");
        for bad in ["", " ", "a\nparent 0", "a<b", "a>b", "a\0b"] {
            assert!(Signature::new(bad, "a@b", at).is_err(), "{bad:?}");
            assert!(Signature::new("a", bad, at).is_err(), "{bad:?}");
        }
    }
}

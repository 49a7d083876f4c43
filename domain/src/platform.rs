//! What a manifest's bytes run on.
//!
//! ```text
//! linux/amd64   linux/arm64/v8
//! ```

use std::fmt;
use std::str::FromStr;

/// The longest part of a platform.
const PART_LEN_MAX: usize = 64;

/// An operating system and a processor. Source: OCI image-spec 1.1, image-index.md, `platform`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// The text is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform: expected `os/architecture` or `os/architecture/variant`", text = text.escape_debug())]
pub struct PlatformError {
    text: String,
}

impl Platform {
    /// Joins the parts that an index or an image configuration names.
    ///
    /// # Errors
    /// A part is empty, too long, or holds something else than letters, digits, `.`, `_`, `-`.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Result<Self, PlatformError> {
        let fits = |part: &str| {
            (1..=PART_LEN_MAX).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let variant = variant.filter(|variant| !variant.is_empty());
        if fits(os) && fits(architecture) && variant.is_none_or(fits) {
            let variant = variant.map(str::to_owned);
            Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant })
        } else {
            let text: String = format!("{os}/{architecture}").chars().take(128).collect();
            Err(PlatformError { text })
        }
    }

    /// `linux`, `windows`, …
    #[must_use]
    pub fn os(&self) -> &str {
        &self.os
    }

    /// `amd64`, `arm64`, …
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Whether this is the placeholder that builders write for attestations.
    ///
    /// Source: BuildKit, attestation storage: `unknown/unknown`.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let wrong = || PlatformError { text: text.chars().take(128).collect() };
        let mut parts = text.splitn(3, '/');
        let (Some(os), Some(architecture)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let variant = parts.next();
        if variant == Some("") {
            return Err(wrong());
        }
        Self::new(os, architecture, variant).map_err(|_| wrong())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

crate::text::serde_as_text!(Platform);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_and_printed() {
        for text in ["linux/amd64", "linux/arm64/v8", "windows/amd64", "unknown/unknown"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        for bad in ["", "linux", "linux/", "/amd64", "linux/amd64/", "linux/amd64/v8/x", "li nux/a"]
        {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}

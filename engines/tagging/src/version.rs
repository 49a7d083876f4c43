//! A version as Semantic Versioning 2.0.0 writes it, read strictly.
//!
//! ```text
//! v1.4.2   1.4.2-rc.1   1.4.2+build.7
//! ```
//! Never orders versions: that is the work of who selects tags.

use std::fmt;
use std::str::FromStr;

/// The longest version, in bytes: what does not fit a tag is no use here.
pub const VERSION_LEN_MAX: usize = 256;

/// A version with or without the `v` that git tags often carry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    v: String,
    core: String,
    prerelease: Option<String>,
    build: Option<String>,
}

/// The text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}", text = text.escape_debug())]
pub struct VersionError {
    text: String,
    reason: &'static str,
}

impl Version {
    /// `v1.4.2`, without pre-release and build metadata.
    #[must_use]
    pub fn release(&self) -> String {
        format!("{}{}", self.v, self.core)
    }

    /// What stands behind the first `-`.
    #[must_use]
    pub fn prerelease(&self) -> Option<&str> {
        self.prerelease.as_deref()
    }

    /// What stands behind the `+`.
    #[must_use]
    pub fn build(&self) -> Option<&str> {
        self.build.as_deref()
    }
}

const NUMERIC: &str = "a number has no leading zero";
const CHARACTER: &str = "identifiers are not empty and have letters, digits and `-` only";

fn numeric(part: &str) -> Result<(), &'static str> {
    if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
        return Err("it is not MAJOR.MINOR.PATCH");
    }
    if part.len() > 1 && part.starts_with('0') {
        return Err(NUMERIC);
    }
    Ok(())
}

fn identifier(part: &str) -> Result<(), &'static str> {
    let fits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(()) } else { Err(CHARACTER) }
}

/// A pre-release identifier of digits only has no leading zero: one commit in 268 breaks that rule when its
/// short id stands there alone, which is why ids carry a `g`. Source: semver.org 2.0.0, item 9.
fn prerelease_identifier(part: &str) -> Result<(), &'static str> {
    identifier(part)?;
    if part.bytes().all(|b| b.is_ascii_digit()) {
        return numeric(part);
    }
    Ok(())
}

fn parse(text: &str) -> Result<Version, &'static str> {
    if text.len() > VERSION_LEN_MAX {
        return Err("it has more than 256 characters");
    }
    let (v, rest) = text.strip_prefix('v').map_or(("", text), |rest| ("v", rest));
    let (rest, build) = match rest.split_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (rest, None),
    };
    let (core, prerelease) = match rest.split_once('-') {
        Some((core, prerelease)) => (core, Some(prerelease)),
        None => (rest, None),
    };
    if core.split('.').count() != 3 {
        return Err("it is not MAJOR.MINOR.PATCH");
    }
    core.split('.').try_for_each(numeric)?;
    if let Some(prerelease) = prerelease {
        prerelease.split('.').try_for_each(prerelease_identifier)?;
    }
    if let Some(build) = build {
        build.split('.').try_for_each(identifier)?;
    }
    Ok(Version {
        v: v.to_owned(),
        core: core.to_owned(),
        prerelease: prerelease.map(str::to_owned),
        build: build.map(str::to_owned),
    })
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        parse(text).map_err(|reason| VersionError { text: text.chars().take(80).collect(), reason })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.v, self.core)?;
        if let Some(prerelease) = &self.prerelease {
            write!(f, "-{prerelease}")?;
        }
        if let Some(build) = &self.build {
            write!(f, "+{build}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_semver_decides() {
        let good = [
            "1.4.2",
            "v1.4.2",
            "0.0.0",
            "1.0.0-rc.1",
            "1.0.0-0a",
            "1.0.0--",
            "1.0.0-x-y+001",
            "99999999999999999999.0.0",
        ];
        for text in good {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
        let bad = [
            "",
            "v",
            "1",
            "1.4",
            "1.4.2.1",
            "01.4.2",
            "1.04.2",
            "1.4.2-",
            "1.4.2-01",
            "1.4.2-a..b",
            "1.4.2+",
            "1.4.2+a+b",
            "V1.4.2",
            "vv1.4.2",
            "1.4.2 ",
            "1.4.2_abc",
            "api/v1.4.2",
            "20260414",
            "1.4.x",
        ];
        for text in bad {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let version: Version = "v1.4.2-rc.1-x+b-1".parse().unwrap();
        assert_eq!(version.release(), "v1.4.2");
        assert_eq!(version.prerelease(), Some("rc.1-x"));
        assert_eq!(version.build(), Some("b-1"));
    }

    #[test]
    fn a_version_has_256_characters_and_not_257() {
        let version = |n: usize| format!("1.0.0-{}", "a".repeat(n - 6));
        assert!(version(256).parse::<Version>().is_ok());
        assert!(version(257).parse::<Version>().is_err());
    }
}

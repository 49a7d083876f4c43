//! Tags that publishers are known to move, told by their name alone.
//!
//! ```text
//! stable  production  v1  16-alpine  noble   -> moves        1.27.3  20260317-143958-uat  -> no reason to think so
//! ```
//! A guess, and said to be one; a rule of the settings decides otherwise.

/// Channels, environments, branches and distributions: names for whatever is newest there.
const MOVING: [&str; 57] = [
    "latest",
    "stable",
    "edge",
    "nightly",
    "rolling",
    "current",
    "newest",
    "lts",
    "next",
    "beta",
    "alpha",
    "rc",
    "canary",
    "preview",
    "release",
    "snapshot",
    "dev",
    "develop",
    "development",
    "main",
    "master",
    "trunk",
    "head",
    "test",
    "testing",
    "qa",
    "uat",
    "staging",
    "stage",
    "preprod",
    "prod",
    "production",
    "live",
    "mainline",
    "default",
    "alpine",
    "slim",
    "debian",
    "ubuntu",
    "bookworm",
    "bullseye",
    "trixie",
    "buster",
    "sid",
    "noble",
    "jammy",
    "focal",
    "bionic",
    "distroless",
    "nonroot",
    "debug",
    "experimental",
    "unstable",
    "daily",
    "weekly",
    "integration",
    "acceptance",
];
/// What may follow a number without making it more exact: `16-alpine`, `3-slim`.
const VARIANTS: [&str; 14] = [
    "alpine", "slim", "bookworm", "bullseye", "trixie", "buster", "noble", "jammy", "focal", "fpm",
    "apache", "jdk", "jre", "nonroot",
];
/// A number with more digits than this is a build's, not a version's.
const MAJOR_DIGITS_MAX: usize = 3;

/// Why a tag is likely to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moving {
    /// A name such as `stable`.
    Name,
    /// A major version alone, such as `v1`.
    Major,
}

/// Whether a tag's name says that it moves.
pub(crate) fn moving(tag: &str) -> Option<Moving> {
    let lower = tag.to_ascii_lowercase();
    if MOVING.contains(&lower.as_str()) {
        return Some(Moving::Name);
    }
    let number = lower.strip_prefix('v').unwrap_or(&lower);
    let (number, variant) = match number.split_once('-') {
        Some((number, variant)) => (number, Some(variant)),
        None => (number, None),
    };
    let is_major = (1..=MAJOR_DIGITS_MAX).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit());
    let is_plain = variant.is_none_or(|variant| variant.split('-').all(|v| VARIANTS.contains(&v)));
    (is_major && is_plain).then_some(Moving::Major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_majors_move_and_versions_do_not() {
        for tag in ["stable", "Production", "uat", "noble"] {
            assert_eq!(moving(tag), Some(Moving::Name), "{tag}");
        }
        for tag in ["1", "v1", "16-alpine", "3-slim-bookworm", "999"] {
            assert_eq!(moving(tag), Some(Moving::Major), "{tag}");
        }
        for tag in
            ["1.27", "1000", "20260414-001", "git-1a2b3c4d5e6f", "1-g1a2b", "v1.4.2", "1a2b3c4"]
        {
            assert_eq!(moving(tag), None, "{tag}");
        }
    }
}

//! Tags that publishers are known to move, told by their name alone.
//!
//! ```text
//! stable  production  v1  1.4  16-alpine  noble   -> moves   1.27.3  20260317-143958-uat  -> no reason to think so
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
    /// A major and a minor version, such as `1.4`.
    Minor,
}

/// Whether a tag's name says that it moves.
pub(crate) fn moving(tag: &str) -> Option<Moving> {
    let is_one =
        |names: &[&str], word: &str| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    if is_one(&MOVING, tag) {
        return Some(Moving::Name);
    }
    let (first, variants) = match tag.split_once('-') {
        Some((first, variants)) => (first, Some(variants)),
        None => (tag, None),
    };
    // `alpine3.20` is the variant of one series, and as inexact.
    let bare = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let is_plain = variants
        .is_none_or(|all| all.split('-').all(|word| is_one(&VARIANTS, &word[..bare(word)])));
    if !is_plain {
        return None;
    }
    if is_one(&MOVING, first) {
        return Some(Moving::Name);
    }
    let is_number = |digits: &str| {
        (1..=MAJOR_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let number = first.strip_prefix(['v', 'V']).unwrap_or(first);
    match number.split_once('.') {
        None => is_number(number).then_some(Moving::Major),
        Some((major, minor)) => (is_number(major) && is_number(minor)).then_some(Moving::Minor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_short_versions_move_and_whole_versions_do_not() {
        for tag in ["stable", "Production", "uat", "noble", "stable-alpine", "LATEST-slim"] {
            assert_eq!(moving(tag), Some(Moving::Name), "{tag}");
        }
        for tag in ["1", "v1", "16-alpine", "3-slim-bookworm", "999", "16-alpine3.20"] {
            assert_eq!(moving(tag), Some(Moving::Major), "{tag}");
        }
        for tag in ["1.4", "v1.4", "1.27-alpine", "24.04"] {
            assert_eq!(moving(tag), Some(Moving::Minor), "{tag}");
        }
        for tag in [
            "1.27.3",
            "1000",
            "20260414-001",
            "git-1a2b3c4d5e6f",
            "1-g1a2b",
            "v1.4.2",
            "1a2b3c4",
            "1.4-rc.1",
            "2026.03",
            "main-1a2b3c4",
            "1.27.3-alpine",
            "",
        ] {
            assert_eq!(moving(tag), None, "{tag}");
        }
    }
}

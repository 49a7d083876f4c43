//! What the demo's namespaces begin with: `indelible-demo` gives `indelible-demo-uat` and `indelible-demo-prod`.

use std::str::FromStr;

/// The longest name of a namespace. Source: RFC 1123, label.
const NAMESPACE_LEN_MAX: usize = 63;
/// The longest ending that is put behind: `-prod`.
const ENDING_LEN_MAX: usize = 5;
/// The longest prefix.
pub const PREFIX_LEN_MAX: usize = NAMESPACE_LEN_MAX - ENDING_LEN_MAX;

/// The beginning of the names of the demo's namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// Why a text is no beginning of a namespace's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` begins no namespace: lower-case letters, digits and `-`, a letter or digit at both ends, at most {PREFIX_LEN_MAX}",
    text = .text.escape_debug()
)]
pub struct PrefixError {
    text: String,
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_prefix = (1..=PREFIX_LEN_MAX).contains(&text.len())
            && text.bytes().all(is_inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_prefix {
            Ok(Self(text.to_owned()))
        } else {
            let text = text.chars().take(NAMESPACE_LEN_MAX).collect();
            Err(PrefixError { text })
        }
    }
}

impl Prefix {
    /// The namespace of an environment.
    pub(super) fn namespace(&self, environment: &str) -> String {
        format!("{}-{environment}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::SCENES;

    #[test]
    fn a_prefix_gives_names_that_kubernetes_takes() {
        let longest = "a".repeat(PREFIX_LEN_MAX);
        for scene in SCENES {
            let name = longest.parse::<Prefix>().unwrap().namespace(scene.environment);
            assert!(name.len() <= NAMESPACE_LEN_MAX, "{name}");
        }
        let prefix: Prefix = "indelible-demo".parse().unwrap();
        assert_eq!(prefix.namespace("uat"), "indelible-demo-uat");
        let too_long = "a".repeat(PREFIX_LEN_MAX + 1);
        for bad in ["", "-a", "a-", "a.b", "A", "a/b", "a b", "ä", too_long.as_str()] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}

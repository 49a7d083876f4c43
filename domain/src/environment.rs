//! Environments by name.
//!
//! ```text
//! uat   prod   prod-eu
//! ```

use std::fmt;
use std::str::FromStr;

/// The longest name: an environment is also a Kubernetes label value. Source: RFC 1123 label, 63.
pub const ENVIRONMENT_LEN_MAX: usize = 63;

/// The name of an environment: a lower-case RFC 1123 label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentName(String);

/// The text names no environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an environment name: 1 to {ENVIRONMENT_LEN_MAX} lower-case letters, digits and `-`, with a letter or digit at both ends", text = text.escape_debug())]
pub struct EnvironmentError {
    text: String,
}

impl EnvironmentName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Finds two environments whose tags could be read as each other's: one name is the other's `-`suffix.
///
/// `20260317-143958-eu-prod` would end in `-prod` too; tags are read as a fixed-width time and the whole rest.
/// Source: DESIGN §5.
#[must_use]
pub fn environments_that_clash<'a>(
    names: &[&'a EnvironmentName],
) -> Option<(&'a EnvironmentName, &'a EnvironmentName)> {
    names.iter().enumerate().find_map(|(at, long)| {
        let others = names.iter().enumerate().filter(|(other, _)| *other != at);
        others.map(|(_, short)| (*long, *short)).find(|(long, short)| {
            long.0.strip_suffix(short.as_str()).is_some_and(|head| head.ends_with('-'))
        })
    })
}

impl FromStr for EnvironmentName {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, EnvironmentError> {
        let fits = !text.is_empty()
            && text.len() <= ENVIRONMENT_LEN_MAX
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(EnvironmentError { text: text.chars().take(80).collect() })
        }
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::text::serde_as_text!(EnvironmentName);

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> EnvironmentName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_has_63_characters_and_not_64() {
        assert!("a".repeat(63).parse::<EnvironmentName>().is_ok());
        assert!("a".repeat(64).parse::<EnvironmentName>().is_err());
    }

    #[test]
    fn wrong_names_are_refused() {
        for bad in ["", "-a", "a-", "Prod", "a_b", "a.b", "prod ", "a/b", "pröd"] {
            assert!(bad.parse::<EnvironmentName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_that_ends_in_another_clashes() {
        let (uat, prod, eu) = (name("uat"), name("prod"), name("eu-prod"));
        assert_eq!(environments_that_clash(&[&uat, &prod]), None);
        assert_eq!(environments_that_clash(&[&prod, &eu]), Some((&eu, &prod)));
        assert_eq!(environments_that_clash(&[&name("xprod"), &prod]), None);
    }
}

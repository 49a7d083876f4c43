//! The variables of a process, each read with a limit, and the errors that name them.

use super::{Fork, Protected};
use domain::{CommitError, CommitId, SourceRef, SourceRefError};
use std::collections::BTreeMap;

/// The longest value that is read, in bytes; git's longest ref is shorter, and so is every URL of a run.
pub const VALUE_LEN_MAX: usize = 2048;

/// Why the variables of a CI cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CiError {
    /// A variable that this CI always sets is not there.
    #[error("{provider} sets `{variable}`, and it is not there: is it passed on to this step")]
    Missing {
        /// The CI's name.
        provider: &'static str,
        /// The variable.
        variable: &'static str,
    },
    /// A value is longer than anything honest.
    #[error("variable `{variable}` has {found} bytes, and {VALUE_LEN_MAX} is the limit")]
    Length {
        /// The variable.
        variable: &'static str,
        /// Its bytes.
        found: usize,
    },
    /// A line break or another control character.
    #[error("variable `{variable}` holds a control character")]
    Control {
        /// The variable.
        variable: &'static str,
    },
    /// The value is none that this CI gives.
    #[error("variable `{variable}` is `{found}`, and {wanted} is expected", found = found.escape_debug())]
    Value {
        /// The variable.
        variable: &'static str,
        /// Its value, cut.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The value is no full ref.
    #[error("variable `{variable}` names no ref")]
    Ref {
        /// The variable.
        variable: &'static str,
        /// Why not.
        source: SourceRefError,
    },
    /// The value is no commit.
    #[error("variable `{variable}` names no commit")]
    Commit {
        /// The variable.
        variable: &'static str,
        /// Why not.
        source: CommitError,
    },
    /// Two variables cannot both be true.
    #[error("variables `{first}` and `{second}` contradict each other: {why}")]
    Contradiction {
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// What cannot be.
        why: &'static str,
    },
    /// GitHub's event file is larger than GitHub sends.
    #[error("the file of `GITHUB_EVENT_PATH` has {found} bytes, and {max} is the limit", max = super::EVENT_BYTES_MAX)]
    EventLength {
        /// Its bytes.
        found: usize,
    },
    /// GitHub's event file is not what it should be.
    #[error("the file of `GITHUB_EVENT_PATH` is not an event of GitHub: {reason}")]
    EventFile {
        /// What the JSON reader says.
        reason: String,
    },
    /// GitHub's event file and a variable cannot both be true.
    #[error(
        "the file of `GITHUB_EVENT_PATH` and variable `{variable}` contradict each other: {why}"
    )]
    EventContradiction {
        /// The variable.
        variable: &'static str,
        /// What cannot be.
        why: &'static str,
    },
}

/// How much of a wrong value an error repeats.
const SHOWN_MAX: usize = 80;

/// Reads single variables; an empty one counts as absent, for most CIs write both for the same.
pub(super) struct Variables<'a>(&'a BTreeMap<String, String>);

impl<'a> Variables<'a> {
    pub(super) fn new(variables: &'a BTreeMap<String, String>) -> Self {
        Self(variables)
    }

    pub(super) fn get(&self, variable: &'static str) -> Result<Option<&'a str>, CiError> {
        let Some(value) = self.0.get(variable).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        if value.len() > VALUE_LEN_MAX {
            return Err(CiError::Length { variable, found: value.len() });
        }
        if value.chars().any(char::is_control) {
            return Err(CiError::Control { variable });
        }
        Ok(Some(value))
    }

    pub(super) fn text(&self, variable: &'static str) -> Result<Option<String>, CiError> {
        Ok(self.get(variable)?.map(str::to_owned))
    }

    pub(super) fn needed(
        &self,
        provider: &'static str,
        variable: &'static str,
    ) -> Result<&'a str, CiError> {
        self.get(variable)?.ok_or(CiError::Missing { provider, variable })
    }

    pub(super) fn has(&self, variable: &'static str) -> Result<bool, CiError> {
        Ok(self.get(variable)?.is_some())
    }

    pub(super) fn is(&self, variable: &'static str, value: &str) -> Result<bool, CiError> {
        Ok(self.get(variable)? == Some(value))
    }

    /// Whether a marker is set: `true`, or Azure's `True`.
    pub(super) fn is_true(&self, variable: &'static str) -> Result<bool, CiError> {
        Ok(self.get(variable)?.is_some_and(|value| value.eq_ignore_ascii_case("true")))
    }

    /// `true` or `false` in any case, `None` where it is not said.
    fn yes_or_no(&self, variable: &'static str) -> Result<Option<bool>, CiError> {
        match self.get(variable)? {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(value) => Err(wrong(variable, value, "`true` or `false`")),
        }
    }

    pub(super) fn fork(&self, variable: &'static str) -> Result<Fork, CiError> {
        Ok(match self.yes_or_no(variable)? {
            Some(true) => Fork::Yes,
            Some(false) => Fork::No,
            None => Fork::Unknown,
        })
    }

    pub(super) fn protected(&self, variable: &'static str) -> Result<Protected, CiError> {
        Ok(match self.yes_or_no(variable)? {
            Some(true) => Protected::Yes,
            Some(false) => Protected::No,
            None => Protected::Unknown,
        })
    }

    pub(super) fn commit(&self, variable: &'static str) -> Result<Option<CommitId>, CiError> {
        let value = self.get(variable)?;
        value
            .map(|value| value.parse().map_err(|source| CiError::Commit { variable, source }))
            .transpose()
    }

    pub(super) fn full_ref(&self, variable: &'static str) -> Result<Option<SourceRef>, CiError> {
        let value = self.get(variable)?;
        value.map(|value| parse_ref(variable, value)).transpose()
    }

    /// A ref by its kind and its whole name, such as `refs/heads/` and `feature/prod`.
    pub(super) fn named_ref(
        &self,
        kind: &'static str,
        variable: &'static str,
    ) -> Result<Option<SourceRef>, CiError> {
        let value = self.get(variable)?;
        value.map(|name| parse_ref(variable, &format!("{kind}{name}"))).transpose()
    }

    pub(super) fn number<N: std::str::FromStr>(
        &self,
        variable: &'static str,
    ) -> Result<Option<N>, CiError> {
        let value = self.get(variable)?;
        value
            .map(|value| {
                let digits = value.bytes().all(|b| b.is_ascii_digit());
                let number = if digits { value.parse().ok() } else { None };
                number.ok_or_else(|| wrong(variable, value, "a number"))
            })
            .transpose()
    }

    /// A URL without the user and password that some CIs write into it.
    pub(super) fn url(&self, variable: &'static str) -> Result<Option<String>, CiError> {
        Ok(self.get(variable)?.map(without_credentials))
    }
}

fn parse_ref(variable: &'static str, value: &str) -> Result<SourceRef, CiError> {
    value.parse().map_err(|source| CiError::Ref { variable, source })
}

pub(super) fn wrong(variable: &'static str, found: &str, wanted: &'static str) -> CiError {
    CiError::Value { variable, found: found.chars().take(SHOWN_MAX).collect(), wanted }
}

fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("V".to_owned(), value.to_owned())])
    }

    #[test]
    fn a_value_has_2048_bytes_and_not_2049() {
        let (fits, long) = (one(&"a".repeat(2048)), one(&"a".repeat(2049)));
        assert!(Variables::new(&fits).get("V").is_ok());
        assert_eq!(
            Variables::new(&long).get("V"),
            Err(CiError::Length { variable: "V", found: 2049 })
        );
    }

    #[test]
    fn what_is_malformed_is_named() {
        let get = |value: &str| Variables::new(&one(value)).number::<u32>("V");
        assert_eq!(get("7"), Ok(Some(7)));
        assert_eq!(get(""), Ok(None));
        for bad in ["-7", "+7", "7a", "99999999999"] {
            assert!(matches!(get(bad), Err(CiError::Value { variable: "V", .. })));
        }
        assert_eq!(get("7\n8"), Err(CiError::Control { variable: "V" }));
    }

    #[test]
    fn credentials_never_stay_in_a_url() {
        let cases = [
            ("https://org@dev.azure.com/org/p/_git/r", "https://dev.azure.com/org/p/_git/r"),
            ("https://u:p@h@x/r", "https://x/r"),
            ("https://x/a@b", "https://x/a@b"),
            ("git@x:a/b", "git@x:a/b"),
            ("https://u:p@x", "https://x"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_credentials(url), shown);
        }
    }
}

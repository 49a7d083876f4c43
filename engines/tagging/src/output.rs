//! Results in the form that a CI hands to its next steps.
//!
//! ```text
//! GitHub   digest=sha256:…            a multi-line value between two random delimiters
//! GitLab   INDELIBLE_DIGEST=sha256:…  a dotenv report
//! Azure    ##vso[task.setvariable variable=digest;isOutput=true]sha256:…
//! ```
//! Renders text only; who asks for it appends it to `$GITHUB_OUTPUT`, to the report or to stdout. A value
//! that could end its own line and start another is refused or escaped, never trusted.

mod azure;
mod github;
mod gitlab;

use crate::ci::Provider;
use crate::nearest::{hint, nearest};
use domain::{Digest, PinnedRef, Tag, Timestamp};
use std::str::FromStr;

pub use github::DELIMITER_LEN_MIN;
pub use gitlab::{DOTENV_BYTES_MAX, DOTENV_VARIABLES_MAX};

/// The longest name of an output.
pub const OUTPUT_NAME_LEN_MAX: usize = 64;

/// The form of one CI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputForm {
    /// Lines for `$GITHUB_OUTPUT`; Gitea and Forgejo read the same.
    GitHub,
    /// A file for `artifacts:reports:dotenv`.
    GitLab,
    /// Logging commands for stdout; the step needs a `name:`.
    Azure,
}

/// What one publish gives to the steps after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The image.
    pub digest: Digest,
    /// Its tags, the first the one for files.
    pub tags: Vec<Tag>,
    /// The pinned reference.
    pub reference: PinnedRef,
    /// The release's time, for jobs that compute tags themselves.
    pub release_time: Timestamp,
}

/// One name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    name: &'static str,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    One(String),
    Lines(Vec<String>),
}

/// Why a result cannot be handed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// No CI has that form.
    #[error("no CI's outputs are called `{name}`: {hint}", name = name.escape_debug())]
    UnknownForm {
        /// The name.
        name: String,
        /// The nearest name, or all.
        hint: String,
    },
    /// A name that is none in some CI.
    #[error(
        "`{name}` is no name of an output: 1 to {OUTPUT_NAME_LEN_MAX} lower-case letters, digits and `_`, a letter first"
    )]
    Name {
        /// The name.
        name: &'static str,
    },
    /// A control character, which would end the line.
    #[error("the value of output `{name}` holds a control character")]
    Control {
        /// The output.
        name: &'static str,
    },
    /// A delimiter that could be guessed or that is no single word.
    #[error(
        "a delimiter has at least {DELIMITER_LEN_MIN} letters and digits, found {found} characters"
    )]
    Delimiter {
        /// Its characters.
        found: usize,
    },
    /// The value holds its own delimiter.
    #[error("the value of output `{name}` holds the delimiter")]
    HoldsDelimiter {
        /// The output.
        name: &'static str,
    },
    /// GitLab would expand or trim the value.
    #[error(
        "the value of output `{name}` holds `$` or starts or ends with a space, which GitLab changes"
    )]
    GitLabChanges {
        /// The output.
        name: &'static str,
    },
    /// The report is larger than GitLab takes.
    #[error("the dotenv report has {found} bytes, and GitLab takes fewer than {DOTENV_BYTES_MAX}")]
    DotenvBytes {
        /// Its bytes.
        found: usize,
    },
    /// The report has more variables than GitLab takes.
    #[error("the dotenv report has {found} variables, and GitLab takes {DOTENV_VARIABLES_MAX}")]
    DotenvVariables {
        /// Its variables.
        found: usize,
    },
}

impl Output {
    /// A value of one line.
    ///
    /// # Errors
    /// Refuses a name that is none in some CI, and a value with a control character.
    pub fn one(name: &'static str, value: String) -> Result<Self, OutputError> {
        check(name, &value)?;
        let value = Value::One(value);
        Ok(Self { name, value })
    }

    /// Several values: lines for GitHub, separated by commas elsewhere.
    ///
    /// # Errors
    /// As for [`Output::one`].
    pub fn lines(name: &'static str, values: Vec<String>) -> Result<Self, OutputError> {
        values.iter().try_for_each(|value| check(name, value))?;
        let value = Value::Lines(values);
        Ok(Self { name, value })
    }

    /// The value in one line.
    fn joined(&self) -> String {
        match &self.value {
            Value::One(value) => value.clone(),
            Value::Lines(values) => values.join(","),
        }
    }
}

fn check(name: &'static str, value: &str) -> Result<(), OutputError> {
    let fits = (1..=OUTPUT_NAME_LEN_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !fits {
        return Err(OutputError::Name { name });
    }
    // Also U+2028 and its like: some log readers break lines there.
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if value.contains(breaks) {
        return Err(OutputError::Control { name });
    }
    Ok(())
}

impl Published {
    /// `digest`, `tag`, `tags`, `reference` and `release_time`. Source: DESIGN §12, "CI outputs".
    ///
    /// # Errors
    /// None for the values of this type; the check is that of every output.
    pub fn outputs(&self) -> Result<Vec<Output>, OutputError> {
        let tags: Vec<String> = self.tags.iter().map(ToString::to_string).collect();
        let mut outputs = vec![Output::one("digest", self.digest.to_string())?];
        if let Some(first) = tags.first() {
            outputs.push(Output::one("tag", first.clone())?);
        }
        outputs.push(Output::lines("tags", tags)?);
        outputs.push(Output::one("reference", self.reference.to_string())?);
        outputs.push(Output::one("release_time", self.release_time.to_string())?);
        Ok(outputs)
    }
}

impl OutputForm {
    /// The form that a CI reads; `None` where there is none to hand results to.
    #[must_use]
    pub fn of(provider: Provider) -> Option<Self> {
        match provider {
            Provider::GitHub | Provider::Gitea | Provider::Forgejo => Some(Self::GitHub),
            Provider::GitLab => Some(Self::GitLab),
            Provider::Azure => Some(Self::Azure),
            Provider::Unknown | Provider::Checkout => None,
        }
    }

    /// Renders all outputs. `delimiter` is random and made for this call; only GitHub's form uses it.
    ///
    /// # Errors
    /// Refuses what the CI would read as something else.
    pub fn render(self, outputs: &[Output], delimiter: &str) -> Result<String, OutputError> {
        match self {
            Self::GitHub => github::render(outputs, delimiter),
            Self::GitLab => gitlab::render(outputs),
            Self::Azure => Ok(azure::render(outputs)),
        }
    }
}

const FORM_NAMES: [&str; 3] = ["github", "gitlab", "azure"];

impl FromStr for OutputForm {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        match text {
            "github" => Ok(Self::GitHub),
            "gitlab" => Ok(Self::GitLab),
            "azure" => Ok(Self::Azure),
            other => Err(OutputError::UnknownForm {
                name: other.chars().take(OUTPUT_NAME_LEN_MAX).collect(),
                hint: hint(nearest(other, &FORM_NAMES), &FORM_NAMES),
            }),
        }
    }
}

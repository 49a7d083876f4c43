//! Why there is no tag, and why a text is no scheme.

use crate::nearest::{hint, nearest};
use crate::version::VersionError;
use domain::Timestamp;
use std::fmt;

/// A fact that a scheme needs and nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingFact {
    /// The environment.
    Environment,
    /// The commit.
    Commit,
    /// The git tag that is built.
    GitTag,
    /// The branch that is built.
    Branch,
    /// The id of the CI run.
    RunId,
    /// The number that the CI shows for its run.
    RunNumber,
    /// Which attempt of the run it is.
    RunAttempt,
}

impl MissingFact {
    fn name(self) -> &'static str {
        match self {
            Self::Environment => "an environment",
            Self::Commit => "a commit",
            Self::GitTag => "a git tag",
            Self::Branch => "a branch",
            Self::RunId => "a CI run's id",
            Self::RunNumber => "a CI run's number",
            Self::RunAttempt => "a CI run's attempt",
        }
    }

    /// What the user can do.
    fn remedy(self) -> &'static str {
        match self {
            Self::Environment => "say `--env`, or build a branch that an environment names",
            Self::Commit => "run in a git checkout with at least one commit",
            Self::GitTag => "build a git tag such as v1.4.2, or choose a scheme without a version",
            Self::Branch => {
                "build a branch; a git tag, a pull request and a detached HEAD have none"
            }
            Self::RunId | Self::RunNumber => "run in a CI that numbers its runs",
            Self::RunAttempt => "this CI does not count attempts; leave `{attempt}` out",
        }
    }
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, and there is none: {}", self.name(), self.remedy())
    }
}

/// Why a scheme gives no tag for a build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// A fact is not there.
    #[error("scheme `{scheme}` needs {fact}")]
    Missing {
        /// The scheme.
        scheme: String,
        /// The fact.
        fact: MissingFact,
    },
    /// The git tag is no version.
    #[error("scheme `{scheme}` needs a git tag that is a version")]
    NotAVersion {
        /// The scheme.
        scheme: String,
        /// Why not.
        source: VersionError,
    },
    /// A `+` cannot stand in a tag, and either replacement changes what the version means.
    #[error(
        "version `{version}` has build metadata, and no tag can hold a `+`: use scheme `semver-sha`, which names the commit instead, or a git tag without it"
    )]
    BuildMetadata {
        /// The version.
        version: String,
    },
    /// Every number of the day is used.
    #[error(
        "all {last} numbers of {day} are used in this repository: a longer number would sort before the others; set `width: {wider}` from tomorrow on",
        wider = width + 1
    )]
    CounterFull {
        /// The UTC day, `20260414`.
        day: String,
        /// The digits that a number has.
        width: usize,
        /// The last number.
        last: u32,
    },
    /// All seconds that were looked at are taken.
    #[error(
        "every second from {from} on is taken for {tries} seconds: is the release time stuck, or does another pipeline use this repository"
    )]
    NoFreeSecond {
        /// The first second.
        from: Timestamp,
        /// How many were looked at.
        tries: u32,
    },
    /// The tag would have more than 128 characters.
    #[error("scheme `{scheme}` gives a tag of {found} characters, and 128 is the limit")]
    TooLong {
        /// The scheme, a template with its text.
        scheme: String,
        /// The characters.
        found: usize,
    },
}

/// Why a text or a map of the settings is no scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemeTextError {
    /// No scheme has that name.
    #[error("no tag scheme is called `{name}`: {hint}, or write a template such as {{date}}-{{sha12}}", name = name.escape_debug())]
    UnknownScheme {
        /// The name.
        name: String,
        /// The nearest name, or all.
        hint: String,
    },
    /// No variable has that name.
    #[error("template `{template}` has the unknown variable `{{{name}}}`: {hint}", name = name.escape_debug())]
    UnknownVariable {
        /// The template.
        template: String,
        /// The variable.
        name: String,
        /// The nearest name, or all.
        hint: String,
    },
    /// `{` without `}`, or the other way round.
    #[error("template `{template}` has a `{{` or `}}` without its partner")]
    Braces {
        /// The template.
        template: String,
    },
    /// A character that no tag may have, or that may not start one.
    #[error("template `{template}` has `{found}`, which no tag may have there", found = found.escape_debug())]
    Character {
        /// The template.
        template: String,
        /// The character.
        found: char,
    },
    /// Longer than a template may be.
    #[error("a template has at most {max} characters, found {found}", max = super::TEMPLATE_LEN_MAX)]
    TemplateLength {
        /// Its length.
        found: usize,
    },
    /// A number of digits of a commit id that is too small or too large.
    #[error("a commit id has 7 to 64 digits in a tag, found {found}")]
    ShaLength {
        /// The number.
        found: usize,
    },
    /// A prefix that cannot start a tag.
    #[error("prefix `{prefix}` cannot start a tag: at most {max} letters, digits, `_`, `.` and `-`, the first none of the last two", prefix = prefix.escape_debug(), max = super::SHA_PREFIX_LEN_MAX)]
    Prefix {
        /// The prefix.
        prefix: String,
    },
    /// A counter that is too narrow, or as wide as a time of day.
    #[error("a day's counter has 2 to 5 digits, found {found}: six would read as a time of day")]
    CounterWidth {
        /// The number of digits.
        found: usize,
    },
    /// An option that the scheme does not have.
    #[error("scheme `{scheme}` has no option `{option}`")]
    Option {
        /// The scheme.
        scheme: String,
        /// The option.
        option: &'static str,
    },
}

/// How much of a wrong text an error repeats.
const SHOWN_MAX: usize = 80;

impl SchemeTextError {
    pub(crate) fn unknown_scheme(name: &str) -> Self {
        let known = super::SCHEME_NAMES;
        Self::UnknownScheme {
            name: name.chars().take(SHOWN_MAX).collect(),
            hint: hint(nearest(name, &known), &known),
        }
    }

    pub(crate) fn unknown_variable(template: &str, name: &str) -> Self {
        let known = super::VARIABLES;
        Self::UnknownVariable {
            template: template.to_owned(),
            name: name.to_owned(),
            hint: hint(nearest(name, &known), &known),
        }
    }
}

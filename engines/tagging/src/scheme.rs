//! Tag schemes: from the facts of one build to its tag.
//!
//! ```text
//! timestamp-env   20260317-143958-prod      semver       v1.4.2
//! timestamp       20260317-143958           semver-sha   v1.4.2-g1a2b3c4d5e6f
//! sha             git-1a2b3c4d5e6f          date-build   20260414-001
//! {date}-{branch}-{sha12}                   date-sha     20260414-g1a2b3c4d5e6f
//! ```
//! All times are UTC. A commit's short id carries a `g` or a prefix, because one in 27 is digits only and
//! is read as a number by YAML. Nothing is reserved here: the caller reserves, and asks again when refused.

mod commit;
mod compute;
mod date;
mod error;
mod facts;
mod pattern;
mod semver;
mod settings;
mod shape;
mod template;
mod timestamp;

use domain::Tag;
use std::fmt;
use std::str::FromStr;

pub use commit::{SHA_DIGITS_DEFAULT, SHA_DIGITS_MIN, SHA_PREFIX_DEFAULT, SHA_PREFIX_LEN_MAX, Sha};
pub use compute::{NEXT_FREE_SECONDS_MAX, next_free};
pub use date::{COUNTER_WIDTH_DEFAULT, COUNTER_WIDTH_MAX, COUNTER_WIDTH_MIN, CounterWidth};
pub use error::{MissingFact, SchemeError, SchemeTextError};
pub use facts::{Facts, Taken};
pub use pattern::{literal, pattern_of};
pub use shape::{MOMENTS_TRIED_MAX, is_of, time_of};
pub use template::{TEMPLATE_LEN_MAX, Template, VARIABLES};
pub use timestamp::parse_timestamp_env;

/// How a build gets its tag. Source: DESIGN §5, "Tag schemes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `20260317-143958-prod`.
    TimestampEnv,
    /// `20260317-143958`, for a build that all environments share.
    Timestamp,
    /// `git-1a2b3c4d5e6f`.
    Sha(Sha),
    /// `v1.4.2`, as the git tag writes it.
    Semver,
    /// `v1.4.2-g1a2b3c4d5e6f`; behind a pre-release, `v1.4.2-rc.1.g1a2b3c4d5e6f`.
    SemverSha,
    /// `20260414-001`: a counter per repository and UTC day.
    DateBuild(CounterWidth),
    /// `20260414-g1a2b3c4d5e6f`.
    DateSha,
    /// `{date}-{branch}-{sha12}`.
    Template(Template),
}

/// The names that settings and `--scheme` may use; a text with a `{` is a template.
pub const SCHEME_NAMES: [&str; 7] =
    ["timestamp-env", "timestamp", "sha", "semver", "semver-sha", "date-build", "date-sha"];

impl Scheme {
    /// The scheme's name, `template` for one that has none.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TimestampEnv => "timestamp-env",
            Self::Timestamp => "timestamp",
            Self::Sha(_) => "sha",
            Self::Semver => "semver",
            Self::SemverSha => "semver-sha",
            Self::DateBuild(_) => "date-build",
            Self::DateSha => "date-sha",
            Self::Template(_) => "template",
        }
    }

    /// Whether the tag says for which environment the build is: then a promotion adds one.
    #[must_use]
    pub fn has_environment(&self) -> bool {
        match self {
            Self::TimestampEnv => true,
            Self::Template(template) => template.has_environment(),
            Self::Timestamp
            | Self::Sha(_)
            | Self::Semver
            | Self::SemverSha
            | Self::DateBuild(_)
            | Self::DateSha => false,
        }
    }

    /// Whether a later second gives another tag, so that a clash is answered by the next free one.
    #[must_use]
    pub fn has_second(&self) -> bool {
        match self {
            Self::TimestampEnv | Self::Timestamp => true,
            Self::Template(template) => template.has_second(),
            Self::Sha(_) | Self::Semver | Self::SemverSha | Self::DateBuild(_) | Self::DateSha => {
                false
            }
        }
    }

    /// Computes the tag of one build.
    ///
    /// A scheme with a second takes the next free one where its tag is taken, `date-build` the next number.
    /// The other schemes name the build by its content: their tag comes back even when it is taken, and the
    /// registry decides whether the bytes are the same.
    ///
    /// # Errors
    /// Names the fact that is missing and what to do, or the limit that is reached.
    pub fn compute(&self, facts: &Facts, taken: &Taken<'_>) -> Result<Tag, SchemeError> {
        compute::compute(self, facts, taken)
    }
}

impl FromStr for Scheme {
    type Err = SchemeTextError;

    /// Reads a name, with the defaults of its options, or a template.
    fn from_str(text: &str) -> Result<Self, SchemeTextError> {
        match text {
            "timestamp-env" => Ok(Self::TimestampEnv),
            "timestamp" => Ok(Self::Timestamp),
            "sha" => Ok(Self::Sha(Sha::default())),
            "semver" => Ok(Self::Semver),
            "semver-sha" => Ok(Self::SemverSha),
            "date-build" => Ok(Self::DateBuild(CounterWidth::default())),
            "date-sha" => Ok(Self::DateSha),
            _ if text.contains(['{', '}']) => Ok(Self::Template(text.parse()?)),
            _ => Err(SchemeTextError::unknown_scheme(text)),
        }
    }
}

impl fmt::Display for Scheme {
    /// The name, or the template's text. Options are not printed; settings keep them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(template) => template.fmt(f),
            Self::TimestampEnv
            | Self::Timestamp
            | Self::Sha(_)
            | Self::Semver
            | Self::SemverSha
            | Self::DateBuild(_)
            | Self::DateSha => f.write_str(self.name()),
        }
    }
}

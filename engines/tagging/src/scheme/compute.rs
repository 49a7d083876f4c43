//! From a scheme and the facts to the tag, past those that are taken.

use super::commit::{g_sha, needed};
use super::date::date_build;
use super::semver::{semver, semver_sha};
use super::timestamp::{date, timestamp, timestamp_env};
use super::{Facts, MissingFact, Scheme, SchemeError, Taken};
use domain::{Tag, Timestamp};

/// How many seconds past the release's time are tried before something is wrong.
pub const NEXT_FREE_SECONDS_MAX: u32 = 600;

pub(super) fn compute(
    scheme: &Scheme,
    facts: &Facts,
    taken: &Taken<'_>,
) -> Result<Tag, SchemeError> {
    if scheme.has_second() {
        let make = |at| {
            let later = Facts { at, ..facts.clone() };
            at_that_second(scheme, &later, taken)
        };
        return next_free(facts.at, |tag| taken.tags.contains(tag), make);
    }
    at_that_second(scheme, facts, taken)
}

/// Takes the first second whose tag is free: `made` at that moment, and at each following second.
///
/// Two releases in one second are two builds; the format stays, and the tags still sort by time.
///
/// # Errors
/// Refuses when [`NEXT_FREE_SECONDS_MAX`] seconds are taken, or when `made` does.
pub fn next_free(
    from: Timestamp,
    is_taken: impl Fn(&Tag) -> bool,
    made: impl Fn(Timestamp) -> Result<Tag, SchemeError>,
) -> Result<Tag, SchemeError> {
    for second in 0..NEXT_FREE_SECONDS_MAX {
        let tag = made(from.plus_millis(i64::from(second) * 1000))?;
        if !is_taken(&tag) {
            return Ok(tag);
        }
    }
    Err(SchemeError::NoFreeSecond { from: from.to_second(), tries: NEXT_FREE_SECONDS_MAX })
}

fn at_that_second(scheme: &Scheme, facts: &Facts, taken: &Taken<'_>) -> Result<Tag, SchemeError> {
    let name = scheme.name();
    let commit = || needed(name, facts.commit.as_ref());
    let text = match scheme {
        Scheme::TimestampEnv => {
            let environment = facts.environment.as_ref();
            let environment = environment.ok_or_else(|| SchemeError::Missing {
                scheme: name.to_owned(),
                fact: MissingFact::Environment,
            })?;
            timestamp_env(facts.at, environment)
        }
        Scheme::Timestamp => timestamp(facts.at),
        Scheme::Sha(sha) => sha.tag_text(commit()?, taken),
        Scheme::Semver => semver(name, facts)?,
        Scheme::SemverSha => semver_sha(name, facts, commit()?, taken)?,
        Scheme::DateBuild(width) => date_build(facts.at, *width, taken.tags)?,
        Scheme::DateSha => format!("{}-{}", date(facts.at), g_sha(commit()?, taken)),
        Scheme::Template(template) => template.fill(facts)?,
    };
    // Every part was made of tag characters; only a version or a template can still be too long.
    text.parse().map_err(|_| SchemeError::TooLong { scheme: scheme.to_string(), found: text.len() })
}

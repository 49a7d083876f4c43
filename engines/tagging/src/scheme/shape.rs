//! Whether a tag is of a scheme, and the moment that it tells: how a tag that is there is used again.
//!
//! ```text
//! timestamp-env, prod: 20260317-143958-prod  ->  yes, 2026-03-17T14:39:58Z
//! ```

use super::commit::SHA_DIGITS_DEFAULT;
use super::template::{Piece, Variable};
use super::timestamp::{TIMESTAMP_LEN, date, parse_timestamp, time, timestamp};
use super::{Scheme, Sha, Template};
use crate::version::Version;
use domain::{EnvironmentName, Tag, Timestamp};

/// How many moments are tried on a tag of a template: its own and what only looks like one.
pub const MOMENTS_TRIED_MAX: usize = 32;

/// Whether a tag looks like one of this scheme, and, where the scheme has an environment, of this one.
///
/// A scheme with an environment and no environment given: false. Of a template only the form is known.
#[must_use]
pub fn is_of(scheme: &Scheme, environment: Option<&EnvironmentName>, tag: &Tag) -> bool {
    let text = tag.as_str();
    match scheme {
        Scheme::TimestampEnv => environment.is_some_and(|environment| {
            super::parse_timestamp_env(tag, std::slice::from_ref(environment)).is_some()
        }),
        Scheme::Timestamp => parse_timestamp(text).is_some(),
        Scheme::Sha(sha) => is_sha(sha, text),
        Scheme::Semver => text.parse::<Version>().is_ok(),
        Scheme::SemverSha => is_semver_sha(text),
        Scheme::DateBuild(width) => dated(text).is_some_and(|number| {
            number.len() == width.digits() && number.bytes().all(|b| b.is_ascii_digit())
        }),
        Scheme::DateSha => dated(text).is_some_and(is_g_sha),
        Scheme::Template(template) => is_filled(template, environment, None, text),
    }
}

/// The second that a tag of this scheme tells; none where the scheme has none or the tag is not of it.
///
/// A template's tag tells one only where no other moment makes the same text.
#[must_use]
pub fn time_of(
    scheme: &Scheme,
    environment: Option<&EnvironmentName>,
    tag: &Tag,
) -> Option<Timestamp> {
    match scheme {
        Scheme::TimestampEnv => {
            let known = environment.map(std::slice::from_ref).unwrap_or_default();
            super::parse_timestamp_env(tag, known).map(|(at, _)| at)
        }
        Scheme::Timestamp => parse_timestamp(tag.as_str()),
        Scheme::Template(template) => time_of_template(template, environment, tag.as_str()),
        Scheme::Sha(_)
        | Scheme::Semver
        | Scheme::SemverSha
        | Scheme::DateBuild(_)
        | Scheme::DateSha => None,
    }
}

fn time_of_template(
    template: &Template,
    environment: Option<&EnvironmentName>,
    text: &str,
) -> Option<Timestamp> {
    if !template.has_second() {
        return None;
    }
    // A tag is ASCII, so every index is a character's start.
    let windows = |length: usize| {
        (0..=text.len().saturating_sub(length)).filter_map(move |at| text.get(at..at + length))
    };
    let whole = windows(TIMESTAMP_LEN).filter_map(parse_timestamp);
    let days = windows(8).filter(|day| parse_timestamp(&format!("{day}-000000")).is_some());
    let parts = days.flat_map(|day| {
        windows(6).filter_map(move |time| parse_timestamp(&format!("{day}-{time}")))
    });
    let mut told: Option<Timestamp> = None;
    for (tried, at) in whole.chain(parts).enumerate() {
        if tried == MOMENTS_TRIED_MAX {
            return None;
        }
        if is_filled(template, environment, Some(at), text) {
            match told {
                Some(other) if other != at => return None,
                Some(_) | None => told = Some(at),
            }
        }
    }
    told
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_sha(sha: &Sha, text: &str) -> bool {
    // A SHA-1 id has only 40 digits, also where 64 were asked for.
    let least = sha.digits().min(40);
    text.strip_prefix(sha.prefix())
        .is_some_and(|digits| (least..=64).contains(&digits.len()) && is_hex(digits))
}

fn is_g_sha(text: &str) -> bool {
    text.strip_prefix('g')
        .is_some_and(|digits| (SHA_DIGITS_DEFAULT..=64).contains(&digits.len()) && is_hex(digits))
}

fn is_semver_sha(text: &str) -> bool {
    let Ok(version) = text.parse::<Version>() else {
        return false;
    };
    let last = version.prerelease().and_then(|pre| pre.split('.').next_back());
    version.build().is_none() && last.is_some_and(is_g_sha)
}

/// What follows `20260414-`, where that is a day.
fn dated(text: &str) -> Option<&str> {
    let (day, rest) = text.split_at_checked(8)?;
    parse_timestamp(&format!("{day}-000000"))?;
    rest.strip_prefix('-')
}

/// How many characters a piece may take.
enum Take<'a> {
    Exactly(&'a str),
    Owned(String),
    Digits(usize),
    Hex(std::ops::RangeInclusive<usize>),
    Timestamp,
    Some,
    Never,
}

/// What a piece may be; with a moment, only that moment's date and time.
fn take<'a>(
    piece: &'a Piece,
    environment: Option<&'a EnvironmentName>,
    at: Option<Timestamp>,
) -> Take<'a> {
    match piece {
        Piece::Literal(text) => Take::Exactly(text),
        Piece::Variable(variable) => match variable {
            Variable::Date => at.map_or(Take::Digits(8), |at| Take::Owned(date(at))),
            Variable::Time => at.map_or(Take::Digits(6), |at| Take::Owned(time(at))),
            Variable::Timestamp => at.map_or(Take::Timestamp, |at| Take::Owned(timestamp(at))),
            Variable::Env => environment.map_or(Take::Never, |e| Take::Exactly(e.as_str())),
            Variable::Sha(Some(digits)) => Take::Hex((*digits).min(40)..=*digits),
            Variable::Sha(None) => Take::Hex(40..=64),
            Variable::Branch
            | Variable::Tag
            | Variable::Version
            | Variable::Run
            | Variable::Build
            | Variable::Attempt => Take::Some,
        },
    }
}

fn fits(take: &Take<'_>, part: &str) -> bool {
    match take {
        Take::Exactly(text) => part == *text,
        Take::Owned(text) => part == text,
        Take::Digits(count) => part.len() == *count && part.bytes().all(|b| b.is_ascii_digit()),
        Take::Hex(count) => count.contains(&part.len()) && is_hex(part),
        Take::Timestamp => parse_timestamp(part).is_some(),
        Take::Some => !part.is_empty(),
        Take::Never => false,
    }
}

/// Tries every end of every piece: at most 128 × 128 × pieces, for a tag has 128 characters.
fn is_filled(
    template: &Template,
    environment: Option<&EnvironmentName>,
    at: Option<Timestamp>,
    text: &str,
) -> bool {
    // reachable[i]: the pieces so far can have made exactly the first i characters.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for piece in template.pieces() {
        let take = take(piece, environment, at);
        let mut next = vec![false; text.len() + 1];
        for from in (0..=text.len()).filter(|from| reachable[*from]) {
            for (to, end) in next.iter_mut().enumerate().skip(from) {
                *end = *end || fits(&take, &text[from..to]);
            }
        }
        reachable = next;
    }
    reachable[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(scheme: &str, environment: Option<&str>, tag: &str) -> bool {
        let environment = environment.map(|name| name.parse().unwrap());
        is_of(&scheme.parse().unwrap(), environment.as_ref(), &tag.parse().unwrap())
    }

    #[test]
    fn a_tag_is_of_its_own_scheme_and_environment_only() {
        let tag = "20260317-143958-prod";
        assert!(is("timestamp-env", Some("prod"), tag));
        assert!(!is("timestamp-env", Some("uat"), tag));
        assert!(!is("timestamp-env", None, tag));
        assert!(!is("timestamp-env", Some("prod"), "20260317-143958-eu-prod"));
        assert!(!is("timestamp", None, tag));
        assert!(is("timestamp", None, "20260317-143958"));
    }

    #[test]
    fn every_scheme_knows_its_form() {
        let yes = [
            ("sha", "git-1a2b3c4d5e6f"),
            ("sha", "git-1a2b3c4d5e6f708"),
            ("semver", "v1.4.2"),
            ("semver", "1.4.2-rc.1"),
            ("semver-sha", "v1.4.2-g1a2b3c4d5e6f"),
            ("semver-sha", "v1.4.2-rc.1.g1a2b3c4d5e6f"),
            ("date-build", "20260414-001"),
            ("date-sha", "20260414-g1a2b3c4d5e6f"),
        ];
        for (scheme, tag) in yes {
            assert!(is(scheme, None, tag), "{scheme} {tag}");
        }
        let no = [
            ("sha", "git-1a2b3c4d5e6"),
            ("sha", "1a2b3c4d5e6f"),
            ("semver", "latest"),
            ("semver", "20260414"),
            ("semver-sha", "v1.4.2"),
            ("semver-sha", "v1.4.2-rc.1"),
            ("semver-sha", "v1.4.2-1a2b3c4d5e6f"),
            ("date-build", "20260414-0001"),
            ("date-build", "20261314-001"),
            ("date-sha", "20260414-1a2b3c4d5e6f"),
        ];
        for (scheme, tag) in no {
            assert!(!is(scheme, None, tag), "{scheme} {tag}");
        }
    }

    #[test]
    fn a_templates_form_holds_the_environment() {
        let template = "r-{date}-{branch}-{env}-{sha12}";
        let tag = "r-20260414-feature-1-prod-1a2b3c4d5e6f";
        assert!(is(template, Some("prod"), tag));
        assert!(!is(template, Some("uat"), tag));
        assert!(!is(template, None, tag));
        assert!(!is("r-{date}-{sha12}", None, tag));
        assert!(is("{sha}", None, &"a".repeat(40)));
        assert!(!is("{sha}", None, &"a".repeat(39)));
    }

    fn told(scheme: &str, environment: Option<&str>, tag: &str) -> Option<String> {
        let environment = environment.map(|name| name.parse().unwrap());
        let at = time_of(&scheme.parse().unwrap(), environment.as_ref(), &tag.parse().unwrap());
        at.map(|at| at.to_string())
    }

    #[test]
    fn a_tag_with_a_second_tells_it() {
        let second = Some("2026-03-17T14:39:58.000Z");
        let tag = "20260317-143958-prod";
        assert_eq!(told("timestamp-env", Some("prod"), tag).as_deref(), second);
        assert_eq!(told("timestamp", None, "20260317-143958").as_deref(), second);
        assert_eq!(
            told("r-{timestamp}-{branch}", None, "r-20260317-143958-a-b").as_deref(),
            second
        );
        assert_eq!(told("{date}.{branch}.{time}", None, "20260317.x.143958").as_deref(), second);
    }

    #[test]
    fn a_tag_that_tells_no_second_or_two_tells_none() {
        assert_eq!(told("timestamp-env", Some("uat"), "20260317-143958-prod"), None);
        assert_eq!(told("timestamp-env", None, "20260317-143958-prod"), None);
        assert_eq!(told("semver", None, "v1.4.2"), None);
        assert_eq!(told("date-build", None, "20260414-001"), None);
        assert_eq!(told("{date}-{sha12}", None, "20260317-1a2b3c4d5e6f"), None);
        assert_eq!(told("{time}", None, "143958"), None, "a time without its day");
        let both = "20260317-143958-20260318-000000";
        assert_eq!(
            told("{timestamp}-{branch}", None, both).as_deref(),
            Some("2026-03-17T14:39:58.000Z")
        );
        // The branch may end, and the moment begin, in two places.
        let either = "a-20260317-143958-20260317-143959-b";
        assert_eq!(told("{branch}-{timestamp}-{tag}", None, either), None);
    }

    #[test]
    fn so_many_moments_are_tried_and_not_one_more() {
        // One written out; and its day with 14:39:58, 20:26:03 and each of the midnights of the digits behind.
        let tag = |midnights: usize| format!("20260317-143958x{}", "0".repeat(midnights + 5));
        let at_the_limit = tag(MOMENTS_TRIED_MAX - 3);
        let second = Some("2026-03-17T14:39:58.000Z");
        assert_eq!(told("{timestamp}{branch}", None, &at_the_limit).as_deref(), second);
        assert_eq!(told("{timestamp}{branch}", None, &tag(MOMENTS_TRIED_MAX - 2)), None);
    }
}

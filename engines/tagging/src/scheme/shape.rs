//! Whether a tag is of a scheme: how a promotion finds the tag that a digest already has.

use super::commit::SHA_DIGITS_DEFAULT;
use super::template::{Piece, Variable};
use super::timestamp::parse_timestamp;
use super::{Scheme, Sha, Template};
use crate::version::Version;
use domain::{EnvironmentName, Tag};

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
        Scheme::Template(template) => is_filled(template, environment, text),
    }
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
    Digits(usize),
    Hex(std::ops::RangeInclusive<usize>),
    Timestamp,
    Some,
    Never,
}

fn take<'a>(piece: &'a Piece, environment: Option<&'a EnvironmentName>) -> Take<'a> {
    match piece {
        Piece::Literal(text) => Take::Exactly(text),
        Piece::Variable(variable) => match variable {
            Variable::Date => Take::Digits(8),
            Variable::Time => Take::Digits(6),
            Variable::Timestamp => Take::Timestamp,
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
        Take::Digits(count) => part.len() == *count && part.bytes().all(|b| b.is_ascii_digit()),
        Take::Hex(count) => count.contains(&part.len()) && is_hex(part),
        Take::Timestamp => parse_timestamp(part).is_some(),
        Take::Some => !part.is_empty(),
        Take::Never => false,
    }
}

/// Tries every end of every piece: at most 128 × 128 × pieces, for a tag has 128 characters.
fn is_filled(template: &Template, environment: Option<&EnvironmentName>, text: &str) -> bool {
    // reachable[i]: the pieces so far can have made exactly the first i characters.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for piece in template.pieces() {
        let take = take(piece, environment);
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
}

//! A scheme as a regular expression, for a reader that has nothing else: the policy of an API server.
//!
//! ```text
//! timestamp-env, prod       ->  ^[0-9]{8}-[0-9]{6}-prod$
//! {branch}-{env}.{sha7}, uat ->  ^.+-uat\.[0-9a-f]{7}$
//! ```
//! The form only: a day that the calendar does not have is taken here, and not by [`super::is_of`].

use super::Scheme;
use super::template::{Piece, Variable};
use domain::EnvironmentName;

/// Eight digits, a dash, six digits.
const TIMESTAMP: &str = "[0-9]{8}-[0-9]{6}";

/// What every tag of this scheme for this environment looks like, as RE2 from the tag's first character to its
/// last; `None` where the scheme's tags name no environment.
///
/// Source: RE2 syntax, <https://github.com/google/re2/wiki/Syntax>; CEL's `matches` is RE2.
#[must_use]
pub fn pattern_of(scheme: &Scheme, environment: &EnvironmentName) -> Option<String> {
    match scheme {
        Scheme::TimestampEnv => Some(format!("^{TIMESTAMP}-{environment}$")),
        Scheme::Template(template) if template.has_environment() => {
            let pieces = template.pieces().iter().map(|piece| of_piece(piece, environment));
            Some(format!("^{}$", pieces.collect::<String>()))
        }
        Scheme::Template(_)
        | Scheme::Timestamp
        | Scheme::Sha(_)
        | Scheme::Semver
        | Scheme::SemverSha
        | Scheme::DateBuild(_)
        | Scheme::DateSha => None,
    }
}

fn of_piece(piece: &Piece, environment: &EnvironmentName) -> String {
    match piece {
        Piece::Literal(text) => literal(text),
        Piece::Variable(variable) => match variable {
            Variable::Date => "[0-9]{8}".to_owned(),
            Variable::Time => "[0-9]{6}".to_owned(),
            Variable::Timestamp => TIMESTAMP.to_owned(),
            Variable::Env => literal(environment.as_str()),
            // A SHA-1 id has only 40 digits, also where more were asked for.
            Variable::Sha(Some(digits)) if *digits > 40 => format!("[0-9a-f]{{40,{digits}}}"),
            Variable::Sha(Some(digits)) => format!("[0-9a-f]{{{digits}}}"),
            Variable::Sha(None) => "[0-9a-f]{40,64}".to_owned(),
            Variable::Branch
            | Variable::Tag
            | Variable::Version
            | Variable::Run
            | Variable::Build
            | Variable::Attempt => ".+".to_owned(),
        },
    }
}

/// Text that means itself. Of what a tag may hold only the dot has another meaning; anything else is escaped too.
#[must_use]
pub fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scheme: &str, environment: &str) -> Option<String> {
        pattern_of(&scheme.parse().unwrap(), &environment.parse().unwrap())
    }

    #[test]
    fn a_scheme_with_an_environment_has_a_pattern_for_it() {
        let cases = [
            ("timestamp-env", "prod", "^[0-9]{8}-[0-9]{6}-prod$"),
            ("timestamp-env", "prod-eu", "^[0-9]{8}-[0-9]{6}-prod-eu$"),
            ("{branch}-{env}.{sha7}", "uat", r"^.+-uat\.[0-9a-f]{7}$"),
            ("{env}_{date}-{time}", "uat", "^uat_[0-9]{8}-[0-9]{6}$"),
            ("{env}-{timestamp}-{sha}", "uat", "^uat-[0-9]{8}-[0-9]{6}-[0-9a-f]{40,64}$"),
            ("{env}-{sha64}", "uat", "^uat-[0-9a-f]{40,64}$"),
        ];
        for (scheme, environment, expected) in cases {
            assert_eq!(of(scheme, environment).as_deref(), Some(expected), "{scheme}");
        }
    }

    #[test]
    fn a_scheme_without_an_environment_has_none() {
        for scheme in
            ["timestamp", "sha", "semver", "semver-sha", "date-build", "date-sha", "{sha12}"]
        {
            assert_eq!(of(scheme, "prod"), None, "{scheme}");
        }
    }

    #[test]
    fn a_literal_means_itself() {
        assert_eq!(literal("v1.4-x_y"), r"v1\.4-x_y");
        assert_eq!(literal("a|b$(c)*[d]\\"), r"a\|b\$\(c\)\*\[d\]\\");
    }
}

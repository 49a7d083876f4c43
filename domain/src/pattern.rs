//! Patterns for branches, tags and repositories.
//!
//! ```text
//! "*-prod"            shop-prod, but not feature/x-prod: `*` never crosses `/`
//! "**"                everything
//! "{latest,*-cache}"  one of several
//! ```
//! Anchored at both ends, case-sensitive, no escapes. Source: DESIGN §5, "Patterns".

use std::fmt;
use std::str::FromStr;

/// The longest pattern, in bytes.
pub const PATTERN_LEN_MAX: usize = 256;
/// The most alternatives that the braces of one pattern may make.
pub const ALTERNATIVES_MAX: usize = 64;

/// A compiled pattern; it compares and prints as it was written.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    alternatives: Vec<Vec<Piece>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// This character.
    One(char),
    /// Any one character but `/`.
    Any,
    /// Any run of characters but `/`, also none.
    Run,
    /// Any run of characters, also none.
    All,
}

/// The ways in which a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing was there.
    #[error("a pattern is not empty; `**` matches everything")]
    Empty,
    /// More than [`PATTERN_LEN_MAX`] bytes.
    #[error("a pattern has at most {PATTERN_LEN_MAX} characters, found {found}")]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// `{` without `}`, or the other way round.
    #[error("pattern `{text}` has a `{{` or `}}` without its partner")]
    Braces {
        /// The pattern.
        text: String,
    },
    /// More than [`ALTERNATIVES_MAX`].
    #[error("pattern `{text}` stands for more than {ALTERNATIVES_MAX} alternatives")]
    Alternatives {
        /// The pattern.
        text: String,
    },
    /// A character that other pattern languages give a meaning; a silent literal would match nothing.
    #[error(
        "pattern `{text}` holds `{found}`, which has no meaning here: use `*`, `**`, `?` and `{{a,b}}`"
    )]
    Character {
        /// The pattern.
        text: String,
        /// The character.
        found: char,
    },
    /// A comma outside braces: several patterns in one text match nothing silently elsewhere.
    #[error("pattern `{text}` has a `,` outside braces: write `{{a,b}}` for one of several")]
    Comma {
        /// The pattern.
        text: String,
    },
}

impl Pattern {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern that matches everything.
    #[must_use]
    pub fn everything() -> Self {
        Self { text: "**".to_owned(), alternatives: vec![vec![Piece::All]] }
    }

    /// Whether the whole text fits one of the alternatives.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.alternatives.iter().any(|pieces| fits(pieces, &text))
    }
}

/// Matches in time `pieces × text`, whatever a stranger wrote: no backtracking.
fn fits(pieces: &[Piece], text: &[char]) -> bool {
    // reachable[i]: the pieces so far can have eaten exactly the first i characters.
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for piece in pieces {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match piece {
                Piece::One(c) => at > 0 && reachable[at - 1] && text[at - 1] == *c,
                Piece::Any => at > 0 && reachable[at - 1] && text[at - 1] != '/',
                Piece::Run => reachable[at] || (at > 0 && next[at - 1] && text[at - 1] != '/'),
                Piece::All => reachable[at] || (at > 0 && next[at - 1]),
            };
        }
        reachable = next;
    }
    reachable[text.len()]
}

/// Writes out the first brace group and then those behind it; groups do not nest.
fn alternatives(text: &str) -> Result<Vec<String>, PatternError> {
    let braces = || PatternError::Braces { text: text.to_owned() };
    let mut written = vec![String::new()];
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let (head, tail) = rest.split_at(open);
        let tail = tail.strip_prefix('{').ok_or_else(braces)?;
        let close = tail.find('}').ok_or_else(braces)?;
        let (group, after) = (&tail[..close], &tail[close + 1..]);
        if group.contains('{') {
            return Err(braces());
        }
        if head.contains(',') {
            return Err(PatternError::Comma { text: text.to_owned() });
        }
        written = written
            .iter()
            .flat_map(|start| group.split(',').map(move |choice| format!("{start}{head}{choice}")))
            .collect();
        if written.len() > ALTERNATIVES_MAX {
            return Err(PatternError::Alternatives { text: text.to_owned() });
        }
        rest = after;
    }
    if rest.contains(',') {
        return Err(PatternError::Comma { text: text.to_owned() });
    }
    written.iter_mut().for_each(|start| start.push_str(rest));
    Ok(written)
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(text.len());
    for c in text.chars() {
        let piece = match (c, pieces.last()) {
            ('*', Some(Piece::Run)) => {
                pieces.pop();
                Piece::All
            }
            ('*', Some(Piece::All)) => continue,
            ('*', _) => Piece::Run,
            ('?', _) => Piece::Any,
            (c, _) => Piece::One(c),
        };
        pieces.push(piece);
    }
    pieces
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.len() > PATTERN_LEN_MAX {
            return Err(PatternError::Length { found: text.len() });
        }
        let has_no_meaning =
            |c: &char| "[]()!^$\\|+".contains(*c) || c.is_whitespace() || c.is_control();
        if let Some(found) = text.chars().find(has_no_meaning) {
            return Err(PatternError::Character { text: text.to_owned(), found });
        }
        let alternatives = alternatives(text)?.iter().map(|text| pieces(text)).collect();
        Ok(Self { text: text.to_owned(), alternatives })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

crate::text::serde_as_text!(Pattern);

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        pattern.parse::<Pattern>().unwrap_or_else(|e| panic!("{pattern}: {e}")).matches(text)
    }

    #[test]
    fn one_star_never_crosses_a_slash() {
        assert!(matches("*-prod", "shop-backend-prod"));
        assert!(!matches("*-prod", "feature/x-prod"));
        assert!(!matches("prod", "feature/prod"));
        assert!(!matches("prod", "PROD"));
        assert!(!matches("prod", "prod "));
        assert!(matches("release/*", "release/1"));
        assert!(!matches("release/*", "release/1/2"));
        assert!(matches("release/**", "release/1/2"));
        assert!(matches("**", "any/thing"));
        assert!(matches("**", ""));
        assert!(matches("v?.?", "v1.2"));
        assert!(!matches("?", "/"));
        assert!(matches("a***b", "a/x/b"));
    }

    #[test]
    fn braces_are_one_of_several() {
        let rule = "{latest,*-cache}";
        assert!(matches(rule, "latest") && matches(rule, "api-cache"));
        assert!(!matches(rule, "latest2") && !matches(rule, "{latest"));
        assert!(matches("{a,b}-{c,}", "b-") && matches("{a,b}-{c,}", "a-c"));
    }

    #[test]
    fn what_would_match_nothing_is_refused() {
        type E = PatternError;
        let parse = |text: &str| text.parse::<Pattern>().unwrap_err();
        assert_eq!(parse(""), E::Empty);
        assert!(matches!(parse("{a"), E::Braces { .. }));
        assert!(matches!(parse("a}"), E::Braces { .. }));
        assert!(matches!(parse("{a,{b}}"), E::Braces { .. }));
        assert!(matches!(parse("a,b"), E::Comma { .. }));
        assert!(matches!(parse("{a}b,c"), E::Comma { .. }));
        assert!(matches!(parse("[ab]"), E::Character { found: '[', .. }));
        assert!(matches!(parse("a b"), E::Character { found: ' ', .. }));
    }

    #[test]
    fn limits_hold_at_and_above() {
        assert!("a".repeat(256).parse::<Pattern>().is_ok());
        assert_eq!(
            "a".repeat(257).parse::<Pattern>().unwrap_err(),
            PatternError::Length { found: 257 }
        );
        let group = |n: usize| format!("{{{}}}", vec!["a"; n].join(","));
        assert!(group(64).parse::<Pattern>().is_ok());
        assert!(matches!(group(65).parse::<Pattern>(), Err(PatternError::Alternatives { .. })));
    }
}

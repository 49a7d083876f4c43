//! `{date}-{branch}-{sha12}`: a team's own scheme.
//!
//! Names that others choose (branch, git tag, run) are sanitised one by one and share what the limit of 128
//! leaves; a `{sha7}` stays 7 digits, for the team asked for them. Whether the whole is unique is the
//! template's own business: the registry refuses a second build under one tag.

use super::commit::check_digits;
use super::semver::semver;
use super::timestamp::{date, time, timestamp};
use super::{Facts, MissingFact, SchemeError, SchemeTextError};
use crate::sanitise::{LIMIT_MIN, sanitise};
use domain::tag::{TAG_LEN_MAX, is_tag_byte};
use std::fmt;
use std::str::FromStr;

/// The longest template, in bytes.
pub const TEMPLATE_LEN_MAX: usize = 256;

/// The variables that a template may name; `sha12` stands for any number of digits from 7 to 64.
pub const VARIABLES: [&str; 12] = [
    "date",
    "time",
    "timestamp",
    "env",
    "branch",
    "tag",
    "version",
    "sha",
    "sha12",
    "run",
    "build",
    "attempt",
];

/// A template that was read; it compares and prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Characters that stand in every tag.
    Literal(String),
    /// A fact.
    Variable(Variable),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// `20260317`.
    Date,
    /// `143958`.
    Time,
    /// `20260317-143958`.
    Timestamp,
    /// The environment.
    Env,
    /// The branch, sanitised.
    Branch,
    /// The git tag, sanitised.
    Tag,
    /// The git tag as a strict version without metadata.
    Version,
    /// The commit's id: so many digits, or all.
    Sha(Option<usize>),
    /// The CI run's id.
    Run,
    /// The number that the CI shows; on GitHub it is per workflow, and the same on a re-run.
    Build,
    /// Which attempt of the run it is.
    Attempt,
}

/// A part of the tag on its way.
enum Part {
    /// Tag characters as they are.
    Fixed(String),
    /// A name that others chose.
    Free(String),
}

impl Template {
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    fn has(&self, wanted: &[Variable]) -> bool {
        let is_wanted = |piece: &Piece| match piece {
            Piece::Variable(variable) => wanted.contains(variable),
            Piece::Literal(_) => false,
        };
        self.pieces.iter().any(is_wanted)
    }

    pub(crate) fn has_environment(&self) -> bool {
        self.has(&[Variable::Env])
    }

    pub(crate) fn has_second(&self) -> bool {
        self.has(&[Variable::Time, Variable::Timestamp])
    }

    /// The tag's text, at most 128 characters.
    pub(crate) fn fill(&self, facts: &Facts) -> Result<String, SchemeError> {
        let parts: Vec<Part> =
            self.pieces.iter().map(|piece| self.part(piece, facts)).collect::<Result<_, _>>()?;
        let whole = join(&parts, TAG_LEN_MAX);
        if whole.len() <= TAG_LEN_MAX {
            return Ok(whole);
        }
        let fixed: usize = parts.iter().map(Part::fixed_len).sum();
        let free = parts.iter().filter(|part| part.is_free()).count();
        let room =
            TAG_LEN_MAX.saturating_sub(fixed).checked_div(free).filter(|room| *room >= LIMIT_MIN);
        match room {
            Some(room) => Ok(join(&parts, room)),
            None => Err(SchemeError::TooLong { scheme: self.text.clone(), found: whole.len() }),
        }
    }

    fn part(&self, piece: &Piece, facts: &Facts) -> Result<Part, SchemeError> {
        let missing = |fact| SchemeError::Missing { scheme: self.text.clone(), fact };
        let fixed = |text: Option<String>, fact| text.map(Part::Fixed).ok_or_else(|| missing(fact));
        let free = |name: Option<&String>, fact| {
            name.cloned().map(Part::Free).ok_or_else(|| missing(fact))
        };
        let run = facts.run.as_ref();
        match piece {
            Piece::Literal(text) => Ok(Part::Fixed(text.clone())),
            Piece::Variable(variable) => match variable {
                Variable::Date => Ok(Part::Fixed(date(facts.at))),
                Variable::Time => Ok(Part::Fixed(time(facts.at))),
                Variable::Timestamp => Ok(Part::Fixed(timestamp(facts.at))),
                Variable::Version => semver(&self.text, facts).map(Part::Fixed),
                Variable::Env => {
                    let name = facts.environment.as_ref().map(ToString::to_string);
                    fixed(name, MissingFact::Environment)
                }
                Variable::Sha(digits) => {
                    let digits = digits.unwrap_or(usize::MAX);
                    let commit = facts.commit.as_ref();
                    let short = commit.map(|commit| commit.short(digits).to_owned());
                    fixed(short, MissingFact::Commit)
                }
                Variable::Branch => free(facts.branch.as_ref(), MissingFact::Branch),
                Variable::Tag => free(facts.git_tag.as_ref(), MissingFact::GitTag),
                Variable::Run => free(run.map(|run| &run.id), MissingFact::RunId),
                Variable::Build => {
                    let number = run.and_then(|run| run.number.as_ref());
                    free(number, MissingFact::RunNumber)
                }
                Variable::Attempt => {
                    let attempt = run.and_then(|run| run.attempt);
                    fixed(attempt.map(|n| n.to_string()), MissingFact::RunAttempt)
                }
            },
        }
    }
}

impl Part {
    fn is_free(&self) -> bool {
        match self {
            Self::Free(_) => true,
            Self::Fixed(_) => false,
        }
    }

    fn fixed_len(&self) -> usize {
        match self {
            Self::Fixed(text) => text.len(),
            Self::Free(_) => 0,
        }
    }
}

fn join(parts: &[Part], room: usize) -> String {
    let written = |part: &Part| match part {
        Part::Fixed(text) => text.clone(),
        Part::Free(name) => sanitise(name, room),
    };
    parts.iter().map(written).collect()
}

fn variable(template: &str, name: &str) -> Result<Variable, SchemeTextError> {
    Ok(match name {
        "date" => Variable::Date,
        "time" => Variable::Time,
        "timestamp" => Variable::Timestamp,
        "env" => Variable::Env,
        "branch" => Variable::Branch,
        "tag" => Variable::Tag,
        "version" => Variable::Version,
        "sha" => Variable::Sha(None),
        "run" => Variable::Run,
        "build" => Variable::Build,
        "attempt" => Variable::Attempt,
        other => {
            let digits = other.strip_prefix("sha").and_then(|n| n.parse().ok());
            let digits =
                digits.ok_or_else(|| SchemeTextError::unknown_variable(template, other))?;
            check_digits(digits)?;
            Variable::Sha(Some(digits))
        }
    })
}

fn literal(template: &str, text: &str, at_start: bool) -> Result<Piece, SchemeTextError> {
    let fits = |(at, c): (usize, char)| {
        u8::try_from(c).is_ok_and(is_tag_byte) && !(at_start && at == 0 && matches!(c, '.' | '-'))
    };
    match text.char_indices().find(|found| !fits(*found)) {
        Some((_, found)) => {
            Err(SchemeTextError::Character { template: template.to_owned(), found })
        }
        None => Ok(Piece::Literal(text.to_owned())),
    }
}

impl FromStr for Template {
    type Err = SchemeTextError;

    fn from_str(text: &str) -> Result<Self, SchemeTextError> {
        if text.len() > TEMPLATE_LEN_MAX {
            return Err(SchemeTextError::TemplateLength { found: text.len() });
        }
        let braces = || SchemeTextError::Braces { template: text.to_owned() };
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(open) = rest.find(['{', '}']) {
            let (head, tail) = rest.split_at(open);
            let (name, after) =
                tail.strip_prefix('{').and_then(|tail| tail.split_once('}')).ok_or_else(braces)?;
            if name.contains('{') {
                return Err(braces());
            }
            if !head.is_empty() {
                pieces.push(literal(text, head, pieces.is_empty())?);
            }
            pieces.push(Piece::Variable(variable(text, name)?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(literal(text, rest, pieces.is_empty())?);
        }
        Ok(Self { text: text.to_owned(), pieces })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

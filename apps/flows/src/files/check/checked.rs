//! One place and its answer, and how many there were of each.
//!
//! ```text
//! compose.yaml:1:25  `shop/api`  fails: no-tag        9 references: 4 pinned, 3 accepted, 2 findings
//! ```

use super::fix::Replacement;
use domain::EnvironmentName;
use pin::{Certainty, Context, Finding, Format, Level, Locked, Marker, Opaque, Purpose, Site};
use std::ops::{AddAssign, Range};

/// The most characters of a source line that are kept: what stands around the reference.
pub const SNIPPET_CHARS_MAX: usize = 160;
/// How many of them stand before the reference at most.
const BEFORE_CHARS_MAX: usize = 60;

/// Which places are listed; all are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Findings, known ones and noted ones too, and what could not be told.
    Findings,
    /// Good ones as well, and the source line of each.
    All,
}

/// One place and its answer. A place with several findings comes several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The path for people.
    pub path: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The way to it inside the file.
    pub place: String,
    /// As the file writes it.
    pub reference: String,
    /// What the file was read as.
    pub format: Format,
    /// What the image is for.
    pub purpose: Purpose,
    /// Whose image it is.
    pub context: Context,
    /// Whether the place surely holds an image.
    pub certainty: Certainty,
    /// What was asked for.
    pub level: Level,
    /// Whose level it was.
    pub environment: Option<EnvironmentName>,
    /// The source line, where all places are listed.
    pub snippet: Option<Snippet>,
    /// What would mend it, where the lock knows the digest; empty elsewhere.
    pub fix: Vec<Replacement>,
    /// The answer.
    pub answer: Answer,
}

/// The answer for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It should not be so.
    Finding(Finding),
    /// It should not be so, and the baseline knows it.
    Known(Finding),
    /// It names a digest.
    Pinned,
    /// It names a tag that cannot move, and no more is asked for.
    Locked(Locked),
    /// It names no digest, and none is asked for.
    Accepted,
    /// Nothing is pulled for its sake.
    NotRequired,
    /// Every kustomization that builds from the file writes another reference.
    Replaced,
    /// A comment asks to pass over it.
    Ignored(Marker),
    /// It could not be told.
    Unknown(Opaque),
}

/// A part of the line on which a reference stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The text, without its break.
    pub text: String,
    /// The characters before the reference.
    pub before: usize,
    /// The characters of the reference on this line.
    pub width: usize,
}

/// How many there were of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that name an image.
    pub files: usize,
    /// Files that were read.
    pub looked_at: usize,
    /// Places that name an image.
    pub references: usize,
    /// Those from which another image is built.
    pub bases: usize,
    /// Those in which a pipeline's steps run.
    pub pipelines: usize,
    /// Those with a digest.
    pub pinned: usize,
    /// Those without, where none is asked for.
    pub accepted: usize,
    /// Those of the accepted whose tag cannot move.
    pub locked: usize,
    /// Findings that fail.
    pub findings: usize,
    /// Findings that do not.
    pub noted: usize,
    /// Findings that are in the baseline.
    pub known: usize,
    /// Those that a comment takes out.
    pub ignored: usize,
    /// Files that a pattern of the settings passes over.
    pub ignored_files: usize,
    /// Those that could not be told, for a variable or template writes them.
    pub unknown: usize,
    /// Files of which only the lines without a template were read.
    pub templated: usize,
    /// Files and folders that could not be read.
    pub unread: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.looked_at += other.looked_at;
        self.references += other.references;
        self.bases += other.bases;
        self.pipelines += other.pipelines;
        self.pinned += other.pinned;
        self.accepted += other.accepted;
        self.locked += other.locked;
        self.findings += other.findings;
        self.noted += other.noted;
        self.known += other.known;
        self.ignored += other.ignored;
        self.ignored_files += other.ignored_files;
        self.unknown += other.unknown;
        self.templated += other.templated;
        self.unread += other.unread;
    }
}

impl Checked {
    /// A row for a site.
    pub(in crate::files) fn of(shown: &str, format: Format, site: &Site, level: Level) -> Self {
        Self {
            path: shown.to_owned(),
            line: site.line,
            column: site.column,
            place: site.path.clone(),
            reference: site.text.clone(),
            format,
            purpose: site.purpose,
            context: site.context.clone(),
            certainty: site.certainty,
            level,
            environment: None,
            snippet: None,
            fix: Vec::new(),
            answer: Answer::Accepted,
        }
    }

    /// The finding, new or known.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match &self.answer {
            Answer::Finding(finding) | Answer::Known(finding) => Some(finding),
            Answer::Pinned
            | Answer::Locked(_)
            | Answer::Accepted
            | Answer::NotRequired
            | Answer::Replaced
            | Answer::Ignored(_)
            | Answer::Unknown(_) => None,
        }
    }
}

impl Snippet {
    /// The line around a span, as much of it as is kept; costs no more for a line of many megabytes.
    pub(super) fn of(text: &str, span: &Range<usize>) -> Option<Self> {
        let is_break = |c: &char| matches!(c, '\n' | '\r');
        let before = text.get(..span.start)?.chars().rev().take_while(|c| !is_break(c));
        let before: Vec<char> = before.take(BEFORE_CHARS_MAX).collect();
        let rest = text.get(span.start..)?.chars().take_while(|c| !is_break(c));
        let rest: String = rest.take(SNIPPET_CHARS_MAX - BEFORE_CHARS_MAX).collect();
        let width = span.len().min(rest.len());
        let width = rest.get(..width).map_or(0, |part| part.chars().count());
        let before_chars = before.len();
        let text: String = before.into_iter().rev().chain(rest.chars()).collect();
        Some(Self { text: text.trim_end().to_owned(), before: before_chars, width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_the_line_and_no_more_of_it_than_is_kept() {
        let text = "a:\r\n  image: gr\u{f6}\u{df}e/api:1 # x\r\nb: c\n";
        let start = text.find("gr").unwrap();
        let span = start..text.find(" #").unwrap();
        let snippet = Snippet::of(text, &span).unwrap();
        assert_eq!(snippet.text, "  image: gr\u{f6}\u{df}e/api:1 # x");
        assert_eq!((snippet.before, snippet.width), (9, 11));
        for (before, behind) in [(60, 95), (61, 96)] {
            let text = format!("{}image{}", "x".repeat(before), "y".repeat(behind));
            let snippet = Snippet::of(&text, &(before..before + 5)).unwrap();
            assert_eq!(snippet.text.chars().count(), SNIPPET_CHARS_MAX, "{before}");
            assert_eq!((snippet.before, snippet.width), (BEFORE_CHARS_MAX, 5));
        }
    }
}

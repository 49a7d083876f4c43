//! The proof of an edit, in three parts: bytes, readers, meaning.
//!
//! ```text
//! bytes    outside the edits both texts are equal, counted from both sides
//! readers  ours and granit-parser see the same in the old text, and the same in the new
//! meaning  both texts read alike, but for the values that the edits promised
//! ```
//! A text with template lines has one reader only: ours.

use crate::classify::Format;
use crate::edit::{Edit, Promise, splice};
use crate::format::{Reader, dockerfile};
use crate::place::Places;
use crate::scan::{ScanError, read};
use crate::yaml::{Mark, Shape, agree, marks};
use std::borrow::Cow;
use std::collections::HashMap;

/// Why a file is left as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The edits were made for another text, or overlap.
    #[error("the edit at byte {at} does not fit the text: was the file changed meanwhile")]
    Misfit {
        /// Where.
        at: usize,
    },
    /// The text cannot be read, before or after.
    #[error("the text cannot be read {when}")]
    Unreadable {
        /// Before or after the edit.
        when: When,
        /// Why.
        source: ScanError,
    },
    /// Two readers see different things: the file is left to a person.
    #[error(
        "line {line}, column {column}: two YAML readers disagree about the text {when}: {detail}"
    )]
    Disagreement {
        /// Before or after the edit.
        when: When,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What each saw.
        detail: String,
    },
    /// Something else would change too.
    #[error("line {line}, column {column}: the edit would change more than the reference")]
    Collateral {
        /// From 1, in the old text.
        line: usize,
        /// From 1, in the old text.
        column: usize,
    },
}

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The text as it was.
    Before,
    /// The text as it would be.
    After,
}

impl std::fmt::Display for When {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Before => "as it is",
            Self::After => "after the edit",
        })
    }
}

/// Proves that `new` is `old` with these edits, in the order of the file, and nothing else.
///
/// # Errors
/// Says which of the three parts fails, and where.
pub fn prove(format: Format, old: &str, new: &str, edits: &[&Edit]) -> Result<(), ProofError> {
    bytes(old, new, edits)?;
    match format.spec().reader {
        Reader::Dockerfile => meaning(old, &words(old), &words(new), edits),
        Reader::Marked { marks, .. } => {
            let read =
                |text, when| marks(text).map_err(|source| ProofError::Unreadable { when, source });
            meaning(old, &read(old, When::Before)?, &read(new, When::After)?, edits)
        }
        // No plan has an edit for it.
        Reader::Seen(_) => {
            edits.first().map_or(Ok(()), |edit| Err(collateral(old, edit.span.start)))
        }
        Reader::Yaml(_) => yaml(old, new, edits),
    }
}

/// Both readings of a YAML text.
fn yaml(old: &str, new: &str, edits: &[&Edit]) -> Result<(), ProofError> {
    let before = tree(old, When::Before)?;
    let after = tree(new, When::After)?;
    if before.is_templated != after.is_templated {
        return Err(collateral(old, 0));
    }
    meaning(old, &marks(&before), &marks(&after), edits)
}

/// What the text of a block becomes, proved as if it were a file; nothing where no edit is in it.
fn inside(old: &str, promises: &[&Promise]) -> Result<Option<String>, ProofError> {
    let edit = |promise: &'_ &Promise| match promise {
        Promise::Inside { edit, .. } => Some(edit.as_ref().clone()),
        Promise::Becomes { .. } | Promise::Adds { .. } | Promise::Removes { .. } => None,
    };
    let mut edits: Vec<Edit> = promises.iter().filter_map(edit).collect();
    if edits.is_empty() {
        return Ok(None);
    }
    edits.sort_by_key(|edit| edit.span.start);
    let ordered: Vec<&Edit> = edits.iter().collect();
    let new = splice(old, &ordered)?;
    bytes(old, &new, &ordered)?;
    yaml(old, &new, &ordered)?;
    Ok(Some(new))
}

fn tree(text: &str, when: When) -> Result<crate::yaml::Tree<'_>, ProofError> {
    let tree = read(text).map_err(|source| ProofError::Unreadable { when, source })?;
    if !tree.is_templated
        && let Err(found) = agree(&tree)
    {
        let (line, column) = Places::new(text).of(found.at);
        return Err(ProofError::Disagreement { when, line, column, detail: found.detail });
    }
    Ok(tree)
}

fn collateral(old: &str, at: usize) -> ProofError {
    let (line, column) = Places::new(old).of(at);
    ProofError::Collateral { line, column }
}

/// Walks both texts together: equal outside the edits, as planned inside.
fn bytes(old: &str, new: &str, edits: &[&Edit]) -> Result<(), ProofError> {
    let (old_bytes, mut rest) = (old.as_bytes(), new.as_bytes());
    let mut at = 0;
    for edit in edits {
        let kept =
            old_bytes.get(at..edit.span.start).ok_or(ProofError::Misfit { at: edit.span.start })?;
        rest = rest
            .strip_prefix(kept)
            .and_then(|rest| rest.strip_prefix(edit.text.as_bytes()))
            .ok_or_else(|| collateral(old, edit.span.start))?;
        at = edit.span.end;
    }
    if old_bytes.get(at..) == Some(rest) { Ok(()) } else { Err(collateral(old, at)) }
}

/// Walks both readings together: equal but for what the edits promise, each promise kept once.
fn meaning(
    old: &str,
    before: &[Mark<'_>],
    after: &[Mark<'_>],
    edits: &[&Edit],
) -> Result<(), ProofError> {
    let promises = by_scalar(edits);
    let (mut before, mut after) = (before.iter(), after.iter());
    let mut kept = 0;
    while let Some(mark) = before.next() {
        let fail = || collateral(old, mark.span.start);
        let here: &[&Promise] = match promises.get(&(mark.span.start, mark.span.end)) {
            Some(here) if mark.shape == Shape::Scalar => here,
            Some(_) | None => &[],
        };
        kept += here.len();
        if here.iter().any(|promise| matches!(promise, Promise::Removes { .. })) {
            let value = before.next().ok_or_else(fail)?;
            if value.shape != Shape::Scalar {
                return Err(fail());
            }
            continue;
        }
        let new = inside(&mark.value, here)?;
        let mut expected = vec![new.as_deref().unwrap_or(mark.value.as_ref())];
        for promise in here {
            match promise {
                Promise::Becomes { value, .. } => expected[0] = value,
                Promise::Adds { pairs, .. } => {
                    expected.extend(pairs.iter().flat_map(|(key, value)| [key.as_str(), value]));
                }
                Promise::Removes { .. } | Promise::Inside { .. } => {}
            }
        }
        for (at, value) in expected.into_iter().enumerate() {
            let found = after.next().ok_or_else(fail)?;
            let (shape, is_anchored) =
                if at == 0 { (mark.shape, mark.is_anchored) } else { (Shape::Scalar, false) };
            if found.shape != shape || found.value != value || found.is_anchored != is_anchored {
                return Err(fail());
            }
        }
    }
    if after.next().is_some() || kept != edits.len() {
        return Err(collateral(old, edits.first().map_or(0, |edit| edit.span.start)));
    }
    Ok(())
}

/// The promises by the span of the scalar at which each is kept.
fn by_scalar<'e>(edits: &[&'e Edit]) -> HashMap<(usize, usize), Vec<&'e Promise>> {
    let mut all: HashMap<(usize, usize), Vec<&'e Promise>> = HashMap::new();
    for edit in edits {
        let span = match &edit.promise {
            Promise::Becomes { token, .. } => token,
            Promise::Adds { after, .. } => after,
            Promise::Removes { key } => key,
            Promise::Inside { block, .. } => block,
        };
        all.entry((span.start, span.end)).or_default().push(&edit.promise);
    }
    all
}

/// A Dockerfile as marks: every directive, word and heredoc body.
fn words(text: &str) -> Vec<Mark<'_>> {
    let parsed: dockerfile::Parsed = dockerfile::parse(text);
    let mark = |shape, value, span| Mark { shape, value, span, is_exact: true, is_anchored: false };
    let word = |word: dockerfile::Word| mark(Shape::Scalar, Cow::Owned(word.text), word.span);
    let mut all: Vec<Mark<'_>> = Vec::new();
    all.extend(parsed.directives.into_iter().map(|directive| word(directive.value)));
    for instruction in parsed.instructions {
        all.push(mark(Shape::Sequence, Cow::Borrowed(""), instruction.start..instruction.start));
        all.extend(instruction.words.into_iter().map(word));
    }
    for body in parsed.bodies {
        let value = Cow::Borrowed(text.get(body.clone()).unwrap_or_default());
        all.push(mark(Shape::Document, value, body));
    }
    all
}

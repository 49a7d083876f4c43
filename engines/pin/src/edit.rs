//! An edit: some bytes that become others, and what the file must say afterwards.
//!
//! ```text
//! 37..49  shop/api:1.4  ->  shop/api:1.4@sha256:9f…
//! ```
//! Made by [`crate::plan`]; carried out here, with the proof.

use crate::classify::Format;
use crate::proof::{ProofError, prove};
use std::ops::Range;

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty for an insertion.
    pub span: Range<usize>,
    /// The bytes that come.
    pub text: String,
    /// The site for whose sake, as an index into the scan's sites.
    pub site: usize,
    /// What a reader must find changed, and nothing else.
    pub(crate) promise: Promise,
}

/// The change that a reader of the new text must see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// The scalar or word with this span has another value.
    Becomes { token: Range<usize>, value: String },
    /// Behind the scalar with this span stand new keys and values.
    Adds { after: Range<usize>, pairs: Vec<(String, String)> },
    /// The key with this span and its value are gone.
    Removes { key: Range<usize> },
    /// The text of the block with this span changes as if it were a file of its own.
    Inside { block: Range<usize>, edit: Box<Edit> },
}

/// Carries edits out and proves the result: nothing changed but what the edits promise.
///
/// # Errors
/// When the edits do not fit this text, or when the new text does not say what it must; nothing is lost then.
pub fn apply(format: Format, text: &str, edits: &[Edit]) -> Result<String, ProofError> {
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let new = splice(text, &ordered)?;
    prove(format, text, &new, &ordered)?;
    Ok(new)
}

/// The text with the edits, which stand in the order of the file.
pub(crate) fn splice(text: &str, ordered: &[&Edit]) -> Result<String, ProofError> {
    let added: usize = ordered.iter().map(|edit| edit.text.len()).sum();
    let mut new = String::with_capacity(text.len() + added);
    let mut at = 0;
    for edit in ordered {
        // Text between two edits; none where they overlap or cut a character.
        let kept = text.get(at..edit.span.start);
        let (Some(kept), Some(_)) = (kept, text.get(edit.span.clone())) else {
            return Err(ProofError::Misfit { at: edit.span.start });
        };
        new.push_str(kept);
        new.push_str(&edit.text);
        at = edit.span.end;
    }
    new.push_str(text.get(at..).unwrap_or_default());
    Ok(new)
}

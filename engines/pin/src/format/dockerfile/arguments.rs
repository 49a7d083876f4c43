//! The build arguments before the first `FROM`, and which of them is a whole reference wherever it is used.
//!
//! ```text
//! ARG BASE=nginx:1.27     FROM ${BASE}          a pin may stand in BASE
//! ARG ALSO=nginx:1.27     FROM ${ALSO}-alpine   it may not: a digest would stand in the middle of a name
//! ```

use super::words::{Parsed, Word};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Arguments that take their default from each other, at most.
const CHAIN_MAX: usize = 8;

pub(super) struct Arguments {
    /// The words that set them, so far.
    set: HashMap<String, Option<Word>>,
    /// Those that stand somewhere as a part of a name.
    composed: HashSet<String>,
}

impl Arguments {
    /// None is set yet; how they are used is known for the whole file.
    pub(super) fn of(parsed: &Parsed) -> Self {
        let mut composed = HashSet::new();
        let mut is_global = true;
        for instruction in &parsed.instructions {
            let Some((keyword, rest)) = instruction.words.split_first() else {
                continue;
            };
            let is_from = keyword.text.eq_ignore_ascii_case("from");
            is_global &= !is_from;
            let is_set = is_global && keyword.text.eq_ignore_ascii_case("arg");
            if !is_from && !is_set {
                continue;
            }
            for word in rest {
                let start = if is_from { 0 } else { word.text.find('=').map_or(0, |at| at + 1) };
                let value = &word.text[unquoted(&word.text, start..word.text.len())];
                if whole_variable(value).is_none() {
                    composed.extend(variables(value));
                }
            }
        }
        Self { set: HashMap::new(), composed }
    }

    /// Takes the words of an `ARG`.
    pub(super) fn set(&mut self, words: &[Word]) {
        for word in words {
            match word.text.split_once('=') {
                Some((name, _)) => {
                    self.set.insert(name.to_owned(), Some(word.clone()));
                }
                // Without a default, a later word does not take an earlier default away.
                None => {
                    self.set.entry(word.text.clone()).or_insert(None);
                }
            }
        }
    }

    /// The word whose default is the whole of what `FROM` names, where it is nowhere a part of something else.
    pub(super) fn whole(&self, text: &str) -> Option<&Word> {
        let mut found = None;
        let mut text = text;
        for _ in 0..CHAIN_MAX {
            let Some(name) = whole_variable(text) else {
                break;
            };
            let Some(Some(word)) = self.set.get(name).filter(|_| !self.composed.contains(name))
            else {
                break;
            };
            let start = word.text.find('=').map_or(0, |at| at + 1);
            text = &word.text[unquoted(&word.text, start..word.text.len())];
            found = Some(word);
        }
        found
    }
}

/// The names behind every `$` of a text.
fn variables(text: &str) -> impl Iterator<Item = String> {
    text.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest[..end.unwrap_or(rest.len())].to_owned()
    })
}

/// Takes one pair of quotes off a part of a text.
pub(super) fn unquoted(text: &str, part: Range<usize>) -> Range<usize> {
    let inner = &text[part.clone()];
    let is_quoted = inner.len() >= 2
        && ((inner.starts_with('"') && inner.ends_with('"'))
            || (inner.starts_with('\'') && inner.ends_with('\'')));
    if is_quoted { part.start + 1..part.end - 1 } else { part }
}

/// The name in `$BASE` or `${BASE}`, where nothing stands beside it.
fn whole_variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let name = match name.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}')?,
        None => name,
    };
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some(name)
}

//! A unit of systemd as sections, keys and values, each with its bytes.
//!
//! ```text
//! [Container]
//! Image=shop/api:1.4     -> section Container, key Image, value shop/api:1.4
//! Exec=serve \
//! # passed over
//!   --port 80            -> one value: `serve  --port 80`
//! ```
//! Source: systemd.syntax(7).

use crate::gather::Literal;
use crate::place::line_end;
use crate::scan::ScanError;
use crate::yaml::{Mark, Shape};
use std::borrow::Cow;
use std::ops::Range;

/// A key and its value.
pub(super) struct Entry<'t> {
    pub(super) section: &'t str,
    pub(super) key: &'t str,
    pub(super) value: Literal,
}

/// A line, or several that a backslash joins.
struct Line {
    span: Range<usize>,
    /// Joined: without backslashes, breaks and the comments between.
    text: String,
}

/// Every key with its value, in the order of the file.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut section = "";
    let mut all = Vec::new();
    for line in lines(text) {
        let written = &text[line.span.clone()];
        if let Some(name) = line.text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = text[line.span.clone()].get(1..=name.len()).unwrap_or_default();
            continue;
        }
        let Some((key, rest)) = written.split_once('=') else {
            continue;
        };
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let start = line.span.start + key.len() + 1 + blanks;
        let token = start..line.span.end.max(start);
        let value = line.text.split_once('=').map_or("", |(_, value)| value.trim()).to_owned();
        all.push(Entry {
            section,
            key: key.trim_end(),
            value: Literal { inner: token.clone(), token, value },
        });
    }
    all
}

/// Every section, key and value: what must stay the same across an edit.
#[expect(clippy::unnecessary_wraps, reason = "other readers of this signature can refuse a text")]
pub(super) fn marks(text: &str) -> Result<Vec<Mark<'_>>, ScanError> {
    let mark = |shape, value, span| Mark { shape, value, span, is_exact: true, is_anchored: false };
    let mut all = Vec::new();
    for line in lines(text) {
        let Some((key, value)) = line.text.split_once('=') else {
            all.push(mark(Shape::Sequence, Cow::Owned(line.text), line.span));
            continue;
        };
        all.push(mark(Shape::Mapping, Cow::Owned(key.to_owned()), line.span.clone()));
        words(text, &line, value, |value, span| all.push(mark(Shape::Scalar, value, span)));
    }
    Ok(all)
}

/// A value as marks: whole, but for one that an edit may rewrite a part of.
fn words<'t>(
    text: &'t str,
    line: &Line,
    value: &str,
    mut each: impl FnMut(Cow<'t, str>, Range<usize>),
) {
    let written = &text[line.span.clone()];
    let start = line.span.end - value.len().min(written.len());
    if !written.ends_with(value) || written.contains(['\n', '\r']) {
        each(Cow::Owned(value.trim().to_owned()), line.span.clone());
        return;
    }
    // In one line: parts between commas, equals signs and quotes, each where it stands.
    let mut at = start;
    for part in value.split([',', '=', '"', ' ', '\t']) {
        each(Cow::Owned(part.to_owned()), at..at + part.len());
        at += part.len();
        if let Some(joint) = text.get(at..at + 1).filter(|_| at < line.span.end) {
            each(Cow::Borrowed(joint), at..at + 1);
        }
        at += 1;
    }
}

fn lines(text: &str) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    let mut is_joined = false;
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < text.len() {
        let end = line_end(text, at);
        let written = &text[at..end];
        let body = written.trim();
        let start = at + (written.len() - written.trim_start().len());
        at = if text[end..].starts_with("\r\n") { end + 2 } else { end + 1 };
        if body.starts_with(['#', ';']) {
            continue;
        }
        if body.is_empty() {
            is_joined = false;
            continue;
        }
        let goes_on = body.ends_with('\\');
        let words = body.strip_suffix('\\').unwrap_or(body);
        match all.last_mut().filter(|_| is_joined) {
            Some(line) => {
                line.span.end = start + body.len();
                line.text.push(' ');
                line.text.push_str(words);
            }
            None => all.push(Line { span: start..start + body.len(), text: words.to_owned() }),
        }
        is_joined = goes_on;
    }
    all
}

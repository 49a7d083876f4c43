//! The bytes below structure: blanks, comments, breaks, template lines, properties and scalars.
//!
//! ```text
//! &img !!str "nginx:1" # note   ->   properties, then a scalar's span; the comment is passed over
//! ```
//! Keeps the start of the line that it stands in, so that a column is a subtraction.

use super::tree::{Kind, Span, Tree};
use super::{Broken, What};
use memchr::{memchr2, memmem};
use std::cell::Cell;

/// Anchor and tag before a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Properties {
    pub(super) anchor: Span,
    pub(super) tag: Span,
}

impl Properties {
    pub(super) fn is_empty(self) -> bool {
        self.anchor.is_empty() && self.tag.is_empty()
    }

    /// Joins properties of one node that stand on two lines.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        let one = |a: Span, b: Span| match (a.is_empty(), b.is_empty()) {
            (true, _) => Some(b),
            (false, true) => Some(a),
            (false, false) => None,
        };
        Some(Self { anchor: one(self.anchor, other.anchor)?, tag: one(self.tag, other.tag)? })
    }
}

/// A scalar or alias that was passed but not yet hung into the tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    pub(super) raw: Span,
    pub(super) column: u32,
    pub(super) lines: Lines,
}

/// Whether an atom stands on one line, which a key must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// Whether passing over blanks left the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    SameLine,
    NewLine,
}

/// Whether brackets are open around the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Block,
    Flow,
}

/// The reader; [`super::scan`] runs it.
pub(super) struct Lexer<'t> {
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    pub(super) line_start: usize,
    pub(super) depth: usize,
    pub(super) document: u32,
    pub(super) aliases: usize,
    pub(super) tree: Tree<'t>,
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

pub(super) fn is_flow_mark(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let bom = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            bytes: text.as_bytes(),
            at: bom,
            line_start: bom,
            depth: 0,
            document: 0,
            aliases: 0,
            tree: Tree {
                text,
                // Workload files have a node about every ten bytes; growing would copy them all.
                nodes: Vec::with_capacity(text.len() / 10 + 8),
                anchors: Vec::new(),
                roots: Vec::new(),
                is_templated: false,
                steps: Cell::new(0),
            },
        }
    }

    pub(super) fn into_tree(mut self) -> Tree<'t> {
        if self.aliases > 0 {
            self.tree.link_aliases();
        }
        self.tree
    }

    pub(super) fn fail<T>(&self, what: What) -> Result<T, Broken> {
        Err(Broken { at: self.at, what })
    }

    /// The byte here, or a break at the end of the text.
    pub(super) fn peek(&self) -> u8 {
        self.byte(self.at)
    }

    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn column(&self) -> i32 {
        i32::try_from(self.at - self.line_start).unwrap_or(i32::MAX)
    }

    /// Whether the byte after the indicator here ends it: `-` in `- a` is one, in `-a` it is not.
    pub(super) fn is_indicator(&self, byte: u8) -> bool {
        let next = self.byte(self.at + 1);
        self.peek() == byte && !self.is_end() && (is_blank(next) || is_break(next))
    }

    /// Whether `---` or `...` stands here, at the start of a line.
    pub(super) fn is_document_mark(&self) -> bool {
        if self.at != self.line_start {
            return false;
        }
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let next = self.byte(self.at + 3);
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && (is_blank(next) || is_break(next))
    }

    /// Where the line of a byte ends, its break not included.
    pub(super) fn line_end(&self, from: usize) -> usize {
        self.bytes
            .get(from..)
            .and_then(|rest| memchr2(b'\n', b'\r', rest))
            .map_or(self.bytes.len(), |at| from + at)
    }

    /// Steps over the break here.
    pub(super) fn pass_break(&mut self) {
        let wide = self.peek() == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
        self.at += if wide { 2 } else { 1 };
        self.line_start = self.at;
    }

    /// Steps over blanks, comments, breaks and lines that only a template reads.
    pub(super) fn pass(&mut self, within: Within) -> Passed {
        let mut passed = Passed::SameLine;
        while !self.is_end() {
            match self.peek() {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    self.pass_break();
                    passed = Passed::NewLine;
                }
                b'#' if self.at == self.line_start || is_blank(self.bytes[self.at - 1]) => {
                    self.at = self.line_end(self.at);
                }
                b'{' if within == Within::Block && self.pass_template_line() => {}
                _ => break,
            }
        }
        passed
    }

    pub(super) fn pass_blanks(&mut self) {
        while !self.is_end() && is_blank(self.peek()) {
            self.at += 1;
        }
    }

    pub(super) fn mark_templated(&mut self) {
        self.tree.is_templated = true;
    }

    pub(super) fn is_template_here(&self) -> bool {
        self.peek() == b'{' && matches!(self.byte(self.at + 1), b'{' | b'%')
    }

    /// Where the line ends whose rest, from here, is template actions alone.
    pub(super) fn template_end(&self) -> Option<usize> {
        if !self.is_template_here() {
            return None;
        }
        let mut at = self.at;
        while self.byte(at) == b'{' {
            let close: &[u8] = match self.byte(at + 1) {
                b'{' => b"}}",
                b'%' => b"%}",
                _ => return None,
            };
            at += memmem::find(&self.bytes[at..], close)? + 2;
            while at < self.bytes.len() && is_blank(self.bytes[at]) {
                at += 1;
            }
        }
        (at >= self.bytes.len() || is_break(self.bytes[at])).then_some(at)
    }

    /// Steps over a line that holds template actions and nothing else: `{{- if .x }}`.
    fn pass_template_line(&mut self) -> bool {
        let first = self.bytes[self.line_start..self.at].iter().all(|b| is_blank(*b));
        if !first {
            return false;
        }
        let Some(at) = self.template_end() else { return false };
        self.tree.is_templated = true;
        // An action may span lines; the start of the last one is found again.
        self.line_start = memchr::memrchr2(b'\n', b'\r', &self.bytes[self.at..at])
            .map_or(self.line_start, |last| self.at + last + 1);
        self.at = at;
        true
    }

    /// Reads `&anchor` and `!tag` here, several in a row.
    pub(super) fn properties(&mut self, within: Within) -> Result<Properties, Broken> {
        let mut all = Properties::default();
        while !self.is_end() && matches!(self.peek(), b'&' | b'!') {
            let start = self.at;
            let stops = |byte: u8| {
                is_blank(byte) || is_break(byte) || (within == Within::Flow && is_flow_mark(byte))
            };
            if self.bytes[start..].starts_with(b"!<") {
                self.at = self.line_end(start).min(
                    memchr::memchr(b'>', &self.bytes[start..]).map_or(usize::MAX, |n| start + n),
                );
            }
            while !self.is_end() && !stops(self.peek()) {
                self.at += 1;
            }
            let one = if self.bytes[start] == b'&' {
                Properties { anchor: Span::new(start + 1, self.at), ..Properties::default() }
            } else {
                Properties { tag: Span::new(start, self.at), ..Properties::default() }
            };
            all = match all.join(one) {
                Some(all) => all,
                None => return self.fail(What::Properties),
            };
            self.pass_blanks();
        }
        Ok(all)
    }
}

//! The other reader: `hcl-edit` must see the same strings in the same bytes before a file is edited.
//!
//! ```text
//! ours: "shop/api:1.4" at 49..63      hcl-edit: "shop/api:1.4" at 49..63
//! ```
//! It calls itself for every bracket, so what nests deep is not given to it, and not edited.

use super::lexer::{Kind, Token, value};
use crate::scan::{ScanError, broken};
use hcl_edit::template::{HeredocTemplate, StringTemplate};
use hcl_edit::visit::Visit;
use hcl_edit::{Decorated, Span};
use std::ops::Range;

/// Brackets in brackets at most in a file that is edited. Measured: without optimisation, 64 calls of `hcl-edit`
/// for `[for x in [for …` need more than the 2 MiB of a thread's stack; with it, less than 1 MiB.
const DEPTH_MAX: usize = 24;

/// Whether both readers see the same strings; those in templates are left to their templates.
pub(super) fn agree(text: &str, tokens: &[Token]) -> Result<(), ScanError> {
    shallow(text, tokens)?;
    let base = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let body = hcl_edit::parser::parse_body(&text[base..]).map_err(|error| {
        broken(text, 0, &format!("another reader refuses it: {}", first(&error.to_string())))
    })?;
    let mut seen = Strings { base, all: Vec::new() };
    seen.visit_body(&body);
    let ours = tokens.iter().filter(|token| token.kind == Kind::Text { is_template: false });
    let mut theirs = seen.all.iter();
    for token in ours {
        let said = text.get(token.inner()).and_then(value).unwrap_or_default();
        let same = theirs.next().is_some_and(|(span, text)| *span == token.span() && *text == said);
        if !same {
            return Err(broken(text, token.span().start, "two readers disagree about a string"));
        }
    }
    match theirs.next() {
        None => Ok(()),
        Some((span, _)) => Err(broken(text, span.start, "two readers disagree about a string")),
    }
}

fn first(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default();
    line.trim_start_matches([' ', '=', '|']).chars().take(160).collect()
}

fn shallow(text: &str, tokens: &[Token]) -> Result<(), ScanError> {
    let mut depth = 0_usize;
    for token in tokens {
        match token.kind {
            Kind::Sign(b'(' | b'[' | b'{') => depth += 1,
            Kind::Sign(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            // Counted without regard to quotes: `hcl-edit` has a limit of its own for what hides in them.
            Kind::Text { is_template: true } | Kind::Heredoc => {
                let raw = text.get(token.inner()).unwrap_or_default();
                if depth + deepest(raw) > DEPTH_MAX {
                    return Err(deep(text, token));
                }
            }
            Kind::Name
            | Kind::Number
            | Kind::Text { is_template: false }
            | Kind::Sign(_)
            | Kind::Break => {}
        }
        if depth > DEPTH_MAX {
            return Err(deep(text, token));
        }
    }
    Ok(())
}

/// How deep brackets stand in a text.
fn deepest(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

fn deep(text: &str, token: &Token) -> ScanError {
    let what = format!("it nests deeper than {DEPTH_MAX} levels, which is not edited");
    broken(text, token.span().start, &what)
}

struct Strings {
    base: usize,
    all: Vec<(Range<usize>, String)>,
}

impl Visit for Strings {
    fn visit_string(&mut self, node: &Decorated<String>) {
        let span = node.span().unwrap_or_default();
        self.all.push((span.start + self.base..span.end + self.base, node.as_str().to_owned()));
    }

    fn visit_string_template(&mut self, _: &StringTemplate) {}

    fn visit_heredoc_template(&mut self, _: &HeredocTemplate) {}
}

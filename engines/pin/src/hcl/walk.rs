//! From tokens to values: every attribute and every key of an object, with the way to it.
//!
//! ```text
//! dynamic "container" { content { image = var.x } }     container image  ->  neither text nor heredoc: nothing
//! a = jsonencode([{ image = "b:1" }])                   a image          ->  Value::Text
//! c = format("d:%s", var.e)                             c                ->  Value::Mixed
//! ```
//! Arrays and calls are no steps of a way. The stack is a list of ours, and bounded.

use super::lexer::{Kind, Token, lex, value};
use crate::gather::Literal;
use crate::scan::{ScanError, broken};
use crate::yaml::DEPTH_MAX;
use std::ops::Range;

/// What stands at a place.
pub(crate) enum Value {
    /// One string.
    Text(Literal),
    /// The bytes between its first and its last line.
    Heredoc(Range<usize>),
    /// An expression in which a string stands.
    Mixed(Range<usize>),
}

/// A value that was found.
pub(crate) struct Leaf {
    pub(crate) value: Value,
    /// The byte where the block or the object begins that holds it: the same for its neighbours.
    pub(crate) owner: usize,
}

type Visit<'v, 't> = dyn FnMut(&[&'t str], Leaf) + 'v;

/// Hands on every value of a text that is or has a string.
pub(crate) fn walk<'t>(text: &'t str, visit: &mut Visit<'_, 't>) -> Result<(), ScanError> {
    let tokens = lex(text)?;
    walk_tokens(text, &tokens, visit)
}

pub(super) fn walk_tokens<'t>(
    text: &'t str,
    tokens: &[Token],
    visit: &mut Visit<'_, 't>,
) -> Result<(), ScanError> {
    let root = Frame { kind: Of::Body, steps: 0, owner: 0, value: 0, is_open: false };
    let mut walker = Walker { text, tokens, at: 0, path: Vec::new(), frames: vec![root], visit };
    while walker.at < tokens.len() {
        walker.step()?;
    }
    walker.end_value();
    if walker.frames.len() > 1 {
        return Err(broken(text, text.len(), "a bracket has no end"));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Blocks and attributes.
    Body,
    /// A body below `dynamic`, whose `content` is no step.
    Dynamic,
    /// `{ key = value }`.
    Object,
    /// Between brackets that hold no keys.
    List(u8),
}

struct Frame {
    kind: Of,
    /// How long the path is outside of what this frame's own key adds.
    steps: usize,
    owner: usize,
    /// The first token of the value that is being read.
    value: usize,
    /// Whether one is.
    is_open: bool,
}

struct Walker<'a, 't, 'v> {
    text: &'t str,
    tokens: &'a [Token],
    at: usize,
    path: Vec<&'t str>,
    frames: Vec<Frame>,
    visit: &'a mut Visit<'v, 't>,
}

impl<'t> Walker<'_, 't, '_> {
    fn fail(&self, what: &str) -> ScanError {
        let at = self.tokens.get(self.at).map_or(self.text.len(), |token| token.span().start);
        broken(self.text, at, what)
    }

    fn is_sign(&self, at: usize, sign: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_sign(sign))
    }

    /// `=`, but not the first half of `==` or `=>`.
    fn is_equals(&self, at: usize) -> bool {
        let is_joined = self.tokens.get(at + 1).is_some_and(|next| {
            (next.is_sign(b'=') || next.is_sign(b'>'))
                && next.span().start == self.tokens[at].span().end
        });
        self.is_sign(at, b'=') && !is_joined
    }

    fn name(&self, at: usize) -> Option<&'t str> {
        let token = self.tokens.get(at)?;
        match token.kind {
            Kind::Name | Kind::Text { .. } => self.text.get(token.inner()),
            Kind::Number | Kind::Heredoc | Kind::Sign(_) | Kind::Break => None,
        }
    }

    fn top(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn step(&mut self) -> Result<(), ScanError> {
        let token = self.tokens[self.at];
        let (kind, is_open) = (self.top().kind, self.top().is_open);
        match kind {
            Of::Body | Of::Dynamic if !is_open => return self.statement(token),
            Of::Body | Of::Dynamic | Of::Object => match token.kind {
                Kind::Break => {
                    self.end_value();
                    return Ok(());
                }
                Kind::Sign(b',') if kind == Of::Object => {
                    self.end_value();
                    return Ok(());
                }
                Kind::Sign(b'}') => return self.close(b'}'),
                Kind::Name | Kind::Text { .. } if kind == Of::Object && !is_open => {
                    if self.is_equals(self.at + 1) || self.is_sign(self.at + 1, b':') {
                        self.begin_value(self.at);
                        return Ok(());
                    }
                }
                Kind::Name | Kind::Text { .. } | Kind::Number | Kind::Heredoc | Kind::Sign(_) => {}
            },
            Of::List(_) => {}
        }
        match token.kind {
            Kind::Sign(b'{') => self.open(Of::Object),
            Kind::Sign(b'[') => self.open(Of::List(b']')),
            Kind::Sign(b'(') => self.open(Of::List(b')')),
            Kind::Sign(sign @ (b'}' | b']' | b')')) => self.close(sign),
            Kind::Sign(_)
            | Kind::Name
            | Kind::Text { .. }
            | Kind::Number
            | Kind::Heredoc
            | Kind::Break => {
                self.at += 1;
                Ok(())
            }
        }
    }

    /// The beginning of an attribute or a block, or the end of a body.
    fn statement(&mut self, token: Token) -> Result<(), ScanError> {
        match token.kind {
            Kind::Break => self.at += 1,
            Kind::Sign(b'}') if self.frames.len() > 1 => return self.close(b'}'),
            Kind::Name if self.is_equals(self.at + 1) => self.begin_value(self.at),
            Kind::Name => return self.block(),
            Kind::Text { .. } | Kind::Number | Kind::Heredoc | Kind::Sign(_) => {
                return Err(self.fail("neither a block nor an attribute"));
            }
        }
        Ok(())
    }

    fn block(&mut self) -> Result<(), ScanError> {
        let steps = self.path.len();
        let head = self.name(self.at).unwrap_or_default();
        let is_content = head == "content" && self.top().kind == Of::Dynamic;
        let mut at = self.at;
        while let Some(name) = self.name(at) {
            let is_silent = at == self.at && (head == "dynamic" || is_content);
            if !is_silent {
                self.path.push(name);
            }
            at += 1;
        }
        if !self.is_sign(at, b'{') {
            return Err(self.fail("neither a block nor an attribute"));
        }
        self.at = at;
        let kind = if head == "dynamic" { Of::Dynamic } else { Of::Body };
        self.open(kind)?;
        self.top().steps = steps;
        Ok(())
    }

    /// A key stands here, its sign behind it.
    fn begin_value(&mut self, key: usize) {
        let name = self.name(key).unwrap_or_default();
        let steps = self.path.len();
        self.at = key + 2;
        let value = self.at;
        let frame = self.top();
        (frame.value, frame.is_open) = (value, true);
        self.path.push(name);
        debug_assert!(self.path.len() == steps + 1, "a key is one step");
    }

    /// The value that was being read ends before this token.
    fn end_value(&mut self) {
        let here = self.at;
        self.at += 1;
        let frame = self.top();
        if !frame.is_open {
            return;
        }
        frame.is_open = false;
        let (first, owner) = (frame.value, frame.owner);
        if let Some(value) = self.value(first..here) {
            (self.visit)(&self.path, Leaf { value, owner });
        }
        self.path.pop();
    }

    fn value(&self, tokens: Range<usize>) -> Option<Value> {
        let own = self.tokens.get(tokens)?;
        let (first, last) = (own.first()?, own.last()?);
        if own.len() == 1 {
            return match first.kind {
                Kind::Text { is_template } => {
                    let raw = self.text.get(first.inner())?;
                    let said = if is_template { None } else { value(raw) };
                    Some(Value::Text(Literal {
                        token: first.span(),
                        inner: first.inner(),
                        value: said.unwrap_or_else(|| raw.to_owned()),
                    }))
                }
                Kind::Heredoc => Some(Value::Heredoc(first.span())),
                Kind::Name | Kind::Number | Kind::Sign(_) | Kind::Break => None,
            };
        }
        let is_nested = own.iter().any(|token| token.is_sign(b'{'));
        let has_text = own.iter().any(|token| matches!(token.kind, Kind::Text { .. }));
        (has_text && !is_nested).then(|| Value::Mixed(first.span().start..last.span().end))
    }

    fn open(&mut self, kind: Of) -> Result<(), ScanError> {
        if self.frames.len() > DEPTH_MAX {
            return Err(self.fail("it nests too deep"));
        }
        let owner = self.tokens[self.at].span().start;
        let steps = self.path.len();
        self.frames.push(Frame { kind, steps, owner, value: 0, is_open: false });
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, sign: u8) -> Result<(), ScanError> {
        let own = match self.top().kind {
            Of::Body | Of::Dynamic | Of::Object => b'}',
            Of::List(sign) => sign,
        };
        if self.frames.len() == 1 || own != sign {
            return Err(self.fail("a bracket closes what is not open"));
        }
        // Counts this bracket as the token behind the value.
        self.end_value();
        if let Some(frame) = self.frames.pop() {
            self.path.truncate(frame.steps);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        walk(text, &mut |path, leaf| {
            let what = match leaf.value {
                Value::Text(literal) => literal.value,
                Value::Heredoc(_) => "<<".to_owned(),
                Value::Mixed(span) => text[span].to_owned(),
            };
            all.push(format!("{} = {what}", path.join(".")));
        })
        .expect("it is read");
        all
    }

    #[test]
    fn a_value_has_a_way_to_it() {
        let text = "a \"b\" c {\n  d = \"e\"\n  f { g = \"h\" }\n}\ni = [{ j = \"k\", \"l\" : [\"m\"] }, {\n n = \"o\"\n}]\np = \"q\" // r";
        assert_eq!(
            found(text),
            ["a.b.c.d = e", "a.b.c.f.g = h", "i.j = k", "i.l = [\"m\"]", "i.n = o", "p = q"]
        );
    }

    #[test]
    fn what_is_no_plain_string_says_so() {
        let text = "a = x == \"y\" ? \"b\" : \"c\"\nd = [for k, v in e : { f = \"g\" }]\nh = var.i\nj = <<E\nx\nE\nk = f(\n  \"l\",\n)\n";
        assert_eq!(
            found(text),
            ["a = x == \"y\" ? \"b\" : \"c\"", "d.f = g", "j = <<", "k = f(\n  \"l\",\n)"]
        );
    }

    #[test]
    fn blocks_that_are_made_many_times_are_ways_too() {
        let text = "dynamic \"container\" {\n for_each = x\n content {\n image = \"a:1\"\n }\n}\n";
        assert_eq!(found(text), ["container.image = a:1"]);
    }

    #[test]
    fn brackets_nest_so_deep_and_no_deeper() {
        let read = |text: &str| walk(text, &mut |_, _| {});
        for (open, close) in [("(", ")"), ("[", "]"), ("{a=", "}")] {
            let nested = |n: usize| format!("x = {}{}\n", open.repeat(n), close.repeat(n));
            assert!(read(&nested(DEPTH_MAX)).is_ok(), "{open}");
            assert!(read(&nested(DEPTH_MAX + 1)).is_err(), "{open}");
            assert!(read(&nested(1_000_000)).is_err(), "{open}");
        }
        assert!(read(&"a {\n".repeat(1_000_000)).is_err());
        for text in ["}", "a = )", "a = [}", "a {", "= 1", "a b", "a = \"", "/*"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

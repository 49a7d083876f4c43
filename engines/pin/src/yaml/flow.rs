//! Collections in brackets: `{image: nginx}`, `[a, b: c]`, on one line or several.

use super::lexer::{Lexer, Properties, Within};
use super::tree::{Kind, Layout, NONE, NodeId, Slot, Span, Style};
use super::{Broken, What};

/// Which bracket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bracket {
    Square,
    Curly,
}

impl Lexer<'_> {
    /// Reads the collection whose bracket stands here.
    pub(super) fn flow(&mut self, slot: Slot, properties: Properties) -> Result<NodeId, Broken> {
        let start = self.at;
        let (bracket, kind, close) = if self.peek() == b'[' {
            (Bracket::Square, Kind::Sequence(Layout::Flow), b']')
        } else {
            (Bracket::Curly, Kind::Mapping(Layout::Flow), b'}')
        };
        let id = self.open(kind, slot, properties)?;
        self.at += 1;
        let mut index = 0;
        loop {
            self.pass(Within::Flow);
            if self.is_end() {
                self.at = start;
                return self.fail(What::Unclosed);
            }
            if self.peek() == close {
                break;
            }
            let entry = Slot { parent: id, key: NONE, index };
            match bracket {
                Bracket::Square => self.item(entry)?,
                Bracket::Curly => self.pair(entry)?,
            }
            index += 1;
            self.pass(Within::Flow);
            if !self.is_end() && self.peek() == b',' {
                self.at += 1;
            } else if self.is_end() || self.peek() != close {
                if self.is_end() {
                    self.at = start;
                }
                return self.fail(What::Unclosed);
            }
        }
        self.at += 1;
        self.close(id);
        Ok(id)
    }

    /// An entry between square brackets: a node, or one pair that makes a mapping of its own.
    fn item(&mut self, slot: Slot) -> Result<(), Broken> {
        if self.is_indicator(b'?') || self.is_flow_colon(None) {
            let mapping = self.open(Kind::Mapping(Layout::Flow), slot, Properties::default())?;
            let pair = Slot { parent: mapping, key: NONE, index: 0 };
            self.pair(pair)?;
            self.close(mapping);
            return Ok(());
        }
        let line = self.line_start;
        let node = self.flow_node(slot)?;
        self.pass_blanks();
        if self.line_start == line && self.is_flow_colon(Some(node)) {
            let mapping = self.wrap(node, Layout::Flow)?;
            self.at += 1;
            let value = Slot { parent: mapping, key: mapping + 1, index: 0 };
            self.flow_value(value)?;
            self.close(mapping);
        }
        Ok(())
    }

    /// An entry between curly brackets: a key, and a value where a colon follows.
    fn pair(&mut self, slot: Slot) -> Result<(), Broken> {
        if self.is_indicator(b'?') {
            self.at += 1;
            self.pass(Within::Flow);
        }
        let key = if self.is_flow_colon(None) || matches!(self.peek(), b',' | b'}') {
            self.push_empty(slot, Properties::default())?
        } else {
            self.flow_node(slot)?
        };
        self.pass(Within::Flow);
        let value = Slot { key, ..slot };
        if self.is_flow_colon(Some(key)) {
            self.at += 1;
            self.flow_value(value)
        } else {
            self.push_empty(value, Properties::default()).map(drop)
        }
    }

    /// Whether a colon here parts key and value; after a quote or bracket it needs no blank behind it.
    fn is_flow_colon(&self, key: Option<NodeId>) -> bool {
        if self.is_end() || self.peek() != b':' {
            return false;
        }
        let next = self.byte(self.at + 1);
        let is_json =
            key.is_some_and(|_| matches!(self.byte(self.at - 1), b'"' | b'\'' | b']' | b'}'));
        is_json || matches!(next, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']' | b'{' | b'}')
    }

    fn flow_value(&mut self, slot: Slot) -> Result<(), Broken> {
        self.pass(Within::Flow);
        if matches!(self.peek(), b',' | b']' | b'}') || self.is_end() {
            return self.push_empty(slot, Properties::default()).map(drop);
        }
        self.flow_node(slot).map(drop)
    }

    fn flow_node(&mut self, slot: Slot) -> Result<NodeId, Broken> {
        let mut properties = Properties::default();
        while matches!(self.peek(), b'&' | b'!') && !self.is_end() {
            let more = self.properties(Within::Flow)?;
            properties = match properties.join(more) {
                Some(joined) => joined,
                None => return self.fail(What::Properties),
            };
            self.pass(Within::Flow);
        }
        if self.is_end() || matches!(self.peek(), b',' | b']' | b'}') || self.is_flow_colon(None) {
            return self.push_empty(slot, properties);
        }
        if matches!(self.peek(), b'[' | b'{') && !self.is_template_here() {
            return self.flow(slot, properties);
        }
        if self.is_template_here() {
            return self.flow_template(slot, properties);
        }
        let atom = self.atom(-1, Within::Flow)?;
        self.push_atom(atom, slot, properties)
    }

    /// `{{ .x }}` between brackets: a template's, read up to its own end and what is glued to it.
    fn flow_template(&mut self, slot: Slot, properties: Properties) -> Result<NodeId, Broken> {
        let start = self.at;
        let Some(length) = memchr::memmem::find(&self.bytes[start..self.line_end(start)], b"}}")
        else {
            return self.flow(slot, properties);
        };
        self.mark_templated();
        self.at = start + length + 2;
        while !self.is_end()
            && !matches!(self.peek(), b',' | b']' | b'}' | b'\n' | b'\r' | b' ' | b'\t')
        {
            self.at += 1;
        }
        let raw = Span::new(start, self.at);
        self.push(Kind::Scalar(Style::Template), raw, slot, properties)
    }
}

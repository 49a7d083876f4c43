//! Documents, and the collections that indentation makes.
//!
//! ```text
//! containers:
//! - name: api        a sequence may stand at its key's own column
//!   image: nginx
//! ```

use super::lexer::{Lexer, Lines, Passed, Properties, Within, is_blank, is_break};
use super::tree::{Kind, Layout, NONE, NodeId, Slot};
use super::{Broken, What};

/// What stands before a node, which says where its lines may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `key:`; a block collection begins on a later line, a sequence perhaps at the key's column.
    Value,
    /// `-`, `?` or `:` alone; a collection may begin on the same line.
    Item,
}

/// Properties in front of a node: those on lines before it, and those on its own line.
struct Front {
    outer: Properties,
    inner: Properties,
    column: i32,
}

impl Lexer<'_> {
    /// Reads all documents.
    pub(super) fn stream(&mut self) -> Result<(), Broken> {
        loop {
            self.pass(Within::Block);
            while self.peek() == b'%' && self.at == self.line_start && !self.is_end() {
                self.at = self.line_end(self.at);
                self.pass(Within::Block);
            }
            if self.is_end() {
                return Ok(());
            }
            let mut place = Place::Item;
            if self.is_document_mark() {
                let is_start = self.peek() == b'-';
                self.at += 3;
                if !is_start {
                    continue;
                }
                place = Place::Value;
            }
            self.node(-1, place, Slot::ROOT)?;
            self.pass(Within::Block);
            if !self.is_end() && !self.is_document_mark() {
                return self.fail(What::Indentation);
            }
            self.document += 1;
        }
    }

    fn check_indentation(&self) -> Result<(), Broken> {
        let line = &self.bytes[self.line_start..self.at];
        if line.contains(&b'\t') && line.iter().all(|b| is_blank(*b)) {
            return self.fail(What::Tab);
        }
        Ok(())
    }

    /// Reads the node after an indicator whose collection stands at `indent`.
    fn node(&mut self, indent: i32, place: Place, slot: Slot) -> Result<NodeId, Broken> {
        let mut front =
            Front { outer: Properties::default(), inner: Properties::default(), column: 0 };
        let mut on_line = Passed::SameLine;
        loop {
            if self.pass(Within::Block) == Passed::NewLine {
                on_line = Passed::NewLine;
                front.outer = match front.outer.join(front.inner) {
                    Some(joined) => joined,
                    None => return self.fail(What::Properties),
                };
                front.inner = Properties::default();
            }
            let is_entry = self.is_indicator(b'-');
            let is_deep = self.column() > indent
                || (self.column() == indent && is_entry && place == Place::Value);
            if self.is_end() || self.is_document_mark() || (on_line == Passed::NewLine && !is_deep)
            {
                return self.push_empty(slot, self.joined(&front)?);
            }
            if on_line == Passed::NewLine {
                self.check_indentation()?;
            }
            if !matches!(self.peek(), b'&' | b'!') {
                break;
            }
            front.column = self.column();
            front.inner = self.properties(Within::Block)?;
        }
        if front.inner.is_empty() {
            front.column = self.column();
        }
        let begins_block = on_line == Passed::NewLine || place == Place::Item;
        self.content(indent, begins_block.then_some(front.column), slot, &front)
    }

    fn joined(&self, front: &Front) -> Result<Properties, Broken> {
        match front.outer.join(front.inner) {
            Some(joined) => Ok(joined),
            None => self.fail(What::Properties),
        }
    }

    /// Reads what follows the properties; `block` is the column of a block collection that may begin here.
    fn content(
        &mut self,
        indent: i32,
        block: Option<i32>,
        slot: Slot,
        front: &Front,
    ) -> Result<NodeId, Broken> {
        if self.is_indicator(b'-') || self.is_indicator(b'?') || self.is_indicator(b':') {
            let (Some(column), true) = (block, front.inner.is_empty()) else {
                return self.fail(What::Misplaced);
            };
            if self.peek() == b'-' {
                return self.sequence(column, slot, front.outer);
            }
            let mapping = self.open(Kind::Mapping(Layout::Block), slot, front.outer)?;
            return self.entries(mapping, column);
        }
        if matches!(self.peek(), b'|' | b'>') {
            let joined = self.joined(front)?;
            let atom = self.block_scalar(indent)?;
            return self.push_atom(atom, slot, joined);
        }
        if matches!(self.peek(), b'[' | b'{') && !self.is_template_here() {
            return self.flow_or_key(block, slot, front);
        }
        let atom = self.atom(indent, Within::Block)?;
        if atom.lines == Lines::One && self.is_colon_ahead() {
            let Some(column) = block else {
                return self.fail(Self::colon_trouble(atom.kind));
            };
            let here = self.at;
            // A mapping stands where its first key's properties do.
            self.at = self.line_start + usize::try_from(column).unwrap_or(0);
            let mapping = self.open(Kind::Mapping(Layout::Block), slot, front.outer)?;
            self.at = here;
            let key = Slot { parent: mapping, key: NONE, index: 0 };
            let key = self.push_atom(atom, key, front.inner)?;
            self.value_of(mapping, key, 0, column)?;
            return self.more_entries(mapping, 1, column);
        }
        let joined = self.joined(front)?;
        self.expect_line_end()?;
        self.push_atom(atom, slot, joined)
    }

    fn colon_trouble(kind: Kind) -> What {
        match kind {
            Kind::Alias | Kind::Scalar(_) => What::Misplaced,
            Kind::Mapping(_) | Kind::Sequence(_) | Kind::Empty => What::Trailing,
        }
    }

    fn flow_or_key(
        &mut self,
        block: Option<i32>,
        slot: Slot,
        front: &Front,
    ) -> Result<NodeId, Broken> {
        let line = self.line_start;
        // Before a key, the outer properties are the mapping's.
        let node = self.flow(slot, self.joined(front)?)?;
        let (true, Some(column)) = (self.line_start == line && self.is_colon_ahead(), block) else {
            self.expect_line_end()?;
            return Ok(node);
        };
        if !front.outer.is_empty() {
            return self.fail(What::Properties);
        }
        let mapping = self.wrap(node, Layout::Block)?;
        self.value_of(mapping, mapping + 1, 0, column)?;
        self.more_entries(mapping, 1, column)
    }

    /// Whether, after blanks, a colon stands that makes a key of what was read.
    fn is_colon_ahead(&mut self) -> bool {
        self.pass_blanks();
        self.is_indicator(b':')
    }

    fn expect_line_end(&mut self) -> Result<(), Broken> {
        let before = self.at;
        self.pass_blanks();
        let is_comment = self.peek() == b'#' && self.at > before;
        // The reader of a plain scalar has passed the blanks before a comment.
        let is_after_blank = self.at > 0 && is_blank(self.bytes[self.at - 1]);
        if self.is_end()
            || is_break(self.peek())
            || is_comment
            || (self.peek() == b'#' && is_after_blank)
        {
            return Ok(());
        }
        // `kind: "Pod" {{ end }}`: the engine reads the rest of the line.
        if is_after_blank && let Some(end) = self.template_end() {
            self.mark_templated();
            self.at = end;
            return Ok(());
        }
        self.fail(What::Trailing)
    }

    fn sequence(
        &mut self,
        column: i32,
        slot: Slot,
        properties: Properties,
    ) -> Result<NodeId, Broken> {
        let sequence = self.open(Kind::Sequence(Layout::Block), slot, properties)?;
        let mut index = 0;
        loop {
            self.at += 1;
            let item = Slot { parent: sequence, key: NONE, index };
            self.node(column, Place::Item, item)?;
            index += 1;
            self.pass(Within::Block);
            if self.is_end() || self.is_document_mark() || self.column() < column {
                break;
            }
            self.check_indentation()?;
            if self.column() > column {
                return self.fail(What::Indentation);
            }
            if !self.is_indicator(b'-') {
                break;
            }
        }
        self.close(sequence);
        Ok(sequence)
    }

    /// Reads the entries of a mapping that was just opened, the first of which stands here.
    fn entries(&mut self, mapping: NodeId, column: i32) -> Result<NodeId, Broken> {
        self.entry(mapping, 0, column)?;
        self.more_entries(mapping, 1, column)
    }

    fn more_entries(&mut self, mapping: NodeId, from: u32, column: i32) -> Result<NodeId, Broken> {
        let mut index = from;
        loop {
            self.pass(Within::Block);
            if self.is_end() || self.is_document_mark() || self.column() < column {
                break;
            }
            self.check_indentation()?;
            if self.column() > column {
                return self.fail(What::Indentation);
            }
            self.entry(mapping, index, column)?;
            index += 1;
        }
        self.close(mapping);
        Ok(mapping)
    }

    fn entry(&mut self, mapping: NodeId, index: u32, column: i32) -> Result<(), Broken> {
        let slot = Slot { parent: mapping, key: NONE, index };
        if self.is_indicator(b'?') {
            self.at += 1;
            let key = self.node(column, Place::Item, slot)?;
            self.pass(Within::Block);
            let value = Slot { key, ..slot };
            if self.column() == column && self.is_indicator(b':') {
                self.at += 1;
                self.node(column, Place::Item, value)?;
            } else {
                self.push_empty(value, Properties::default())?;
            }
            return Ok(());
        }
        if self.is_indicator(b':') {
            let key = self.push_empty(slot, Properties::default())?;
            return self.value_of(mapping, key, index, column);
        }
        if self.is_indicator(b'-') {
            return self.fail(What::NoColon);
        }
        let properties = self.properties(Within::Block)?;
        let key = if matches!(self.peek(), b'[' | b'{') && !self.is_template_here() {
            self.flow(slot, properties)?
        } else {
            let start = self.at;
            let atom = self.atom(i32::MAX, Within::Block)?;
            if atom.lines == Lines::Many || !self.is_colon_ahead() {
                self.at = start;
                return self.fail(What::NoColon);
            }
            self.push_atom(atom, slot, properties)?
        };
        if !self.is_colon_ahead() {
            return self.fail(What::NoColon);
        }
        self.value_of(mapping, key, index, column)
    }

    /// Reads the value after the colon here.
    fn value_of(
        &mut self,
        mapping: NodeId,
        key: NodeId,
        index: u32,
        column: i32,
    ) -> Result<(), Broken> {
        self.at += 1;
        let slot = Slot { parent: mapping, key, index };
        self.node(column, Place::Value, slot)?;
        Ok(())
    }
}

//! Scalars and aliases: where each ends, whatever it says.
//!
//! ```text
//! nginx:1 # note     'it''s'     "a\\"b"     *img     >-⏎  folded
//! ```

use super::lexer::{Atom, Lexer, Lines, Within, is_blank, is_break, is_flow_mark};
use super::tree::{Kind, Span, Style};
use super::{ALIASES_MAX, Broken, What};
use memchr::memmem;

impl Lexer<'_> {
    /// Reads a scalar or alias here; a plain one may continue on lines deeper than `indent`.
    pub(super) fn atom(&mut self, indent: i32, within: Within) -> Result<Atom, Broken> {
        let start = self.at;
        let column = u32::try_from(self.column()).unwrap_or(0);
        let atom =
            |kind, end: usize, lines| Atom { kind, raw: Span::new(start, end), column, lines };
        match self.peek() {
            b'"' => {
                let lines = self.double(within)?;
                Ok(atom(Kind::Scalar(Style::Double), self.at, lines))
            }
            b'\'' => {
                let lines = self.single(within)?;
                Ok(atom(Kind::Scalar(Style::Single), self.at, lines))
            }
            b'*' => {
                self.alias(within)?;
                Ok(atom(Kind::Alias, self.at, Lines::One))
            }
            b'{' if self.is_template_here() => {
                self.tree.is_templated = true;
                let end = self.plain_line(Within::Block);
                Ok(atom(Kind::Scalar(Style::Template), end, Lines::One))
            }
            _ => {
                if !self.begins_plain(within) {
                    return self.fail(What::Character);
                }
                let (end, lines) = self.plain(indent, within)?;
                Ok(atom(Kind::Scalar(Style::Plain), end, lines))
            }
        }
    }

    fn begins_plain(&self, within: Within) -> bool {
        let next = self.byte(self.at + 1);
        match self.peek() {
            b'-' | b'?' | b':' => {
                !(is_blank(next)
                    || is_break(next)
                    || (within == Within::Flow && is_flow_mark(next)))
            }
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => true,
        }
    }

    fn alias(&mut self, within: Within) -> Result<(), Broken> {
        self.aliases += 1;
        if self.aliases > ALIASES_MAX {
            return self.fail(What::Aliases);
        }
        while !self.is_end() && !is_blank(self.peek()) && !is_break(self.peek()) {
            if within == Within::Flow && is_flow_mark(self.peek()) {
                break;
            }
            self.at += 1;
        }
        Ok(())
    }

    fn single(&mut self, within: Within) -> Result<Lines, Broken> {
        let open = self.at;
        let mut lines = Lines::One;
        self.at += 1;
        loop {
            match memchr::memchr3(b'\'', b'\n', b'\r', &self.bytes[self.at..]) {
                None => {
                    self.at = open;
                    return self.fail(What::Unclosed);
                }
                Some(step) => self.at += step,
            }
            if self.peek() != b'\'' {
                self.pass_break();
                lines = Lines::Many;
            } else if self.bytes.get(self.at + 1) == Some(&b'\'') {
                self.at += 2;
            } else if !self.pass_quote_of_template(open, within) {
                self.at += 1;
                return Ok(lines);
            }
        }
    }

    fn double(&mut self, within: Within) -> Result<Lines, Broken> {
        let open = self.at;
        let mut lines = Lines::One;
        self.at += 1;
        while !self.is_end() {
            match self.peek() {
                b'"' if self.pass_quote_of_template(open, within) => {}
                b'"' => {
                    self.at += 1;
                    return Ok(lines);
                }
                // A break after a backslash is passed as a break in the next round.
                b'\\' if !is_break(self.byte(self.at + 1)) => self.at += 2,
                b'\n' | b'\r' => {
                    self.pass_break();
                    lines = Lines::Many;
                }
                _ => self.at += 1,
            }
        }
        self.at = open;
        self.fail(What::Unclosed)
    }

    /// Steps over the rest of a template's action whose own quote stands here: `"{{ include "x" . }}-y"`.
    ///
    /// Only where no value could end here, so that a text without such an action is read as it always is.
    fn pass_quote_of_template(&mut self, open: usize, within: Within) -> bool {
        let next = self.byte(self.at + 1);
        let after = self.byte(self.at + 2);
        let ends = is_blank(next)
            || is_break(next)
            || (within == Within::Flow && (is_flow_mark(next) || next == b':'))
            || (next == b':' && (is_blank(after) || is_break(after)));
        if ends {
            return false;
        }
        let start = self.line_start.max(open);
        let before = &self.bytes[start..self.at];
        let is_inside = match (memmem::rfind(before, b"{{"), memmem::rfind(before, b"}}")) {
            (Some(opened), Some(closed)) => opened > closed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let rest = &self.bytes[self.at..self.line_end(self.at)];
        let Some(length) = memmem::find(rest, b"}}").filter(|_| is_inside) else {
            return false;
        };
        self.tree.is_templated = true;
        self.at += length + 2;
        true
    }

    /// Passes a plain scalar's part on this line; answers its end without trailing blanks.
    fn plain_line(&mut self, within: Within) -> usize {
        let mut end = self.at;
        while !self.is_end() {
            let byte = self.peek();
            match byte {
                b'\n' | b'\r' => break,
                b' ' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                b':' => {
                    let next = self.byte(self.at + 1);
                    let ends = is_blank(next)
                        || is_break(next)
                        || (within == Within::Flow && is_flow_mark(next));
                    if ends {
                        break;
                    }
                }
                b'#' if self.at > end => break,
                b'{' if self.is_template_here() => {
                    let line = &self.bytes[self.at..self.line_end(self.at)];
                    let close: &[u8] = if line[1] == b'{' { b"}}" } else { b"%}" };
                    if let Some(length) = memmem::find(line, close) {
                        if within == Within::Flow {
                            self.tree.is_templated = true;
                        }
                        self.at += length + 1;
                    } else if within == Within::Flow {
                        break;
                    }
                }
                b',' | b'[' | b']' | b'{' | b'}' if within == Within::Flow => break,
                _ => {}
            }
            self.at += 1;
            end = self.at;
        }
        end
    }

    fn plain(&mut self, indent: i32, within: Within) -> Result<(usize, Lines), Broken> {
        let mut end = self.plain_line(within);
        let mut lines = Lines::One;
        while !self.is_end() && is_break(self.peek()) {
            let back = (self.at, self.line_start);
            while !self.is_end() && (is_break(self.peek()) || is_blank(self.peek())) {
                if is_break(self.peek()) {
                    self.pass_break();
                } else {
                    self.at += 1;
                }
            }
            let goes_on = !self.is_end()
                && self.peek() != b'#'
                && !self.is_document_mark()
                && match within {
                    Within::Block => self.column() > indent && !self.is_template_here(),
                    Within::Flow => !is_flow_mark(self.peek()),
                };
            let is_flow_colon = within == Within::Flow && self.is_indicator(b':');
            if !goes_on || is_flow_colon {
                (self.at, self.line_start) = back;
                break;
            }
            end = self.plain_line(within);
            lines = Lines::Many;
            if within == Within::Block && self.peek() == b':' && !self.is_end() {
                return self.fail(What::Misplaced);
            }
        }
        Ok((end, lines))
    }

    /// Reads a `|` or `>` block whose parent stands at `indent`.
    pub(super) fn block_scalar(&mut self, indent: i32) -> Result<Atom, Broken> {
        let start = self.at;
        let style = if self.peek() == b'|' { Style::Literal } else { Style::Folded };
        let explicit = self.block_head()?;
        let parent = usize::try_from(indent).unwrap_or(0);
        let least = usize::try_from(indent + 1).unwrap_or(0);
        let content = match explicit {
            Some(more) => parent + more,
            None => self.first_indentation(self.at, least),
        };
        let mut end = self.at;
        while !self.is_end() {
            let line = self.at;
            self.pass_break();
            if self.is_end() {
                end = line.max(end);
                break;
            }
            let spaces = self.bytes[self.at..].iter().take_while(|b| **b == b' ').count();
            let stop = self.line_end(self.at);
            let is_empty = self.at + spaces >= stop;
            if (!is_empty && spaces < content) || self.is_document_mark() {
                // Back before the break, so that the caller sees a new line.
                self.at = line;
                self.line_start = self.bytes[..line]
                    .iter()
                    .rposition(|b| is_break(*b))
                    .map_or(self.line_start.min(line), |at| at + 1);
                return Ok(self.block_atom(style, start, self.after_break(line), content));
            }
            self.at = stop;
            end = stop;
        }
        let end = self.after_break(end);
        Ok(self.block_atom(style, start, end, content))
    }

    /// The byte after the break at `at`, where there is one.
    fn after_break(&self, at: usize) -> usize {
        match self.bytes.get(at) {
            Some(b'\r') if self.bytes.get(at + 1) == Some(&b'\n') => at + 2,
            Some(b'\r' | b'\n') => at + 1,
            _ => at,
        }
    }

    fn block_atom(&self, style: Style, start: usize, end: usize, content: usize) -> Atom {
        Atom {
            kind: Kind::Scalar(style),
            raw: Span::new(start, end),
            column: u32::try_from(content).unwrap_or(u32::MAX),
            lines: Lines::Many,
        }
    }

    /// Passes `|2-  # note` and stops before the break; answers the indentation that it names.
    fn block_head(&mut self) -> Result<Option<usize>, Broken> {
        let mut explicit = None;
        self.at += 1;
        while !self.is_end() {
            match self.peek() {
                b'+' | b'-' => {}
                digit @ b'1'..=b'9' if explicit.is_none() => {
                    explicit = Some(usize::from(digit - b'0'))
                }
                _ => break,
            }
            self.at += 1;
        }
        let before = self.at;
        self.pass_blanks();
        if self.peek() == b'#' && self.at > before {
            self.at = self.line_end(self.at);
        }
        if !self.is_end() && !is_break(self.peek()) {
            return self.fail(What::BlockHead);
        }
        Ok(explicit)
    }

    /// The indentation of the first line with content after the break at `from`.
    ///
    /// Where no line has content deeper than the parent, that of the longest line of blanks.
    fn first_indentation(&self, from: usize, least: usize) -> usize {
        let mut at = from;
        let mut longest = least;
        while at < self.bytes.len() {
            at = self.after_break(at);
            let stop = self.line_end(at);
            let spaces = self.bytes[at..stop].iter().take_while(|b| **b == b' ').count();
            if at + spaces < stop {
                return if spaces >= least { spaces } else { longest };
            }
            longest = longest.max(spaces);
            at = stop;
        }
        longest
    }
}

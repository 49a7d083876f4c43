//! A Dockerfile as instructions and words, each with its bytes.
//!
//! ```text
//! FROM \            <- goes on below
//!   # a comment between is passed over
//!   nginx:1 AS web  -> words FROM, nginx:1, AS, web
//! ```
//! Knows directives, the escape character, continuations, comments and heredocs; nothing about images.

mod heredoc;

use heredoc::{Ends, Heredoc, Tabs, heredocs};
use std::ops::Range;

/// A run of bytes between blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// A continuation inside the word included.
    pub(crate) span: Range<usize>,
    /// Without it.
    pub(crate) text: String,
}

/// `# name=value` at the top of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) value: Word,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Its first byte.
    pub(crate) start: usize,
    /// Its keyword and what follows.
    pub(crate) words: Vec<Word>,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) directives: Vec<Directive>,
    pub(crate) instructions: Vec<Instruction>,
    /// The bodies of heredocs.
    pub(crate) bodies: Vec<Range<usize>>,
    /// The comments between instructions, without their line breaks.
    pub(crate) comments: Vec<Range<usize>>,
}

/// Reads a Dockerfile; every text is one, as far as words go.
pub(crate) fn parse(text: &str) -> Parsed {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut cursor = Cursor { text, bytes: text.as_bytes(), at: start, escape: b'\\' };
    if text[start..].starts_with("#!") {
        cursor.pass_line();
    }
    let mut ends = Ends::default();
    let mut parsed = Parsed { directives: cursor.directives(), ..Parsed::default() };
    while cursor.at < text.len() {
        cursor.pass_blanks();
        match cursor.peek() {
            None => break,
            Some(b'\n' | b'\r') => cursor.pass_break(),
            Some(b'#') => {
                parsed.comments.push(cursor.at..cursor.line_end());
                cursor.pass_line();
            }
            Some(_) => {
                let instruction = cursor.instruction();
                for heredoc in heredocs(&instruction.words) {
                    // BuildKit refuses a body without an end; what follows is not passed over for it.
                    if ends.stands_behind(text, &heredoc, cursor.at) {
                        parsed.bodies.push(cursor.body(&heredoc));
                    }
                }
                parsed.instructions.push(instruction);
            }
        }
    }
    parsed
}

struct Cursor<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    escape: u8,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn pass_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn line_end(&self) -> usize {
        crate::place::line_end(self.text, self.at)
    }

    fn pass_break(&mut self) {
        let wide = self.bytes[self.at..].starts_with(b"\r\n");
        self.at += if wide { 2 } else { 1 };
    }

    fn pass_line(&mut self) {
        self.at = self.line_end();
        if self.at < self.bytes.len() {
            self.pass_break();
        }
    }

    /// Directives stand before everything else, empty lines included. Source: Dockerfile reference, "Parser directives".
    fn directives(&mut self) -> Vec<Directive> {
        let mut all: Vec<Directive> = Vec::new();
        while let Some(directive) = self.directive() {
            if all.iter().any(|known| known.name == directive.name) {
                break;
            }
            if directive.name == "escape" && directive.value.text == "`" {
                self.escape = b'`';
            }
            all.push(directive);
            self.pass_line();
        }
        all
    }

    fn directive(&self) -> Option<Directive> {
        let line = &self.text[self.at..self.line_end()];
        let comment = line.trim_start().strip_prefix('#')?;
        let (name, value) = comment.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let is_known = matches!(name.as_str(), "syntax" | "escape" | "check");
        // What follows the first word is for the frontend.
        let word = value.split_whitespace().next().filter(|_| is_known)?;
        let start = self.at + line.len() - value.len() + value.find(word)?;
        Some(Directive {
            name,
            value: Word { span: start..start + word.len(), text: word.to_owned() },
        })
    }

    /// The length of an escape, blanks and a break here; none where the line does not go on.
    fn continuation(&self) -> Option<usize> {
        if self.peek()? != self.escape {
            return None;
        }
        // An escape that is itself escaped joins no lines.
        if self.at > 0 && self.bytes[self.at - 1] == self.escape {
            return None;
        }
        let rest = &self.bytes[self.at + 1..];
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        match rest.get(blanks) {
            Some(b'\n' | b'\r') => Some(1 + blanks),
            Some(_) | None => None,
        }
    }

    /// Goes on to the next line that counts: comments and empty lines between are passed over.
    fn pass_continuation(&mut self, length: usize) {
        self.at += length;
        self.pass_break();
        loop {
            let line = self.text[self.at..self.line_end()].trim_start_matches([' ', '\t']);
            let is_void = line.is_empty() || line.starts_with('#');
            if !is_void || self.at >= self.bytes.len() {
                return;
            }
            self.pass_line();
        }
    }

    /// Reads the instruction that begins here, up to and with its break.
    fn instruction(&mut self) -> Instruction {
        let start = self.at;
        let mut words = Vec::new();
        loop {
            self.pass_blanks();
            if let Some(length) = self.continuation() {
                self.pass_continuation(length);
                continue;
            }
            match self.peek() {
                None => break,
                Some(b'\n' | b'\r') => {
                    self.pass_break();
                    break;
                }
                Some(_) => words.push(self.word()),
            }
        }
        Instruction { start, words }
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let mut text = String::new();
        let mut from = self.at;
        let mut end = self.at;
        while let Some(byte) = self.peek() {
            if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                break;
            }
            if let Some(length) = self.continuation() {
                text.push_str(&self.text[from..self.at]);
                self.pass_continuation(length);
                from = self.at;
                continue;
            }
            self.at += 1;
            end = self.at;
        }
        text.push_str(&self.text[from..self.at]);
        // A continuation behind the last letter is a joint between words, not a part of this one.
        Word { span: start..end, text }
    }

    /// Passes a heredoc's lines and its terminator; answers the bytes of both.
    fn body(&mut self, heredoc: &Heredoc) -> Range<usize> {
        let start = self.at;
        while self.at < self.bytes.len() {
            let line = &self.text[self.at..self.line_end()];
            let line = match heredoc.tabs {
                Tabs::Kept => line,
                Tabs::Stripped => line.trim_start_matches('\t'),
            };
            let is_last = line == heredoc.name;
            self.pass_line();
            if is_last {
                break;
            }
        }
        start..self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        parse(text)
            .instructions
            .into_iter()
            .map(|instruction| instruction.words.into_iter().map(|word| word.text).collect())
            .collect()
    }

    #[test]
    fn continuations_join_lines_and_pass_comments() {
        let text = "FROM \\\n  # note\n\n  a:1 AS b\nRUN x\\\ny\n";
        assert_eq!(words(text), [vec!["FROM", "a:1", "AS", "b"], vec!["RUN", "xy"]]);
    }

    #[test]
    fn the_escape_directive_changes_the_joint() {
        let text = "# escape=`\nFROM a `\n AS b\nRUN c:\\\nRUN d\n";
        assert_eq!(
            words(text),
            [vec!["FROM", "a", "AS", "b"], vec!["RUN", "c:\\"], vec!["RUN", "d"]]
        );
    }

    #[test]
    fn a_heredoc_is_no_instruction() {
        let text = "RUN <<EOF cat <<-'END'\nFROM x\nEOF\n\tFROM y\n\tEND\nFROM z\n";
        assert_eq!(words(text), [vec!["RUN", "<<EOF", "cat", "<<-'END'"], vec!["FROM", "z"]]);
    }

    #[test]
    fn an_escaped_escape_joins_nothing() {
        assert_eq!(words("RUN a \\\\\nFROM b\n"), [vec!["RUN", "a", "\\\\"], vec!["FROM", "b"]]);
    }

    #[test]
    fn a_directive_stands_before_everything_else() {
        assert_eq!(parse("# syntax=a:1\nFROM b\n").directives.len(), 1);
        assert_eq!(parse("#!/usr/bin/env build\n# syntax=a:1\nFROM b\n").directives.len(), 1);
        assert_eq!(parse("\n# syntax=a:1\nFROM b\n").directives.len(), 0);
        assert_eq!(parse("# note\n# syntax=a:1\n").directives.len(), 0);
    }
}

//! A script as simple commands and their words.
//!
//! ```text
//! sudo docker run \            -> sudo, docker, run, --rm, a/b:1
//!   --rm "a/b:1" | tee x       -> tee, x
//! X=$(docker pull "$Y")        -> X=$(docker pull "$Y"), and a script inside of it
//! ```
//! Quotes are taken off, expansions stay as they are written, heredocs are passed over.
//! Source: POSIX.1-2024, XCU 2, "Shell Command Language".

use crate::gather::Literal;
use crate::place::line_end;
use std::ops::Range;

/// Heredocs whose end is looked for in vain; then none is looked for any more.
const LOST_MAX: usize = 16;

/// What the end of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breaks {
    /// The end of a command.
    End,
    /// A blank, as in folded text.
    Blank,
}

#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

impl Word {
    /// A part of what the word says, as a place.
    pub(super) fn part(&self, file: &str, part: Range<usize>) -> Literal {
        let value = self.text.get(part).unwrap_or_default().to_owned();
        let raw = file.get(self.span.clone()).unwrap_or_default();
        let inner = raw.find(&value).filter(|_| !value.is_empty());
        let inner = inner.map_or(self.span.clone(), |at| {
            let start = self.span.start + at;
            start..start + value.len()
        });
        Literal { token: self.span.clone(), inner, value }
    }
}

/// What stands in a script.
#[derive(Default)]
pub(super) struct Script {
    pub(super) commands: Vec<Vec<Word>>,
    /// The insides of `$( … )` and of backticks.
    pub(super) nested: Vec<Range<usize>>,
}

/// Reads the commands of a part of a text.
pub(super) fn commands(text: &str, part: Range<usize>, breaks: Breaks) -> Script {
    let bytes = text.as_bytes().get(..part.end).unwrap_or_default();
    let mut cursor = Cursor {
        text,
        bytes,
        at: part.start,
        breaks,
        words: Vec::new(),
        heredocs: Vec::new(),
        lost: 0,
        is_target: false,
        script: Script::default(),
    };
    while cursor.at < bytes.len() {
        cursor.next();
    }
    cursor.end();
    cursor.script
}

struct Cursor<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    breaks: Breaks,
    words: Vec<Word>,
    /// The words that end the heredocs of this line.
    heredocs: Vec<String>,
    lost: usize,
    /// Whether the next word is where a redirection leads.
    is_target: bool,
    script: Script,
}

impl Cursor<'_> {
    fn end(&mut self) {
        self.is_target = false;
        if !self.words.is_empty() {
            self.script.commands.push(std::mem::take(&mut self.words));
        }
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn next(&mut self) {
        let rest = self.rest();
        match rest[0] {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\\' if rest.starts_with(b"\\\n") || rest.starts_with(b"\\\r\n") => {
                self.at += if rest[1] == b'\n' { 2 } else { 3 };
            }
            b'\n' => {
                self.at += 1;
                if self.breaks == Breaks::End {
                    self.end();
                    self.bodies();
                }
            }
            b';' | b'&' | b'|' | b'(' | b')' => {
                self.at += 1;
                self.end();
            }
            b'#' => self.at = line_end(self.text, self.at).min(self.bytes.len()),
            b'<' if rest.starts_with(b"<<") && !rest.starts_with(b"<<<") => self.heredoc(),
            b'<' | b'>' => self.redirection(),
            _ => self.word(),
        }
    }

    fn redirection(&mut self) {
        let start = self.at;
        let length = self.rest().iter().take_while(|b| matches!(b, b'<' | b'>' | b'&')).count();
        self.at += length;
        // The number of a stream is no argument.
        let is_stream = |word: &Word| {
            word.span.end == start && word.text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if self.words.last().is_some_and(is_stream) {
            self.words.pop();
        }
        self.is_target = true;
    }

    fn heredoc(&mut self) {
        self.at += 2;
        if self.rest().first() == Some(&b'-') {
            self.at += 1;
        }
        let rest = self.rest();
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let is_name = |b: &&u8| {
            b.is_ascii_alphanumeric() || matches!(**b, b'_' | b'-' | b'.' | b'"' | b'\'' | b'\\')
        };
        let behind = &rest[blanks..];
        let quote = behind.first().copied().filter(|b| matches!(b, b'"' | b'\''));
        let length = match quote.and_then(|quote| memchr::memchr(quote, &behind[1..])) {
            Some(end) if line_end(self.text, self.at) > self.at + blanks + end + 1 => end + 2,
            Some(_) | None => behind.iter().take_while(is_name).count(),
        };
        let start = self.at + blanks;
        let name = self.text.get(start..start + length).unwrap_or_default();
        let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
        self.at = start + length;
        // `1 << 2` shifts.
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            self.heredocs.push(name);
        }
    }

    /// Passes the heredocs of the line that ended; their last lines may be indented, as in YAML.
    fn bodies(&mut self) {
        for name in std::mem::take(&mut self.heredocs) {
            if self.lost >= LOST_MAX {
                return;
            }
            let mut at = self.at;
            let mut is_found = false;
            while at < self.bytes.len() && !is_found {
                let end = line_end(self.text, at).min(self.bytes.len());
                is_found = self.text.get(at..end).is_some_and(|line| line.trim() == name);
                at = end + 1;
            }
            if is_found {
                self.at = at.min(self.bytes.len());
            } else {
                self.lost += 1;
            }
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let mut text = String::new();
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                b'\\' => {
                    if self.rest().starts_with(b"\\\n") || self.rest().starts_with(b"\\\r\n") {
                        break;
                    }
                    self.at += 1;
                    self.keep(&mut text);
                }
                b'\'' => {
                    let from = self.at + 1;
                    let end = memchr::memchr(b'\'', &self.bytes[from.min(self.bytes.len())..]);
                    let end = end.map_or(self.bytes.len(), |found| from + found);
                    text.push_str(self.text.get(from..end).unwrap_or_default());
                    self.at = (end + 1).min(self.bytes.len());
                }
                b'"' => self.quoted(&mut text),
                b'$' | b'`' => self.expansion(&mut text),
                _ => self.keep(&mut text),
            }
        }
        let span = start..self.at;
        if std::mem::take(&mut self.is_target) {
            return;
        }
        self.words.push(Word { span, text });
    }

    /// Takes one character as it is.
    fn keep(&mut self, text: &mut String) {
        let rest = self.text.get(self.at..self.bytes.len()).unwrap_or_default();
        match rest.chars().next() {
            Some(char) => {
                text.push(char);
                self.at += char.len_utf8();
            }
            None => self.at = (self.at + 1).min(self.bytes.len()),
        }
    }

    fn quoted(&mut self, text: &mut String) {
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' if matches!(self.rest().get(1), Some(b'"' | b'\\' | b'$' | b'`')) => {
                    self.at += 1;
                    self.keep(text);
                }
                b'$' | b'`' => self.expansion(text),
                _ => self.keep(text),
            }
        }
    }

    /// Passes `$X`, `${X}`, `$(…)` and backticks, which stay as they are written.
    fn expansion(&mut self, text: &mut String) {
        let start = self.at;
        let end = if self.rest().starts_with(b"$(") {
            let end = closing(self.bytes, start + 1);
            self.script.nested.push(start + 2..end.saturating_sub(1).max(start + 2));
            end
        } else if self.rest().starts_with(b"${") {
            closing(self.bytes, start + 1)
        } else if self.rest()[0] == b'`' {
            // What it prints is as unknown as a variable.
            text.push('$');
            let from = (start + 1).min(self.bytes.len());
            let end = memchr::memchr(b'`', &self.bytes[from..]);
            let end = end.map_or(self.bytes.len(), |found| from + found + 1);
            self.script.nested.push(from..end.saturating_sub(1).max(from));
            end
        } else {
            start + 1
        };
        text.push_str(self.text.get(start..end).unwrap_or_default());
        self.at = end;
    }
}

/// Behind the bracket that closes the one at `at`, whatever quotes and brackets stand between.
fn closing(bytes: &[u8], at: usize) -> usize {
    let mut open: Vec<u8> = Vec::new();
    let mut at = at;
    while let Some(byte) = bytes.get(at).copied() {
        let is_quoted = open.last() == Some(&b'"');
        match byte {
            b'\\' => at += 1,
            b'\'' if !is_quoted => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                at += memchr::memchr(b'\'', rest).map_or(rest.len(), |found| found + 1);
            }
            b'"' if is_quoted => {
                open.pop();
            }
            b'"' => open.push(b'"'),
            b'(' if !is_quoted || (at > 0 && bytes[at - 1] == b'$') => open.push(b')'),
            b'{' if at > 0 && bytes[at - 1] == b'$' => open.push(b'}'),
            b')' | b'}' if open.last() == Some(&byte) => {
                open.pop();
            }
            _ => {}
        }
        at += 1;
        if open.is_empty() {
            return at.min(bytes.len());
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let script = commands(text, 0..text.len(), Breaks::End);
        let line = |words: &Vec<Word>| {
            words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join("|")
        };
        script.commands.iter().map(line).collect()
    }

    #[test]
    fn commands_end_where_the_shell_ends_them() {
        let text = "a b && c 'd e' \"f $g\" 2>&1 >x | h # i\n(j; k) &\nl \\\n  m\\ n\r\n";
        assert_eq!(read(text), ["a|b", "c|d e|f $g", "h", "j", "k", "l|m n"]);
    }

    #[test]
    fn what_is_expanded_stays_and_is_a_script_of_its_own() {
        let text = "X=$(a \"$(b ')')\") c `d e`";
        let script = commands(text, 0..text.len(), Breaks::End);
        assert_eq!(script.commands.len(), 1);
        let inner: Vec<&str> = script.nested.iter().map(|part| &text[part.clone()]).collect();
        assert_eq!(inner, ["a \"$(b ')')\"", "d e"]);
    }

    #[test]
    fn heredocs_are_passed_over_where_they_have_an_end() {
        assert_eq!(read("cat <<EOF >x\ndocker\nEOF\na\n"), ["cat", "a"]);
        assert_eq!(read("cat <<-'E F'\na\n\tE F\nb\n"), ["cat", "b"]);
        assert_eq!(read("cat <<EOF\na\n"), ["cat", "a"]);
        assert_eq!(read("echo $((1 << x))\na <<< b\n"), ["echo|$((1 << x))", "a"]);
    }
}

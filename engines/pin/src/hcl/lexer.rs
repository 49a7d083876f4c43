//! HCL as a line of tokens.
//!
//! ```text
//! image = "a/b:${var.tag}" # why   ->   Name  Sign(=)  Text (a template)  Break
//! ```
//! A string is one token with whatever it interpolates; comments and blanks are none.

use crate::place::line_end;
use crate::scan::{ScanError, broken};
use crate::yaml::DEPTH_MAX;
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    /// In quotes; a template interpolates something.
    Text {
        is_template: bool,
    },
    /// From `<<` to the word that ends it.
    Heredoc,
    /// Any other byte.
    Sign(u8),
    /// The end of a line.
    Break,
}

/// Three words: a file of 8 MiB has millions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    start: u32,
    end: u32,
}

impl Token {
    pub(super) fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Without the quotes.
    pub(super) fn inner(&self) -> Range<usize> {
        match self.kind {
            Kind::Text { .. } => self.start as usize + 1..self.end as usize - 1,
            Kind::Name | Kind::Number | Kind::Heredoc | Kind::Sign(_) | Kind::Break => self.span(),
        }
    }

    pub(super) fn is_sign(&self, sign: u8) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Reads all tokens.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, ScanError> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut cursor = Cursor { text, bytes: text.as_bytes(), at: start, all: Vec::new() };
    while cursor.at < text.len() {
        cursor.next()?;
    }
    Ok(cursor.all)
}

struct Cursor<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    all: Vec<Token>,
}

impl Cursor<'_> {
    fn push(&mut self, kind: Kind, end: usize) {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.all.push(Token { kind, start: short(self.at), end: short(end) });
        self.at = end;
    }

    fn next(&mut self) -> Result<(), ScanError> {
        let rest = &self.bytes[self.at..];
        match rest[0] {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' => self.push(Kind::Break, self.at + 1),
            b'#' => self.at = line_end(self.text, self.at),
            b'/' if rest.starts_with(b"//") => self.at = line_end(self.text, self.at),
            b'/' if rest.starts_with(b"/*") => {
                let end = memchr::memmem::find(rest, b"*/")
                    .ok_or_else(|| broken(self.text, self.at, "a comment has no end"))?;
                self.at += end + 2;
            }
            b'"' => {
                let (end, is_template) = text_end(self.text, self.at)?;
                self.push(Kind::Text { is_template }, end);
            }
            b'<' if rest.starts_with(b"<<") && self.heredoc()? => {}
            byte if is_letter(byte) => {
                let more = |b: &&u8| is_letter(**b) || b.is_ascii_digit() || **b == b'-';
                let length = rest.iter().take_while(more).count();
                self.push(Kind::Name, self.at + length);
            }
            byte if byte.is_ascii_digit() => {
                let more = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'.';
                let length = rest.iter().take_while(more).count();
                self.push(Kind::Number, self.at + length);
            }
            byte => self.push(Kind::Sign(byte), self.at + 1),
        }
        Ok(())
    }

    /// Reads a heredoc, if one begins here.
    fn heredoc(&mut self) -> Result<bool, ScanError> {
        let head = &self.text[self.at + 2..line_end(self.text, self.at)];
        let name = head.strip_prefix('-').unwrap_or(head).trim_end();
        let is_name = name.bytes().all(|b| is_letter(b) || b.is_ascii_digit() || b == b'-');
        if !is_name || !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Ok(false);
        }
        let mut at = line_end(self.text, self.at);
        while at < self.text.len() {
            let start = at + 1;
            let end = line_end(self.text, start);
            let line = &self.text[start..end];
            if line.trim() == name {
                self.push(Kind::Heredoc, start + line.trim_end().len());
                return Ok(true);
            }
            at = end;
        }
        Err(broken(self.text, self.at, "a heredoc has no end"))
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// What surrounds a byte of a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Quotes,
    /// `${ … }`, or braces in it.
    Braces,
}

/// The end of the string that begins here, and whether it interpolates.
fn text_end(text: &str, start: usize) -> Result<(usize, bool), ScanError> {
    let bytes = text.as_bytes();
    let fail = |what: &str| Err(broken(text, start, what));
    let mut open = vec![Inside::Quotes];
    let mut is_template = false;
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = &bytes[at..];
        let is_start = rest.starts_with(b"${") || rest.starts_with(b"%{");
        let is_doubled = rest.starts_with(b"$${") || rest.starts_with(b"%%{");
        match open.last() {
            None => return Ok((at, is_template)),
            Some(Inside::Quotes) => match byte {
                b'"' => {
                    open.pop();
                }
                b'\n' => return fail("a string has no end on its line"),
                b'\\' => at += 1,
                _ if is_doubled => at += 2,
                _ if is_start => {
                    is_template = true;
                    open.push(Inside::Braces);
                    at += 1;
                }
                _ => {}
            },
            Some(Inside::Braces) => match byte {
                b'"' => open.push(Inside::Quotes),
                b'{' => open.push(Inside::Braces),
                b'}' => {
                    open.pop();
                }
                _ => {}
            },
        }
        if open.len() > DEPTH_MAX {
            return fail("a string interpolates too deep");
        }
        at += 1;
    }
    if open.is_empty() { Ok((at, is_template)) } else { fail("a string has no end") }
}

/// What a string without interpolation says; nothing where it has an escape that we do not know.
pub(super) fn value(inner: &str) -> Option<String> {
    let mut all = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(char) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            all.push(char);
            all.push('{');
            rest = &rest[3..];
            continue;
        }
        rest = &rest[char.len_utf8()..];
        if char != '\\' {
            all.push(char);
            continue;
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        let digits = match escape {
            'n' => {
                all.push('\n');
                continue;
            }
            'r' => {
                all.push('\r');
                continue;
            }
            't' => {
                all.push('\t');
                continue;
            }
            '"' | '\\' => {
                all.push(escape);
                continue;
            }
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let code = u32::from_str_radix(rest.get(..digits)?, 16).ok()?;
        all.push(char::from_u32(code)?);
        rest = &rest[digits..];
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let tokens = lex(text).expect("it is read");
        tokens.iter().map(|token| (token.kind, &text[token.inner()])).collect()
    }

    #[test]
    fn a_string_is_one_token_with_what_it_interpolates() {
        let text = "\"a${ b({x = \"}\"}) }c\"";
        assert_eq!(kinds(text), [(Kind::Text { is_template: true }, &text[1..text.len() - 1])]);
        let plain = "\"a$${b} \\\" %%{c}\"";
        assert_eq!(kinds(plain)[0].0, Kind::Text { is_template: false });
        assert_eq!(value(&plain[1..plain.len() - 1]).as_deref(), Some("a${b} \" %{c}"));
    }

    #[test]
    fn a_heredoc_ends_at_its_word() {
        let text = "x = <<-EOT\r\n  image = \"no\"\r\n EOTX\r\n  EOT\r\ny";
        let all = kinds(text);
        assert_eq!(all[2].0, Kind::Heredoc);
        assert_eq!(all[4], (Kind::Name, "y"));
        assert!(lex("x = <<EOT\na\n").is_err());
    }

    #[test]
    fn strings_interpolate_so_deep_and_no_deeper() {
        let nested = |pairs: usize| format!("{}{}", "\"${".repeat(pairs), "}\"".repeat(pairs));
        assert!(lex(&nested(DEPTH_MAX / 2)).is_ok());
        assert!(lex(&nested(DEPTH_MAX / 2 + 1)).is_err());
    }
}

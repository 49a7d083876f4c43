//! A chart's template as a tree: text, actions, and blocks with what stands in them.
//!
//! ```text
//! image: {{ .Values.image.tag | quote }}  ->  Text `image: `, Action [ .Values.image.tag, |, quote ]
//! ```
//! Source: Go, text/template, "Actions". Never fails: what is malformed ends where the text ends.

use std::collections::HashMap;

/// Blocks inside blocks at most; what lies deeper is left out.
const DEPTH_MAX: usize = 64;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node<'t> {
    Text(&'t str),
    Action(Vec<Token<'t>>),
    Block { kind: Block, head: Vec<Token<'t>>, body: Vec<Node<'t>>, other: Vec<Node<'t>> },
}

/// What a block does with its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    If,
    With,
    Range,
}

/// A word of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A field, a variable, a function or a number, with its chain: `$.Values.image`.
    Word(&'t str),
    /// Without its quotes, escapes as written.
    Text(&'t str),
    Open,
    Close,
    Pipe,
    /// `:=` or `=`.
    Assign,
    Comma,
}

/// All that was read: the bodies of files, and of `define`.
#[derive(Debug, Default)]
pub(super) struct Templates<'t> {
    pub(super) files: Vec<Vec<Node<'t>>>,
    pub(super) defines: HashMap<&'t str, Vec<Node<'t>>>,
}

impl<'t> Templates<'t> {
    /// Adds a file.
    pub(super) fn read(&mut self, text: &'t str) {
        let mut pieces = Pieces { rest: text, trim: false };
        let body = self.body(&mut pieces, 0).0;
        self.files.push(body);
    }

    /// Reads up to the `end` or `else` of the block, and says which it was.
    fn body(&mut self, pieces: &mut Pieces<'t>, depth: usize) -> (Vec<Node<'t>>, Option<End<'t>>) {
        let mut nodes = Vec::new();
        while let Some(piece) = pieces.next() {
            let action = match piece {
                Piece::Text(text) => {
                    if !text.is_empty() {
                        nodes.push(Node::Text(text));
                    }
                    continue;
                }
                Piece::Action(action) => action,
            };
            let tokens = tokens(action);
            match tokens.first() {
                Some(Token::Word("end")) => return (nodes, Some(End::End)),
                Some(Token::Word("else")) => return (nodes, Some(End::Else(tokens[1..].to_vec()))),
                Some(Token::Word(word @ ("if" | "with" | "range" | "define" | "block"))) => {
                    let word = *word;
                    nodes.extend(self.block(pieces, word, tokens[1..].to_vec(), depth + 1));
                }
                Some(_) => nodes.push(Node::Action(tokens)),
                None => {}
            }
        }
        (nodes, None)
    }

    fn block(
        &mut self,
        pieces: &mut Pieces<'t>,
        word: &str,
        head: Vec<Token<'t>>,
        depth: usize,
    ) -> Option<Node<'t>> {
        if depth > DEPTH_MAX {
            pieces.rest = "";
            return None;
        }
        let (body, end) = self.body(pieces, depth);
        let kind = match word {
            "if" => Block::If,
            "with" => Block::With,
            "range" => Block::Range,
            _ => return self.define(word, head, body),
        };
        let other = match end {
            Some(End::Else(more)) => match more.split_first() {
                // `else if` has no `end` of its own.
                Some((Token::Word(word @ ("if" | "with")), rest)) => {
                    let word = *word;
                    self.block(pieces, word, rest.to_vec(), depth + 1).into_iter().collect()
                }
                Some(_) | None => self.body(pieces, depth).0,
            },
            Some(End::End) | None => Vec::new(),
        };
        Some(Node::Block { kind, head, body, other })
    }

    fn define(
        &mut self,
        word: &str,
        head: Vec<Token<'t>>,
        body: Vec<Node<'t>>,
    ) -> Option<Node<'t>> {
        let Some(Token::Text(name)) = head.first() else { return None };
        self.defines.insert(name, body);
        // `block` defines and uses at once.
        let mut action = vec![Token::Word("template")];
        action.extend(head);
        (word == "block").then_some(Node::Action(action))
    }
}

/// How a body ends.
enum End<'t> {
    End,
    Else(Vec<Token<'t>>),
}

enum Piece<'t> {
    Text(&'t str),
    Action(&'t str),
}

/// Text and actions in turn, blanks cut off where `{{-` or `-}}` asks for it.
struct Pieces<'t> {
    rest: &'t str,
    trim: bool,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let trimmed = |text: &'t str, trim| if trim { text.trim_start() } else { text };
        let Some(at) = self.rest.find("{{") else {
            let text = trimmed(self.rest, self.trim);
            self.rest = "";
            return Some(Piece::Text(text));
        };
        if at > 0 {
            let (text, rest) = self.rest.split_at(at);
            self.rest = rest;
            let text = trimmed(text, std::mem::take(&mut self.trim));
            return Some(Piece::Text(if rest.starts_with("{{-") { text.trim_end() } else { text }));
        }
        let inside = &self.rest[2..];
        let end = action_end(inside);
        let action = inside.get(..end).unwrap_or(inside);
        self.rest = inside.get(end + 2..).unwrap_or("");
        self.trim = action.ends_with('-');
        let action = action.strip_prefix('-').unwrap_or(action);
        Some(Piece::Action(action.strip_suffix('-').unwrap_or(action)))
    }
}

/// Where `}}` stands outside of quotes and comments.
fn action_end(inside: &str) -> usize {
    let bytes = inside.as_bytes();
    let comment = inside.trim_start_matches('-').trim_start();
    if comment.starts_with("/*") {
        let from = inside.find("*/").unwrap_or(inside.len());
        return inside[from..].find("}}").map_or(inside.len(), |at| from + at);
    }
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'`') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' && quote == b'"' { 2 } else { 1 };
                }
            }
            b'}' if bytes.get(at + 1) == Some(&b'}') => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn tokens(action: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut rest = action.trim();
    if rest.starts_with("/*") {
        return all;
    }
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '|' => (Token::Pipe, 1),
            ',' => (Token::Comma, 1),
            '=' => (Token::Assign, 1),
            ':' => (Token::Assign, rest.len().min(2)),
            '"' | '`' => {
                let end = text_end(rest, first);
                (Token::Text(rest.get(1..end).unwrap_or("")), (end + 1).min(rest.len()))
            }
            blank if blank.is_whitespace() => {
                rest = rest.trim_start();
                continue;
            }
            _ => {
                let stops = |c: char| {
                    c.is_whitespace() || matches!(c, '(' | ')' | '|' | ',' | '=' | ':' | '"' | '`')
                };
                let end = rest.find(stops).unwrap_or(rest.len());
                (Token::Word(&rest[..end]), end)
            }
        };
        all.push(token);
        rest = rest.get(length..).unwrap_or("");
    }
    all
}

/// Where the text ends that begins with this quote.
fn text_end(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Vec<Node<'_>> {
        let mut all = Templates::default();
        all.read(text);
        all.files.remove(0)
    }

    #[test]
    fn blocks_hold_what_stands_in_them() {
        let nodes = file("a {{- if .x }} b {{ else if $y }}c{{ end -}} d");
        let [Node::Text("a"), Node::Block { kind: Block::If, body, other, .. }, Node::Text("d")] =
            nodes.as_slice()
        else {
            panic!("{nodes:?}")
        };
        assert_eq!(body, &[Node::Text(" b ")]);
        assert!(matches!(other.as_slice(), [Node::Block { kind: Block::If, .. }]));
    }

    #[test]
    fn quotes_and_comments_hide_what_ends_an_action() {
        assert_eq!(
            file("{{ print \"}}\" `a\"b` }}{{/* }} \" */}}x"),
            [
                Node::Action(vec![Token::Word("print"), Token::Text("}}"), Token::Text("a\"b")]),
                Node::Text("x")
            ]
        );
        assert_eq!(
            file("{{ $a := (.b).c | d }}"),
            [Node::Action(vec![
                Token::Word("$a"),
                Token::Assign,
                Token::Open,
                Token::Word(".b"),
                Token::Close,
                Token::Word(".c"),
                Token::Pipe,
                Token::Word("d")
            ])]
        );
    }

    #[test]
    fn defines_are_kept_and_anything_ends() {
        let mut all = Templates::default();
        all.read("{{ define \"x.image\" }}{{ .a }}{{ end }}{{ block \"y\" . }}z{{ end }}");
        assert_eq!(all.defines.len(), 2);
        assert_eq!(all.files[0].len(), 1);
        for text in [
            "{{",
            "{{ \"",
            "{{ if",
            "{{ end }}",
            "{{ else }}{{ end }}",
            "{{-",
            "a}}",
            "{{ : }}",
            "{{ é",
        ] {
            file(text);
        }
        file(&"{{ if a }}".repeat(DEPTH_MAX + 2));
    }
}

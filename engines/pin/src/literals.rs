//! The strings of a program, each with the name before it and what it stands in: for languages that are only looked at.
//!
//! ```text
//! oci.pull(name = "base", image = "a/b:1")     name `image`, in the call `oci.pull`
//! images: { web: 'a/b:1' + tag }               name `web`, in `images`, joined to something
//! ```
//! One pass over tokens, with a list of open brackets. Nothing is evaluated.

use crate::gather::Literal;
use crate::place::line_end;
use crate::yaml::DEPTH_MAX;
use std::ops::Range;

/// The longest sign between a name and its value: `+:::`.
const SIGNS_MAX: usize = 3;

/// What tells the languages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `#`, `//` and `/* */`; `|||` begins a block of text; `@` a string without escapes.
    Jsonnet,
    /// `//`; `\(x)` in a string.
    Cue,
    /// `#`; three quotes.
    Starlark,
}

/// A string that is a value or an argument.
pub(crate) struct Pair<'t> {
    /// The key, the variable or the argument's name; empty for an argument without one.
    pub(crate) name: &'t str,
    /// The call or the key in whose brackets it stands.
    pub(crate) within: &'t str,
    /// Where those brackets begin: the same for its neighbours.
    pub(crate) owner: usize,
    /// Which of them it is, from 0.
    pub(crate) place: usize,
    pub(crate) literal: Literal,
    /// Whether it is only a part of what is said: joined, formatted or interpolated.
    pub(crate) is_part: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With dots: `native.oci_pull`.
    Name,
    Text,
    Sign(u8),
    Break,
}

struct Token {
    kind: Kind,
    span: Range<usize>,
    /// The width of the quotes.
    quote: usize,
}

struct Open<'t> {
    label: &'t str,
    at: usize,
    place: usize,
}

/// Hands on every string that a name or a call stands before.
pub(crate) fn pairs<'t>(text: &'t str, syntax: Syntax, each: &mut dyn FnMut(Pair<'t>)) {
    let tokens = tokens(text, syntax);
    let mut open: Vec<Open<'t>> = vec![Open { label: "", at: 0, place: 0 }];
    // Brackets that are too deep to be followed.
    let mut deep = 0_usize;
    let mut name = "";
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| tokens[at].kind);
        match token.kind {
            Kind::Name => {}
            Kind::Sign(b':' | b'=') => name = named(text, &tokens, at).unwrap_or(name),
            Kind::Sign(b'(' | b'[' | b'{') => {
                if open.len() > DEPTH_MAX {
                    deep += 1;
                    continue;
                }
                let label = match before {
                    Some(Kind::Name) => text.get(tokens[at - 1].span.clone()).unwrap_or_default(),
                    Some(Kind::Text | Kind::Sign(_) | Kind::Break) | None => name,
                };
                open.push(Open { label, at: token.span.start, place: 0 });
                name = "";
            }
            Kind::Sign(b')' | b']' | b'}') => {
                if deep > 0 {
                    deep -= 1;
                } else if open.len() > 1 {
                    open.pop();
                }
                name = "";
            }
            Kind::Sign(b',' | b';') => {
                name = "";
                if let Some(frame) = open.last_mut() {
                    frame.place += 1;
                }
            }
            // In CUE and at the root of Starlark a line ends what was said.
            Kind::Break if open.last().is_none_or(|frame| !is_call(text, frame.at)) => name = "",
            Kind::Break | Kind::Sign(_) => {}
            Kind::Text => {
                let is_key = matches!(next(&tokens, at), Some(Kind::Sign(b':')));
                let Some(frame) = open.last().filter(|_| !is_key) else {
                    continue;
                };
                let inner = token.span.start + token.quote..token.span.end - token.quote;
                let raw = text.get(inner.clone()).unwrap_or_default();
                let follows = next(&tokens, at);
                let is_part = matches!(follows, Some(Kind::Sign(b'+' | b'%' | b'.')))
                    || matches!(before, Some(Kind::Sign(b'+')))
                    || matches!(before, Some(Kind::Name))
                    || raw.contains('\\');
                each(Pair {
                    name,
                    within: frame.label,
                    owner: frame.at,
                    place: frame.place,
                    literal: Literal { token: token.span.clone(), value: raw.to_owned(), inner },
                    is_part,
                });
            }
        }
    }
}

fn is_call(text: &str, at: usize) -> bool {
    matches!(text.as_bytes().get(at), Some(b'(' | b'['))
}

fn next(tokens: &[Token], at: usize) -> Option<Kind> {
    tokens.get(at + 1).map(|token| token.kind)
}

/// The name before `:`, `::`, `+:`, `=`; nothing where the sign is `==` or the like.
fn named<'t>(text: &'t str, tokens: &[Token], at: usize) -> Option<&'t str> {
    let mut before = at;
    while before > 0
        && at - before < SIGNS_MAX
        && matches!(tokens[before - 1].kind, Kind::Sign(b':' | b'+' | b'?'))
    {
        before -= 1;
    }
    let token = &tokens[before.checked_sub(1)?];
    match token.kind {
        Kind::Name => text.get(token.span.clone()),
        Kind::Text => text.get(token.span.start + token.quote..token.span.end - token.quote),
        Kind::Sign(_) | Kind::Break => None,
    }
}

fn tokens(text: &str, syntax: Syntax) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = &bytes[at..];
        let mut push = |kind, end: usize, quote| all.push(Token { kind, span: at..end, quote });
        let has_slashes = syntax != Syntax::Starlark;
        at = match byte {
            b' ' | b'\t' | b'\r' => at + 1,
            b'\n' => {
                push(Kind::Break, at + 1, 0);
                at + 1
            }
            b'#' if syntax != Syntax::Cue => line_end(text, at),
            b'/' if has_slashes && rest.starts_with(b"//") => line_end(text, at),
            b'/' if syntax == Syntax::Jsonnet && rest.starts_with(b"/*") => {
                memchr::memmem::find(rest, b"*/").map_or(bytes.len(), |found| at + found + 2)
            }
            b'|' if syntax == Syntax::Jsonnet && rest.starts_with(b"|||") => {
                let end = memchr::memmem::find(&rest[3..], b"|||");
                end.map_or(bytes.len(), |found| at + 3 + found + 3)
            }
            b'"' | b'\'' => {
                let (end, quote) = quoted(text, at, syntax);
                if quote > 0 {
                    push(Kind::Text, end, quote);
                }
                end
            }
            _ if is_letter(byte) => {
                let more = |b: &&u8| is_letter(**b) || b.is_ascii_digit() || **b == b'.';
                let end = at + rest.iter().take_while(more).count();
                push(Kind::Name, end, 0);
                end
            }
            byte => {
                push(Kind::Sign(byte), at + 1, 0);
                at + 1
            }
        };
    }
    all
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'#') || byte >= 0x80
}

/// Where a string ends, and how wide its quotes are; nothing for one that is open or a block of text.
fn quoted(text: &str, at: usize, syntax: Syntax) -> (usize, usize) {
    let bytes = text.as_bytes();
    let quote = bytes[at];
    let triple = [quote; 3];
    if syntax != Syntax::Jsonnet && bytes[at..].starts_with(&triple) {
        let end = memchr::memmem::find(&bytes[at + 3..], &triple);
        return (end.map_or(bytes.len(), |found| at + 3 + found + 3), 0);
    }
    // Jsonnet's `@'…'` has no escapes; its quote is doubled.
    let is_raw = syntax == Syntax::Jsonnet && at > 0 && bytes[at - 1] == b'@';
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end).copied() {
        match byte {
            b'\\' if !is_raw => end += 1,
            b'\n' if syntax != Syntax::Jsonnet => return (end, 0),
            _ if byte == quote => return (end + 1, 1),
            _ => {}
        }
        end += 1;
    }
    (bytes.len(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, syntax: Syntax) -> Vec<String> {
        let mut all = Vec::new();
        pairs(text, syntax, &mut |pair| {
            let part = if pair.is_part { " (part)" } else { "" };
            let Pair { name, within, place, literal, .. } = pair;
            all.push(format!("{within}[{place}].{name} = {}{part}", literal.value));
        });
        all
    }

    #[test]
    fn a_string_knows_its_name_and_its_brackets() {
        let starlark = "oci.pull(\n  name = \"a\", # no\n  image = \"b\",\n)\nX = \"c\" + y\nf(\"d\", 'e'.format(z))\n\"\"\"g = \"h\" \"\"\"\n";
        assert_eq!(
            found(starlark, Syntax::Starlark),
            [
                "oci.pull[0].name = a",
                "oci.pull[1].image = b",
                "[0].X = c (part)",
                "f[0]. = d",
                "f[1]. = e (part)"
            ]
        );
        let jsonnet =
            "{ images:: { 'web': 'a' }, image+: \"b\" % c, /* x: 'y' */ t: |||\n z: 'y'\n||| }";
        assert_eq!(found(jsonnet, Syntax::Jsonnet), ["images[0].web = a", "[1].image = b (part)"]);
        let cue = "a: b: image: *\"c\" | string\n#Image: \"d\"\ne: \"x\\(y)\" // z: \"w\"\n";
        assert_eq!(
            found(cue, Syntax::Cue),
            ["[0].image = c", "[0].#Image = d", "[0].e = x\\(y) (part)"]
        );
    }

    #[test]
    fn signs_are_looked_through_once() {
        let text = format!("image +::: \"a\", {}", ":".repeat(4_000_000));
        assert_eq!(found(&text, Syntax::Jsonnet), ["[0].image = a"]);
    }

    #[test]
    fn brackets_that_nest_deep_are_not_followed() {
        let text = format!("{}{}image = \"a\"", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(found(&text, Syntax::Starlark), ["[0].image = a"]);
    }
}

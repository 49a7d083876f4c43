//! What a scalar says, from how it is written.
//!
//! ```text
//! 'it''s'      it's          "a\tb"   a<tab>b
//! >-⏎  shop/⏎  api          shop/ api
//! ```
//! Source: YAML 1.2.2, §7.3 and §8.1. Never fails: what is malformed is for the other reader to refuse.

use super::tree::Style;
use std::borrow::Cow;

/// Decodes a scalar; `indent` is a block scalar's content indentation.
pub(crate) fn decode(raw: &str, style: Style, indent: usize) -> Cow<'_, str> {
    match style {
        Style::Plain | Style::Template => fold_if_broken(raw),
        Style::Single => {
            let inner = inside(raw);
            if inner.contains("''") {
                Cow::Owned(fold_if_broken(inner).replace("''", "'"))
            } else {
                fold_if_broken(inner)
            }
        }
        Style::Double => {
            let inner = inside(raw);
            if inner.contains(['\\', '\n', '\r']) {
                Cow::Owned(double(inner))
            } else {
                Cow::Borrowed(inner)
            }
        }
        Style::Literal => Cow::Owned(block(raw, indent, Breaks::Kept)),
        Style::Folded => Cow::Owned(block(raw, indent, Breaks::Folded)),
    }
}

/// Whether a plain scalar is text: `null`, `true`, `5` and `1e3` are not.
///
/// Source: YAML 1.2.2, §10.3.2, the core schema.
pub(crate) fn is_text(plain: &str) -> bool {
    let is_word = matches!(
        plain,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" | ".nan" | ".NaN" | ".NAN"
    );
    !is_null(plain) && !is_word && !is_number(plain)
}

/// Whether a plain scalar says that there is nothing.
pub(crate) fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

fn is_number(plain: &str) -> bool {
    let digits = |text: &str, base: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    if let Some(octal) = plain.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hex) = plain.strip_prefix("0x") {
        return digits(hex, 16);
    }
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(plain);
    let is_written_as_one =
        unsigned.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || (is_written_as_one && unsigned.parse::<f64>().is_ok())
}

fn inside(raw: &str) -> &str {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// The lines of a text without their breaks: `\n`, `\r\n` and a lone `\r` end one.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr::memchr2(b'\n', b'\r', text.as_bytes()) {
            Some(at) => {
                let wide = text[at..].starts_with("\r\n");
                rest = Some(&text[at + if wide { 2 } else { 1 }..]);
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

const BLANK: [char; 2] = [' ', '\t'];

fn fold_if_broken(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let all: Vec<&str> = lines(text).collect();
    let last = all.len() - 1;
    let mut folded = String::with_capacity(text.len());
    let mut empties = 0;
    for (at, line) in all.iter().enumerate() {
        let mut line = *line;
        if at > 0 {
            line = line.trim_start_matches(BLANK);
        }
        if at < last {
            line = line.trim_end_matches(BLANK);
        }
        if at == 0 {
            folded.push_str(line);
        } else if line.is_empty() && at < last {
            empties += 1;
        } else {
            push_break(&mut folded, empties);
            empties = 0;
            folded.push_str(line);
        }
    }
    Cow::Owned(folded)
}

/// One break becomes a space, more become one less.
fn push_break(folded: &mut String, empties: usize) {
    if empties == 0 {
        folded.push(' ');
    } else {
        folded.extend(std::iter::repeat_n('\n', empties));
    }
}

fn double(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    // Blanks before a break are folded away, unless an escape wrote them.
    let mut kept = 0;
    let mut rest = inner.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                escape(&mut rest, &mut out);
                kept = out.len();
            }
            '\n' | '\r' => {
                let trimmed = out.trim_end_matches(BLANK).len().max(kept);
                out.truncate(trimmed);
                let mut empties = 0;
                if c == '\r' {
                    rest.next_if_eq(&'\n');
                }
                while let Some(next) = rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
                    if matches!(next, '\n' | '\r') {
                        empties += 1;
                        if next == '\r' {
                            rest.next_if_eq(&'\n');
                        }
                    }
                }
                push_break(&mut out, empties);
                kept = out.len();
            }
            other => out.push(other),
        }
    }
    out
}

fn escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let Some(c) = rest.next() else { return };
    let simple = match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return hex(rest, 2, out),
        'u' => return hex(rest, 4, out),
        'U' => return hex(rest, 8, out),
        '\n' | '\r' => {
            if c == '\r' {
                rest.next_if_eq(&'\n');
            }
            while rest.next_if(|c| BLANK.contains(c)).is_some() {}
            return;
        }
        other => other,
    };
    out.push(simple);
}

fn hex(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, digits: usize, out: &mut String) {
    let mut code = 0_u32;
    for _ in 0..digits {
        let Some(digit) = rest.next_if(char::is_ascii_hexdigit) else {
            break;
        };
        code = code.wrapping_mul(16) + digit.to_digit(16).unwrap_or(0);
    }
    out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Kept,
    Folded,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

fn block(raw: &str, indent: usize, breaks: Breaks) -> String {
    let mut all = lines(raw);
    let head = all.next().unwrap_or_default();
    let marks = head.split(BLANK).next().unwrap_or_default();
    let chomp = match (marks.contains('-'), marks.contains('+')) {
        (true, _) => Chomp::Strip,
        (false, true) => Chomp::Keep,
        (false, false) => Chomp::Clip,
    };
    let mut content: Vec<&str> = all.map(|line| strip(line, indent)).collect();
    // The text after the last break is no line of its own, unless the file ends without a break.
    let ends_with_break = raw.ends_with(['\n', '\r']);
    if ends_with_break {
        content.pop();
    }
    let filled = content.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
    let mut out = match breaks {
        Breaks::Kept => content[..filled].join("\n"),
        Breaks::Folded => fold_block(&content[..filled]),
    };
    match chomp {
        Chomp::Strip => {}
        // Also where the file ends without a break, as the other reader has it.
        Chomp::Clip => out.extend((filled > 0).then_some('\n')),
        Chomp::Keep => {
            let empties = content.len() - filled;
            let own = usize::from(filled > 0);
            let tail =
                if ends_with_break || filled == 0 { empties } else { empties.saturating_sub(1) };
            out.extend(std::iter::repeat_n('\n', tail + own));
        }
    }
    out
}

/// Takes the indentation off; a line that is shorter is empty.
fn strip(line: &str, indent: usize) -> &str {
    let spaces = line.bytes().take_while(|b| *b == b' ').count();
    line.get(indent.min(spaces)..).unwrap_or_default()
}

fn fold_block(content: &[&str]) -> String {
    let is_deeper = |line: &str| line.starts_with(BLANK);
    let mut out = String::new();
    let mut empties = 0;
    let mut before: Option<&str> = None;
    for line in content {
        if line.is_empty() {
            empties += 1;
            continue;
        }
        match before {
            None => out.extend(std::iter::repeat_n('\n', empties)),
            Some(previous) if is_deeper(previous) || is_deeper(line) => {
                out.extend(std::iter::repeat_n('\n', empties + 1));
            }
            Some(_) => push_break(&mut out, empties),
        }
        empties = 0;
        out.push_str(line);
        before = Some(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_folds_follow_the_specification() {
        let cases = [
            ("a b", Style::Plain, "a b"),
            ("a\n  b", Style::Plain, "a b"),
            ("a\r\n\r\n  b", Style::Plain, "a\nb"),
            ("'it''s'", Style::Single, "it's"),
            ("\"a\\tb\\x41\\u00e4\"", Style::Double, "a\tbA\u{e4}"),
            ("\"a \n  b\"", Style::Double, "a b"),
            ("\"a\\\n  b\"", Style::Double, "ab"),
            ("\"a\\ \n b\"", Style::Double, "a  b"),
        ];
        for (raw, style, expected) in cases {
            assert_eq!(decode(raw, style, 0), expected, "{raw:?}");
        }
    }

    #[test]
    fn the_core_schema_tells_text_from_the_rest() {
        for other in [
            "", "~", "null", "NULL", "true", "False", "5", "-1", "+12", "0o17", "0x1F", "1.5",
            ".5", "5.", "1e3", "-1.2E-3", ".inf", "-.Inf", ".nan",
        ] {
            assert!(!is_text(other), "{other}");
        }
        for text in ["nginx", "Nginx:5", "1.2.3", "e", ".", "-", "0x", "0xg", "inf", "nUll", "5a"] {
            assert!(is_text(text), "{text}");
        }
    }

    #[test]
    fn blocks_are_chomped_and_folded() {
        let cases = [
            ("|\n  a\n  b\n", Style::Literal, "a\nb\n"),
            ("|-\n  a\n", Style::Literal, "a"),
            ("|+\n  a\n\n", Style::Literal, "a\n\n"),
            (">-\n  a\n  b\n", Style::Folded, "a b"),
            (">\n  a\n\n  b\n", Style::Folded, "a\nb\n"),
            (">\n  a\n    b\n  c\n", Style::Folded, "a\n  b\nc\n"),
            ("|\n  a", Style::Literal, "a\n"),
            ("|", Style::Literal, ""),
        ];
        for (raw, style, expected) in cases {
            assert_eq!(decode(raw, style, 2), expected, "{raw:?}");
        }
    }
}

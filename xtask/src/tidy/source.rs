//! Rust code without what its comments and literals say, so that a rule may search it as text.
//!
//! ```text
//! let a = "std::fs"; // std::net    ->    let a = "       ";
//! ```
//! Same length, same lines: an offset in the one is an offset in the other. Knows nested comments,
//! raw strings, byte and C strings, and tells a lifetime from a character.

/// Code whose comments and literals are blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    text: String,
}

impl Source {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The number of the line at an offset.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The code before the unit tests: up to the first `#[cfg(test)]` that opens a module.
    pub(super) fn before_tests(&self) -> &str {
        for (at, attribute) in self.text.match_indices("#[cfg(test)]") {
            let after = self.text[at + attribute.len()..].trim_start();
            if after.starts_with("mod ") && !is_elsewhere(after) {
                return &self.text[..at];
            }
        }
        &self.text
    }

    /// Offsets at which `word` stands as a word of its own.
    pub(super) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.text, word)
    }
}

/// `mod tests;` is another file, so the code of this one goes on.
fn is_elsewhere(module: &str) -> bool {
    let semicolon = module.find(';');
    let brace = module.find('{');
    matches!((semicolon, brace), (Some(semicolon), Some(brace)) if semicolon < brace)
        || matches!((semicolon, brace), (Some(_), None))
}

/// Offsets at which `word` stands in `text` with no letter, digit or `_` beside it.
pub(super) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let bytes = text.as_bytes();
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(at + word.len()).copied();
        let starts =
            !before.is_some_and(is_part) || !word.starts_with(|c: char| c.is_alphanumeric());
        let ends = !after.is_some_and(is_part) || !word.ends_with(|c: char| c.is_alphanumeric());
        starts && ends
    })
}

/// Blanks comments and literals.
pub(super) fn mask(text: &str) -> Source {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let Some(end) = blank_from(bytes, at) else {
            at += 1;
            continue;
        };
        for byte in &mut masked[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    let text = String::from_utf8(masked).expect("whole literals and comments became ASCII spaces");
    Source { text }
}

/// Where the comment or literal that starts at `at` ends; none if none starts there.
fn blank_from(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let in_a_word = at > 0 && (bytes[at - 1] == b'_' || bytes[at - 1].is_ascii_alphanumeric());
    let length = match rest {
        [b'/', b'/', ..] => line_end(rest),
        [b'/', b'*', ..] => comment_end(rest),
        [b'"', ..] => string_end(rest, 1),
        [b'b' | b'c', b'"', ..] if !in_a_word => string_end(rest, 2),
        [b'r', b'"' | b'#', ..] if !in_a_word => raw_string_end(rest, 1)?,
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_a_word => raw_string_end(rest, 2)?,
        [b'b', b'\'', ..] if !in_a_word => character_end(rest, 2)?,
        [b'\'', ..] => character_end(rest, 1)?,
        [..] => return None,
    };
    Some(at + length.min(rest.len()))
}

fn line_end(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

/// Block comments nest.
fn comment_end(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            [..] => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string_end(rest: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            0..=255 => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`; none for a raw name such as `r#type`.
fn raw_string_end(rest: &[u8], from: usize) -> Option<usize> {
    let hashes = rest[from..].iter().take_while(|byte| **byte == b'#').count();
    let open = from + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &rest[open + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| open + 1 + end + close.len()))
}

/// `'x'`, `'\n'`, `'é'`; none for a lifetime.
fn character_end(rest: &[u8], from: usize) -> Option<usize> {
    if rest.get(from) == Some(&b'\\') {
        // The byte after the backslash may itself be a quote.
        let end = rest.get(from + 2..)?.iter().position(|byte| *byte == b'\'')?;
        return Some(from + 2 + end + 1);
    }
    let length = rest[from..].utf8_chunks().next()?.valid().chars().next()?.len_utf8();
    (rest.get(from + length) == Some(&b'\'')).then_some(from + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_become_blank_and_nothing_else() {
        let cases = [
            (r#"a("b"); // c"#, r#"a(   );     "#),
            (r#""\"" x"#, r#"     x"#),
            ("/* a /* b */ c */ d", "                  d"),
            (r##"r#"a " b"# c"##, r##"           c"##),
            (r#"b"a" br"b" c"c" d"#, r#"                d"#),
            ("'a' 'b: '\\'' c", "    'b:      c"),
            ("'é' x", "     x"),
            ("b'\"' x", "     x"),
            ("r#type x", "r#type x"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("'\\u{1F600}' x", "            x"),
            ("for 'outer", "for 'outer"),
        ];
        for (text, expected) in cases {
            let masked = mask(text);
            assert_eq!(masked.text().trim_end(), expected.trim_end(), "{text}");
            assert_eq!(masked.text().len(), text.len(), "{text}");
        }
    }

    #[test]
    fn lines_stay_lines() {
        let masked = mask("\"a\nb\"\n/* c\n*/ d");
        assert_eq!(masked.text().lines().count(), 4);
        assert_eq!(masked.line_of(masked.text().find('d').unwrap()), 4);
    }

    #[test]
    fn unfinished_code_ends_with_the_file() {
        for text in ["\"a", "/* a", "r#\"a", "b\"a\\", "'", "'\\", "b'", "r#"] {
            assert_eq!(mask(text).text().len(), text.len());
        }
    }

    #[test]
    fn a_words_neighbours_are_no_letters() {
        let source = mask("std::fs std::fsync my_std::fs (std::fs)");
        assert_eq!(source.words("std::fs").collect::<Vec<_>>(), [0, 31]);
    }

    #[test]
    fn the_code_before_the_tests_ends_where_they_are_inline() {
        let elsewhere = mask("#[cfg(test)]\nmod fuzz;\nfn a() {}\n#[cfg(test)]\nmod tests {}");
        assert!(elsewhere.before_tests().contains("fn a"));
        assert!(!elsewhere.before_tests().contains("mod tests"));
        assert_eq!(mask("#[cfg(test)]\nfn only_in_tests() {}").before_tests().lines().count(), 2);
    }
}

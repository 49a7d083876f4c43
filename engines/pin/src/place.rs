//! Lines and columns around a byte; and whether a text is another program's to fill in.

use crate::site::Opaque;
use memchr::{memchr2_iter, memmem};

/// Turns byte offsets into lines and columns, both from 1; no line is looked through twice, whatever the order.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t str,
    /// Where each line starts that begins before `seen`.
    starts: Vec<usize>,
    /// Everything before is searched for line breaks.
    seen: usize,
    /// The last byte that was asked for, and its column: on one long line the next is counted from there.
    last: (usize, usize),
}

impl<'t> Places<'t> {
    /// Those of a text.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, starts: vec![0], seen: 0, last: (0, 1) }
    }

    /// The line and the column of a byte.
    pub fn of(&mut self, at: usize) -> (usize, usize) {
        let at = at.min(self.text.len());
        let bytes = self.text.as_bytes();
        for found in memchr2_iter(b'\n', b'\r', bytes.get(self.seen..at).unwrap_or_default()) {
            let found = self.seen + found;
            // The `\n` of a `\r\n` is the one that counts.
            if bytes[found] == b'\n' || bytes.get(found + 1) != Some(&b'\n') {
                self.starts.push(found + 1);
            }
        }
        self.seen = self.seen.max(at);
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let (from, counted) =
            if (start..=at).contains(&self.last.0) { self.last } else { (start, 1) };
        let between = self.text.get(from..at).unwrap_or_default();
        let mark = usize::from(from == 0 && between.starts_with('\u{feff}'));
        self.last = (at, counted + between.chars().count() - mark);
        (line, self.last.1)
    }
}

/// The start of the line that holds a byte.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &text.as_bytes()[..at]).map_or(0, |found| found + 1)
}

/// The end of the line that holds a byte, its break not included.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found)
}

/// The break that this file uses: that of its first line.
pub(crate) fn line_break(text: &str) -> &'static str {
    match memchr::memchr2(b'\n', b'\r', text.as_bytes()) {
        Some(at) if text[at..].starts_with("\r\n") => "\r\n",
        Some(at) if text[at..].starts_with('\r') => "\r",
        Some(_) | None => "\n",
    }
}

/// Whether another program fills the text in.
pub(crate) fn opaque(text: &str) -> Option<Opaque> {
    let bytes = text.as_bytes();
    // Most references have none of these, and three searches each would cost more than reading them.
    if !bytes.iter().any(|byte| matches!(byte, b'{' | b'<' | b'$' | b'%')) {
        return None;
    }
    if memmem::find(bytes, b"{{").is_some()
        || memmem::find(bytes, b"{%").is_some()
        || memmem::find(bytes, b"<%").is_some()
        // CircleCI's parameters. Source: CircleCI docs, "Reusable configuration reference".
        || memmem::find(bytes, b"<<").is_some()
    {
        return Some(Opaque::Template);
    }
    let is_percent = || {
        let mut marks = text.split('%');
        marks.next();
        marks.next().is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        }) && marks.next().is_some()
    };
    if memchr::memchr(b'$', bytes).is_some() || text.contains("#{") || is_percent() {
        return Some(Opaque::Variable);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_in_three_ways() {
        let text = "\u{feff}ä: b\r\nc\rd\ne";
        let mut places = Places::new(text);
        let at = |needle: &str| text.find(needle).unwrap();
        assert_eq!(places.of(at("b")), (1, 4));
        assert_eq!(places.of(at("c")), (2, 1));
        assert_eq!(places.of(at("d")), (3, 1));
        assert_eq!(places.of(at("e")), (4, 1));
        assert_eq!(places.of(at("b")), (1, 4));
        assert_eq!(places.of(3), (1, 1));
        assert_eq!(places.of(at(": b")), (1, 2));
        assert_eq!(places.of(at("e")), (4, 1));
        assert_eq!(places.of(at("d")), (3, 1));
    }

    #[test]
    fn what_others_fill_in_is_opaque() {
        for variable in ["a:$TAG", "${A}", "$(params.image)", "a:%TAG%", "a:#{tag}#"] {
            assert_eq!(opaque(variable), Some(Opaque::Variable), "{variable}");
        }
        for template in ["{{ .x }}", "a:{{.Tag}}", "<%= x %>", "{% x %}", "a:<< b.c >>"] {
            assert_eq!(opaque(template), Some(Opaque::Template), "{template}");
        }
        for plain in ["a:1", "50%", "a%b", "a#b"] {
            assert_eq!(opaque(plain), None, "{plain}");
        }
    }
}

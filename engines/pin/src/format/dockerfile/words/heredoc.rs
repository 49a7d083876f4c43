//! Which heredocs an instruction opens, and whether each has an end.
//!
//! ```text
//! RUN <<EOF cat <<-'END' > /x     ->  EOF, and END with its tabs taken off
//! RUN sh -c "cat <<EOF"           ->  none: it stands in quotes
//! ```
//! Source: BuildKit, `frontend/dockerfile/parser`, `heredocsFromLine` and `ParseHeredoc`.

use super::Word;
use std::collections::HashMap;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tabs {
    Kept,
    Stripped,
}

pub(super) struct Heredoc {
    pub(super) name: String,
    pub(super) tabs: Tabs,
}

/// Where each line of a text stands last: asked so that no body is looked for twice.
#[derive(Default)]
pub(super) struct Ends<'t> {
    kept: HashMap<&'t str, usize>,
    stripped: HashMap<&'t str, usize>,
    is_read: bool,
}

impl<'t> Ends<'t> {
    /// Whether the line that ends a body stands at `at` or behind it.
    pub(super) fn stands_behind(&mut self, text: &'t str, heredoc: &Heredoc, at: usize) -> bool {
        if !self.is_read {
            self.read(text);
        }
        let lines = match heredoc.tabs {
            Tabs::Kept => &self.kept,
            Tabs::Stripped => &self.stripped,
        };
        lines.get(heredoc.name.as_str()).is_some_and(|last| *last >= at)
    }

    fn read(&mut self, text: &'t str) {
        let mut at = 0;
        for line in text.split_inclusive(['\n', '\r']) {
            let words = line.trim_end_matches(['\n', '\r']);
            self.kept.insert(words, at);
            self.stripped.insert(words.trim_start_matches('\t'), at);
            at += line.len();
        }
        self.is_read = true;
    }
}

/// The heredocs that an instruction opens: `RUN <<EOF`, `COPY <<-"END" /file`.
pub(super) fn heredocs(words: &[Word]) -> Vec<Heredoc> {
    let is = |word: &Word, keyword: &str| word.text.eq_ignore_ascii_case(keyword);
    let words = match words.split_first() {
        Some((first, rest)) if is(first, "ONBUILD") => rest,
        Some(_) | None => words,
    };
    let takes = words
        .first()
        .is_some_and(|first| is(first, "RUN") || is(first, "COPY") || is(first, "ADD"));
    if !takes {
        return Vec::new();
    }
    let mut open = None;
    let mut all = Vec::new();
    for word in words {
        if open.is_none() {
            all.extend(heredoc(&word.text));
        }
        open = quote_behind(&word.text, open);
    }
    // With a quote that nothing closes there are no words to look at.
    if open.is_some() { Vec::new() } else { all }
}

/// The quote that is open behind a word, given the one that was open before it.
fn quote_behind(word: &str, mut open: Option<char>) -> Option<char> {
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        match (char, open) {
            ('\\', None | Some('"')) => {
                chars.next();
            }
            ('"' | '\'', None) => open = Some(char),
            (_, Some(quote)) if quote == char => open = None,
            (_, _) => {}
        }
    }
    open
}

fn heredoc(word: &str) -> Option<Heredoc> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.strip_prefix("<<")?;
    let (tabs, name) = match rest.strip_prefix('-') {
        Some(name) => (Tabs::Stripped, name),
        None => (Tabs::Kept, rest),
    };
    if name.contains('<') {
        return None;
    }
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    (!name.is_empty()).then_some(Heredoc { name, tabs })
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn keywords(text: &str) -> Vec<String> {
        parse(text).instructions.iter().map(|one| one.words[0].text.clone()).collect()
    }

    #[test]
    fn what_stands_in_quotes_opens_nothing() {
        for text in [
            "RUN sh -c \"cat <<EOF > x\"\nFROM a\nEOF\n",
            "RUN sh -c 'x \\\n <<EOF y'\nFROM a\nEOF\n",
            "RUN cat <<< EOF\nFROM a\nEOF\n",
            "RUN it's <<EOF\nFROM a\nEOF\n",
        ] {
            assert_eq!(keywords(text), ["RUN", "FROM", "EOF"], "{text}");
        }
    }

    #[test]
    fn a_body_ends_at_its_own_line_only() {
        for text in [
            "RUN <<\"E O\"x\nRUN <<EOF\n EOF\nFROM a\nEOF\nFROM b\n",
            "COPY <<a.txt <<b.txt /x/\nFROM a\na.txt\nFROM c\nb.txt\nFROM b\n",
            "ONBUILD RUN 3<<-'EOF'\r\nFROM a\r\n\t\tEOF\r\nFROM b\r\n",
        ] {
            let all = keywords(text);
            assert_eq!(all.iter().filter(|word| *word == "FROM").count(), 1, "{text}");
        }
    }

    #[test]
    fn a_body_without_an_end_hides_nothing() {
        assert_eq!(keywords("RUN <<EOF\nFROM a\n"), ["RUN", "FROM"]);
        let many: String = (0..50_000).map(|n| format!("RUN <<E{n}\n")).collect();
        assert_eq!(keywords(&many).len(), 50_000);
    }
}

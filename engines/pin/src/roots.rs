//! The keys at the root of a YAML text, found without reading it closely.
//!
//! ```text
//! "on": push⏎jobs:⏎  build: {}⏎   ->   on, jobs
//! ```
//! One pass for all formats that ask. Keys of every document count, and lines in a block of text at column 0 too:
//! it is a hint for recognition, not a reading.

/// The most keys that are kept; files that name images have about a dozen.
const KEYS_MAX: usize = 256;

/// The keys that begin a line.
#[derive(Debug, Default)]
pub(crate) struct Roots<'t> {
    keys: Vec<&'t str>,
}

impl<'t> Roots<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut keys = Vec::new();
        let mut at = 0;
        while at < text.len() && keys.len() < KEYS_MAX {
            let rest = &text[at..];
            let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
            keys.extend(key(&rest[..end]));
            at += end + 1;
        }
        Self { keys }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// Whether a key begins with a dot, as GitLab's hidden jobs do.
    pub(crate) fn has_hidden(&self) -> bool {
        self.keys.iter().any(|key| key.starts_with('.'))
    }
}

/// The key that begins a line, without quotes.
pub(crate) fn key(line: &str) -> Option<&str> {
    match line.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let close = memchr::memchr(*quote, &line.as_bytes()[1..])? + 1;
            line[close + 1..].trim_start().starts_with(':').then_some(&line[1..close])
        }
        b' ' | b'\t' | b'#' | b'-' | b'}' | b']' | b'{' | b'[' | b'%' => None,
        _ => {
            let colon = memchr::memchr(b':', line.as_bytes())?;
            let is_key = matches!(line.as_bytes().get(colon + 1), None | Some(b' ' | b'\t'));
            is_key.then(|| line[..colon].trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_begin_a_line_are_found_whatever_ends_it() {
        let text =
            "\u{feff}a: 1\r\"on\": 2\r\n# c: 3\n  d: 4\n- e: 5\n'f' :\ng:h: 6\n.i:\n---\nj : 7";
        let roots = Roots::of(text);
        assert_eq!(roots.keys, ["a", "on", "f", ".i", "j"]);
        assert!(roots.has("on") && !roots.has("d") && roots.has_hidden());
        assert!(roots.has_any(&["x", "j"]) && !roots.has_any(&["x", "e"]));
    }

    #[test]
    fn so_many_keys_are_kept_and_no_more() {
        let text = |n: usize| format!("{}last: 1\n", "a: 1\n".repeat(n));
        assert!(Roots::of(&text(KEYS_MAX - 1)).has("last"));
        assert!(!Roots::of(&text(KEYS_MAX)).has("last"));
    }
}

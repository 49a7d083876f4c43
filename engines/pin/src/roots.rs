//! The keys at the root of a YAML text, found without reading it closely.
//!
//! ```text
//! "on": push⏎jobs:⏎  build: {}⏎   ->   on, jobs
//! ```
//! One pass for all formats that ask. Keys of every document count, and lines in a block of text at column 0 too:
//! it is a hint for recognition, not a reading. Behind `apiVersion` and `kind` nothing is looked for: that is an
//! object, and most YAML files are one.

/// The most keys that are kept; files that name images have about a dozen.
const KEYS_MAX: usize = 256;

/// The keys that begin a line.
#[derive(Debug, Default)]
pub(crate) struct Roots<'t> {
    keys: Vec<Root<'t>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Root<'t> {
    key: &'t str,
    /// Whether a list follows: `[` on the line, or an entry on the next.
    is_list: bool,
}

impl<'t> Roots<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut all = Self::default();
        let (mut at, mut is_open) = (0, false);
        while at < text.len() && all.keys.len() < KEYS_MAX && !all.is_object() {
            let rest = &text[at..];
            let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
            let line = &rest[..end];
            at += end + 1;
            if is_open {
                let inner = line.trim_start_matches(' ');
                if inner.is_empty() || inner.starts_with('#') {
                    continue;
                }
                let is_list = inner == "-" || inner.starts_with("- ");
                if let Some(last) = all.keys.last_mut() {
                    last.is_list = is_list;
                }
                is_open = false;
            }
            if let Some(key) = key(line) {
                let value = line.split_once(": ").map_or("", |(_, value)| value.trim());
                all.keys.push(Root { key, is_list: value.starts_with('[') });
                is_open = value.is_empty() || value.starts_with('#');
            }
        }
        all
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|root| root.key == key)
    }

    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// Whether one of the keys has a list.
    pub(crate) fn has_list(&self, keys: &[&str]) -> bool {
        self.keys.iter().any(|root| root.is_list && keys.contains(&root.key))
    }

    /// Whether a key begins with a dot, as GitLab's hidden jobs do.
    pub(crate) fn has_hidden(&self) -> bool {
        self.keys.iter().any(|root| root.key.starts_with('.'))
    }

    /// Whether a Kubernetes object begins at the root.
    pub(crate) fn is_object(&self) -> bool {
        self.has("apiVersion") && self.has("kind")
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
        let keys: Vec<&str> = roots.keys.iter().map(|root| root.key).collect();
        assert_eq!(keys, ["a", "on", "f", ".i", "j"]);
        assert!(roots.has("on") && !roots.has("d") && roots.has_hidden());
        assert!(roots.has_any(&["x", "j"]) && !roots.has_any(&["x", "e"]));
    }

    #[test]
    fn a_key_has_a_list_where_the_next_line_begins_one() {
        let text =
            "a:\n- b\nc:\r\n\r\n  # d\r\n  - e\r\nf:\n  g:\n  - h\ni: [j]\nk:\n-l\nm: # n\n-\n";
        let roots = Roots::of(text);
        let lists: Vec<&str> =
            roots.keys.iter().filter(|root| root.is_list).map(|root| root.key).collect();
        assert_eq!(lists, ["a", "c", "i", "m"]);
        assert!(roots.has_list(&["x", "c"]) && !roots.has_list(&["f", "k"]));
    }

    #[test]
    fn behind_the_keys_of_an_object_nothing_is_looked_for() {
        let roots = Roots::of("a: 1\nkind: b\napiVersion: c\nd: 1\n");
        assert!(roots.is_object() && roots.has("a") && !roots.has("d"));
        assert!(!Roots::of("kind: b\nd: 1\n").is_object());
    }

    #[test]
    fn so_many_keys_are_kept_and_no_more() {
        let text = |n: usize| format!("{}last: 1\n", "a: 1\n".repeat(n));
        assert!(Roots::of(&text(KEYS_MAX - 1)).has("last"));
        assert!(!Roots::of(&text(KEYS_MAX)).has("last"));
    }
}

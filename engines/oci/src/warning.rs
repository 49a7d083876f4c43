//! `Warning` headers: a registry's word to the person behind the client.
//!
//! ```text
//! Warning: 299 - "tag `1.4` is immutable from now on"
//! ```
//! Source: OCI distribution-spec 1.1, "Warnings": code 299, agent `-`, at most 4 096 bytes in all.

use crate::limit::WARNING_BYTES_MAX;

/// Writes the values of as many headers, in order, as fit together.
#[must_use]
pub fn write_warnings(texts: &[&str]) -> Vec<String> {
    let mut room = WARNING_BYTES_MAX;
    let mut values = Vec::new();
    for text in texts {
        let value = write_warning(text);
        if value.len() > room {
            break;
        }
        room -= value.len();
        values.push(value);
    }
    values
}

fn write_warning(text: &str) -> String {
    let mut value = String::from("299 - \"");
    for c in text.chars() {
        match c {
            '"' | '\\' => value.extend(['\\', c]),
            ' '..='~' => value.push(c),
            // Header values are ASCII; what is not must not be able to end the header.
            _ => value.push('?'),
        }
    }
    value.push('"');
    value
}

/// Reads the texts of a registry's warnings; other codes and other forms are passed over.
pub fn read_warnings<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut room = WARNING_BYTES_MAX;
    let mut texts = Vec::new();
    for value in values {
        room = room.saturating_sub(value.len());
        if room == 0 {
            break;
        }
        texts.extend(read_warning(value));
    }
    texts
}

fn read_warning(value: &str) -> Option<String> {
    let quoted = value.trim().strip_prefix("299 - \"")?.strip_suffix('"')?;
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next()?),
            '"' => return None,
            other if other.is_control() => text.push(' '),
            other => text.push(other),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_quoted_and_reads_back() {
        let written = write_warnings(&["tag `1.4` is \"immutable\" \\ now"]);
        assert_eq!(written, [r#"299 - "tag `1.4` is \"immutable\" \\ now""#]);
        let read = read_warnings(written.iter().map(String::as_str));
        assert_eq!(read, ["tag `1.4` is \"immutable\" \\ now"]);
    }

    #[test]
    fn nothing_can_end_the_header() {
        assert_eq!(write_warnings(&["a\r\nX: y\u{e9}"]), ["299 - \"a??X: y?\""]);
    }

    #[test]
    fn warnings_fill_4096_bytes_and_not_one_more() {
        // `299 - ""` has 8 bytes.
        let fits = "x".repeat(WARNING_BYTES_MAX - 8);
        assert_eq!(write_warnings(&[&fits]).len(), 1);
        assert_eq!(write_warnings(&[&fits, ""]).len(), 1);
        assert!(write_warnings(&[&format!("{fits}x")]).is_empty());
        let half = "x".repeat(WARNING_BYTES_MAX / 2 - 8);
        assert_eq!(write_warnings(&[&half, &half, "more"]).len(), 2);
    }

    #[test]
    fn other_warnings_are_passed_over() {
        for other in
            ["", "199 - \"x\"", "299 agent \"x\"", "299 - x", "299 - \"a\"b\"", "299 - \"a\\\""]
        {
            assert!(read_warnings([other]).is_empty(), "{other}");
        }
    }
}

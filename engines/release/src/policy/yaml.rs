//! Objects as YAML that means the same to every reader.
//!
//! ```text
//! {"kind": "ConfigMap", "data": {"a": "x\ny"}}  ->  kind: "ConfigMap" / data: / a: |- / x / y
//! ```
//! Every text is quoted, so none is read as a number, a word for true, or an anchor, whatever stands in it. Text of
//! several plain lines stands as it is, to be read by people.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The objects, each as a document of its own.
pub(super) fn stream(objects: &[Value]) -> String {
    let mut text =
        String::from("# Written by `indelible policy generate`: generate it again, do not edit.\n");
    for object in objects {
        text.push_str("---\n");
        match object {
            Value::Object(map) if !map.is_empty() => mapping(&mut text, map, 0),
            Value::Object(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => text.push_str(&format!("{object}\n")),
        }
    }
    text
}

fn mapping(text: &mut String, map: &Map<String, Value>, indent: usize) {
    for (at, (key, value)) in map.iter().enumerate() {
        // The first key of a mapping in a list stands behind its dash.
        if at > 0 || text.ends_with('\n') {
            text.push_str(&" ".repeat(indent));
        }
        text.push_str(&if is_plain(key) { key.clone() } else { quoted(key) });
        text.push(':');
        below(text, value, indent);
    }
}

/// What stands behind a key.
fn below(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            mapping(text, map, indent + 2);
        }
        Value::Array(list) if !list.is_empty() => {
            text.push('\n');
            list.iter().for_each(|item| entry(text, item, indent));
        }
        Value::String(lines) if is_block(lines) => block(text, lines, indent + 2),
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_) => {
            text.push(' ');
            text.push_str(&scalar(value));
            text.push('\n');
        }
    }
}

fn entry(text: &mut String, item: &Value, indent: usize) {
    text.push_str(&" ".repeat(indent));
    text.push_str("- ");
    match item {
        Value::Object(map) if !map.is_empty() => mapping(text, map, indent + 2),
        // A list in a list has no form of its own here: JSON is YAML too.
        Value::Object(_)
        | Value::Array(_)
        | Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_) => {
            text.push_str(&scalar(item));
            text.push('\n');
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(scalar).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs =
                map.iter().map(|(key, value)| format!("{}: {}", quoted(key), scalar(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Whether a key is read as itself without quotes. Source: YAML 1.1 calls `y`, `no` and the like truth values.
fn is_plain(key: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    // Longer than any word for a truth value, and no number begins with a small letter.
    key.len() > 5 && key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(is_inside)
        || matches!(key, "name" | "kind" | "data" | "spec")
}

/// Whether text can stand as a block whose lines are what they look like.
fn is_block(text: &str) -> bool {
    let is_plain_line = |line: &str| {
        !line.is_empty()
            && !line.ends_with(' ')
            && line.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    text.contains('\n') && !text.starts_with(' ') && text.split('\n').all(is_plain_line)
}

fn block(text: &mut String, lines: &str, indent: usize) {
    text.push_str(" |-\n");
    for line in lines.split('\n') {
        let _ = writeln!(text, "{}{line}", " ".repeat(indent));
    }
}

/// In double quotes, with everything escaped that is not visible ASCII.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            ' '..='~' => quoted.push(c),
            _ => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

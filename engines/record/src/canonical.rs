//! One spelling for one JSON value: RFC 8785, with whole numbers only.
//!
//! ```text
//! { "b": 1, "a": "é" }  ->  {"a":"é","b":1}
//! ```
//! Floats are refused: the record needs none, and they are where implementations differ.

use serde_json::Value;

/// The largest whole number that every JSON reader keeps. Source: RFC 8785, 3.2.2.3 (IEEE 754 double).
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// A value that has no canonical form here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// A fraction, an exponent, or a whole number beyond [`INTEGER_MAX`].
    #[error("number {number} cannot be recorded: whole numbers up to 2^53-1 only")]
    Number {
        /// The number as it was written.
        number: String,
    },
}

/// Writes a value in its one spelling.
///
/// # Errors
/// Refuses numbers that are not whole, or too large.
pub fn to_canonical(value: &Value) -> Result<String, CanonicalError> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => {
            let whole = number.as_i64().filter(|n| n.abs() <= INTEGER_MAX);
            let whole =
                whole.ok_or_else(|| CanonicalError::Number { number: number.to_string() })?;
            text.push_str(&whole.to_string());
        }
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            // RFC 8785, 3.2.3: by UTF-16 code units, which differs from UTF-8 order beyond U+FFFF.
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (at, (name, member)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_string(name, text);
                text.push(':');
                write(member, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

/// Source: RFC 8785, 3.2.2.2: the two-letter escapes, `\u00xx` for other controls, all else as it is.
fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            c if u32::from(c) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        // The example of RFC 8785, 3.2.3, with its expected order.
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis"
        });
        let text = to_canonical(&value).unwrap();
        let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
        let places: Vec<_> = order.iter().map(|word| text.find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn strings_are_escaped_as_the_rfc_says() {
        let value = json!("\u{20ac}$\u{f}\nA'B\"\\\"/");
        assert_eq!(to_canonical(&value).unwrap(), "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\"/\"");
    }

    #[test]
    fn only_whole_numbers_of_53_bits_are_recorded() {
        assert_eq!(
            to_canonical(&json!([0, -1, 9_007_199_254_740_991_i64])).unwrap(),
            "[0,-1,9007199254740991]"
        );
        for bad in [json!(0.5), json!(1e3), json!(9_007_199_254_740_992_i64), json!(u64::MAX)] {
            assert!(to_canonical(&bad).is_err(), "{bad}");
        }
    }
}

//! Lines for the file that `GITHUB_OUTPUT` names.
//!
//! Source: docs.github.com, "Workflow commands", "Setting an output parameter" and "Multiline strings": the
//! delimiter is random, and a value that held it could write outputs of its own.

use super::{Output, OutputError, Value};
use std::fmt::Write;

/// The fewest characters of a delimiter: 16 hex digits are 64 bits that nobody guesses.
pub const DELIMITER_LEN_MIN: usize = 16;

pub(super) fn render(outputs: &[Output], delimiter: &str) -> Result<String, OutputError> {
    let is_word = delimiter.bytes().all(|b| b.is_ascii_alphanumeric());
    if delimiter.len() < DELIMITER_LEN_MIN || !is_word {
        return Err(OutputError::Delimiter { found: delimiter.chars().count() });
    }
    let mut text = String::new();
    for output in outputs {
        let name = output.name;
        let written = match &output.value {
            Value::One(value) => writeln!(text, "{name}={value}"),
            Value::Lines(values) => {
                if values.iter().any(|value| value.contains(delimiter)) {
                    return Err(OutputError::HoldsDelimiter { name });
                }
                let body: String = values.iter().map(|value| format!("{value}\n")).collect();
                writeln!(text, "{name}<<{delimiter}\n{body}{delimiter}")
            }
        };
        written.expect("a String takes every write");
    }
    Ok(text)
}

//! The one place that prints: data to stdout, talk to stderr, each escaped for its sink.
//!
//! ```text
//! text from a stranger: "a\x1b[31mb"  ->  terminal: a\u{1b}[31mb     CSV: "a\u{1b}[31mb"
//! ```

use serde::Serialize;
use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one document, its shape versioned.
    Json,
}

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
}

/// A JSON document as it leaves: the version of its shape, the command, and the data.
#[derive(Serialize)]
struct Document<'a, T> {
    version: u32,
    command: &'a str,
    #[serde(flatten)]
    data: &'a T,
}

impl Output {
    /// Prints data: the text for people, or the document for programs.
    pub(crate) fn data<T: Serialize>(
        &self,
        command: &str,
        data: &T,
        text: impl FnOnce() -> String,
    ) {
        match self.format {
            Format::Text => self.text(&text()),
            Format::Json => {
                let document = Document { version: 1, command, data };
                let json = serde_json::to_string_pretty(&document)
                    .expect("plain data with text keys is always JSON");
                self.text(&format!("{json}\n"));
            }
        }
    }

    /// Prints text to stdout as it is; the caller has escaped what strangers wrote.
    #[expect(
        clippy::unused_self,
        reason = "printing goes through the output that the command was given"
    )]
    pub(crate) fn text(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        if let Err(error) = written {
            remember(error);
        }
    }

    /// Says something to people, unless they asked for quiet.
    pub(crate) fn talk(&self, line: impl std::fmt::Display) {
        if !self.quiet {
            say(&format!("{}\n", plain(&line.to_string())));
        }
    }
}

/// The first write to stdout that failed: there is one stdout, and the whole process answers for it.
static FAILED: OnceLock<std::io::Error> = OnceLock::new();

/// Keeps what went wrong with stdout until the command has ended.
pub(crate) fn remember(error: std::io::Error) {
    // A reader that went away (`| head`) is no error of ours.
    if error.kind() != ErrorKind::BrokenPipe {
        let _ = FAILED.set(error);
    }
}

/// Why stdout is not complete; nothing where it is.
pub(crate) fn failed() -> Option<&'static std::io::Error> {
    FAILED.get()
}

/// Writes to stderr, whatever was asked.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Text without control characters, for a terminal or a CI log.
///
/// A line break would let a stranger begin a line that a CI reads as a command.
#[must_use]
pub(crate) fn plain(text: &str) -> String {
    // Nearly all text is such, and there are tens of thousands of lines of it.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// What spreadsheets take for the beginning of a formula.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// One field of a CSV file: quoted, and never the beginning of a formula.
///
/// Source: RFC 4180; OWASP, "CSV Injection": spreadsheets run a field that begins with `=`, `+`, `-` or `@`, also after
/// a blank, and where East Asian text is common also with the wide forms of these signs.
#[must_use]
pub(crate) fn csv_field(text: &str) -> String {
    let text = plain(text);
    let is_formula = text.trim_start().starts_with(FORMULAS);
    let guarded = if is_formula { format!("'{text}") } else { text };
    if guarded.contains([',', '"', '\'', ';', ' ']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// Columns of text, two spaces apart; the last is not padded.
#[must_use]
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |row: &[String]| row.iter().map(|cell| plain(cell)).collect::<Vec<_>>();
    let mut all: Vec<Vec<String>> = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
    all.extend(rows.iter().map(|row| cells(row)));
    let width = |column: usize| {
        all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &all {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = widths.get(column).copied().unwrap_or(0);
            line.push_str(&format!("{cell:<pad$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\n::error::x"), "a\\u{1b}[31mb\\n::error::x");
        assert_eq!(plain("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(plain("größe"), "größe");
    }

    #[test]
    fn a_csv_field_is_no_formula() {
        assert_eq!(csv_field("=1+1"), "\"'=1+1\"");
        for sign in ["+", "-", "@", "＝", "＋", "－", "＠"] {
            assert_eq!(csv_field(&format!("{sign}1")), format!("\"'{sign}1\""));
        }
        assert_eq!(csv_field("  =1+1"), "\"'  =1+1\"");
        // A tab or a line break is no blank any more.
        assert_eq!(csv_field("\t=1+1"), "\\t=1+1");
        assert_eq!(csv_field("a=1;b"), "\"a=1;b\"");
        assert_eq!(csv_field("a,b"), "\"a,b\"");
        assert_eq!(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(csv_field("plain"), "plain");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            vec![vec!["api".to_owned(), "1".to_owned()], vec!["worker".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["IMAGE", "N"], &rows), "IMAGE   N\napi     1\nworker  2\n");
    }
}

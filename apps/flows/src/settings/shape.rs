//! What the reader of YAML says of settings, in our words: where, which key, what was expected.
//!
//! ```text
//! indelible.yaml:7:5  unknown key `promote-from`; did you mean `promotes-from`?
//! indelible.yaml:9:13 `deploy`: `gitt` is none of files, git, pr, cluster, git+cluster; did you mean `git`?
//! ```
//! The library's own words never reach a person: they name types of ours and options of its own.

use super::SettingsError;
use serde_saphyr::Error;

/// A place in the settings; both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// Says in our words what is wrong with the text.
pub(super) fn shape(text: &str, error: &Error) -> SettingsError {
    let error = error.without_snippet();
    let at = error
        .location()
        .filter(|location| location.line() > 0)
        .map(|location| At { line: location.line(), column: location.column() });
    let (message, nearest) = words(error);
    let key = at.and_then(|at| key_before(text, at));
    let names_a_key =
        matches!(error, Error::SerdeUnknownField { .. } | Error::SerdeMissingField { .. });
    let message = match key {
        Some(key) if !names_a_key => format!("`{key}`: {message}"),
        Some(key) if matches!(error, Error::SerdeMissingField { .. }) => {
            format!("{message} in `{key}`")
        }
        Some(_) | None => message,
    };
    SettingsError::Shape { at, message, nearest }
}

/// The message, and the known word that is nearest to an unknown one.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library's list is long, and open")]
fn words(error: &Error) -> (String, Option<String>) {
    let plain = |text: &str| (text.to_owned(), None);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            unknown(format!("unknown key `{}`", short(field)), field, expected)
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            unknown(format!("unknown word `{}`", short(variant)), variant, expected)
        }
        Error::SerdeMissingField { field, .. } => (format!("`{field}` is missing"), None),
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => (format!("`{}` stands here twice", short(key)), None),
            None => plain("a key stands here twice"),
        },
        Error::Unexpected { expected, .. } => plain(wanted(expected)),
        Error::SerdeInvalidType { expected, .. } => plain(wanted(expected)),
        Error::InvalidScalar { ty, .. } => plain(wanted(ty)),
        Error::MultipleDocuments { .. } => {
            plain("a second document begins here, and settings are one")
        }
        Error::Eof { .. } => plain("the file ends where more is expected"),
        Error::UnknownAnchor { .. } => plain("an alias stands here whose anchor is nowhere before"),
        // What our own values say of themselves.
        Error::Message { msg, .. } => (msg.lines().next().unwrap_or_default().to_owned(), None),
        // The list of the library is open, and the rest is YAML that cannot be read.
        _ => plain(
            "the YAML is broken here: look for a missing `:`, quote or bracket, and at the indentation",
        ),
    }
}

fn unknown(what: String, word: &str, known: &[&'static str]) -> (String, Option<String>) {
    let distance = |known: &&&str| strsim::damerau_levenshtein(word, known);
    let near = known.iter().min_by_key(distance);
    let near = near.filter(|near| distance(near) <= 1 + word.chars().count() / 3);
    match near {
        Some(near) => (what, Some((*near).to_owned())),
        None => (format!("{what}; known are {}", known.join(", ")), None),
    }
}

/// What should stand there, told from the library's word for it.
fn wanted(expected: &str) -> &'static str {
    let is = |word: &str| expected.contains(word);
    if is("map") || is("struct") {
        "keys with values are expected here"
    } else if is("sequence") {
        "a list is expected here, such as [a, b]"
    } else if ["u64", "u32", "u16", "u8", "usize", "i64", "integer"].iter().any(|word| is(word)) {
        "a whole number is expected here"
    } else if is("bool") {
        "`true` or `false` is expected here"
    } else {
        "one word or text is expected here"
    }
}

fn short(word: &str) -> String {
    word.chars().take(80).collect()
}

/// The key that a value belongs to, where both stand on one line.
fn key_before(text: &str, at: At) -> Option<&str> {
    let line = text.lines().nth(usize::try_from(at.line).ok()?.checked_sub(1)?)?;
    let columns = usize::try_from(at.column).ok()?.checked_sub(1)?;
    let end = line.char_indices().nth(columns).map_or(line.len(), |(at, _)| at);
    let before = line[..end].trim_end_matches([' ', '[', '{', '"', '\'']).strip_suffix(':')?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let start = before.trim_end_matches(is_key).len();
    (start < before.len()).then(|| &before[start..])
}

//! The query of a request, and percent-encoding both ways.
//!
//! ```text
//! "tag=a&tag=b&digest=sha256%3A…"  ->  all("tag") = [a, b], one("digest") = sha256:…
//! ```

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The parameters of a request, decoded, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// Why a query or a path segment cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Percent-encoding that is cut short or is no UTF-8.
    #[error("`{text}` is not percent-encoded UTF-8", text = text.escape_debug())]
    Encoding {
        /// The part, cut.
        text: String,
    },
    /// A parameter that may stand once only.
    #[error("the query has `{name}` more than once")]
    Twice {
        /// The parameter.
        name: &'static str,
    },
}

impl Query {
    /// Reads a query without its `?`.
    ///
    /// # Errors
    /// Wrong percent-encoding.
    pub fn read(text: &str) -> Result<Self, QueryError> {
        let parts = text.split('&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((form_decode(name)?, form_decode(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may stand once.
    ///
    /// # Errors
    /// It stands more than once: two readers could take different ones.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, QueryError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(QueryError::Twice { name }),
            (value, None) => Ok(value),
        }
    }
}

/// Decodes `+` as a blank, as HTML forms and Go's `url.ParseQuery` do.
fn form_decode(text: &str) -> Result<String, QueryError> {
    decode(&text.replace('+', " "))
}

/// Undoes percent-encoding once.
///
/// # Errors
/// A `%` without two hex digits, or bytes that are no UTF-8.
pub fn decode(text: &str) -> Result<String, QueryError> {
    let wrong = || QueryError::Encoding { text: text.chars().take(64).collect() };
    let is_whole = text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    if !is_whole {
        return Err(wrong());
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(|plain| plain.into_owned()).map_err(|_| wrong())
}

/// RFC 3986 "unreserved" stays as it is, and `:` and `/`, which a query may hold.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/');

/// Writes a value into a query.
#[must_use]
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_once_and_kept_in_order() {
        let query = Query::read("tag=b&&digest=sha256%3Aab&tag=a%2525&x&tag=").unwrap();
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["b", "a%25", ""]);
        assert_eq!(query.one("digest"), Ok(Some("sha256:ab")));
        assert_eq!(query.one("x"), Ok(Some("")));
        assert_eq!(query.one("n"), Ok(None));
        assert_eq!(query.one("tag"), Err(QueryError::Twice { name: "tag" }));
    }

    #[test]
    fn wrong_encoding_is_refused() {
        for bad in ["a=%", "a=%2", "a=%zz", "a=%ff", "%=1", "a=%+1"] {
            assert!(Query::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        for text in ["", "a b+c&d=e%20", "sha256:ab/cd", "é\u{0}\n"] {
            let query = Query::read(&format!("k={}", encode(text))).unwrap();
            assert_eq!(query.one("k"), Ok(Some(text)));
        }
    }
}

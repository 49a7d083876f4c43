//! What a request says about who sends it: nothing, or a token by Basic or Bearer.
//!
//! ```text
//! Authorization: Bearer ind_…         -> the token
//! Authorization: Basic base64(x:ind_…) -> the token; the name before the colon is not looked at
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use http::{HeaderMap, header};

/// What stands in `Authorization`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// No such header.
    Absent,
    /// A token, right or wrong.
    Token(Secret),
    /// Something that cannot be read, or two of it.
    Unreadable,
}

impl Credential {
    /// Reads the header.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => {
                let read = value.to_str().ok().and_then(read_token);
                read.map_or(Self::Unreadable, |token| Self::Token(Secret::new(token)))
            }
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }
}

fn read_token(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Credential {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, http::HeaderValue::from_static(value));
        }
        Credential::read(&headers)
    }

    #[test]
    fn basic_and_bearer_carry_the_same_token() {
        let token = Credential::Token(Secret::new("ind_x"));
        assert_eq!(read(&["Bearer ind_x"]), token);
        assert_eq!(read(&["bearer ind_x"]), token);
        // Source: base64 of `ci:ind_x`, by hand with coreutils.
        assert_eq!(read(&["Basic Y2k6aW5kX3g="]), token);
        assert_eq!(read(&[]), Credential::Absent);
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        for bad in ["Basic", "Basic %%%", "Digest x", "Basic Y2k="] {
            assert_eq!(read(&[bad]), Credential::Unreadable, "{bad}");
        }
        assert_eq!(read(&["Bearer a", "Bearer b"]), Credential::Unreadable);
    }
}

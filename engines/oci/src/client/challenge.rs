//! What a registry asks for when it answers 401.
//!
//! ```text
//! WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"
//! WWW-Authenticate: Basic realm="Registry"
//! ```
//! Source: RFC 9110, section 11; distribution `docs/spec/auth/token.md`.

use crate::limit::CHALLENGE_BYTES_MAX;

/// One way to prove who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By a token that is fetched at the realm.
    Bearer {
        /// The address of the token service.
        realm: String,
        /// For whom the token is.
        service: Option<String>,
        /// What it is for; several are divided by blanks.
        scope: Option<String>,
        /// Why the token that was sent is not enough.
        error: Option<String>,
    },
    /// By user and password.
    Basic {
        /// A name for people.
        realm: Option<String>,
    },
    /// By something that is not spoken here.
    Other {
        /// Its name.
        scheme: String,
    },
}

/// Reads all challenges of an answer, in order; the values are those of all its headers.
///
/// What cannot be read is passed over; beyond [`CHALLENGE_BYTES_MAX`] nothing is read.
pub fn read_challenges<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
    let mut room = CHALLENGE_BYTES_MAX;
    let mut challenges = Vec::new();
    for value in values {
        if value.len() > room {
            break;
        }
        room -= value.len();
        challenges.extend(read_header(value));
    }
    challenges
}

fn read_header(value: &str) -> Vec<Challenge> {
    let mut schemes: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for part in split_outside_quotes(value) {
        let part = part.trim();
        let word_end = part.find([' ', '=']).unwrap_or(part.len());
        let (word, rest) = part.split_at(word_end);
        let rest = rest.trim_start();
        if word.is_empty() {
            continue;
        }
        // `name=value` goes to the scheme before it; `Scheme`, or `Scheme name=value`, opens the next.
        if let Some(parameter) = rest.strip_prefix('=') {
            if let Some((_, parameters)) = schemes.last_mut() {
                parameters.push((word.to_ascii_lowercase(), unquote(parameter)));
            }
            continue;
        }
        let first = rest.split_once('=');
        let first = first.map(|(name, value)| (name.trim().to_ascii_lowercase(), unquote(value)));
        schemes.push((word.to_owned(), first.into_iter().collect()));
    }
    schemes.into_iter().filter_map(challenge).collect()
}

fn challenge((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    // The first of two: a second one could be slipped in behind.
    let get = |wanted: &str| {
        let mut found = parameters.iter().filter(|(name, _)| name == wanted);
        found.next().map(|(_, value)| value.clone())
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Challenge::Bearer {
            realm: get("realm").filter(|realm| !realm.is_empty())?,
            service: get("service").filter(|service| !service.is_empty()),
            scope: get("scope").filter(|scope| !scope.is_empty()),
            error: get("error"),
        });
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic { realm: get("realm") });
    }
    let scheme = scheme.chars().take(32).collect();
    Some(Challenge::Other { scheme })
}

/// Splits at commas that do not stand between quotes.
fn split_outside_quotes(value: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => {
                parts.push(&value[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&value[from..]);
    parts
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    let Some(quoted) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next()),
            other => text.push(other),
        }
    }
    text
}

/// Writes the challenge of a server of ours that takes tokens as Basic passwords.
#[must_use]
pub fn write_basic(realm: &str) -> String {
    let plain: String =
        realm.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    format!("Basic realm=\"{plain}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
            error: None,
        }
    }

    fn basic(realm: &str) -> Challenge {
        let realm = Some(realm.to_owned());
        Challenge::Basic { realm }
    }

    #[test]
    fn challenges_of_known_registries_are_read() {
        // The first is Docker's token specification's own; the others are what registries send.
        for (value, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:samalba/my-app:pull,push""#,
                vec![bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("repository:samalba/my-app:pull,push"),
                )],
            ),
            (r#"Basic realm="Registry Realm""#, vec![basic("Registry Realm")]),
            ("BASIC REALM=x", vec![basic("x")]),
            (
                r#"Bearer realm="https://a/t", service="s" , Basic realm="b""#,
                vec![bearer("https://a/t", Some("s"), None), basic("b")],
            ),
            (
                r#"Negotiate, Basic realm="a\"b""#,
                vec![Challenge::Other { scheme: "Negotiate".to_owned() }, basic("a\"b")],
            ),
            (
                r#"bearer realm=https://a/t?x=1,service=s"#,
                vec![bearer("https://a/t?x=1", Some("s"), None)],
            ),
            (
                r#"Bearer realm="https://a/t",scope="repository:a:pull repository:b:pull""#,
                vec![bearer("https://a/t", None, Some("repository:a:pull repository:b:pull"))],
            ),
            (r#"Bearer realm = "https://a/t""#, vec![bearer("https://a/t", None, None)]),
            ("Basic", vec![Challenge::Basic { realm: None }]),
            (r#"Bearer service="s""#, vec![]),
            (r#"Bearer realm="first",realm="second""#, vec![bearer("first", None, None)]),
            (r#"realm="x""#, vec![]),
            ("", vec![]),
            (",,,", vec![]),
        ] {
            assert_eq!(read_challenges([value]), expected, "{value}");
        }
    }

    #[test]
    fn several_headers_are_read_in_order() {
        let read = read_challenges([r#"Basic realm="a""#, r#"Basic realm="b""#]);
        assert_eq!(read, [basic("a"), basic("b")]);
    }

    #[test]
    fn a_token_that_is_not_enough_says_why() {
        let read = read_challenges([r#"Bearer realm="https://a/t",error="insufficient_scope""#]);
        let [Challenge::Bearer { error, .. }] = read.as_slice() else {
            panic!("one bearer challenge expected");
        };
        assert_eq!(error.as_deref(), Some("insufficient_scope"));
    }

    #[test]
    fn challenges_are_read_up_to_8_kib_together() {
        let of_length = |length: usize| format!("Basic realm=\"{}\"", "x".repeat(length - 14));
        assert_eq!(read_challenges([of_length(CHALLENGE_BYTES_MAX).as_str()]).len(), 1);
        assert!(read_challenges([of_length(CHALLENGE_BYTES_MAX + 1).as_str()]).is_empty());
        let half = of_length(CHALLENGE_BYTES_MAX / 2 + 1);
        assert_eq!(read_challenges([half.as_str(), half.as_str()]).len(), 1);
    }

    #[test]
    fn our_own_challenge_reads_back() {
        assert_eq!(
            read_challenges([write_basic("in\"del\r\nible").as_str()]),
            [basic("indelible")]
        );
    }
}

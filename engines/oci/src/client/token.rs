//! Fetching a token: the request that a Bearer challenge asks for, and the answer.
//!
//! ```text
//! GET  https://auth.docker.io/token?service=registry.docker.io&scope=repository:a/b:pull
//! POST grant_type=refresh_token&service=…&client_id=…&scope=…&refresh_token=…
//! {"token":"…","expires_in":300}
//! ```
//! Source: distribution `docs/spec/auth/token.md` and `oauth.md`.

use super::location::{LocationError, resolve};
use crate::document::DocumentError;
use crate::limit::TOKEN_BODY_BYTES_MAX;
use crate::query::encode;
use domain::{RepositoryPath, Secret};
use http::Uri;
use serde::Deserialize;

/// The life of a token that does not say it, in seconds. Source: distribution `token.md`, `expires_in`.
pub const TOKEN_LIFE_S_DEFAULT: u64 = 60;

/// The longest life that is believed: a day. Then it is asked for again.
pub const TOKEN_LIFE_S_MAX: u64 = 86_400;

/// What a client wants to do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Read.
    Pull,
    /// Read and write.
    PullPush,
    /// Read, write and delete.
    PullPushDelete,
}

/// The scope of a repository: `repository:shop/api:pull,push`.
#[must_use]
pub fn scope(repository: &RepositoryPath, access: Access) -> String {
    let actions = match access {
        Access::Pull => "pull",
        Access::PullPush => "pull,push",
        Access::PullPushDelete => "pull,push,delete",
    };
    format!("repository:{repository}:{actions}")
}

/// The address at which a token is fetched with GET; credentials go into `Authorization`, not here.
///
/// `from` is the address that answered 401: a realm is held to the rules of a `Location`.
///
/// # Errors
/// The realm is not an address that may be followed.
pub fn token_uri(
    from: &Uri,
    realm: &str,
    service: Option<&str>,
    scopes: &[String],
) -> Result<Uri, LocationError> {
    let mut text = realm.trim().to_owned();
    let service = service.map(|service| ("service", service));
    let scopes = scopes.iter().map(|scope| ("scope", scope.as_str()));
    for (name, value) in service.into_iter().chain(scopes) {
        text.push(if text.contains('?') { '&' } else { '?' });
        text.push_str(name);
        text.push('=');
        text.push_str(&encode(value));
    }
    resolve(from, &text).map(|next| next.uri)
}

/// The form that is sent with POST to the realm where the credential is a refresh token.
#[must_use]
pub fn refresh_form(service: Option<&str>, scopes: &[String], refresh_token: &Secret) -> Secret {
    let scopes = scopes.join(" ");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "indelible"),
        ("service", service.unwrap_or_default()),
        ("scope", &scopes),
        ("refresh_token", refresh_token.expose()),
    ];
    let pairs = fields.iter().filter(|(_, value)| !value.is_empty());
    let written: Vec<String> =
        pairs.map(|(name, value)| format!("{name}={}", encode(value))).collect();
    Secret::new(written.join("&"))
}

/// A token, as it was given.
#[derive(Clone, Debug)]
pub struct Token {
    /// What goes into `Authorization: Bearer`.
    pub token: Secret,
    /// For how long, from when the answer came, in seconds; never 0.
    pub life_s: u64,
    /// What the next token is asked for with, if anything.
    pub refresh_token: Option<Secret>,
}

impl Token {
    /// Reads the answer of a token service.
    ///
    /// # Errors
    /// Larger than [`TOKEN_BODY_BYTES_MAX`], not JSON, or without a token that a header can carry.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Fields {
            token: Option<String>,
            access_token: Option<String>,
            expires_in: Option<serde_json::Number>,
            refresh_token: Option<String>,
        }
        let (found, max) = (bytes.len(), TOKEN_BODY_BYTES_MAX);
        if found > max {
            return Err(DocumentError::Size { found, max });
        }
        // The parser's own message could repeat a part of the token.
        let fields: Fields = serde_json::from_slice(bytes).map_err(|_| DocumentError::Json {
            reason: "a token service answers a JSON object".to_owned(),
        })?;
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let token = some(fields.token).or_else(|| some(fields.access_token));
        let token = token.filter(|token| token.bytes().all(|b| b.is_ascii_graphic()));
        let life_s = fields.expires_in.and_then(|life| life.as_u64());
        Ok(Self {
            token: Secret::new(token.ok_or(DocumentError::Shape {
                problem: "the token service's answer has no usable `token` or `access_token`",
            })?),
            life_s: life_s
                .filter(|life| *life > 0)
                .unwrap_or(TOKEN_LIFE_S_DEFAULT)
                .min(TOKEN_LIFE_S_MAX),
            refresh_token: some(fields.refresh_token).map(Secret::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_fetched_as_the_specification_shows() {
        let from = "https://registry-1.docker.io/v2/".parse().unwrap();
        let repository = "samalba/my-app".parse().unwrap();
        let scopes = [scope(&repository, Access::PullPush)];
        let service = Some("registry.docker.io");
        let uri = token_uri(&from, "https://auth.docker.io/token", service, &scopes).unwrap();
        assert_eq!(
            uri.to_string(),
            "https://auth.docker.io/token?service=registry.docker.io&scope=repository:samalba/my-app:pull%2Cpush"
        );
        let uri =
            token_uri(&from, "https://a.example/t?x=1", None, &["a".to_owned(), "b".to_owned()]);
        assert_eq!(uri.unwrap().to_string(), "https://a.example/t?x=1&scope=a&scope=b");
    }

    #[test]
    fn a_realm_in_clear_text_is_not_followed_from_tls() {
        let from = "https://r.example/v2/".parse().unwrap();
        for realm in ["http://a.example/t", "file:///t", "https://u:p@a.example/t"] {
            assert!(token_uri(&from, realm, None, &[]).is_err(), "{realm}");
        }
    }

    #[test]
    fn the_refresh_form_is_encoded_and_secret() {
        let form = refresh_form(Some("s"), &["a:b".to_owned()], &Secret::new("x&y=z"));
        assert_eq!(
            form.expose(),
            "grant_type=refresh_token&client_id=indelible&service=s&scope=a:b&refresh_token=x%26y%3Dz"
        );
        assert!(!format!("{form:?}").contains("x%26"));
    }

    #[test]
    fn tokens_are_read_under_both_names() {
        for (body, token, life_s) in [
            (r#"{"token":"a","expires_in":300,"issued_at":"2009-11-10T23:00:00Z"}"#, "a", 300),
            (r#"{"access_token":"b"}"#, "b", 60),
            (r#"{"token":"a","access_token":"b"}"#, "a", 60),
            (r#"{"token":"","access_token":"b","expires_in":0}"#, "b", 60),
            (r#"{"token":"a","expires_in":-5}"#, "a", 60),
            (r#"{"token":"a","expires_in":86400}"#, "a", 86_400),
            (r#"{"token":"a","expires_in":86401}"#, "a", 86_400),
            (r#"{"token":"a","expires_in":1e9}"#, "a", 60),
        ] {
            let read = Token::read(body.as_bytes()).unwrap();
            assert_eq!((read.token.expose(), read.life_s), (token, life_s), "{body}");
        }
        let read = Token::read(br#"{"token":"a","refresh_token":"r"}"#).unwrap();
        assert_eq!(read.refresh_token.unwrap().expose(), "r");
    }

    #[test]
    fn answers_without_a_usable_token_are_refused_and_not_repeated() {
        for body in [
            "",
            "{}",
            r#"{"token":""}"#,
            r#"{"token":"secret\r\nX: y"}"#,
            r#"{"token":["secret"]}"#,
        ] {
            let refused = Token::read(body.as_bytes()).unwrap_err().to_string();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_token_answer_is_read_at_64_kib_and_refused_above() {
        let mut body = br#"{"token":"a"}"#.to_vec();
        body.resize(TOKEN_BODY_BYTES_MAX, b' ');
        assert!(Token::read(&body).is_ok());
        body.push(b' ');
        assert!(matches!(Token::read(&body), Err(DocumentError::Size { .. })));
    }
}

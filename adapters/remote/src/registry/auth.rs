//! Proves who we are: nobody first, then what the registry's 401 asks for.
//!
//! ```text
//! 401 Basic                  -> the credential
//! 401 Bearer realm, service  -> a token from the realm, kept for its life, one for each set of scopes
//! ```
//! Credentials are looked up at the first 401, so that public images never start a credential helper.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use domain::{RegistryHost, Secret};
use http::{HeaderValue, Method, header};
use oci::client::challenge::{Challenge, read_challenges};
use oci::client::token::{Token, refresh_form, token_uri};
use oci::limit::TOKEN_BODY_BYTES_MAX;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::answer::Answer;
use super::connection::{Connection, whole};
use super::request::{Again, Body, Request};
use crate::credentials::{Credential, Credentials};
use crate::error::RemoteError;

/// A token is fetched anew this long before it ends, or at nine tenths of a short life.
const EARLY: Duration = Duration::from_secs(10);
const LOG_IN: &str =
    "there are no credentials for it: `docker login` to it, or set INDELIBLE_TOKEN";
const REFUSED: &str = "it does not accept who we are: log in again";

/// What is known of how one registry is convinced.
///
/// Many requests ask at once: the first goes alone, and tells the others what it was asked for; of those that need
/// the same token, one fetches it.
#[derive(Debug)]
pub(super) struct Auth {
    host: RegistryHost,
    credentials: Credentials,
    credential: Mutex<Option<Option<Credential>>>,
    challenge: std::sync::Mutex<Option<Challenge>>,
    tokens: std::sync::Mutex<HashMap<Vec<String>, Slot>>,
    door: Mutex<()>,
    is_open: AtomicBool,
}

/// The place of one token: who holds it locked is fetching it.
type Slot = Arc<Mutex<Option<Held>>>;

#[derive(Debug)]
struct Held {
    header: HeaderValue,
    until: Instant,
}

/// The first request to a registry; the others wait until it is dropped.
#[derive(Debug)]
pub(super) struct First<'a> {
    auth: &'a Auth,
    _door: MutexGuard<'a, ()>,
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        // Also after a failure: what nobody answers is not asked by one after the other.
        self.auth.is_open.store(true, Ordering::Release);
    }
}

impl Auth {
    pub(super) fn new(host: RegistryHost, credentials: Credentials) -> Self {
        Self {
            host,
            credentials,
            credential: Mutex::default(),
            challenge: std::sync::Mutex::default(),
            tokens: std::sync::Mutex::default(),
            door: Mutex::default(),
            is_open: AtomicBool::new(false),
        }
    }

    /// Lets the first request through, and the others when it has come to an end.
    pub(super) async fn first(&self) -> Option<First<'_>> {
        if self.is_open.load(Ordering::Acquire) {
            return None;
        }
        let door = self.door.lock().await;
        (!self.is_open.load(Ordering::Acquire)).then_some(First { auth: self, _door: door })
    }

    fn challenge(&self) -> std::sync::MutexGuard<'_, Option<Challenge>> {
        self.challenge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, scopes: &[String]) -> Slot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.entry(scopes.to_vec()).or_default().clone()
    }

    async fn credential<'a>(
        &self,
        state: &'a mut Option<Option<Credential>>,
    ) -> Result<&'a mut Option<Credential>, RemoteError> {
        if state.is_none() {
            *state = Some(self.credentials.find(&self.host).await?);
        }
        Ok(state.get_or_insert_default())
    }
}

impl Connection {
    /// What is sent with a request from the start, once the registry has asked for it before.
    pub(super) async fn auth_header(
        &self,
        scopes: &[String],
    ) -> Result<Option<HeaderValue>, RemoteError> {
        let challenge = self.auth.challenge().clone();
        match challenge {
            None => Ok(None),
            Some(challenge) => match self.prove(&challenge, scopes, None).await? {
                Proved::With(header) => Ok(Some(header)),
                Proved::Cannot(_) => Ok(None),
            },
        }
    }

    /// Finds what a 401 asks for; `held` was sent and was not enough.
    pub(super) async fn answer_challenge(
        &self,
        answer: Answer,
        scopes: &[String],
        held: Option<&HeaderValue>,
    ) -> Result<HeaderValue, RemoteError> {
        let values = answer.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let challenges = read_challenges(texts);
        let chosen = challenges
            .iter()
            .find(|challenge| matches!(challenge, Challenge::Bearer { .. }))
            .or_else(|| {
                challenges.iter().find(|challenge| matches!(challenge, Challenge::Basic { .. }))
            });
        let advice = match chosen {
            None => "it asks for a way to log in that is not spoken here",
            Some(challenge) => match self.prove(challenge, scopes, held).await? {
                Proved::With(header) if Some(&header) != held => {
                    *self.auth.challenge() = Some(challenge.clone());
                    return Ok(header);
                }
                Proved::With(_) => REFUSED,
                Proved::Cannot(advice) => advice,
            },
        };
        let answered = answer.said().await;
        Err(RemoteError::Unauthorized { answered, advice })
    }

    /// Finds what convinces; `spent` was sent before and is of no use any more.
    async fn prove(
        &self,
        challenge: &Challenge,
        scopes: &[String],
        spent: Option<&HeaderValue>,
    ) -> Result<Proved, RemoteError> {
        let credential = {
            let mut state = self.auth.credential.lock().await;
            self.auth.credential(&mut state).await?.clone()
        };
        match (challenge, credential) {
            (_, Some(Credential::Bearer(token))) => {
                secret_header("Bearer", &token).map(Proved::With)
            }
            (Challenge::Basic { .. }, Some(Credential::Basic { username, password })) => {
                basic(&username, &password).map(Proved::With)
            }
            (Challenge::Basic { .. }, None) => Ok(Proved::Cannot(LOG_IN)),
            (Challenge::Basic { .. }, Some(Credential::IdentityToken(_))) => Ok(Proved::Cannot(
                "it wants a password, and there is only an identity token: log in again",
            )),
            (Challenge::Other { .. }, _) => Ok(Proved::Cannot(REFUSED)),
            (Challenge::Bearer { realm, service, scope, .. }, credential) => {
                let slot = self.auth.slot(scopes);
                let mut held = slot.lock().await;
                // Another request may have fetched a better token meanwhile; the same one is of no use.
                let is_good =
                    |kept: &&Held| kept.until > Instant::now() && Some(&kept.header) != spent;
                if let Some(kept) = held.as_ref().filter(is_good) {
                    return Ok(Proved::With(kept.header.clone()));
                }
                let wanted = wanted_scopes(scopes, scope.as_deref());
                let asked = Asked { realm, service: service.as_deref(), scopes: &wanted };
                let token = self.token(&asked, credential).await?;
                let life = Duration::from_secs(token.life_s);
                let header = secret_header("Bearer", &token.token)?;
                let until = Instant::now() + life - EARLY.min(life / 10);
                *held = Some(Held { header: header.clone(), until });
                Ok(Proved::With(header))
            }
        }
    }

    /// Fetches a token; an identity token may be good for one exchange only, so that these take turns.
    async fn token(
        &self,
        asked: &Asked<'_>,
        credential: Option<Credential>,
    ) -> Result<Token, RemoteError> {
        if !matches!(credential, Some(Credential::IdentityToken(_))) {
            return self.fetch_token(asked, credential).await;
        }
        let mut state = self.auth.credential.lock().await;
        let kept = self.auth.credential(&mut state).await?;
        let token = self.fetch_token(asked, kept.clone()).await?;
        if let Some(next) = &token.refresh_token {
            *kept = Some(Credential::IdentityToken(next.clone()));
        }
        Ok(token)
    }

    async fn fetch_token(
        &self,
        asked: &Asked<'_>,
        credential: Option<Credential>,
    ) -> Result<Token, RemoteError> {
        let Asked { realm, service, scopes } = *asked;
        let own = oci::client::url::url(self.scheme(), self.host(), oci::target::PING);
        let wrong = |cause: oci::client::location::LocationError| {
            RemoteError::protocol(self.place(), format!("its token realm: {cause}"))
        };
        let has_credential = credential.is_some();
        let (request, uri, proof) = match credential {
            Some(Credential::IdentityToken(refresh)) => {
                let uri = token_uri(&own, realm, None, &[]).map_err(wrong)?;
                let form = refresh_form(service, scopes, &refresh);
                let body = Body::Bytes(Bytes::from(form.expose().to_owned()));
                let request = Request::to_named(Method::POST, uri.clone())
                    .text(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(body);
                (request, uri, None)
            }
            Some(Credential::Basic { username, password }) => {
                let uri = token_uri(&own, realm, service, scopes).map_err(wrong)?;
                let proof = basic(&username, &password)?;
                (Request::to_named(Method::GET, uri.clone()), uri, Some(proof))
            }
            Some(Credential::Bearer(_)) | None => {
                let uri = token_uri(&own, realm, service, scopes).map_err(wrong)?;
                (Request::to_named(Method::GET, uri.clone()), uri, None)
            }
        };
        self.egress.check(&uri).await?;
        let request = request.about("token").doing("give a token");
        let (max, what) = (TOKEN_BODY_BYTES_MAX, "the token");
        let send = || whole(self.follow(&request, uri.clone(), proof.clone()), max, what);
        let answer = self.patiently(Again::Safe, send).await?;
        // 400 is OAuth's own word for a refresh token that is no longer good. Source: RFC 6749, section 5.2.
        if matches!(answer.status().as_u16(), 400 | 401 | 403) {
            let answered = answer.said().await;
            let advice = if has_credential { REFUSED } else { LOG_IN };
            return Err(RemoteError::Unauthorized { answered, advice });
        }
        if !answer.status().is_success() {
            let problem = format!("its token service answered {}", answer.status().as_u16());
            let error = answer.into_error(&request).await;
            // That the service has no token is no word about any image.
            return Err(if error.is_not_found() {
                RemoteError::protocol(self.place(), problem)
            } else {
                error
            });
        }
        let body = answer.body(max, what).await?;
        Token::read(&body)
            .map_err(|cause| RemoteError::document(format!("the token of {}", self.place()), cause))
    }
}

/// What a token is asked of whom, and for what.
struct Asked<'a> {
    realm: &'a str,
    service: Option<&'a str>,
    scopes: &'a [String],
}

enum Proved {
    With(HeaderValue),
    Cannot(&'static str),
}

/// Ours, and the challenge's for other things than ours.
fn wanted_scopes(ours: &[String], challenge: Option<&str>) -> Vec<String> {
    let resource =
        |scope: &str| scope.rsplit_once(':').map_or_else(String::new, |(name, _)| name.to_owned());
    let mut wanted = ours.to_vec();
    for asked in challenge.unwrap_or_default().split(' ').filter(|asked| !asked.is_empty()) {
        if !ours.iter().any(|own| resource(own) == resource(asked)) {
            wanted.push(asked.to_owned());
        }
    }
    wanted
}

fn basic(username: &str, password: &Secret) -> Result<HeaderValue, RemoteError> {
    let pair = format!("{username}:{}", password.expose());
    let packed = base64::engine::general_purpose::STANDARD.encode(pair);
    secret_header("Basic", &Secret::new(packed))
}

fn secret_header(scheme: &str, secret: &Secret) -> Result<HeaderValue, RemoteError> {
    let value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose()));
    let mut value = value.map_err(|_| {
        RemoteError::protocol("the credential", "it holds a character that no header can carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_s_scopes_are_added_where_they_name_other_things() {
        let ours = ["repository:a/b:pull,push".to_owned()];
        assert_eq!(wanted_scopes(&ours, Some("repository:a/b:pull")), ours);
        assert_eq!(wanted_scopes(&ours, None), ours);
        let both = wanted_scopes(&ours, Some("repository:c:pull registry:catalog:*"));
        assert_eq!(both, ["repository:a/b:pull,push", "repository:c:pull", "registry:catalog:*"]);
    }

    #[test]
    fn a_basic_header_is_base64_and_does_not_print() {
        let header = basic("Aladdin", &Secret::new("open sesame")).unwrap();
        // Source: RFC 7617, section 2.
        assert_eq!(header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(format!("{header:?}"), "Sensitive");
        assert!(secret_header("Bearer", &Secret::new("a\nb")).is_err());
    }
}

//! Calls to an address that a team named: a body is posted, and whether it was taken is told.
//!
//! ```text
//! POST https://hooks.example.com/indelible   authorization: Bearer …   ->  2xx taken, anything else not
//! ```
//! Nothing is followed: a call goes to the one host that the settings name, whose address may be private, but never
//! one where clouds serve credentials. Neither the path nor the token is ever in an error.

use crate::registry::{Patience, RegistrySettings};
use crate::registry::{Reach, Ways, reach};
use domain::{RegistryHost, Secret};
use http::{HeaderValue, StatusCode, Uri, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The longest address. Source: RFC 9110, 4.1: 8 000 is what must be understood; nobody's hook is that long.
pub const HOOK_URL_LEN_MAX: usize = 2_048;
/// One call, with its answer.
const CALL_WITHIN: Duration = Duration::from_secs(15);
const USER_AGENT: &str = concat!("indelible/", env!("CARGO_PKG_VERSION"));

/// One address that is called.
#[derive(Clone, Debug)]
pub struct Hook {
    client: reqwest::Client,
    url: Secret,
    host: String,
    bearer: Option<HeaderValue>,
}

/// Why an address cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It is no address of the web.
    #[error(
        "a webhook is an http or https address without a user name, at most {HOOK_URL_LEN_MAX} long"
    )]
    Url,
    /// What is sent could be read, and changed, by anybody on the way.
    #[error("{host} would be called in clear text")]
    ClearText {
        /// The host.
        host: String,
    },
    /// The token cannot stand in a header.
    #[error("the token for {host} has characters that no header may have")]
    Token {
        /// The host.
        host: String,
    },
    /// The client cannot be made.
    #[error("{host} cannot be called")]
    Setup {
        /// The host.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What became of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Called {
    /// It was taken.
    Taken,
    /// It was refused: again would be refused again.
    Refused(u16),
    /// Not now: no answer, too many calls, or an error of the other side.
    Later(String),
}

impl Hook {
    /// Prepares the calls to one address.
    ///
    /// # Errors
    /// The address or the token cannot be used.
    pub fn open(
        url: &str,
        token: Option<&Secret>,
        settings: &RegistrySettings,
    ) -> Result<Self, HookError> {
        let (host, is_plain) = checked(url, settings)?;
        let setup = |source: Box<dyn std::error::Error + Send + Sync>| HookError::Setup {
            host: host.clone(),
            source,
        };
        let ways = Ways::new(&settings.proxies).map_err(|error| setup(error.into()))?;
        let Patience { connect, .. } = settings.patience;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(connect)
            .timeout(CALL_WITHIN)
            .dns_resolver(Arc::new(Guarded));
        let certificates = settings.certificates.iter();
        let certificates: Result<Vec<_>, _> =
            certificates.map(|pem| reqwest::Certificate::from_pem(pem)).collect();
        builder = match is_plain {
            // Clear text needs no certificates, which a bare machine lacks.
            true => builder.tls_certs_only([]),
            false => builder.tls_certs_merge(certificates.map_err(|error| setup(error.into()))?),
        };
        for proxy in ways.for_client().map_err(|error| setup(error.into()))? {
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| setup(error.into()))?;
        let bearer = |token: &Secret| {
            let text = format!("Bearer {}", token.expose());
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| HookError::Token { host: host.clone() })?;
            value.set_sensitive(true);
            Ok::<_, HookError>(value)
        };
        let bearer = token.map(bearer).transpose()?;
        Ok(Self { client, url: Secret::new(url), host, bearer })
    }

    /// The host that is called.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Posts a body, once.
    pub async fn call(&self, content_type: &'static str, body: Vec<u8>) -> Called {
        let mut request = self
            .client
            .post(self.url.expose())
            .header(header::CONTENT_TYPE, HeaderValue::from_static(content_type))
            .body(body);
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer.clone());
        }
        match request.send().await {
            Ok(answer) => of(answer.status()),
            // The client's words would hold the whole address.
            Err(error) => Called::Later(error.without_url().to_string()),
        }
    }
}

fn of(status: StatusCode) -> Called {
    let is_later = status.is_server_error()
        || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
    if status.is_success() {
        Called::Taken
    } else if is_later {
        Called::Later(status.as_u16().to_string())
    } else {
        Called::Refused(status.as_u16())
    }
}

/// The host of an address, and whether it is spoken to in clear text.
fn checked(url: &str, settings: &RegistrySettings) -> Result<(String, bool), HookError> {
    if url.len() > HOOK_URL_LEN_MAX {
        return Err(HookError::Url);
    }
    let uri: Uri = url.parse().map_err(|_| HookError::Url)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(HookError::Url);
    };
    let host: RegistryHost = authority.as_str().parse().map_err(|_| HookError::Url)?;
    let address = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    if address.parse().is_ok_and(|address| reach(address) == Reach::Never) {
        return Err(HookError::Url);
    }
    match scheme {
        "https" => Ok((host.to_string(), false)),
        "http" if host.is_loopback() || settings.plain_http.contains(&host) => {
            Ok((host.to_string(), true))
        }
        "http" => Err(HookError::ClearText { host: host.to_string() }),
        _ => Err(HookError::Url),
    }
}

/// Looks names up, and never hands on an address where clouds serve credentials.
#[derive(Debug)]
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            if found.iter().any(|one| reach(one.ip()) == Reach::Never) {
                return Err("its address is link-local or reserved".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn checked_at(url: &str) -> Result<(String, bool), HookError> {
        let listed = vec!["10.0.0.5:9000".parse().unwrap()];
        let settings = RegistrySettings { plain_http: listed, ..RegistrySettings::default() };
        checked(url, &settings)
    }

    #[test]
    fn only_addresses_that_a_person_may_name_are_called() {
        assert!(checked_at("https://hooks.example.com/x?y=z").is_ok());
        assert!(checked_at("https://10.0.0.9/x").is_ok());
        assert!(checked_at("http://127.0.0.1:9000/x").is_ok());
        assert!(checked_at("http://10.0.0.5:9000/x").is_ok());
        let clear = checked_at("http://hooks.example.com/x");
        assert!(matches!(clear, Err(HookError::ClearText { .. })), "{clear:?}");
        for url in [
            "",
            "/x",
            "ftp://hooks.example.com/x",
            "https://ada:secret@hooks.example.com/x",
            "https://169.254.169.254/latest",
            "https://[fe80::1]/x",
        ] {
            assert!(matches!(checked_at(url), Err(HookError::Url)), "{url}");
        }
    }

    #[test]
    fn an_address_of_the_longest_length_is_taken_and_a_longer_one_is_not() {
        let url = format!("https://a.example.com/{}", "x".repeat(HOOK_URL_LEN_MAX - 22));
        assert_eq!(url.len(), HOOK_URL_LEN_MAX);
        assert!(checked_at(&url).is_ok());
        assert!(checked_at(&format!("{url}x")).is_err());
    }

    #[test]
    fn a_refusal_is_told_from_what_may_be_taken_later() {
        let code = |code| of(StatusCode::from_u16(code).unwrap());
        assert_eq!((code(204), code(400)), (Called::Taken, Called::Refused(400)));
        // It is not followed: the settings name one host.
        assert_eq!(code(302), Called::Refused(302));
        assert!(matches!((code(503), code(429)), (Called::Later(_), Called::Later(_))));
    }

    #[tokio::test]
    async fn a_call_carries_its_token_and_nothing_secret_stands_in_an_error() {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
        let token = Secret::new("t0ken");
        let hook = Hook::open(&url, Some(&token), &RegistrySettings::default()).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4_096];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            String::from_utf8_lossy(&request[..length]).to_lowercase()
        });
        assert_eq!(hook.call("application/json", b"{}".to_vec()).await, Called::Taken);
        let request = server.join().unwrap();
        assert!(request.starts_with("post /secret-path "), "{request}");
        assert!(request.contains("authorization: bearer t0ken"), "{request}");
        // Nobody listens any more.
        let Called::Later(why) = hook.call("application/json", b"{}".to_vec()).await else {
            panic!("nobody can have taken it")
        };
        assert!(!why.contains("secret-path") && !format!("{hook:?}").contains("secret"), "{why}");
    }
}

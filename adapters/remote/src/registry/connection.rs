//! Sends requests: which client, which credentials, which redirects, how long.

use std::error::Error as _;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use domain::RegistryHost;
use futures_util::StreamExt as _;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use oci::client::location::{Origin, resolve};
use oci::client::url::{Scheme, url};
use reqwest::redirect::Policy;
use tokio::time::Instant;

use super::answer::Answer;
use super::auth::Auth;
use super::egress::{Egress, Judged};
use super::pace::Pace;
use super::proxy::{ProxyError, Ways};
use super::request::{Body, Destination, Request};
use super::{Patience, RegistrySettings, UploadWay};
use crate::content::BlobStream;
use crate::error::{RemoteError, Stage, place};

/// How often one request is sent on. Source: browsers and Go stop at 10 and 20; registries need 1 or 2.
const REDIRECTS_MAX: usize = 5;
/// Answers' headers over HTTP/2, in bytes. Source: DESIGN §12.
const HEADER_BYTES_MAX: u32 = 32 << 10;
const USER_AGENT: &str = concat!("indelible/", env!("CARGO_PKG_VERSION"));

/// The connections to one registry and to where it sends us on.
#[derive(Debug)]
pub(super) struct Connection {
    host: RegistryHost,
    scheme: Scheme,
    settings: RegistrySettings,
    pub(super) egress: Arc<Egress>,
    pub(super) auth: Auth,
    pub(super) pace: Pace,
    clear: OnceLock<reqwest::Client>,
    encrypted: OnceLock<reqwest::Client>,
}

impl Connection {
    pub(super) fn new(host: RegistryHost, settings: RegistrySettings) -> Result<Self, RemoteError> {
        let is_plain = host.is_loopback() || settings.plain_http.contains(&host);
        let scheme = if is_plain { Scheme::Http } else { Scheme::Https };
        let listed = settings.plain_http.iter().chain(&settings.may_send_on_to);
        let wrong =
            |cause: ProxyError| RemoteError::Setup { host: host.to_string(), cause: cause.into() };
        let ways = Ways::new(&settings.proxies).map_err(wrong)?;
        let egress = Egress::new(host.clone(), scheme, listed, ways);
        let connection = Self {
            auth: Auth::new(host.clone(), settings.credentials.clone()),
            pace: Pace::default(),
            scheme,
            host,
            settings,
            egress,
            clear: OnceLock::new(),
            encrypted: OnceLock::new(),
        };
        // Built now, so that wrong settings are told before anything is sent.
        connection.client(connection.scheme.as_str())?;
        Ok(connection)
    }

    pub(super) fn host(&self) -> &RegistryHost {
        &self.host
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.settings.patience
    }

    pub(super) fn upload_way(&self) -> UploadWay {
        self.settings.upload
    }

    /// The client for a scheme; the one for clear text needs no certificates, which a bare machine lacks.
    pub(super) fn client(&self, scheme: &str) -> Result<reqwest::Client, RemoteError> {
        let (place, is_clear) = match scheme {
            "http" => (&self.clear, true),
            _ => (&self.encrypted, false),
        };
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        let failed = |cause: reqwest::Error| RemoteError::Setup {
            host: self.host.to_string(),
            cause: cause.into(),
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.settings.patience.connect)
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .http2_adaptive_window(true)
            .dns_resolver(Arc::new(Judged(self.egress.clone())));
        if is_clear && !self.egress.ways().is_clear_text_in_tls() {
            builder = builder.tls_certs_only([]);
        } else {
            let certificates = self.settings.certificates.iter();
            let certificates = certificates.map(|pem| reqwest::Certificate::from_pem(pem));
            builder = builder
                .tls_certs_merge(certificates.collect::<Result<Vec<_>, _>>().map_err(failed)?);
        }
        for proxy in self.egress.ways().for_client().map_err(failed)? {
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(failed)?;
        Ok(place.get_or_init(|| client).clone())
    }

    /// Sends a request with whatever credentials it needs, and again where that helps.
    pub(super) async fn exchange(&self, request: &Request) -> Result<Answer, RemoteError> {
        self.patiently(request.again, || self.authorised(request)).await
    }

    /// As [`Connection::exchange`], with the body of a success read at once: one that breaks off is asked for again.
    pub(super) async fn exchange_whole(
        &self,
        request: &Request,
        max: usize,
        what: &str,
    ) -> Result<Answer, RemoteError> {
        let send = || whole(self.authorised(request), max, what);
        self.patiently(request.again, send).await
    }

    pub(super) async fn authorised(&self, request: &Request) -> Result<Answer, RemoteError> {
        let start = match &request.to {
            Destination::Target(target) => url(self.scheme, &self.host, target),
            Destination::Named(uri) => {
                self.egress.check(uri).await?;
                uri.clone()
            }
        };
        if !self.is_own(&start) {
            return self.follow(request, start, None).await;
        }
        // Before the registry is known to ask for something, one request finds out for all.
        let first = self.auth.first().await;
        let held = self.auth_header(&request.scopes).await?;
        let answer = self.follow(request, start.clone(), held.clone()).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || !self.is_own(&answer.uri) {
            return Ok(answer);
        }
        let proof = self.answer_challenge(answer, &request.scopes, held.as_ref()).await?;
        drop(first);
        self.follow(request, start, Some(proof)).await
    }

    /// Whether an address is the registry itself, which may see its credentials.
    pub(super) fn is_own(&self, uri: &Uri) -> bool {
        let own = url(self.scheme, &self.host, oci::target::PING);
        oci::client::location::origin(&own, uri) == Origin::Same
    }

    /// Sends a request, and follows where a GET or HEAD is sent on; credentials never leave their origin.
    pub(super) async fn follow(
        &self,
        request: &Request,
        start: Uri,
        mut proof: Option<HeaderValue>,
    ) -> Result<Answer, RemoteError> {
        let mut uri = start;
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.send(request, uri.clone(), proof.as_ref()).await?;
            let is_read = [Method::GET, Method::HEAD].contains(&request.method);
            let is_sent_on = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !is_read || !is_sent_on {
                return Ok(answer);
            }
            let location = answer.header(header::LOCATION).unwrap_or_default();
            let next = resolve(&uri, location)
                .map_err(|cause| RemoteError::protocol(self.place(), cause.to_string()))?;
            self.egress.check(&next.uri).await?;
            if next.origin == Origin::Other {
                proof = None;
            }
            uri = next.uri;
        }
        Err(RemoteError::protocol(
            self.place(),
            format!("it sends on more than {REDIRECTS_MAX} times"),
        ))
    }

    async fn send(
        &self,
        request: &Request,
        uri: Uri,
        proof: Option<&HeaderValue>,
    ) -> Result<Answer, RemoteError> {
        let client = self.client(uri.scheme_str().unwrap_or("https"))?;
        let mut builder = client.request(request.method.clone(), uri.to_string());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(proof) = proof {
            builder = builder.header(header::AUTHORIZATION, proof);
        }
        let watch = Arc::new(Watch::new());
        builder = match &request.body {
            Body::None if [Method::POST, Method::PUT, Method::PATCH].contains(&request.method) => {
                builder.header(header::CONTENT_LENGTH, "0")
            }
            Body::None => builder,
            Body::Bytes(bytes) => builder.body(bytes.clone()),
            Body::Stream(source, size) => {
                let stream = source.open().await?;
                let stream = stream.ok_or_else(|| {
                    RemoteError::protocol(self.place(), "the upload's source cannot be read again")
                })?;
                builder.header(header::CONTENT_LENGTH, *size).body(watched(stream, watch.clone()))
            }
        };
        let idle = self.settings.patience.idle;
        let sent = tokio::select! {
            sent = builder.send() => sent,
            () = watch.stalled(idle) => {
                return Err(RemoteError::Timeout { place: self.place_of(&uri), waited: idle });
            }
        };
        // The source's own fault is what has to be told, not that the body broke off.
        if let Some(fault) = watch.fault() {
            return Err(fault);
        }
        let response = sent.map_err(|error| self.unreachable(error, &uri))?;
        Ok(Answer {
            response,
            host: self.host.to_string(),
            at: self.other_host(&uri),
            uri,
            idle,
            held: None,
        })
    }

    fn unreachable(&self, error: reqwest::Error, uri: &Uri) -> RemoteError {
        // The client itself waits for nothing else: see `Watch` and `Answer` for bytes.
        if error.is_timeout() {
            let connect = self.settings.patience.connect;
            let cause = format!("there was no connection within {} s", connect.as_secs());
            return self.no_way(Stage::Connecting, uri, cause);
        }
        let stage = if error.is_connect() { Stage::Connecting } else { Stage::Talking };
        let is_builder = error.is_builder();
        let error = error.without_url();
        // reqwest's own words ("error sending request") say less than their source.
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            said = deeper.to_string();
            cause = deeper.source();
        }
        if is_builder {
            return RemoteError::protocol(self.place_of(uri), said);
        }
        self.no_way(stage, uri, said)
    }

    pub(super) fn no_way(&self, stage: Stage, uri: &Uri, cause: String) -> RemoteError {
        let cause = match self.egress.ways().proxy_for(uri) {
            Some(proxy) => format!("by the proxy {proxy}: {cause}"),
            None => cause,
        };
        RemoteError::Unreachable { place: self.place_of(uri), stage, cause: cause.into() }
    }

    /// The host behind an address, where it is not the registry itself.
    fn other_host(&self, uri: &Uri) -> Option<String> {
        let authority = uri.authority().filter(|_| !self.is_own(uri))?;
        Some(authority.to_string())
    }

    fn place_of(&self, uri: &Uri) -> String {
        place(self.host.as_str(), self.other_host(uri).as_deref())
    }

    pub(super) fn place(&self) -> String {
        place(self.host.as_str(), None)
    }
}

/// An answer with its body, where it is one that is read.
pub(super) async fn whole(
    sent: impl Future<Output = Result<Answer, RemoteError>>,
    max: usize,
    what: &str,
) -> Result<Answer, RemoteError> {
    let mut answer = sent.await?;
    if answer.status().is_success() {
        answer.hold(max, what).await?;
    }
    Ok(answer)
}

/// Watches an upload: when its last piece was taken, and whether its source failed.
struct Watch {
    last: Mutex<Instant>,
    fault: Mutex<Option<RemoteError>>,
}

impl Watch {
    fn new() -> Self {
        Self { last: Mutex::new(Instant::now()), fault: Mutex::new(None) }
    }

    fn moved(&self) {
        if let Ok(mut last) = self.last.lock() {
            *last = Instant::now();
        }
    }

    fn fault(&self) -> Option<RemoteError> {
        self.fault.lock().ok().and_then(|mut fault| fault.take())
    }

    /// Ends when nothing has moved for so long.
    async fn stalled(&self, idle: Duration) {
        loop {
            let last = self.last.lock().map_or_else(|_| Instant::now(), |last| *last);
            let due = last + idle;
            if Instant::now() >= due {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

fn watched(stream: BlobStream, watch: Arc<Watch>) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream.map(move |piece| -> Result<Bytes, std::io::Error> {
        watch.moved();
        piece.map_err(|error| {
            let told = std::io::Error::other(error.to_string());
            if let Ok(mut fault) = watch.fault.lock() {
                *fault = Some(error);
            }
            told
        })
    }))
}

//! An answer whose body was not read yet, and what its status means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::Timestamp;
use http::{HeaderMap, StatusCode, Uri, header};
use oci::client::header::rate_limit;
use oci::client::retry::RetryAfter;
use oci::error_code::read_errors;
use oci::limit::{ERROR_BODY_BYTES_MAX, RETRY_AFTER_S_MAX};

use super::request::Request;
use crate::error::{Answered, RemoteError, Stage, place};

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: reqwest::Response,
    /// The address that answered, after redirects.
    pub(super) uri: Uri,
    /// The registry.
    pub(super) host: String,
    /// The host that answered, where it is another one.
    pub(super) at: Option<String>,
    pub(super) idle: Duration,
    /// The body, where it was read already.
    pub(super) held: Option<Bytes>,
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The next piece of the body, or its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, RemoteError> {
        let place = place(&self.host, self.at.as_deref());
        match tokio::time::timeout(self.idle, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => {
                let cause = error.without_url().into();
                Err(RemoteError::Unreachable { place, stage: Stage::Talking, cause })
            }
            Err(_elapsed) => Err(RemoteError::Timeout { place, waited: self.idle }),
        }
    }

    /// Reads the body, up to a limit.
    pub(super) async fn body(mut self, max: usize, what: &str) -> Result<Bytes, RemoteError> {
        match self.held.take() {
            Some(held) => Ok(held),
            None => self.read(max, what).await,
        }
    }

    /// Reads the body now and keeps it, so that one that breaks off is a request that failed.
    pub(super) async fn hold(&mut self, max: usize, what: &str) -> Result<(), RemoteError> {
        self.held = Some(self.read(max, what).await?);
        Ok(())
    }

    async fn read(&mut self, max: usize, what: &str) -> Result<Bytes, RemoteError> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            if body.len() + piece.len() > max {
                return Err(RemoteError::TooLarge {
                    what: format!("{what} of {}", place(&self.host, self.at.as_deref())),
                    max: max as u64,
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }

    /// Reads what an error answer says; a body that breaks off says nothing.
    pub(super) async fn said(self) -> Answered {
        let (host, at, status) = (self.host.clone(), self.at.clone(), self.status().as_u16());
        let body = self.body(ERROR_BODY_BYTES_MAX, "the error").await.unwrap_or_default();
        let first = read_errors(&body).into_iter().next();
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let (code, message) =
            first.map_or((None, None), |first| (text(first.code), text(first.message)));
        Answered { host, at, status, code, message }
    }

    /// Passes on an answer with one of these statuses; any other is an error.
    pub(super) async fn expect(
        self,
        statuses: &[u16],
        request: &Request,
    ) -> Result<Self, RemoteError> {
        if statuses.contains(&self.status().as_u16()) {
            Ok(self)
        } else {
            Err(self.into_error(request).await)
        }
    }

    /// What the registry asks us to wait.
    pub(super) fn retry_after(&self) -> Option<RetryAfter> {
        if let Some(text) = self.header(header::RETRY_AFTER) {
            return RetryAfter::read(text, now());
        }
        // Docker Hub says no `Retry-After`, but how much is left of how long a window.
        let used_up = rate_limit(self.headers()).filter(|rate| rate.remaining == 0)?;
        let seconds = used_up.window_s.filter(|window| *window > RETRY_AFTER_S_MAX)?;
        Some(RetryAfter::TooLong { seconds })
    }

    pub(super) async fn into_error(self, request: &Request) -> RemoteError {
        let status = self.status();
        let after = self.retry_after().map(|after| match after {
            RetryAfter::Wait { ms } => Duration::from_millis(ms),
            RetryAfter::TooLong { seconds } => Duration::from_secs(seconds),
        });
        // A web server's page is no registry's word that something is absent.
        let is_page = self
            .header(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"));
        let answered = self.said().await;
        let action = request.action.clone();
        match status.as_u16() {
            404 if is_page => RemoteError::protocol(
                answered.to_string(),
                "with a web page: this is no registry, or a proxy before one",
            ),
            404 => RemoteError::NotFound { what: request.what.clone(), said: answered.to_string() },
            401 => RemoteError::Unauthorized {
                answered,
                advice: "it does not accept who we are: log in again",
            },
            403 => RemoteError::Denied { answered, action },
            429 => RemoteError::RateLimited { answered, after },
            408 | 500..=599 => RemoteError::Server { answered },
            300..=399 => RemoteError::protocol(
                answered.to_string(),
                format!("it sends on where that is not followed, to {action}"),
            ),
            _ => RemoteError::Refused { answered, action },
        }
    }
}

/// The time of day, for a `Retry-After` that is a date.
#[expect(
    clippy::disallowed_methods,
    reason = "an answer's date is told apart when it comes, long after the caller was asked for a time"
)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ms = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(ms)
}

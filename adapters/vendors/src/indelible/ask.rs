//! How one question is asked, and what its answer means: an answer, a refusal, or no server of ours.
//!
//! ```text
//! 200 {"rules":[…]}                     the answer
//! 403 {"error":{"code","message"}}      Refused: only ours speaks like this
//! 404 <html>…                           NotOurs
//! 502 <html>…                           Unclear: something on the way broke
//! ```

use std::time::Duration;

use domain::RegistryHost;
use http::{Method, StatusCode};
use oci::client::url::url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Api;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// The longest that one question may take. Source: DESIGN §12, idle: an answer is one page.
const WHOLE: Duration = Duration::from_secs(60);
/// The characters of a host's own code or message that are shown.
const SHOWN_CHARS_MAX: usize = 300;

/// Why the API did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The host.
        host: RegistryHost,
        /// Why, in the last words of the chain: those above it say less.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The credential holds characters that no header can carry.
    #[error("the credential for {host} holds characters that cannot be sent")]
    Proof {
        /// The host.
        host: RegistryHost,
    },
    /// The host speaks another API.
    #[error("{host} is no Indelible server: it answered {status} to {what}")]
    NotOurs {
        /// The host.
        host: RegistryHost,
        /// The status.
        status: StatusCode,
        /// What was asked.
        what: &'static str,
    },
    /// It could not be found out whether the host is ours.
    #[error("{host} answered {status} to {what}: whether it is an Indelible server cannot be told")]
    Unclear {
        /// The host.
        host: RegistryHost,
        /// The status.
        status: StatusCode,
        /// What was asked.
        what: &'static str,
    },
    /// It said no.
    #[error("{host} answered {status} ({code}): {message}")]
    Refused {
        /// The host.
        host: RegistryHost,
        /// The status.
        status: StatusCode,
        /// The code of the error.
        code: String,
        /// The message.
        message: String,
        /// What it tells programs about it.
        detail: Option<Value>,
    },
}

impl ApiError {
    /// Whether the same question may be answered a little later: something on the way broke, or too much was under
    /// way. What was asked for may have been done.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Unclear { status, .. } | Self::Refused { status, .. } => {
                is_fault_on_the_way(*status)
                    && *status != StatusCode::PROXY_AUTHENTICATION_REQUIRED
                    && *status != StatusCode::INSUFFICIENT_STORAGE
            }
            Self::Proof { .. } | Self::NotOurs { .. } => false,
        }
    }
}

#[derive(Deserialize)]
struct Failed {
    error: FailedBody,
}

#[derive(Deserialize)]
struct FailedBody {
    code: String,
    message: String,
    detail: Option<Value>,
}

impl Api {
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        what: &'static str,
    ) -> Result<T, ApiError> {
        let unreachable =
            |error| ApiError::Unreachable { host: self.host.clone(), cause: last_cause(error) };
        let address = url(self.scheme, &self.host, path).to_string();
        // The header tells a browser's form from a program: see the server's `access/origin.rs`.
        let mut request =
            self.client.request(method, address).timeout(WHOLE).header("X-Indelible", "1");
        if let Some(authorization) = &self.authorization {
            let mut value = http::HeaderValue::from_str(authorization.expose())
                .map_err(|_| ApiError::Proof { host: self.host.clone() })?;
            value.set_sensitive(true);
            request = request.header(http::header::AUTHORIZATION, value);
        }
        if let Some(body) = body {
            let body = serde_json::to_vec(&body).unwrap_or_default();
            request = request.header(http::header::CONTENT_TYPE, "application/json").body(body);
        }
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(self.not_ours(status, what));
            }
            bytes.extend_from_slice(&piece);
        }
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|_| self.not_ours(status, what));
        }
        Err(self.failed(status, path, &bytes, what))
    }

    /// Only ours answers `/api/v1` in its own form; below `/v2/` every registry answers alike.
    fn failed(&self, status: StatusCode, path: &str, bytes: &[u8], what: &'static str) -> ApiError {
        let host = self.host.clone();
        if let Ok(Failed { error }) = serde_json::from_slice(bytes) {
            let (code, message) = (short(error.code), short(error.message));
            let detail = error.detail;
            return ApiError::Refused { host, status, code, message, detail };
        }
        let is_registry_path = path.starts_with("/v2/") && status != StatusCode::NOT_FOUND;
        match oci::read_errors(bytes).into_iter().next().filter(|_| is_registry_path) {
            Some(error) => {
                let (code, message) = (short(error.code), short(error.message));
                ApiError::Refused { host, status, code, message, detail: None }
            }
            None => self.not_ours(status, what),
        }
    }

    /// A fault on the way is no answer: a proxy in front of our own server speaks like a stranger.
    fn not_ours(&self, status: StatusCode, what: &'static str) -> ApiError {
        let host = self.host.clone();
        if is_fault_on_the_way(status) {
            ApiError::Unclear { host, status, what }
        } else {
            ApiError::NotOurs { host, status, what }
        }
    }
}

/// The words that say something: reqwest's own ("error sending request for url …") repeat what was asked.
fn last_cause(error: reqwest::Error) -> Box<dyn std::error::Error + Send + Sync> {
    if error.is_timeout() {
        return "there was no answer in time".into();
    }
    let error = error.without_url();
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        said = deeper.to_string();
        cause = deeper.source();
    }
    said.into()
}

/// Whether a status says nothing of who stands behind the host.
fn is_fault_on_the_way(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        )
}

/// A stranger's words, as many as people read.
fn short(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_on_the_way_is_no_answer() {
        for (status, expected) in [
            (500, true),
            (502, true),
            (503, true),
            (408, true),
            (429, true),
            (407, true),
            (200, false),
            (301, false),
            (401, false),
            (404, false),
        ] {
            let found = is_fault_on_the_way(StatusCode::from_u16(status).unwrap());
            assert_eq!(found, expected, "{status}");
        }
    }

    #[test]
    fn a_message_is_shown_up_to_300_characters() {
        assert_eq!(short("é".repeat(300)), "é".repeat(300));
        assert_eq!(short("é".repeat(301)), "é".repeat(300));
        assert_eq!(short(String::new()), "");
    }
}

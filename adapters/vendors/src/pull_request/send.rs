//! One question to a git host, bounded in time and in the length of its answer.
//!
//! ```text
//! 201 {"html_url": …}              the answer
//! 422 {"message": "Validation Failed", "errors": […]}    Refused, with the host's own words
//! ```

use super::PullRequests;
use base64::Engine as _;
use domain::Secret;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// The longest answer that is read, in bytes: a page of pull requests is below a megabyte.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// The longest that one question may take.
const WHOLE: Duration = Duration::from_secs(60);
/// The characters of a host's own words that are shown.
const SHOWN_CHARS_MAX: usize = 300;

/// What proves us to a git host.
#[derive(Clone, Debug)]
pub enum HostToken {
    /// `Authorization: Bearer`: GitHub, GitLab, and a pipeline's own token at Azure DevOps.
    Bearer(Secret),
    /// A personal token of Azure DevOps: the password of a basic authorization without a name.
    /// Source: learn.microsoft.com/azure/devops, "Use personal access tokens".
    Personal(Secret),
}

/// Why no pull request was opened.
#[derive(Debug, thiserror::Error)]
pub enum PullRequestError {
    /// No answer.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The token holds characters that no header can carry.
    #[error("the token for {host} holds characters that cannot be sent")]
    Token {
        /// The host.
        host: String,
    },
    /// It answers with a page for people to log in: Azure DevOps does, to a token that it does not know or that ended.
    /// Source: MicrosoftDocs/vsts-rest-api-specs, issues 97 and 574.
    #[error("{host} does not take the token: it answered {what} with a page to log in")]
    LogIn {
        /// The host.
        host: String,
        /// What was asked.
        what: &'static str,
    },
    /// It said no.
    #[error("{host} answered {status} to {what}{}", said(.message))]
    Refused {
        /// The host.
        host: String,
        /// The status.
        status: StatusCode,
        /// What was asked.
        what: &'static str,
        /// Its words, where it has any.
        message: String,
    },
    /// It speaks another API.
    #[error("{host} answered {what} in a form that is not its API's")]
    Strange {
        /// The host.
        host: String,
        /// What was asked.
        what: &'static str,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// The words of a host that refuses. GitHub: `message` and `errors[].message`; GitLab: `message`, a text or a list, or
/// `error`; Azure DevOps: `message`.
#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    errors: Value,
}

impl PullRequests {
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        what: &'static str,
    ) -> Result<T, PullRequestError> {
        let host = || self.place.api_host().to_owned();
        let unreachable = |source: reqwest::Error| PullRequestError::Unreachable {
            host: host(),
            source: source.without_url(),
        };
        let address = format!("{}/{}", self.place.api, path.trim_start_matches('/'));
        let mut request = self.client.request(method, address).timeout(WHOLE);
        for (name, value) in self.headers()? {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
            request = request.body(body.to_string());
        }
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(PullRequestError::Strange { host: host(), what });
            }
            bytes.extend_from_slice(&piece);
        }
        if status == StatusCode::NON_AUTHORITATIVE_INFORMATION {
            return Err(PullRequestError::LogIn { host: host(), what });
        }
        if !status.is_success() {
            let message = words(&bytes);
            return Err(PullRequestError::Refused { host: host(), status, what, message });
        }
        serde_json::from_slice(&bytes).map_err(|_| PullRequestError::Strange { host: host(), what })
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, PullRequestError> {
        let text = match &self.token {
            HostToken::Bearer(token) => format!("Bearer {}", token.expose()),
            HostToken::Personal(token) => {
                let pair = format!(":{}", token.expose());
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
        };
        let wrong = |_| PullRequestError::Token { host: self.place.api_host().to_owned() };
        let mut proof = HeaderValue::from_str(&text).map_err(wrong)?;
        proof.set_sensitive(true);
        let accept = HeaderValue::from_static(match self.place.host {
            super::GitHost::GitHub => "application/vnd.github+json",
            super::GitHost::GitLab | super::GitHost::AzureDevOps => "application/json",
        });
        Ok(vec![(http::header::AUTHORIZATION, proof), (http::header::ACCEPT, accept)])
    }
}

/// A host's own words, in one line that is short enough to read.
fn words(bytes: &[u8]) -> String {
    let Ok(found) = serde_json::from_slice::<Words>(bytes) else { return String::new() };
    let mut texts = Vec::new();
    for value in [&found.message, &found.error, &found.errors] {
        collect(value, &mut texts);
    }
    let text = texts.join("; ");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS_MAX).collect()
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|one| collect(one, texts)),
        Value::Object(map) => map.get("message").into_iter().for_each(|one| collect(one, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_host_are_read() {
        let github = br#"{"message": "Validation Failed", "errors": [{"resource": "PullRequest", "code": "custom", "message": "No commits between main and deploy/prod/api"}]}"#;
        assert_eq!(words(github), "Validation Failed; No commits between main and deploy/prod/api");
        let gitlab = br#"{"message": ["Another open merge request already exists for this source branch: !5"]}"#;
        assert!(words(gitlab).starts_with("Another open merge request"));
        assert_eq!(words(br#"{"error": "insufficient_scope"}"#), "insufficient_scope");
        let azure = br#"{"$id": "1", "message": "TF401179: An active pull request exists already.", "errorCode": 0}"#;
        assert!(words(azure).starts_with("TF401179"));
        assert_eq!(words(b"<html>"), "");
    }

    #[test]
    fn as_many_characters_as_the_limit_are_shown_and_no_more() {
        let long = |chars: usize| format!(r#"{{"message": "{}"}}"#, "x".repeat(chars));
        assert_eq!(words(long(SHOWN_CHARS_MAX).as_bytes()).len(), SHOWN_CHARS_MAX);
        assert_eq!(words(long(SHOWN_CHARS_MAX + 1).as_bytes()).len(), SHOWN_CHARS_MAX);
    }
}

//! The one place where an error becomes an answer: its status, its code, its words; and where causes are logged.
//!
//! ```text
//! /v2      {"errors":[{"code":"DENIED","message":"tag `1.4` … cannot be overwritten …","detail":{…}}]}
//! /api/v1  {"error":{"code":"DENIED","message":"…","detail":{…},"request_id":"…"}}
//! ```
//! A cause is logged once, here, beside the request's id, and is not shown to strangers.

mod from_store;

pub(crate) use from_store::from_put;

use crate::body::Body;
use bytes::Bytes;
use domain::{Digest, RepositoryPath};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use oci::{DocumentError, ErrorCode, ErrorEntry, RefusedWrite, RouteError, write_errors};
use record::claim::Right;
use std::error::Error;

/// The challenge of a 401; clients of every kind know this scheme, and the password is the token.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"indelible\", charset=\"UTF-8\"");

/// Seconds after which a client may try again when too much was under way.
const BUSY_RETRY_S: u64 = 1;
/// Seconds after which a client may try again when the disk refuses.
const UNAVAILABLE_RETRY_S: u64 = 10;

const UNAVAILABLE: &str =
    "the registry's disk refused; whether this request was kept is not known: send it again";
const FULL: &str =
    "the registry's disk is full; no blob, manifest, tag or setting came of this request";
const FAULT: &str = "the registry has a fault; its log tells more under this request's id";

/// Why a request is not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nobody said who they are.
    TokenMissing,
    /// The token is none of ours, or was revoked.
    WrongToken,
    /// The caller may not.
    RightMissing { actor: String, right: Right, repository: Option<RepositoryPath> },
    /// A page in a browser, or a name that is not ours.
    Forbidden(&'static str),
    /// No request of the registry API.
    Route(RouteError),
    /// No manifest that is accepted.
    Document(DocumentError),
    /// A tag write that the laws refuse.
    Write(Box<RefusedWrite>),
    /// A manifest names what the repository lacks.
    Missing(Vec<Digest>),
    /// No such thing.
    Unknown { code: ErrorCode, what: String },
    /// It is protected: something names it.
    InUse(String),
    /// What came is not what was announced.
    Mismatch { code: ErrorCode, message: String },
    /// A chunk that is not the next one; where the upload is, and how far.
    Chunk { message: String, location: String, received: u64 },
    /// No byte of the blob is in the range.
    NoSuchRange { content_range: String },
    /// Larger than a limit.
    TooLarge { message: String },
    /// All headers together are too large.
    HeaderBytes { found: usize },
    /// A request to the API that cannot be read, or that asks for something impossible.
    Invalid(String),
    /// A request to the API that what is there contradicts.
    Conflict(String),
    /// A claim that the record contradicts, with what stands there.
    Stands { message: String, detail: serde_json::Value },
    /// The body stood still, or ended before its end.
    BodyBroken(&'static str),
    /// Too much is under way.
    Busy(String),
    /// The store does not take writes.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// The disk is full.
    Full(Box<dyn Error + Send + Sync>),
    /// A fault of this program or of what it keeps.
    Internal(Box<dyn Error + Send + Sync>),
}

/// What an answer says, before it is written in either form.
struct Said {
    status: StatusCode,
    entries: Vec<ErrorEntry>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A fault that no caller can do anything about.
    pub(crate) fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(cause))
    }

    /// Something that is not there.
    pub(crate) fn unknown(code: ErrorCode, what: impl std::fmt::Display) -> Self {
        Self::Unknown { code, what: what.to_string() }
    }

    fn log(&self, request_id: &str) {
        match self {
            Self::Unavailable(cause) | Self::Full(cause) | Self::Internal(cause) => {
                tracing::error!(
                    request_id,
                    cause = chain(cause.as_ref()),
                    "a request was not carried out"
                );
            }
            Self::TokenMissing
            | Self::WrongToken
            | Self::RightMissing { .. }
            | Self::Forbidden(_)
            | Self::Route(_)
            | Self::Document(_)
            | Self::Write(_)
            | Self::Missing(_)
            | Self::Unknown { .. }
            | Self::InUse(_)
            | Self::Mismatch { .. }
            | Self::Chunk { .. }
            | Self::NoSuchRange { .. }
            | Self::TooLarge { .. }
            | Self::HeaderBytes { .. }
            | Self::Invalid(_)
            | Self::Conflict(_)
            | Self::Stands { .. }
            | Self::BodyBroken(_)
            | Self::Busy(_) => {}
        }
    }

    fn say(self) -> Said {
        use StatusCode as S;
        match self {
            Self::TokenMissing => unauthorized(
                "a token is needed: `docker login` with any user name and the token as password",
            ),
            Self::WrongToken => unauthorized("the token is not known here, or was revoked"),
            Self::RightMissing { actor, right, repository } => say_right(&actor, right, repository),
            Self::Forbidden(message) => one(S::FORBIDDEN, ErrorCode::Denied, message),
            Self::Route(error) => say_route(&error),
            Self::Document(error) => {
                let (status, code) = error.answer();
                one(status, code, &chain(&error))
            }
            Self::Write(refused) => several(refused.status(), vec![refused.entry()]),
            Self::Missing(missing) => {
                several(S::BAD_REQUEST, missing.iter().map(ErrorEntry::missing).collect())
            }
            Self::Unknown { code, what } => one(S::NOT_FOUND, code, &what),
            Self::InUse(message) => one(S::METHOD_NOT_ALLOWED, ErrorCode::Denied, &message),
            Self::Mismatch { code, message } => one(S::BAD_REQUEST, code, &message),
            Self::Chunk { message, location, received } => {
                let range = oci::range::upload_progress(received);
                one(S::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, &message)
                    .with(header::LOCATION, &location)
                    .with(header::RANGE, &range)
            }
            Self::NoSuchRange { content_range } => {
                let message = "the blob has no byte in that range";
                one(S::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, message)
                    .with(header::CONTENT_RANGE, &content_range)
            }
            Self::TooLarge { message } => {
                one(S::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, &message)
            }
            Self::HeaderBytes { found } => say_header_bytes(found),
            Self::Invalid(message) => one(S::BAD_REQUEST, ErrorCode::Unsupported, &message),
            Self::Conflict(message) => one(S::CONFLICT, ErrorCode::Denied, &message),
            Self::Stands { message, detail } => {
                let entry = ErrorEntry::new(ErrorCode::Denied, message.as_str());
                several(S::CONFLICT, vec![ErrorEntry { detail: Some(detail), ..entry }])
            }
            Self::BodyBroken(message) => {
                one(S::REQUEST_TIMEOUT, ErrorCode::BlobUploadInvalid, message)
            }
            Self::Busy(message) => {
                one(S::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, &message).later(BUSY_RETRY_S)
            }
            Self::Unavailable(_) => {
                one(S::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, UNAVAILABLE)
                    .later(UNAVAILABLE_RETRY_S)
            }
            Self::Full(_) => one(S::INSUFFICIENT_STORAGE, ErrorCode::Unavailable, FULL)
                .later(UNAVAILABLE_RETRY_S),
            Self::Internal(_) => one(S::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, FAULT),
        }
    }
}

impl Said {
    fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(text_header(name, value));
        self
    }

    fn later(mut self, seconds: u64) -> Self {
        self.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }
}

fn unauthorized(message: &str) -> Said {
    let mut said = one(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message);
    said.headers.push((header::WWW_AUTHENTICATE, CHALLENGE));
    said
}

fn say_right(actor: &str, right: Right, repository: Option<RepositoryPath>) -> Said {
    let place = repository.map_or_else(String::new, |path| format!(" in {path}"));
    let message = format!("{actor} lacks the right `{right}`{place}");
    one(StatusCode::FORBIDDEN, ErrorCode::Denied, &message)
}

fn say_header_bytes(found: usize) -> Said {
    let max = oci::limit::HEADER_BYTES_MAX;
    let message = format!("the headers have {found} bytes, at most {max} are accepted");
    one(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, ErrorCode::Unsupported, &message)
}

fn say_route(error: &RouteError) -> Said {
    let (status, code) = error.answer();
    let mut said = one(status, code, &chain(error));
    if let RouteError::Method { allow, .. } = error {
        said.headers.push((header::ALLOW, HeaderValue::from_static(allow)));
    }
    said
}

fn one(status: StatusCode, code: ErrorCode, message: &str) -> Said {
    several(status, vec![ErrorEntry::new(code, message)])
}

fn several(status: StatusCode, entries: Vec<ErrorEntry>) -> Said {
    Said { status, entries, headers: Vec::new() }
}

/// A header of our own text; one that cannot stand in a header is left out.
pub(crate) fn text_header(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(value).ok().map(|value| (name, value))
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The answer of the registry API.
pub(crate) fn to_registry(refusal: Refusal, request_id: &str) -> Response<Body> {
    refusal.log(request_id);
    let said = refusal.say();
    let body = write_errors(&said.entries);
    finish(said.status, said.headers, body, request_id)
}

/// The answer of `/api/v1`.
pub(crate) fn to_api(refusal: Refusal, request_id: &str) -> Response<Body> {
    refusal.log(request_id);
    let said = refusal.say();
    let first = said.entries.first();
    let body = serde_json::json!({ "error": {
        "code": first.map_or("UNKNOWN", |entry| entry.code.as_str()),
        "message": first.map_or("", |entry| entry.message.as_str()),
        "detail": first.and_then(|entry| entry.detail.clone()),
        "request_id": request_id,
    }});
    finish(said.status, said.headers, body.to_string().into_bytes(), request_id)
}

fn finish(
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    request_id: &str,
) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from(body)));
    *response.status_mut() = status;
    let all = response.headers_mut();
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    all.extend(text_header(HeaderName::from_static("x-request-id"), request_id));
    all.extend(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::DatabaseError;

    fn answer(error: DatabaseError) -> (u16, Option<String>) {
        let response = to_registry(error.into(), "1");
        let after = response.headers().get(header::RETRY_AFTER);
        let after = after.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), after)
    }

    #[test]
    fn a_store_that_takes_no_writes_says_when_to_come_back() {
        let why = "disk I/O error".to_owned();
        let seconds = |text: &str| Some(text.to_owned());
        assert_eq!(answer(DatabaseError::Unavailable { why }), (503, seconds("10")));
        assert_eq!(answer(DatabaseError::Full), (507, seconds("10")));
        assert_eq!(answer(DatabaseError::Busy { waiting: 9 }), (429, seconds("1")));
        let what = "row 7".to_owned();
        assert_eq!(answer(DatabaseError::Corrupt { what }), (500, None));
    }

    #[test]
    fn after_a_failed_write_nothing_is_said_that_is_not_known() {
        let why = "disk I/O error".to_owned();
        let response = to_registry(DatabaseError::Unavailable { why }.into(), "1");
        let Body::Full(Some(body)) = response.into_body() else { panic!("an error has a body") };
        // A sync that failed leaves it open whether the write is on the disk. Law 5.
        let said = String::from_utf8_lossy(&body).into_owned();
        assert!(said.contains("whether this request was kept is not known"), "{said}");
    }

    #[test]
    fn a_cause_is_for_the_log_and_not_for_strangers() {
        let cause = std::io::Error::other("/secret/path");
        let response = to_registry(Refusal::internal(cause), "1");
        let Body::Full(Some(body)) = response.into_body() else { panic!("an error has a body") };
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }
}

//! Reading requests to the API and writing their answers; every way to be wrong is said in words.

use super::Answered;
use crate::options::API_BODY_BYTES_MAX;
use crate::reply::Refusal;
use axum::body::Bytes;
use http::{HeaderValue, StatusCode, Uri, header};
use oci::query::Query;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;

/// Reads a JSON body; what is not known in it is refused, so that a slip of the pen is seen.
pub(super) async fn read_json<T: DeserializeOwned>(
    req: axum::extract::Request,
) -> Result<T, Refusal> {
    read_json_up_to(req, API_BODY_BYTES_MAX).await
}

/// The same of a body that may be longer than most.
pub(super) async fn read_json_up_to<T: DeserializeOwned>(
    req: axum::extract::Request,
    bytes_max: usize,
) -> Result<T, Refusal> {
    let bytes = read_body(req.into_body(), bytes_max).await?;
    serde_json::from_slice(&bytes).map_err(|error| Refusal::Invalid(format!("the body: {error}")))
}

async fn read_body(body: axum::body::Body, bytes_max: usize) -> Result<Bytes, Refusal> {
    let read = axum::body::to_bytes(body, bytes_max).await;
    read.map_err(|_| Refusal::TooLarge {
        message: format!("a request to this path has at most {bytes_max} bytes"),
    })
}

/// Reads the query.
pub(super) fn read_query(uri: &Uri) -> Result<Query, Refusal> {
    Query::read(uri.query().unwrap_or_default())
        .map_err(|error| Refusal::Invalid(error.to_string()))
}

/// Reads one parameter into its type; `None` where it is missing.
pub(super) fn parameter<T>(query: &Query, name: &'static str) -> Result<Option<T>, Refusal>
where
    T: FromStr,
    T::Err: Display,
{
    let invalid = |error: String| Refusal::Invalid(format!("`{name}`: {error}"));
    let text = query.one(name).map_err(|error| invalid(error.to_string()))?;
    text.map(str::parse).transpose().map_err(|error: T::Err| invalid(error.to_string()))
}

/// Reads one parameter that must be there.
pub(super) fn required<T>(query: &Query, name: &'static str) -> Result<T, Refusal>
where
    T: FromStr,
    T::Err: Display,
{
    parameter(query, name)?.ok_or_else(|| Refusal::Invalid(format!("the query lacks `{name}`")))
}

/// Writes an answer.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answered {
    let text = serde_json::to_vec(value).map_err(Refusal::internal)?;
    let mut response = axum::response::Response::new(axum::body::Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Some answers hold a secret, all of them age.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

//! The way of every request: first what is refused unread, then to the registry, the API or the rest.

use crate::access::origin;
use crate::activity::Activity;
use crate::app::App;
use crate::body::{Body, Outgoing, drain};
use crate::reply::{self, Refusal};
use crate::{api, v2};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::Body as _;
use hyper::body::Incoming;
use oci::ErrorCode;
use std::net::SocketAddr;
use std::sync::Arc;

/// Answers one request.
pub(crate) async fn answer(
    app: Arc<App>,
    activity: Arc<Activity>,
    peer: SocketAddr,
    req: Request<Incoming>,
) -> Response<Outgoing> {
    let handling = activity.handle();
    let (parts, mut body) = req.into_parts();
    let method = parts.method.clone();
    let path = parts.uri.path();
    let response = if path == "/v2" || path.starts_with("/v2/") {
        let answered = match app.serves.has_registry() {
            true => v2::answer(&app, peer, &parts, &mut body).await,
            false => Err(Refusal::unknown(ErrorCode::Unsupported, "no registry is served here")),
        };
        match answered {
            Ok(response) => response,
            Err(refusal) => {
                if is_sending(&parts, &refusal) {
                    drain(&mut body).await;
                }
                reply::to_registry(refusal, &app.request_id())
            }
        }
    } else {
        api::answer(&app, peer, parts, body).await
    };
    drop(handling);
    app.metrics.answered(response.status());
    let response = if method == Method::HEAD { headers_only(response) } else { response };
    response.map(|body| Outgoing { body, activity })
}

/// Whether the client may still be sending what was refused: closing at once would reset the connection,
/// and the client would never read why. One that asked before sending, or stood still, is not waited for.
fn is_sending(parts: &Parts, refusal: &Refusal) -> bool {
    !parts.headers.contains_key(header::EXPECT) && !matches!(refusal, Refusal::BodyBroken(_))
}

/// HTTP/2 would send a body after HEAD too: the length is told, the body is not.
fn headers_only(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        let told = parts.headers.entry(header::CONTENT_LENGTH);
        told.or_insert_with(|| HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}

/// What is refused whoever asks: headers beyond the limit, and a host that is not this server where
/// somebody without a token could come in.
pub(crate) fn check(app: &App, parts: &Parts) -> Result<(), Refusal> {
    let found = header_bytes(parts);
    if found > oci::limit::HEADER_BYTES_MAX {
        return Err(Refusal::HeaderBytes { found });
    }
    if app.access.is_open() && !app.hosts.are_named_by(parts) {
        return Err(Refusal::Forbidden(
            "the request names a host that is not this server: use localhost or its address, \
             or start it with that name as a public host",
        ));
    }
    Ok(())
}

/// A page in a browser has no business at the registry API.
pub(crate) fn check_no_page(parts: &Parts) -> Result<(), Refusal> {
    if origin::has_origin(&parts.headers) {
        return Err(Refusal::Forbidden(
            "the registry API is not for pages: the request has an Origin",
        ));
    }
    Ok(())
}

/// Names and values, with the four bytes that stand around them on the wire.
fn header_bytes(parts: &Parts) -> usize {
    let headers = parts.headers.iter();
    headers.map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

//! `/api/v1/` in JSON, and the few places beside it: `/`, `/healthz`, `/readyz`, `/metrics`.
//!
//! ```text
//! POST /api/v1/claims {"claims":[…]}                     -> events, stamped here
//! GET  /api/v1/log?kind=deploy&environment=prod          -> {"basis","precision","gaps","items","next"}
//! GET  /api/v1/tag-history?repository=shop/api&tag=uat   -> the same, newest first
//! POST /api/v1/rules  /api/v1/unlock  /api/v1/tokens     -> by administrators; an error is {"error":{…}}
//! ```
//! `docs/openapi.yaml` describes all of it, and a test holds the two together. A write needs a bearer or `X-Indelible: 1`: a page in somebody's browser can send neither.

mod claims;
pub(crate) mod history;
mod import;
mod log;
mod reading;
mod request;
mod rules;
mod runs;
mod tokens;
mod unlock;
mod whoami;

use crate::access::{Caller, origin};
use crate::app::App;
use crate::body::Body;
use crate::entry;
use crate::reply::{self, Refusal};
use crate::scrape::Numbers;
use axum::Router;
use axum::extract::State;
use axum::routing::{MethodRouter, delete, get, post};
use http::request::Parts;
use http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use oci::ErrorCode;
use std::net::SocketAddr;
use std::sync::Arc;
use tower::ServiceExt as _;

/// What a handler gets beside the request: the server and the caller.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Arc<Caller>,
}

/// What a handler gives.
type Answered = Result<axum::response::Response, Refused>;

/// A refusal on its way through axum.
pub(crate) struct Refused(Refusal);

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(refusal: E) -> Self {
        Self(refusal.into())
    }
}

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> axum::response::Response {
        let mut response = axum::response::Response::default();
        // Written by `answer`, which knows the request's id.
        response.extensions_mut().insert(Arc::new(std::sync::Mutex::new(Some(self.0))));
        response
    }
}

/// Answers whatever is not the registry API.
pub(crate) async fn answer(
    app: &Arc<App>,
    peer: SocketAddr,
    parts: Parts,
    body: Incoming,
) -> Response<Body> {
    match try_answer(app, peer, parts, body).await {
        Ok(response) => response,
        Err(refusal) => reply::to_api(refusal, &app.request_id()),
    }
}

async fn try_answer(
    app: &Arc<App>,
    peer: SocketAddr,
    parts: Parts,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    entry::check(app, &parts)?;
    if let Some(text) = plain(app, &parts).await {
        return Ok(text);
    }
    if !app.serves.has_api() {
        return Err(Refusal::unknown(ErrorCode::Unsupported, "no API is served here"));
    }
    if !origin::is_deliberate(&parts.method, &parts.headers) {
        return Err(Refusal::Forbidden(
            "a write to the API needs a bearer token, or the header `X-Indelible: 1`",
        ));
    }
    let caller = app.access.caller(&app.catalog, &parts.headers, peer).await?;
    let asked = Asked { app: Arc::clone(app), caller };
    let router = router().with_state(asked);
    let req = Request::from_parts(parts, axum::body::Body::new(body));
    let served = tokio::time::timeout(app.limits.idle, router.oneshot(req)).await;
    let response = served.map_err(|_| Refusal::BodyBroken("the request took too long"))?;
    let mut response = response.unwrap_or_else(|never| match never {});
    let refused = response.extensions_mut().remove::<Arc<std::sync::Mutex<Option<Refusal>>>>();
    let refusal = refused
        .and_then(|held| held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    match refusal {
        Some(refusal) => Err(refusal),
        None => Ok(response.map(Body::Api)),
    }
}

/// Every path of the API with what answers there.
fn routes() -> [(&'static str, MethodRouter<Asked>); 14] {
    [
        ("/api/v1/claims", post(claims::post)),
        ("/api/v1/import", post(import::post)),
        ("/api/v1/log", get(log::log)),
        ("/api/v1/log/verify", get(log::verify)),
        ("/api/v1/builds", get(log::builds)),
        ("/api/v1/deploys", get(log::deploys)),
        ("/api/v1/runs", get(runs::get)),
        ("/api/v1/findings", get(log::findings)),
        ("/api/v1/tag-history", get(history::get)),
        ("/api/v1/rules", get(rules::get).post(rules::post)),
        ("/api/v1/unlock", post(unlock::post)),
        ("/api/v1/tokens", get(tokens::get).post(tokens::post)),
        ("/api/v1/tokens/{name}", delete(tokens::delete)),
        ("/api/v1/whoami", get(whoami::get)),
    ]
}

/// Every path of the API, so that its description can be held against it.
#[must_use]
pub fn api_paths() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _)| path).collect()
}

fn router() -> Router<Asked> {
    let router = routes()
        .into_iter()
        .fold(Router::new(), |router, (path, answers)| router.route(path, answers));
    router.method_not_allowed_fallback(not_supported).fallback(not_found)
}

async fn not_found(State(_): State<Asked>) -> Answered {
    Err(Refusal::unknown(ErrorCode::Unsupported, "there is nothing at this path").into())
}

async fn not_supported(State(_): State<Asked>) -> Answered {
    Err(Refusal::InUse("this path does not support the method".to_owned()).into())
}

/// What needs no token: whether it lives, whether it can work, how much it did.
async fn plain(app: &App, parts: &Parts) -> Option<Response<Body>> {
    let (status, text) = match parts.uri.path() {
        "/" => (
            StatusCode::OK,
            "Indelible: a registry whose tags stay what they are.\n\
             /v2/ OCI distribution · /api/v1/ JSON · /healthz · /readyz · /metrics\n"
                .to_owned(),
        ),
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => ready(app).await,
        "/metrics" => {
            let more = app.numbers.as_ref().map(Numbers::text).unwrap_or_default();
            (StatusCode::OK, app.metrics.text() + &more)
        }
        _ => return None,
    };
    let mut response = Response::new(Body::full(text.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    Some(response)
}

/// Ready is who can read; a store that takes no writes says so at the write.
async fn ready(app: &App) -> (StatusCode, String) {
    match app.catalog.repositories(None, 1).await {
        Ok(_) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read\n".to_owned())
        }
    }
}

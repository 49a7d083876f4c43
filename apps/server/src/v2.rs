//! The registry: OCI distribution 1.1 under `/v2/`.
//!
//! ```text
//! Route::GetManifest -> pull    Route::PutManifest -> push    Route::StartUpload … -> upload
//! ```
//! Which request is which is decided by `oci::route`; here each is carried out, after the caller's right.

mod answer;
mod blob;
mod discover;
mod pull;
mod push;
mod remove;
mod upload;

use crate::access::{Caller, Need};
use crate::app::App;
use crate::body::Body;
use crate::entry;
use crate::reply::Refusal;
use answer::Answering;
use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use oci::Route;
use std::net::SocketAddr;

/// One request that was let in.
struct Context<'a> {
    app: &'a App,
    caller: &'a Caller,
    parts: &'a Parts,
}

/// Answers one request of the registry API.
pub(crate) async fn answer(
    app: &App,
    peer: SocketAddr,
    parts: &Parts,
    body: &mut Incoming,
) -> Result<Response<Body>, Refusal> {
    entry::check(app, parts)?;
    entry::check_no_page(parts)?;
    let caller = app.access.caller(&app.catalog, &parts.headers, peer).await?;
    let route = Route::read(&parts.method, parts.uri.path(), parts.uri.query());
    let ctx = Context { app, caller: &caller, parts };
    ctx.carry_out(route.map_err(Refusal::Route)?, body).await
}

impl Context<'_> {
    async fn carry_out(
        &self,
        route: Route,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        match route {
            Route::Ping => Ok(ping()),
            Route::GetManifest { repository, reference, .. } => {
                self.get_manifest(&repository, &reference).await
            }
            Route::GetBlob { repository, digest, answer } => {
                self.get_blob(&repository, &digest, answer).await
            }
            Route::PutManifest { repository, put } => {
                self.put_manifest(repository, put, body).await
            }
            Route::StartUpload { repository, start } => {
                self.start_upload(repository, start, body).await
            }
            Route::PatchUpload { repository, upload } => {
                self.patch_upload(&repository, upload, body).await
            }
            Route::FinishUpload { repository, upload, digest } => {
                self.finish_upload(repository, upload, digest, body).await
            }
            Route::UploadStatus { repository, upload } => {
                self.upload_status(&repository, upload).await
            }
            Route::CancelUpload { repository, upload } => {
                self.cancel_upload(&repository, upload).await
            }
            Route::DeleteManifest { repository, reference } => {
                self.delete_manifest(repository, reference).await
            }
            Route::DeleteBlob { repository, digest } => self.delete_blob(repository, digest).await,
            Route::Tags { repository, page } => self.tags(&repository, &page).await,
            Route::Referrers { repository, subject, artifact_type, page } => {
                self.referrers(&repository, &subject, artifact_type.as_deref(), &page).await
            }
            Route::Catalog { page } => self.catalog(&page).await,
            Route::TagHistory { repository, tag, page } => {
                self.caller.needs(Need::Read, &repository)?;
                crate::api::history::answer(self.app, &repository, &tag, &page).await
            }
        }
    }

    fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn ping() -> Response<Body> {
    Answering::new(StatusCode::OK).json("{}")
}

//! Writing answers of the registry API: a status and the headers that clients rely on.

use crate::body::Body;
use crate::reply::text_header;
use bytes::Bytes;
use domain::Digest;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// The digest of what is answered; containerd does not go on without it.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// The name of an upload, beside its location.
pub(super) const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// An answer that is being written.
pub(super) struct Answering(Response<Body>);

impl Answering {
    pub(super) fn new(status: StatusCode) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        // Source: distribution; the classic Docker engine looks for it.
        response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
        Self(response)
    }

    /// Adds a header of our own text.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Some((name, value)) = text_header(name, value) {
            self.0.headers_mut().append(name, value);
        }
        self
    }

    /// Adds a header with a fixed text.
    pub(super) fn with_static(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    /// Says which content this is.
    pub(super) fn digest(self, digest: &str) -> Self {
        self.with(CONTENT_DIGEST, digest)
    }

    /// Says a few words to the person behind the client.
    pub(super) fn warn(mut self, texts: &[&str]) -> Self {
        for value in oci::warning::write_warnings(texts) {
            self = self.with(header::WARNING, &value);
        }
        self
    }

    /// An answer without a body.
    pub(super) fn empty(self) -> Response<Body> {
        self.0
    }

    /// An answer with this body.
    pub(super) fn body(mut self, body: Body) -> Response<Body> {
        *self.0.body_mut() = body;
        self.0
    }

    /// An answer with this JSON.
    pub(super) fn json(self, json: impl Into<Bytes>) -> Response<Body> {
        let this = self.with_static(header::CONTENT_TYPE, "application/json");
        this.body(Body::full(json.into()))
    }
}

/// The path of a blob.
pub(super) fn blob_path(repository: &domain::RepositoryPath, digest: &Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

//! Sends blobs: mounted where the registry holds them already, else whole or in chunks.

use std::num::NonZeroU64;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{Digest, RepositoryPath};
use futures_util::StreamExt as _;
use http::{Method, Uri, header};
use oci::client::header::chunk_min_length;
use oci::client::location::{resolve, with_digest};
use oci::client::token::{Access, scope};
use oci::limit::RETRY_AFTER_S_MAX;
use oci::range::ChunkRange;
use oci::target;

use super::answer::Answer;
use super::request::{Body, Request};
use super::retry::{is_transient, retries_after};
use super::{RemoteRepository, UploadWay};
use crate::content::{BlobSource, verified};
use crate::error::RemoteError;

/// The largest chunk that is held in memory, in bytes.
const CHUNK_BYTES_MAX: u64 = 64 << 20;
/// How errors name an upload's session.
const UPLOAD: &str = "upload for";

/// How a blob came to be in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobPut {
    /// It was there.
    Present,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was sent.
    Sent,
}

/// What the start of an upload led to.
enum Started {
    Mounted,
    /// Where to send it, and the smallest chunk that is taken there.
    At(Uri, Option<u64>),
}

impl RemoteRepository {
    /// Puts a blob, unless it is there; a broken upload starts over when its source can.
    ///
    /// # Errors
    /// The source's bytes are not what digest and size name, or the registry does not take them.
    pub async fn put_blob(
        &self,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
        mount_from: Option<&RepositoryPath>,
    ) -> Result<BlobPut, RemoteError> {
        if self.has_blob(digest).await?.is_some() {
            return Ok(BlobPut::Present);
        }
        if let Some(from) = mount_from
            && self.mount(digest, from).await?
        {
            return Ok(BlobPut::Mounted);
        }
        let patience = *self.connection.patience();
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.send_blob(digest, size, source).await {
                Ok(()) => return Ok(BlobPut::Sent),
                Err(error) => error,
            };
            let pause = pause_after(&error, || patience.pause(tried));
            let retries = retries_after(&error, &patience);
            let Some(pause) = pause.filter(|_| tried <= retries && source.is_restartable()) else {
                return Err(error);
            };
            tracing::debug!(%digest, tried, "sending the blob again");
            tokio::time::sleep(pause).await;
            // The answer may have been lost, and not the blob.
            if self.has_blob(digest).await?.is_some() {
                return Ok(BlobPut::Sent);
            }
        }
    }

    /// Asks the registry to take a blob from another of its repositories; `false` when it does not.
    ///
    /// # Errors
    /// The registry cannot be asked.
    pub async fn mount(&self, digest: &Digest, from: &RepositoryPath) -> Result<bool, RemoteError> {
        let mut scopes = self.push();
        scopes.push(scope(from, Access::Pull));
        let request = Request::new(Method::POST, target::mount(&self.path, digest, Some(from)))
            .scopes(scopes)
            .doing(format!("mount blobs into {}", self.path));
        let answer = match self.connection.exchange(&request).await {
            Ok(answer) => answer,
            // Who may not read the other repository may still push here.
            Err(RemoteError::Unauthorized { .. } | RemoteError::Denied { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        match answer.status().as_u16() {
            201 => Ok(true),
            202 => {
                self.cancel(&answer).await;
                Ok(false)
            }
            400..=499 => Ok(false),
            _ => Err(answer.into_error(&request).await),
        }
    }

    /// Whether the registry takes pushes of ours here: an upload is opened and ended, and nothing is sent.
    ///
    /// # Errors
    /// It does not, or could not be asked.
    pub async fn may_push(&self) -> Result<(), RemoteError> {
        let start = target::uploads_hashed(&self.path, Digest::sha256(b"").algorithm());
        let request = Request::new(Method::POST, start)
            .scopes(self.push())
            .about(format!("repository {} to push to", self.path))
            .doing(format!("push to {}", self.path));
        let answer = self.connection.exchange(&request).await?;
        let answer = answer.expect(&[202], &request).await?;
        self.cancel(&answer).await;
        Ok(())
    }

    /// Ends an upload that a refused mount has opened. Whether it works does not matter: they expire.
    async fn cancel(&self, answer: &Answer) {
        if let Ok(uri) = self.location(answer) {
            let request = Request::to_named(Method::DELETE, uri).once().scopes(self.push());
            let _cancelled = self.connection.exchange(&request).await;
        }
    }

    async fn send_blob(
        &self,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
    ) -> Result<(), RemoteError> {
        match self.start(digest).await? {
            Started::Mounted => Ok(()),
            Started::At(uri, least) => match self.connection.upload_way() {
                UploadWay::Whole => self.send_whole(uri, digest, size, source).await,
                UploadWay::Chunks(bytes) => {
                    let bytes = bytes.get().max(least.unwrap_or(1)).min(CHUNK_BYTES_MAX);
                    let bytes = NonZeroU64::new(bytes).unwrap_or(NonZeroU64::MIN);
                    self.send_chunks(uri, digest, size, source, bytes).await
                }
            },
        }
    }

    async fn start(&self, digest: &Digest) -> Result<Started, RemoteError> {
        let start = target::uploads_hashed(&self.path, digest.algorithm());
        let request = Request::new(Method::POST, start)
            .scopes(self.push())
            .about(format!("repository {} to push to", self.path))
            .doing(format!("push to {}", self.path));
        let answer = self.connection.exchange(&request).await?;
        let answer = answer.expect(&[201, 202], &request).await?;
        if answer.status() == 201 {
            return Ok(Started::Mounted);
        }
        let uri = self.location(&answer)?;
        Ok(Started::At(uri, chunk_min_length(answer.headers())))
    }

    async fn send_whole(
        &self,
        uri: Uri,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
    ) -> Result<(), RemoteError> {
        let stream = source.open().await?;
        let stream = stream.ok_or(RemoteError::NotRestartable { digest: *digest })?;
        let stream = verified(stream, *digest, Some(size), "the source".to_owned());
        let body = Body::Stream(BlobSource::once(stream), size);
        self.finish(with_digest(&uri, digest), body, digest).await
    }

    async fn finish(&self, uri: Uri, body: Body, digest: &Digest) -> Result<(), RemoteError> {
        let request = self.upload_request(Method::PUT, uri, digest).body(body);
        let answer = self.connection.exchange(&request).await?;
        // 204 is what some registries answered before the specification settled.
        answer.expect(&[201, 204], &request).await.map(drop)
    }

    fn upload_request(&self, method: Method, uri: Uri, digest: &Digest) -> Request {
        Request::to_named(method, uri)
            .once()
            .scopes(self.push())
            .text(header::CONTENT_TYPE, "application/octet-stream")
            .about(format!("{UPLOAD} {digest}"))
            .doing(format!("push {digest} to {}", self.path))
    }

    async fn send_chunks(
        &self,
        mut uri: Uri,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
        chunk_bytes: NonZeroU64,
    ) -> Result<(), RemoteError> {
        let stream = source.open().await?;
        let stream = stream.ok_or(RemoteError::NotRestartable { digest: *digest })?;
        let mut stream = verified(stream, *digest, Some(size), "the source".to_owned());
        let chunk_bytes = usize::try_from(chunk_bytes.get()).unwrap_or(usize::MAX);
        let (mut held, mut sent) = (BytesMut::new(), 0);
        loop {
            let piece = stream.next().await.transpose()?;
            let is_end = piece.is_none();
            held.extend_from_slice(&piece.unwrap_or_default());
            while held.len() >= chunk_bytes || (is_end && !held.is_empty()) {
                let chunk = held.split_to(chunk_bytes.min(held.len())).freeze();
                let length = chunk.len() as u64;
                uri = self.send_chunk(uri, digest, sent, chunk).await?;
                sent += length;
            }
            if is_end {
                return self.finish(with_digest(&uri, digest), Body::None, digest).await;
            }
        }
    }

    async fn send_chunk(
        &self,
        uri: Uri,
        digest: &Digest,
        first: u64,
        chunk: Bytes,
    ) -> Result<Uri, RemoteError> {
        let last = first + chunk.len() as u64 - 1;
        let request = self
            .upload_request(Method::PATCH, uri, digest)
            .text(header::CONTENT_RANGE, &ChunkRange { first, last }.to_string())
            .body(Body::Bytes(chunk));
        let answer = self.connection.exchange(&request).await?;
        let answer = answer.expect(&[202], &request).await?;
        self.location(&answer)
    }

    fn location(&self, answer: &Answer) -> Result<Uri, RemoteError> {
        let text = answer.header(header::LOCATION).ok_or_else(|| {
            RemoteError::protocol(self.place(), "an upload's answer has no Location")
        })?;
        resolve(&answer.uri, text).map(|next| next.uri).map_err(|cause| {
            RemoteError::protocol(self.place(), format!("an upload's location: {cause}"))
        })
    }
}

/// How long to wait before the same blob is sent again; `None` where that would not help.
fn pause_after(error: &RemoteError, usual: impl Fn() -> Duration) -> Option<Duration> {
    if let RemoteError::RateLimited { after, .. } = error {
        let after = after.unwrap_or_else(usual);
        return (after.as_secs() <= RETRY_AFTER_S_MAX).then_some(after);
    }
    // The upload's session is gone: a proxy's or a restarted registry's doing.
    let is_session_gone =
        matches!(error, RemoteError::NotFound { what, .. } if what.starts_with(UPLOAD));
    (is_session_gone || is_transient(error)).then(usual)
}

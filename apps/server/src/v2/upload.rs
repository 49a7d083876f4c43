//! Uploads of blobs: one POST, POST and PUT, or chunks; all of an upload's state is in its path.

use super::Context;
use super::answer::{Answering, UPLOAD_UUID, blob_path};
use crate::access::Need;
use crate::app;
use crate::body::{Body, Incomings};
use crate::reply::Refusal;
use domain::{Algorithm, Digest, RepositoryPath};
use http::header;
use http::{Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use oci::range::upload_progress;
use oci::{ChunkRange, UploadId, UploadStart};
use store::BlobError;

/// Repositories that are looked at for a mount without a source.
const MOUNT_SOURCES_MAX: usize = 1_000;

impl Context<'_> {
    /// `POST …/blobs/uploads/`.
    pub(super) async fn start_upload(
        &self,
        repository: RepositoryPath,
        start: UploadStart,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Push, &repository)?;
        match start {
            UploadStart::Session { algorithm } => self.session(&repository, algorithm).await,
            UploadStart::Whole { digest } => {
                let upload = self.begin(&repository, digest.algorithm()).await?;
                let kept = self.take_whole(repository.clone(), upload, digest, body).await;
                if kept.is_err() {
                    // The client has no name to go on with: what came is of no use to anybody.
                    let _ = self.app.blobs.cancel(&repository, upload).await;
                }
                kept
            }
            UploadStart::Mount { digest, from } => {
                if self.mount(&repository, digest, from).await? {
                    return Ok(blob_kept(&repository, &digest));
                }
                self.session(&repository, digest.algorithm()).await
            }
        }
    }

    /// Links a blob that the caller may read elsewhere; what may not be read is as good as not there.
    async fn mount(
        &self,
        to: &RepositoryPath,
        digest: Digest,
        from: Option<RepositoryPath>,
    ) -> Result<bool, Refusal> {
        let catalog = &self.app.catalog;
        let sources = match from {
            Some(from) => vec![from],
            None => catalog.repositories_with(&digest, MOUNT_SOURCES_MAX).await?,
        };
        for from in sources.into_iter().filter(|from| self.caller.may(Need::Read, from)) {
            if catalog.mount_blob(from, to.clone(), digest).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn begin(
        &self,
        repository: &RepositoryPath,
        algorithm: Algorithm,
    ) -> Result<UploadId, Refusal> {
        Ok(self.app.blobs.start(repository, algorithm, app::random()?).await?)
    }

    async fn session(
        &self,
        repository: &RepositoryPath,
        algorithm: Algorithm,
    ) -> Result<Response<Body>, Refusal> {
        let upload = self.begin(repository, algorithm).await?;
        Ok(under_way(StatusCode::ACCEPTED, repository, upload, 0))
    }

    async fn take_whole(
        &self,
        repository: RepositoryPath,
        upload: UploadId,
        digest: Digest,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        self.append(&repository, upload, body).await?;
        self.commit(repository, upload, digest).await
    }

    /// `PATCH …/blobs/uploads/<id>`.
    pub(super) async fn patch_upload(
        &self,
        repository: &RepositoryPath,
        upload: UploadId,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Push, repository)?;
        let received = self.append(repository, upload, body).await?;
        Ok(under_way(StatusCode::ACCEPTED, repository, upload, received))
    }

    /// `PUT …/blobs/uploads/<id>?digest=`, with or without a last chunk.
    pub(super) async fn finish_upload(
        &self,
        repository: RepositoryPath,
        upload: UploadId,
        digest: Digest,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Push, &repository)?;
        if !body.is_end_stream() || self.header(header::CONTENT_RANGE).is_some() {
            self.append(&repository, upload, body).await?;
        }
        self.commit(repository, upload, digest).await
    }

    /// Bytes first, then the row: a row never names what is not there.
    async fn commit(
        &self,
        repository: RepositoryPath,
        upload: UploadId,
        digest: Digest,
    ) -> Result<Response<Body>, Refusal> {
        let size = self.app.blobs.commit(&repository, upload, digest).await?;
        self.app.catalog.link_blob(repository.clone(), digest, size).await?;
        Ok(blob_kept(&repository, &digest))
    }

    /// Takes a body in at the upload's end; gives the upload's size.
    async fn append(
        &self,
        repository: &RepositoryPath,
        upload: UploadId,
        body: &mut Incoming,
    ) -> Result<u64, Refusal> {
        let _place = self.app.upload_place()?;
        let blobs = &self.app.blobs;
        let chunk = self.chunk(repository, upload, body).await?;
        let max = self.app.limits.blob_bytes_max;
        if body.size_hint().lower() > max {
            return Err(BlobError::TooLarge { max }.into());
        }
        let writer = blobs.append(repository, upload, chunk.map(|chunk| chunk.first)).await;
        let mut writer = match writer {
            Err(BlobError::Offset { offset, start }) => {
                let message = format!("the upload has {offset} bytes, the chunk starts at {start}");
                return Err(refused_chunk(message, repository, upload, offset));
            }
            other => other?,
        };
        let mut pieces = Incomings::new(body, self.app.limits.idle);
        let mut received = 0;
        while let Some(piece) = pieces.next().await? {
            received += piece.len() as u64;
            writer.write(piece).await?;
        }
        if let Some(chunk) = chunk.filter(|chunk| chunk.length() != received) {
            // The writer goes without its last word: the upload ends where it ended before, or later.
            drop(writer);
            return Err(self.wrong_length(repository, upload, chunk, received).await?);
        }
        Ok(writer.finish().await?)
    }

    /// Reads `Content-Range`; without one the body goes to the upload's end.
    async fn chunk(
        &self,
        repository: &RepositoryPath,
        upload: UploadId,
        body: &Incoming,
    ) -> Result<Option<ChunkRange>, Refusal> {
        let Some(text) = self.header(header::CONTENT_RANGE) else {
            return Ok(None);
        };
        let chunk = match ChunkRange::read(text) {
            Ok(chunk) => chunk,
            Err(error) => {
                let offset = self.app.blobs.offset(repository, upload).await?;
                return Err(refused_chunk(error.to_string(), repository, upload, offset));
            }
        };
        match body.size_hint().exact() {
            Some(length) if length != chunk.length() => {
                Err(self.wrong_length(repository, upload, chunk, length).await?)
            }
            Some(_) | None => Ok(Some(chunk)),
        }
    }

    async fn wrong_length(
        &self,
        repository: &RepositoryPath,
        upload: UploadId,
        chunk: ChunkRange,
        length: u64,
    ) -> Result<Refusal, Refusal> {
        let offset = self.app.blobs.offset(repository, upload).await?;
        let message = format!("`Content-Range` is {chunk}, the chunk has {length} bytes");
        Ok(refused_chunk(message, repository, upload, offset))
    }

    /// `GET …/blobs/uploads/<id>`.
    pub(super) async fn upload_status(
        &self,
        repository: &RepositoryPath,
        upload: UploadId,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Push, repository)?;
        let received = self.app.blobs.offset(repository, upload).await?;
        Ok(under_way(StatusCode::NO_CONTENT, repository, upload, received))
    }

    /// `DELETE …/blobs/uploads/<id>`.
    pub(super) async fn cancel_upload(
        &self,
        repository: &RepositoryPath,
        upload: UploadId,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Push, repository)?;
        self.app.blobs.cancel(repository, upload).await?;
        Ok(Answering::new(StatusCode::NO_CONTENT).empty())
    }
}

fn upload_path(repository: &RepositoryPath, upload: UploadId) -> String {
    format!("/v2/{repository}/blobs/uploads/{upload}")
}

fn under_way(
    status: StatusCode,
    repository: &RepositoryPath,
    upload: UploadId,
    received: u64,
) -> Response<Body> {
    Answering::new(status)
        .with(header::LOCATION, &upload_path(repository, upload))
        .with(header::RANGE, &upload_progress(received))
        .with(UPLOAD_UUID, &upload.to_string())
        .empty()
}

fn blob_kept(repository: &RepositoryPath, digest: &Digest) -> Response<Body> {
    Answering::new(StatusCode::CREATED)
        .with(header::LOCATION, &blob_path(repository, digest))
        .digest(&digest.to_string())
        .empty()
}

fn refused_chunk(
    message: String,
    repository: &RepositoryPath,
    upload: UploadId,
    received: u64,
) -> Refusal {
    Refusal::Chunk { message, location: upload_path(repository, upload), received }
}

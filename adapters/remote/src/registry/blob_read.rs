//! Reads blobs: hashed while they stream, and taken up again where a connection broke.

use bytes::Bytes;
use domain::Digest;
use futures_util::stream::{self, StreamExt as _};
use http::{Method, header};
use oci::document::descriptor::Descriptor;
use oci::range::read_content_range;
use oci::target;

use super::RemoteRepository;
use super::answer::Answer;
use super::request::Request;
use super::retry::is_transient;
use crate::content::{BlobSource, BlobStream, verified};
use crate::error::{RemoteError, or_absent};

impl RemoteRepository {
    /// Asks whether the repository holds a blob, and how large it is where the registry says so.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn has_blob(&self, digest: &Digest) -> Result<Option<BlobHeld>, RemoteError> {
        let request = self.blob_request(Method::HEAD, digest);
        let answer = self.connection.exchange(&request).await?;
        match answer.status().as_u16() {
            200 => {
                let length = answer.header(header::CONTENT_LENGTH);
                let size = length.and_then(|text| text.parse().ok());
                Ok(Some(BlobHeld { size }))
            }
            _ => or_absent(Err(answer.into_error(&request).await)),
        }
    }

    /// Streams a blob; the stream ends in an error when it is not what its digest and size name.
    ///
    /// # Errors
    /// It is not there, or could not be opened.
    pub async fn blob(
        &self,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<BlobStream, RemoteError> {
        let answer = self.open_blob(digest, 0).await?;
        let pull = Pull {
            repository: self.clone(),
            digest: *digest,
            answer,
            seen: 0,
            to_skip: 0,
            broken: 0,
        };
        let pieces = stream::try_unfold(pull, |mut pull| async move {
            Ok(pull.next().await?.map(|piece| (piece, pull)))
        });
        Ok(verified(pieces.boxed(), *digest, size, self.place()))
    }

    /// A blob as a source that can be read again.
    #[must_use]
    pub fn blob_source(&self, descriptor: &Descriptor) -> BlobSource {
        let (repository, digest, size) = (self.clone(), descriptor.digest, descriptor.size);
        BlobSource::restartable(move || {
            let repository = repository.clone();
            Box::pin(async move { repository.blob(&digest, Some(size)).await })
        })
    }

    fn blob_request(&self, method: Method, digest: &Digest) -> Request {
        Request::new(method, target::blob(&self.path, digest))
            .scopes(self.pull())
            .about(format!("blob {digest} in {}", self.path))
            .doing(format!("read blobs of {}", self.path))
    }

    async fn open_blob(&self, digest: &Digest, from: u64) -> Result<Answer, RemoteError> {
        let mut request = self.blob_request(Method::GET, digest);
        if from > 0 {
            request = request.text(header::RANGE, &format!("bytes={from}-"));
        }
        let answer = self.connection.exchange(&request).await?;
        let wanted: &[u16] = if from > 0 { &[200, 206] } else { &[200] };
        answer.expect(wanted, &request).await
    }
}

/// A blob that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobHeld {
    /// Its size, where the registry says so.
    pub size: Option<u64>,
}

/// One blob on its way.
struct Pull {
    repository: RemoteRepository,
    digest: Digest,
    answer: Answer,
    seen: u64,
    /// What a registry without ranges sends again from the start.
    to_skip: u64,
    broken: u32,
}

impl Pull {
    async fn next(&mut self) -> Result<Option<Bytes>, RemoteError> {
        loop {
            match self.answer.piece().await {
                Ok(None) => return Ok(None),
                Ok(Some(mut piece)) => {
                    let skipped = self.to_skip.min(piece.len() as u64);
                    let _again = piece.split_to(usize::try_from(skipped).unwrap_or(usize::MAX));
                    self.to_skip -= skipped;
                    if !piece.is_empty() {
                        self.seen += piece.len() as u64;
                        return Ok(Some(piece));
                    }
                }
                Err(error) => self.take_up(error).await?,
            }
        }
    }

    /// Goes on where the connection broke; the digest at the end tells whether the two parts fit.
    async fn take_up(&mut self, error: RemoteError) -> Result<(), RemoteError> {
        let patience = *self.repository.connection.patience();
        self.broken += 1;
        if !is_transient(&error) || self.broken > patience.retries {
            return Err(error);
        }
        tokio::time::sleep(patience.pause(self.broken)).await;
        let answer = self.repository.open_blob(&self.digest, self.seen).await?;
        let starts_at = match answer.status().as_u16() {
            206 => {
                let range = answer.header(header::CONTENT_RANGE).and_then(read_content_range);
                range.map(|(range, _)| range.first)
            }
            _ => Some(0),
        };
        match starts_at {
            Some(start) if start <= self.seen => {
                self.to_skip = self.seen - start;
                self.answer = answer;
                Ok(())
            }
            Some(_) | None => Err(RemoteError::protocol(
                self.repository.place(),
                format!("it answers another range of blob {} than was asked for", self.digest),
            )),
        }
    }
}

//! Reading blobs, whole or in part.

use super::Context;
use super::answer::Answering;
use crate::access::Need;
use crate::body::Body;
use crate::reply::Refusal;
use domain::{Digest, RepositoryPath};
use http::{Response, StatusCode, header};
use oci::{Answer, BlobPart, ErrorCode};
use std::ops::Range;

impl Context<'_> {
    /// `GET|HEAD …/blobs/<digest>`.
    pub(super) async fn get_blob(
        &self,
        repository: &RepositoryPath,
        digest: &Digest,
        answer: Answer,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Read, repository)?;
        let size = self.app.catalog.blob(repository, digest).await?;
        let unknown = || {
            Refusal::unknown(ErrorCode::BlobUnknown, format!("{repository} has no blob {digest}"))
        };
        let size = size.ok_or_else(unknown)?;
        let part = BlobPart::read(self.header(header::RANGE), size);
        let (status, range) = match part {
            BlobPart::Whole => (StatusCode::OK, 0..size),
            BlobPart::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first..last + 1),
            BlobPart::Unsatisfiable => {
                let content_range = part.content_range(size).unwrap_or_default();
                return Err(Refusal::NoSuchRange { content_range });
            }
        };
        let digest_text = digest.to_string();
        let mut answering = Answering::new(status)
            .with_static(header::CONTENT_TYPE, "application/octet-stream")
            .with_static(header::ACCEPT_RANGES, "bytes")
            .with(header::ETAG, &format!("\"{digest_text}\""))
            .digest(&digest_text);
        if let Some(content_range) = part.content_range(size) {
            answering = answering.with(header::CONTENT_RANGE, &content_range);
        }
        let length = range.end - range.start;
        match answer {
            Answer::HeadersOnly => {
                Ok(answering.with(header::CONTENT_LENGTH, &length.to_string()).empty())
            }
            Answer::Whole => {
                let body = self.open(digest, range, size).await?.ok_or_else(unknown)?;
                Ok(answering.body(body))
            }
        }
    }

    async fn open(
        &self,
        digest: &Digest,
        range: Range<u64>,
        size: u64,
    ) -> Result<Option<Body>, Refusal> {
        let Some(reader) = self.app.blobs.open(digest).await? else {
            return Ok(None);
        };
        let length = range.end - range.start;
        let reader = if length == size { reader } else { reader.range(range) };
        Ok(Some(Body::blob(reader, length)))
    }
}

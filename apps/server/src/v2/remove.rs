//! Deleting tags, manifests and blobs; a deleted immutable name stays burnt.

use super::Context;
use super::answer::Answering;
use crate::access::Need;
use crate::body::Body;
use crate::reply::Refusal;
use domain::{Digest, RepositoryPath};
use http::{Response, StatusCode};
use oci::{ErrorCode, ManifestRef};
use store::DeleteError;

impl Context<'_> {
    /// `DELETE …/manifests/<reference>`: a tag alone, or a manifest with all its tags.
    pub(super) async fn delete_manifest(
        &self,
        repository: RepositoryPath,
        reference: ManifestRef,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Delete, &repository)?;
        let reason = self.reason()?;
        let by = self.app.stamping(self.caller.actor())?;
        match reference {
            ManifestRef::Tag(tag) => {
                self.app.catalog.delete_tag(repository, tag, reason, by).await?;
            }
            ManifestRef::Digest(digest) => {
                self.app.catalog.delete_manifest(repository, digest, reason, by).await?;
            }
        }
        Ok(Answering::new(StatusCode::ACCEPTED).empty())
    }

    /// `DELETE …/blobs/<digest>`.
    pub(super) async fn delete_blob(
        &self,
        repository: RepositoryPath,
        digest: Digest,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Delete, &repository)?;
        match self.app.catalog.delete_blob(repository, digest).await {
            Ok(()) => Ok(Answering::new(StatusCode::ACCEPTED).empty()),
            Err(error @ DeleteError::Unknown { .. }) => {
                Err(Refusal::unknown(ErrorCode::BlobUnknown, error))
            }
            Err(other) => Err(other.into()),
        }
    }
}

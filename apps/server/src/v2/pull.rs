//! Reading manifests.

use super::Context;
use super::answer::Answering;
use crate::access::Need;
use crate::body::Body;
use crate::reply::Refusal;
use domain::{RepositoryPath, TagClass};
use http::{Response, StatusCode, header};
use oci::{ErrorCode, ManifestRef};

impl Context<'_> {
    /// `GET|HEAD …/manifests/<reference>`; whatever `Accept` says, what is there is what is served.
    pub(super) async fn get_manifest(
        &self,
        repository: &RepositoryPath,
        reference: &ManifestRef,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Read, repository)?;
        let found = self.app.catalog.manifest(repository, reference).await?;
        let manifest = found.ok_or_else(|| {
            let named = match reference {
                ManifestRef::Tag(tag) => format!("tag `{tag}`"),
                ManifestRef::Digest(digest) => digest.to_string(),
            };
            Refusal::unknown(ErrorCode::ManifestUnknown, format!("{repository} has no {named}"))
        })?;
        let digest = manifest.digest.to_string();
        let etag = format!("\"{digest}\"");
        if self.header(header::IF_NONE_MATCH).is_some_and(|asked| asked == etag) {
            let same = Answering::new(StatusCode::NOT_MODIFIED).with(header::ETAG, &etag);
            return Ok(same.digest(&digest).empty());
        }
        let mut answer = Answering::new(StatusCode::OK)
            .with(header::CONTENT_TYPE, &manifest.media_type)
            .with(header::ETAG, &etag)
            .digest(&digest);
        if let (ManifestRef::Tag(tag), Some(TagClass::Alias)) = (reference, manifest.class) {
            answer = answer.warn(&[&format!(
                "`{tag}` is an alias and may move: {repository}@{digest} is what it names now"
            )]);
        }
        Ok(answer.body(Body::full(manifest.bytes)))
    }
}

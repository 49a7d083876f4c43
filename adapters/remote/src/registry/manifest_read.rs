//! Reads manifests: what a tag names now, and the bytes behind a digest.

use bytes::Bytes;
use domain::{Digest, Tag};
use http::{Method, header};
use oci::client::header::content_digest;
use oci::limit::MANIFEST_BYTES_SETTABLE_MAX;
use oci::media_type::{ACCEPT_MANIFESTS, essence};
use oci::route::ManifestRef;
use oci::target;

use super::answer::Answer;
use super::request::Request;
use super::{RemoteRepository, TagAt};
use crate::content::{ManifestBytes, Resolved};
use crate::error::{RemoteError, or_absent};

impl RemoteRepository {
    /// Asks what a tag or a digest names now, with a HEAD.
    ///
    /// A registry that answers HEAD without a digest, or not at all, is asked with GET, and the digest is
    /// that of the bytes.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`] only when the registry says so; anything else means "could not find out".
    pub async fn resolve(&self, name: &ManifestRef) -> Result<Resolved, RemoteError> {
        let request = self.manifest_request(Method::HEAD, name);
        let answer = self.connection.exchange(&request).await?;
        match answer.status().as_u16() {
            200 => match self.read_head(&answer, name) {
                Some(resolved) => Ok(resolved),
                None => self.resolve_by_get(name).await,
            },
            // A refusal of the method, or of anything that GET may be allowed.
            400 | 405 | 406 | 501 => self.resolve_by_get(name).await,
            _ => Err(answer.into_error(&request).await),
        }
    }

    /// Reads a manifest by its digest, and checks that it is what the digest names.
    ///
    /// # Errors
    /// It is not there, too large, or other bytes came.
    pub async fn manifest(&self, digest: &Digest) -> Result<ManifestBytes, RemoteError> {
        self.get_manifest(&ManifestRef::Digest(*digest)).await
    }

    /// Reads the manifest that a tag names now; its digest is that of the bytes.
    ///
    /// # Errors
    /// As [`RemoteRepository::manifest`]; also when the registry says another digest than the bytes have.
    pub async fn manifest_by_tag(&self, tag: &Tag) -> Result<ManifestBytes, RemoteError> {
        self.get_manifest(&ManifestRef::Tag(tag.clone())).await
    }

    /// Asks where a tag points: absent is the registry's word, never a guess.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn tag_at(&self, tag: &Tag) -> Result<TagAt, RemoteError> {
        let asked = self.resolve(&ManifestRef::Tag(tag.clone())).await;
        Ok(match or_absent(asked)? {
            Some(resolved) => TagAt::Digest(resolved.digest),
            None => TagAt::Absent,
        })
    }

    /// Whether the repository holds a manifest.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn has_manifest(&self, digest: &Digest) -> Result<bool, RemoteError> {
        let asked = self.resolve(&ManifestRef::Digest(*digest)).await;
        Ok(or_absent(asked)?.is_some())
    }

    fn manifest_request(&self, method: Method, name: &ManifestRef) -> Request {
        Request::new(method, target::manifest(&self.path, name))
            .text(header::ACCEPT, ACCEPT_MANIFESTS)
            .scopes(self.pull())
            .about(self.called(name))
            .doing(format!("read {}", self.called(name)))
    }

    /// How people write a manifest of this repository.
    pub(super) fn called(&self, name: &ManifestRef) -> String {
        match name {
            ManifestRef::Tag(tag) => format!("{}:{tag}", self.path),
            ManifestRef::Digest(digest) => format!("{}@{digest}", self.path),
        }
    }

    fn read_head(&self, answer: &Answer, name: &ManifestRef) -> Option<Resolved> {
        let said = content_digest(answer.headers());
        let digest = match name {
            ManifestRef::Tag(_) => said?,
            // Some registries say the sha256 of a manifest that was asked for by sha512.
            ManifestRef::Digest(asked) => *asked,
        };
        let size = answer.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let media_type = answer.header(header::CONTENT_TYPE).map(essence)?;
        Some(Resolved { digest, media_type: media_type.to_owned(), size })
    }

    async fn resolve_by_get(&self, name: &ManifestRef) -> Result<Resolved, RemoteError> {
        let manifest = self.get_manifest(name).await?;
        // Nobody vouches for these bytes but the answer itself: a proxy's login page has a digest as well.
        manifest.read().map_err(|wrong| {
            let name = self.called(name);
            RemoteError::protocol(self.place(), format!("no manifest came for {name}: {wrong}"))
        })?;
        Ok(Resolved {
            digest: manifest.digest,
            media_type: manifest.media_type,
            size: Some(manifest.bytes.len() as u64),
        })
    }

    async fn get_manifest(&self, name: &ManifestRef) -> Result<ManifestBytes, RemoteError> {
        let request = self.manifest_request(Method::GET, name);
        let (max, what) = (MANIFEST_BYTES_SETTABLE_MAX, self.called(name));
        let answer = self.connection.exchange_whole(&request, max, &what).await?;
        let answer = answer.expect(&[200], &request).await?;
        let said = content_digest(answer.headers());
        let media_type =
            answer.header(header::CONTENT_TYPE).map(essence).unwrap_or_default().to_owned();
        let bytes = answer.body(max, &what).await?;
        let digest = self.check_manifest(name, said, &bytes)?;
        Ok(ManifestBytes { digest, media_type, bytes })
    }

    /// The digest of the bytes; it must be the asked one, and the one that the registry says.
    fn check_manifest(
        &self,
        name: &ManifestRef,
        said: Option<Digest>,
        bytes: &Bytes,
    ) -> Result<Digest, RemoteError> {
        let asked = match name {
            ManifestRef::Tag(_) => None,
            ManifestRef::Digest(digest) => Some(*digest),
        };
        for expected in asked.iter().chain(said.iter()) {
            expected.verify(bytes).map_err(|mismatch| RemoteError::DigestMismatch {
                place: self.place(),
                mismatch,
            })?;
        }
        Ok(asked.or(said).unwrap_or_else(|| Digest::sha256(bytes)))
    }
}

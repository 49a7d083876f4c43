//! Writing manifests: laws 1, 2 and 3 as a client meets them.
//!
//! ```text
//! PUT …/manifests/1.4                     If-None-Match: *        -> only if the tag names nothing
//! PUT …/manifests/uat                     If-Match: "sha256:9f…"  -> only if it names this
//! PUT …/manifests/sha256:9f…?tag=a&tag=b                          -> both tags or none
//! ```
//! The decision is `domain::decide_tag_write`, asked by the store inside the transaction.

use super::Context;
use super::answer::Answering;
use crate::access::Need;
use crate::body::{Body, Incomings};
use crate::reply::{Refusal, from_put};
use domain::{Digest, Expect, RepositoryPath, Tag, TagClass};
use http::header::{self, HeaderName};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use oci::{Manifest, ManifestPut};
use record::claim::Text;
use store::{PutDone, PutManifest, TagOutcome};

/// Why a tag is written, percent-encoded UTF-8; it stands in the tag's history.
const REASON: HeaderName = HeaderName::from_static("indelible-reason");
/// A tag of `?tag=` that was written. Source: OCI distribution-spec, "Pushing Manifests with tags".
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
/// The subject that the registry has seen.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// By what the path of the request names the manifest.
#[derive(Clone, Copy)]
enum Named {
    ByTag,
    ByDigest,
}

impl Context<'_> {
    /// `PUT …/manifests/<reference>`.
    pub(super) async fn put_manifest(
        &self,
        repository: RepositoryPath,
        put: ManifestPut,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        self.caller.needs(Need::Write, &repository)?;
        let (expect, reason) = (self.expected()?, self.reason()?);
        let place = self.app.upload_place()?;
        let limit = self.app.limits.manifest;
        let bytes =
            Incomings::new(body, self.app.limits.idle).whole(limit.bytes(), "a manifest").await?;
        let content_type = self.header(header::CONTENT_TYPE);
        let manifest =
            Manifest::read_within(&bytes, content_type, limit).map_err(Refusal::Document)?;
        let subject = manifest.subject.as_ref().map(|subject| subject.digest);
        let (digest, tags, named) = match put {
            ManifestPut::Tag(tag) => (Digest::sha256(&bytes), vec![tag], Named::ByTag),
            ManifestPut::Digest { digest, tags } => (digest, tags, Named::ByDigest),
        };
        let catalog = &self.app.catalog;
        let image = catalog.image(&repository, digest, bytes.len() as u64, &manifest).await?;
        let actor = self.caller.actor();
        let asked = PutManifest {
            repository: repository.clone(),
            digest,
            bytes,
            manifest,
            image,
            tags,
            expect,
            rights: self.caller.rights(),
            reason,
            by: self.app.stamping(actor)?,
        };
        let done = catalog.put_manifest(asked).await;
        drop(place);
        let done = done.map_err(|error| from_put(error, actor, &repository, digest))?;
        Ok(self.written(&repository, &done, subject, named))
    }

    fn written(
        &self,
        repository: &RepositoryPath,
        done: &PutDone,
        subject: Option<Digest>,
        named: Named,
    ) -> Response<Body> {
        let digest = done.digest.to_string();
        let mut answer = Answering::new(StatusCode::CREATED)
            .with(header::LOCATION, &format!("/v2/{repository}/manifests/{digest}"))
            .with(header::ETAG, &format!("\"{digest}\""))
            .digest(&digest);
        if let Some(subject) = subject {
            answer = answer.with(OCI_SUBJECT, &subject.to_string());
        }
        match named {
            Named::ByTag => {}
            Named::ByDigest => {
                for (tag, _) in &done.tags {
                    answer = answer.with(OCI_TAG, tag.as_str());
                }
            }
        }
        let words =
            done.tags.iter().filter_map(|(tag, outcome)| self.words(repository, tag, outcome));
        let words: Vec<String> = words.collect();
        answer.warn(&words.iter().map(String::as_str).collect::<Vec<_>>()).empty()
    }

    /// What the person behind the client should know now, rather than at the next push.
    fn words(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
        outcome: &TagOutcome,
    ) -> Option<String> {
        match outcome {
            TagOutcome::Created => match self.app.rules().class_of(repository, tag) {
                TagClass::Immutable => Some(format!(
                    "tag `{tag}` is immutable from now on: it names these bytes for ever"
                )),
                TagClass::Alias | TagClass::Append => None,
            },
            TagOutcome::Moved { from } => Some(format!("tag `{tag}` moved; it named {from}")),
            TagOutcome::Restored { last } => {
                Some(format!("tag `{tag}` had been deleted and is back; it had named {last}"))
            }
            TagOutcome::Same => None,
        }
    }

    /// Reads the condition of the write.
    fn expected(&self) -> Result<Expect, Refusal> {
        let matching = self.header(header::IF_MATCH);
        let none_matching = self.header(header::IF_NONE_MATCH);
        match (matching, none_matching) {
            (None, None) => Ok(Expect::Anything),
            (None, Some("*")) => Ok(Expect::Absent),
            (Some(etag), None) => {
                let digest = etag.trim().trim_matches('"').parse();
                digest.map(Expect::Digest).map_err(|_| {
                    Refusal::Invalid("`If-Match` is not one digest in quotes".to_owned())
                })
            }
            (None, Some(_)) => {
                Err(Refusal::Invalid("`If-None-Match` of a write is `*`".to_owned()))
            }
            (Some(_), Some(_)) => Err(Refusal::Invalid(
                "a write has `If-Match` or `If-None-Match`, not both".to_owned(),
            )),
        }
    }

    pub(super) fn reason(&self) -> Result<Option<Text>, Refusal> {
        let Some(encoded) = self.header(REASON) else {
            return Ok(None);
        };
        let invalid = |why: String| Refusal::Invalid(format!("`{REASON}`: {why}"));
        let plain = oci::query::decode(encoded).map_err(|why| invalid(why.to_string()))?;
        Text::try_from(plain).map(Some).map_err(|why| invalid(why.to_string()))
    }
}

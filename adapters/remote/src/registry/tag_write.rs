//! Writes manifests and tags: create-only for tags that must not move, compare-and-move for aliases.
//!
//! ```text
//! 1.4.2   absent      -> Created
//! 1.4.2   same digest -> Same            a re-run is no event
//! 1.4.2   other       -> Taken { there } nothing was written
//! uat     expected    -> Moved { from }
//! ```
//! No registry but ours makes "create only" atomic, and most ignore conditions on a PUT: so each write is
//! asked before, sent with a condition, and asked after. Source: research/tagging.md §5.

use domain::{Digest, Tag};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::{Method, header};
use oci::client::header::{subject, tags as echoed_tags};
use oci::limit::TAGS_IN_REQUEST_MAX;
use oci::route::ManifestRef;
use oci::target;

use super::RemoteRepository;
use super::request::{Body, Request};
use crate::content::ManifestBytes;
use crate::error::{Answered, RemoteError};

/// How many tags are asked for at once.
const ASKED_AT_ONCE: usize = 6;

/// Where a tag points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagAt {
    /// The registry says that there is no such tag.
    Absent,
    /// At this manifest.
    Digest(Digest),
}

/// What became of a tag that was to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagWrite {
    /// It is new, and names the digest.
    Created,
    /// It named the digest before.
    Same,
    /// It names something else, and was left there.
    Taken {
        /// What it names.
        there: Digest,
    },
    /// The registry refused, and there is no such tag.
    Denied {
        /// What it said.
        answered: Answered,
    },
    /// It was not tried, because another tag of the same request is taken or denied.
    Skipped,
}

/// What became of an alias that was to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasMove {
    /// It names the digest now.
    Moved {
        /// Where it pointed before.
        from: TagAt,
    },
    /// It named the digest before.
    Same,
    /// It is not where it was expected, before the write or after it.
    Elsewhere {
        /// Where it points.
        there: TagAt,
    },
    /// The registry refused.
    Denied {
        /// What it said.
        answered: Answered,
    },
}

/// The condition on a PUT of a tag.
enum Condition {
    None,
    Absent,
    At(Digest),
}

/// What a PUT led to, before anybody looked.
enum Put {
    Done(Vec<Tag>),
    MaybeImmutable(Answered),
}

impl RemoteRepository {
    /// Puts a manifest under its digest, without any tag. Says whether the registry keeps its referrers.
    ///
    /// # Errors
    /// The registry does not take it; it names a digest that is not that of the bytes.
    pub async fn put_manifest(
        &self,
        manifest: &ManifestBytes,
    ) -> Result<SubjectNoted, RemoteError> {
        self.check_own(manifest)?;
        let request =
            self.put_request(&ManifestRef::Digest(manifest.digest), manifest, &Condition::None);
        let answer = self.connection.exchange(&request).await?;
        let answer = answer.expect(&[200, 201, 202], &request).await?;
        Ok(match subject(answer.headers()) {
            Some(_) => SubjectNoted::ByRegistry,
            None => SubjectNoted::No,
        })
    }

    /// Puts a manifest and creates tags for it; each tag's fate is told, in the order given.
    ///
    /// When one of the tags is taken before the write, none is written.
    ///
    /// # Errors
    /// The manifest is not taken, or it could not be found out where a tag points.
    pub async fn put_manifest_tagged(
        &self,
        manifest: &ManifestBytes,
        tags: &[Tag],
    ) -> Result<Vec<TagWrite>, RemoteError> {
        self.put_manifest(manifest).await?;
        let before = self.tags_at(tags).await?;
        let digest = manifest.digest;
        let is_taken = |at: &TagAt| matches!(at, TagAt::Digest(there) if *there != digest);
        if before.iter().any(is_taken) {
            return Ok(before
                .iter()
                .map(|at| fate_before(at, &digest, TagWrite::Skipped))
                .collect());
        }
        let absent = tags.iter().zip(&before).filter(|(_, at)| **at == TagAt::Absent);
        let wanted: Vec<Tag> = absent.map(|(tag, _)| tag.clone()).collect();
        let mut written = self.create_tags(manifest, &wanted).await?.into_iter();
        let next = before.iter().map(|at| match at {
            TagAt::Absent => written.next().unwrap_or(TagWrite::Skipped),
            TagAt::Digest(_) => TagWrite::Same,
        });
        Ok(next.collect())
    }

    /// Creates one tag for a manifest that is there.
    ///
    /// # Errors
    /// As [`RemoteRepository::put_manifest_tagged`].
    pub async fn tag(&self, manifest: &ManifestBytes, tag: &Tag) -> Result<TagWrite, RemoteError> {
        let before = self.tag_at(tag).await?;
        if before != TagAt::Absent {
            return Ok(fate_before(&before, &manifest.digest, TagWrite::Skipped));
        }
        self.create_one(manifest, tag).await
    }

    /// Moves an alias to a manifest that is there, if it still points where `expected` says.
    ///
    /// # Errors
    /// It could not be found out where the alias points.
    pub async fn move_alias(
        &self,
        manifest: &ManifestBytes,
        alias: &Tag,
        expected: TagAt,
    ) -> Result<AliasMove, RemoteError> {
        let digest = manifest.digest;
        let before = self.tag_at(alias).await?;
        if before == TagAt::Digest(digest) {
            return Ok(AliasMove::Same);
        }
        if before != expected {
            return Ok(AliasMove::Elsewhere { there: before });
        }
        let condition = match expected {
            TagAt::Absent => Condition::Absent,
            TagAt::Digest(there) => Condition::At(there),
        };
        let put = self.put_tag(manifest, alias, &condition).await?;
        // Also after a success: most registries ignore the condition, and another writer may be as quick.
        let after = self.tag_at(alias).await?;
        Ok(match (put, after) {
            (_, TagAt::Digest(there)) if there == digest => AliasMove::Moved { from: before },
            (Put::MaybeImmutable(answered), there) if there == expected => {
                AliasMove::Denied { answered }
            }
            (_, there) => AliasMove::Elsewhere { there },
        })
    }

    async fn tags_at(&self, tags: &[Tag]) -> Result<Vec<TagAt>, RemoteError> {
        let asked = tags.iter().map(|tag| self.tag_at(tag));
        stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await
    }

    /// Creates tags that were absent: all in one request where the registry can, else one by one.
    async fn create_tags(
        &self,
        manifest: &ManifestBytes,
        tags: &[Tag],
    ) -> Result<Vec<TagWrite>, RemoteError> {
        let mut echoed = Vec::new();
        if tags.len() > 1 {
            for some in tags.chunks(TAGS_IN_REQUEST_MAX) {
                echoed.extend(self.put_many(manifest, some).await?);
            }
        }
        let mut fates = Vec::with_capacity(tags.len());
        let mut is_stopped = false;
        for tag in tags {
            // The status says nothing: distribution answers 201 and creates no tag.
            let fate = if echoed.contains(tag) {
                self.fate_after(manifest, tag, None).await?
            } else if is_stopped {
                TagWrite::Skipped
            } else {
                self.create_one(manifest, tag).await?
            };
            is_stopped |= matches!(fate, TagWrite::Taken { .. } | TagWrite::Denied { .. });
            fates.push(fate);
        }
        Ok(fates)
    }

    /// `PUT <digest>?tag=a&tag=b`; the tags that the registry says it wrote.
    async fn put_many(
        &self,
        manifest: &ManifestBytes,
        tags: &[Tag],
    ) -> Result<Vec<Tag>, RemoteError> {
        let mut request =
            self.put_request(&ManifestRef::Digest(manifest.digest), manifest, &Condition::None);
        let target = target::manifest_with_tags(&self.path, &manifest.digest, tags);
        request.to = super::request::Destination::Target(target);
        match self.send_put(&request).await? {
            Put::Done(echoed) => Ok(echoed),
            // Each tag is tried alone next, and says itself what is wrong.
            Put::MaybeImmutable(_) => Ok(Vec::new()),
        }
    }

    async fn create_one(
        &self,
        manifest: &ManifestBytes,
        tag: &Tag,
    ) -> Result<TagWrite, RemoteError> {
        let refused = match self.put_tag(manifest, tag, &Condition::Absent).await? {
            Put::Done(_) => None,
            Put::MaybeImmutable(answered) => Some(answered),
        };
        self.fate_after(manifest, tag, refused).await
    }

    /// What a tag names after it was written, or refused.
    async fn fate_after(
        &self,
        manifest: &ManifestBytes,
        tag: &Tag,
        refused: Option<Answered>,
    ) -> Result<TagWrite, RemoteError> {
        match (self.tag_at(tag).await?, refused) {
            (TagAt::Digest(there), refused) if there == manifest.digest => Ok(match refused {
                None => TagWrite::Created,
                Some(_) => TagWrite::Same,
            }),
            (TagAt::Digest(there), _) => Ok(TagWrite::Taken { there }),
            (TagAt::Absent, Some(answered)) => Ok(TagWrite::Denied { answered }),
            (TagAt::Absent, None) => Err(RemoteError::protocol(
                self.place(),
                format!("it took the tag {}:{tag}, and now says that there is none", self.path),
            )),
        }
    }

    async fn put_tag(
        &self,
        manifest: &ManifestBytes,
        tag: &Tag,
        condition: &Condition,
    ) -> Result<Put, RemoteError> {
        self.check_own(manifest)?;
        let request = self.put_request(&ManifestRef::Tag(tag.clone()), manifest, condition);
        self.send_put(&request).await
    }

    async fn send_put(&self, request: &Request) -> Result<Put, RemoteError> {
        let answer = self.connection.exchange(request).await?;
        match answer.status().as_u16() {
            200..=202 => Ok(Put::Done(echoed_tags(answer.headers()))),
            // What registries answer for an immutable tag; none says it in a way to rely on.
            400 | 403 | 405 | 409 | 412 => Ok(Put::MaybeImmutable(answer.said().await)),
            _ => Err(answer.into_error(request).await),
        }
    }

    fn put_request(
        &self,
        name: &ManifestRef,
        manifest: &ManifestBytes,
        condition: &Condition,
    ) -> Request {
        let request = Request::new(Method::PUT, target::manifest(&self.path, name))
            .text(header::CONTENT_TYPE, &manifest.media_type)
            .body(Body::Bytes(manifest.bytes.clone()))
            .scopes(self.push())
            .about(format!("repository {} to push to", self.path))
            .doing(format!("write {}", self.called(name)));
        match condition {
            Condition::None => request,
            Condition::Absent => request.text(header::IF_NONE_MATCH, "*"),
            Condition::At(digest) => request.text(header::IF_MATCH, &format!("\"{digest}\"")),
        }
    }

    fn check_own(&self, manifest: &ManifestBytes) -> Result<(), RemoteError> {
        let checked = manifest.digest.verify(&manifest.bytes);
        checked.map_err(|mismatch| RemoteError::DigestMismatch {
            place: "the source".to_owned(),
            mismatch,
        })
    }
}

/// Whether a manifest's subject will know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectNoted {
    /// The registry keeps the list of referrers.
    ByRegistry,
    /// There is no subject, or the client has to keep the list itself.
    No,
}

fn fate_before(at: &TagAt, digest: &Digest, absent: TagWrite) -> TagWrite {
    match at {
        TagAt::Absent => absent,
        TagAt::Digest(there) if there == digest => TagWrite::Same,
        TagAt::Digest(there) => TagWrite::Taken { there: *there },
    }
}

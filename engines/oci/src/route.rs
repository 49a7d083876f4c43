//! What a request asks for, decided from its method, path and query alone.
//!
//! ```text
//! GET  /v2/shop/api/manifests/1.4             -> GetManifest { repository, reference: Tag(1.4), body: Body }
//! PUT  /v2/shop/api/blobs/uploads/<id>?digest=… -> FinishUpload { repository, upload, digest }
//! GET  /v2/shop/api/_indelible/tags/1.4/history -> TagHistory { repository, tag, page }
//! ```
//! Percent-encoding is undone once, per segment, after the split: `%2f` is never a separator. An upload's
//! state is in its path, because some clients drop the query of a `Location`.
//! Source: OCI distribution-spec 1.1, "Endpoints".

mod end;
mod read;

use crate::limit::{PAGE_ENTRIES_MAX, TAGS_IN_REQUEST_MAX, TARGET_BYTES_MAX};
use crate::upload_id::UploadId;
use domain::{Algorithm, Digest, RepositoryPath, Tag};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /v2/`: is this a registry, and may I come in.
    Ping,
    /// `GET|HEAD …/blobs/<digest>`.
    GetBlob {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        digest: Digest,
        /// GET or HEAD.
        answer: Answer,
    },
    /// `DELETE …/blobs/<digest>`.
    DeleteBlob {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        digest: Digest,
    },
    /// `POST …/blobs/uploads/`.
    StartUpload {
        /// Where.
        repository: RepositoryPath,
        /// How it starts.
        start: UploadStart,
    },
    /// `PATCH …/blobs/uploads/<id>`: the next chunk.
    PatchUpload {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        upload: UploadId,
    },
    /// `PUT …/blobs/uploads/<id>?digest=`: perhaps a last chunk, and the digest of all.
    FinishUpload {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        upload: UploadId,
        /// What all of it must be.
        digest: Digest,
    },
    /// `GET …/blobs/uploads/<id>`: how far it is.
    UploadStatus {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        upload: UploadId,
    },
    /// `DELETE …/blobs/uploads/<id>`.
    CancelUpload {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        upload: UploadId,
    },
    /// `GET|HEAD …/manifests/<tag or digest>`.
    GetManifest {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        reference: ManifestRef,
        /// GET or HEAD.
        answer: Answer,
    },
    /// `PUT …/manifests/<tag or digest>`.
    PutManifest {
        /// Where.
        repository: RepositoryPath,
        /// Under what.
        put: ManifestPut,
    },
    /// `DELETE …/manifests/<tag or digest>`.
    DeleteManifest {
        /// Where.
        repository: RepositoryPath,
        /// Which.
        reference: ManifestRef,
    },
    /// `GET …/tags/list`.
    Tags {
        /// Where.
        repository: RepositoryPath,
        /// From which, and how many.
        page: PageQuery,
    },
    /// `GET …/referrers/<digest>`.
    Referrers {
        /// Where.
        repository: RepositoryPath,
        /// What they are attached to.
        subject: Digest,
        /// Only of this type.
        artifact_type: Option<String>,
        /// After which digest, and how many.
        page: PageQuery,
    },
    /// `GET /v2/_catalog`.
    Catalog {
        /// From which, and how many.
        page: PageQuery,
    },
    /// `GET …/_indelible/tags/<tag>/history`, or the draft's `…/_oci/tag-history/<tag>`.
    TagHistory {
        /// Where.
        repository: RepositoryPath,
        /// Which tag.
        tag: Tag,
        /// From which entry, and how many; newest first.
        page: PageQuery,
    },
}

/// Whether the body goes out too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// GET.
    Whole,
    /// HEAD.
    HeadersOnly,
}

/// How an upload starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadStart {
    /// An upload with chunks to come.
    Session {
        /// What it will be hashed with.
        algorithm: Algorithm,
    },
    /// `?digest=`: the body of the POST is the blob.
    Whole {
        /// What it must be.
        digest: Digest,
    },
    /// `?mount=`: the registry has it already; else a session starts.
    Mount {
        /// What to link.
        digest: Digest,
        /// From where; `None`: from any repository that the caller may read, also when `from` is no name.
        from: Option<RepositoryPath>,
    },
}

/// Which manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestRef {
    /// The one that the tag names now.
    Tag(Tag),
    /// The one with this digest.
    Digest(Digest),
}

/// Under what a manifest is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestPut {
    /// Under a tag; the digest is the body's.
    Tag(Tag),
    /// Under its digest, and under these tags in one transaction; there may be none.
    Digest {
        /// What the body must be.
        digest: Digest,
        /// Each once, in the order of the query.
        tags: Vec<Tag>,
    },
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// `n`; `None`: as many as a page holds. May be 0.
    pub n: Option<usize>,
    /// `last`: go on after this one.
    pub last: Option<String>,
}

impl PageQuery {
    /// How many entries to answer: `n`, or a page's most where it asks for more, or for no number.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.n.unwrap_or(PAGE_ENTRIES_MAX).min(PAGE_ENTRIES_MAX)
    }
}

/// Why a request is none of ours. The status and code are in [`RouteError::answer`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No such place.
    #[error("no such path in the registry API")]
    NotFound,
    /// The place exists, the method does not.
    #[error("{method} is not supported here, {allow} are")]
    Method {
        /// What was asked.
        method: String,
        /// The `Allow` header.
        allow: &'static str,
    },
    /// The path and query are too long.
    #[error("the path and query have {found} bytes, at most {TARGET_BYTES_MAX} are accepted")]
    Long {
        /// Their length.
        found: usize,
    },
    /// Too many `?tag=`.
    #[error("the request names {found} tags, at most {TAGS_IN_REQUEST_MAX} are accepted")]
    ManyTags {
        /// Their number.
        found: usize,
    },
    /// The repository's name.
    #[error("invalid repository name")]
    Name(#[source] domain::RepositoryError),
    /// A digest.
    #[error("invalid digest")]
    Digest(#[source] domain::DigestError),
    /// `?digest-algorithm=`.
    #[error("`digest-algorithm` is neither sha256 nor sha512")]
    Algorithm,
    /// An upload is finished by its digest.
    #[error("the upload is finished with `?digest=`, which is missing")]
    DigestMissing,
    /// A tag that is to be written.
    #[error("invalid tag")]
    Tag(#[source] domain::TagError),
    /// A tag that is read cannot exist.
    #[error("no such manifest: the reference is neither a tag nor a digest")]
    NoSuchManifest,
    /// An upload's name.
    #[error("no such upload")]
    Upload(#[from] crate::upload_id::UploadIdError),
    /// `?n=`.
    #[error("`n` is not a number of entries")]
    PageNumber,
    /// Percent-encoding, or a parameter twice.
    #[error(transparent)]
    Query(#[from] crate::query::QueryError),
    /// A slash, backslash or control character inside a segment.
    #[error("a path segment holds an encoded separator or control character")]
    Separator,
}

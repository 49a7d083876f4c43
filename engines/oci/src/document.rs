//! OCI and Docker documents: read leniently in what they add, strictly in what they mean.
//!
//! ```text
//! bytes, Content-Type -> Manifest { media_type, kind: Image { config, layers } | Index { manifests }, … }
//! ```
//! Unknown fields are passed over, so a caller keeps the bytes verbatim and never writes a stranger's
//! document again. Bytes that two parsers could read differently are refused.

pub mod archive;
pub mod build;
pub mod config;
pub mod descriptor;
pub mod layout;
pub mod manifest;
pub mod referrers;
pub mod runs_on;

mod strict;

use crate::media_type::MediaTypeError;
use serde::de::DeserializeOwned;

/// Why bytes are not a document that is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Larger than the limit: answered 413, where the others are 400.
    #[error("the document has {found} bytes, at most {max} are accepted")]
    Size {
        /// Its length.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// Not text.
    #[error("the document is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// The first wrong byte.
        offset: usize,
    },
    /// A mark that some parsers skip and others refuse.
    #[error("the document starts with a byte-order mark")]
    ByteOrderMark,
    /// Not JSON, or JSON with a duplicate key, too deep, with bytes after it, or of the wrong shape.
    #[error("the document is not as expected: {reason}")]
    Json {
        /// What and where.
        reason: String,
    },
    /// A key that a case-blind parser would take for another.
    #[error("the key `{found}` is read as `{meant}` by some parsers: write `{meant}`", found = found.escape_debug())]
    KeyCase {
        /// What is written.
        found: String,
        /// What it is taken for.
        meant: &'static str,
    },
    /// The `Content-Type` or `mediaType` names nothing that is supported.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// The request says one thing, the document another.
    #[error("the content type is `{content_type}`, but the document says `{media_type}`", content_type = content_type.escape_debug(), media_type = media_type.escape_debug())]
    TypesDiffer {
        /// The request's.
        content_type: String,
        /// The document's.
        media_type: String,
    },
    /// The document says no version, or another than 2.
    #[error("`schemaVersion` is {found}, 2 is expected", found = found.map_or_else(|| "missing".to_owned(), |version| version.to_string()))]
    SchemaVersion {
        /// What it says.
        found: Option<i64>,
    },
    /// Neither, or both, of an image's and an index's fields; or not those that its type has.
    #[error("{problem}")]
    Shape {
        /// What is wrong.
        problem: &'static str,
    },
    /// A descriptor whose `data` is not what its digest and size name.
    #[error("the `data` of {digest} is not the content that its digest and size name")]
    Data {
        /// The digest.
        digest: String,
    },
    /// A path that leaves its archive.
    #[error("`{path}` is not a path inside the archive", path = path.escape_debug())]
    Path {
        /// The path, cut.
        path: String,
    },
}

/// Checks size and strictness, then reads into a type that passes over unknown fields.
fn read_json<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, DocumentError> {
    if bytes.len() > bytes_max {
        return Err(DocumentError::Size { found: bytes.len(), max: bytes_max });
    }
    strict::check(bytes)?;
    serde_json::from_slice(bytes).map_err(|wrong| DocumentError::Json { reason: wrong.to_string() })
}

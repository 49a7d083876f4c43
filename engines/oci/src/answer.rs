//! The status and code by which our own refusals are answered.

use crate::document::DocumentError;
use crate::error_code::ErrorCode;
use crate::route::RouteError;
use http::StatusCode;

impl RouteError {
    /// The status and code of the answer.
    #[must_use]
    pub fn answer(&self) -> (StatusCode, ErrorCode) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, ErrorCode::Unsupported),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported),
            Self::Long { .. } => (StatusCode::URI_TOO_LONG, ErrorCode::Unsupported),
            Self::ManyTags { .. } => (StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid),
            Self::Name(_) | Self::Separator => (bad, ErrorCode::NameInvalid),
            Self::Digest(_) | Self::DigestMissing | Self::Algorithm => {
                (bad, ErrorCode::DigestInvalid)
            }
            Self::Tag(_) => (bad, ErrorCode::TagInvalid),
            Self::NoSuchManifest => (StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown),
            Self::Upload(_) => (StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown),
            Self::PageNumber => (bad, ErrorCode::PaginationNumberInvalid),
            Self::Query(_) => (bad, ErrorCode::Unsupported),
        }
    }
}

impl DocumentError {
    /// The status and code of the answer to a manifest that is put.
    #[must_use]
    pub fn answer(&self) -> (StatusCode, ErrorCode) {
        match self {
            Self::Size { .. } => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid),
            Self::MediaType(_)
            | Self::NotUtf8 { .. }
            | Self::ByteOrderMark
            | Self::Json { .. }
            | Self::KeyCase { .. }
            | Self::TypesDiffer { .. }
            | Self::SchemaVersion { .. }
            | Self::Shape { .. }
            | Self::Data { .. }
            | Self::Path { .. } => (StatusCode::BAD_REQUEST, ErrorCode::ManifestInvalid),
        }
    }
}

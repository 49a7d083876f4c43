//! The OCI distribution protocol, both ends, and the documents that it carries.
//!
//! ```text
//! server   method, path, query      -> Route
//! client   RegistryHost, what       -> Uri; status, headers, body -> what the registry said
//! both     bytes, Content-Type      -> Manifest
//! ```
//! Pure: no socket, file, clock or randomness; whoever has those calls in here and carries out what comes
//! back. Bytes of manifests are never written again after they were read: their digest is their name.
//! Source: OCI distribution-spec 1.1, OCI image-spec 1.1, and what clients do beside them.

pub mod client;
pub mod document;
pub mod error_code;
pub mod fuzz;
pub mod history;
pub mod limit;
pub mod link;
pub mod media_type;
pub mod page;
pub mod query;
pub mod range;
pub mod refusal;
pub mod route;
pub mod target;
pub mod upload_id;
pub mod warning;

mod answer;

pub use document::DocumentError;
pub use document::build::{Compression, ImageFormat};
pub use document::config::{ImageConfig, NewImageConfig};
pub use document::descriptor::Descriptor;
pub use document::manifest::{Kind, Manifest, extends};
pub use document::referrers::{ReferrersPage, fallback_tag, referrer_descriptor, referrers_page};
pub use document::runs_on::platform_of;
pub use error_code::{ErrorCode, ErrorEntry, RemoteError, read_errors, write_errors};
pub use limit::ManifestLimit;
pub use media_type::ManifestType;
pub use range::{BlobPart, ChunkRange};
pub use refusal::{RefusedReason, RefusedWrite};
pub use route::{Answer, ManifestPut, ManifestRef, PageQuery, Route, RouteError, UploadStart};
pub use upload_id::UploadId;

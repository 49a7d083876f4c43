//! Places an image can be: a registry, an OCI layout, an archive, a docker daemon; and their credentials.
//!
//! ```text
//! "oci:build/image:v1"  -> Source::Layout        -> Layout      read and write
//! "docker-daemon:api:1" -> Source::Daemon        -> Daemon      saved, then read as a docker archive
//! "docker://ghcr.io/a"  -> Source::Registry      -> Registry    read and write
//! ```
//! Content is hashed while it streams: what was delivered without an error is what its digest names.
//! "Could not find out" is an error and never [`RemoteError::NotFound`]. Reads no environment variable and
//! no settings: hosts, credentials, folders and patience come as arguments. For `https` the process must
//! have installed a rustls provider.

pub mod archive;
pub mod content;
pub mod copy;
pub mod credentials;
pub mod daemon;
pub mod error;
pub mod hook;
pub mod layout;
pub mod place;
pub mod registry;
pub mod source;

mod file_read;

pub use content::{BlobSource, BlobStream, ManifestBytes, Resolved};
pub use copy::{Copied, CopyOptions, ReferrersToo, copy};
pub use credentials::{Credential, Credentials, DockerConfig};
pub use daemon::{Daemon, DockerHost};
pub use error::{Answered, RemoteError, Stage, or_absent};
pub use hook::{Called, Hook, HookError};
pub use place::{Opener, Place, Target};
pub use registry::{
    AliasMove, Patience, Proxies, Registry, RegistrySettings, RemoteRepository, TagAt, TagWrite,
    UploadWay,
};
pub use source::{Source, SourceError};

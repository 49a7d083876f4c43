//! What a server is started with: the folder, the address, who may come in, and every limit by name.
//!
//! ```text
//! Options { data: "./data", listen: 127.0.0.1:5080, anonymous: OnLoopback, public_hosts: [], limits }
//! ```
//! Settings of the registry itself (rules, tokens) are in its record, not here.

use crate::scrape::Numbers;
use oci::ManifestLimit;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What [`crate::serve()`] needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder; it is made where it does not exist.
    pub data: PathBuf,
    /// The address to bind; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whom to let in without a token.
    pub anonymous: Anonymous,
    /// Names beside `localhost` and addresses under which clients reach this server.
    pub public_hosts: Vec<String>,
    /// What is accepted.
    pub limits: Limits,
    /// What is answered.
    pub serves: Serves,
    /// What stands in `/metrics` beside the server's own numbers.
    pub numbers: Option<Numbers>,
}

/// What a server answers, beside `/healthz`, `/readyz` and `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Serves {
    /// The registry and the API.
    #[default]
    Both,
    /// `/v2/` only.
    Registry,
    /// `/api/v1/` only.
    Api,
    /// Neither: it works by itself.
    Neither,
}

impl Serves {
    pub(crate) fn has_registry(self) -> bool {
        match self {
            Self::Both | Self::Registry => true,
            Self::Api | Self::Neither => false,
        }
    }

    pub(crate) fn has_api(self) -> bool {
        match self {
            Self::Both | Self::Api => true,
            Self::Registry | Self::Neither => false,
        }
    }
}

/// Whom to let in without a token; from the first token on that was ever made, nobody.
///
/// Revoking the last token does not open the door again: that would turn a lock into its opposite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anonymous {
    /// Everybody on this machine, with every right. Binding wider without any token is refused.
    #[default]
    OnLoopback,
    /// Nobody: `admin.token` makes the first token.
    Nowhere,
    /// Everybody who reaches the address: said outright by whoever starts the server.
    Everywhere,
}

/// What a stranger may send, and how long a wait may last.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest manifest.
    pub manifest: ManifestLimit,
    /// The largest blob, in bytes.
    pub blob_bytes_max: u64,
    /// Connections that are served at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Bodies of blobs and manifests that are taken in at once; more are answered 429.
    pub uploads_at_once_max: usize,
    /// The longest that a connection may do nothing, or a body may stand still.
    pub idle: Duration,
    /// The longest that a stop waits for requests that are under way.
    pub drain: Duration,
}

/// The body of a JSON request to `/api/v1`, in bytes.
pub const API_BODY_BYTES_MAX: usize = 64 << 10;

/// The body of `POST /api/v1/claims`, in bytes: as many claims as fit at once, each as long as it may be.
pub const CLAIMS_BODY_BYTES_MAX: usize = 16 << 20;

/// The body of `POST /api/v1/import`, in bytes: whoever moves a record sends it in pieces of half of that.
pub const IMPORT_BODY_BYTES_MAX: usize = 16 << 20;

/// The events of one page of the record, in bytes: a page ends early rather than be larger.
pub const LOG_PAGE_BYTES_MAX: usize = 8 << 20;

/// The slowest body that is waited for once the idle time is over, in bytes a second: a body that
/// trickles would else hold its place for days.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 1 << 10;

impl Default for Limits {
    /// Source: DESIGN §12, limits.
    fn default() -> Self {
        Self {
            manifest: ManifestLimit::default(),
            blob_bytes_max: oci::limit::BLOB_BYTES_DEFAULT,
            connections_max: 1_024,
            uploads_at_once_max: 256,
            idle: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

impl Options {
    /// A server on a free port of this machine, as tests and the demo want it.
    #[must_use]
    pub fn loopback(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            anonymous: Anonymous::default(),
            public_hosts: Vec::new(),
            limits: Limits::default(),
            serves: Serves::default(),
            numbers: None,
        }
    }
}

//! A registry over HTTP: the client of the OCI distribution protocol.
//!
//! ```text
//! Registry::new("ghcr.io", …).repository("shop/api").resolve(Tag("1.4"))  ->  sha256:9f…
//! ```
//! Own client, because a pin needs what ready-made ones hide: headers, conditions, retries and the
//! difference between "absent" and "could not find out". HTTP/2 where the registry offers it. Clear text
//! only to loopback and to hosts that the caller lists.

mod answer;
mod auth;
mod blob_read;
mod connection;
mod egress;
mod list;
mod manifest_read;
mod pace;
mod patience;
mod proxy;
mod referrers;
mod request;
mod retry;
mod tag_write;
mod upload;

use std::num::NonZeroU64;
use std::sync::Arc;

use domain::{RegistryHost, Repository, RepositoryPath};
use oci::client::token::{Access, scope};
use oci::client::url::Scheme;

use crate::credentials::Credentials;
use crate::error::RemoteError;
use connection::Connection;

pub use blob_read::BlobHeld;
pub(crate) use egress::{Reach, reach};
pub use list::TagList;
pub use patience::Patience;
pub use proxy::Proxies;
pub(crate) use proxy::Ways;
pub use tag_write::{AliasMove, SubjectNoted, TagAt, TagWrite};
pub use upload::BlobPut;

/// How blobs are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UploadWay {
    /// POST, then one PUT with all of it.
    #[default]
    Whole,
    /// POST, PATCHes of so many bytes, an empty PUT: for registries behind proxies with a body limit.
    Chunks(NonZeroU64),
}

/// What the caller decides about a registry.
#[derive(Clone, Debug, Default)]
pub struct RegistrySettings {
    /// Who we are.
    pub credentials: Credentials,
    /// Hosts that are spoken to in clear text; loopback needs no entry.
    pub plain_http: Vec<RegistryHost>,
    /// Hosts that a registry may send us on to although their addresses are private.
    pub may_send_on_to: Vec<RegistryHost>,
    /// HTTP proxies, and what is reached without them.
    pub proxies: Proxies,
    /// Certificates in PEM that are trusted beside the system's.
    pub certificates: Vec<Vec<u8>>,
    /// How long is waited and how often is retried.
    pub patience: Patience,
    /// How blobs are sent.
    pub upload: UploadWay,
}

/// One registry. Clones share connections and tokens.
#[derive(Clone, Debug)]
pub struct Registry {
    connection: Arc<Connection>,
}

impl Registry {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// The certificates or the proxy cannot be used.
    pub fn new(host: RegistryHost, settings: RegistrySettings) -> Result<Self, RemoteError> {
        let connection = Arc::new(Connection::new(host, settings)?);
        Ok(Self { connection })
    }

    /// One repository of it.
    #[must_use]
    pub fn repository(&self, path: RepositoryPath) -> RemoteRepository {
        RemoteRepository { connection: self.connection.clone(), path }
    }

    /// The host, as references name it.
    #[must_use]
    pub fn host(&self) -> &RegistryHost {
        self.connection.host()
    }

    /// Whether it is spoken to in clear text.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.connection.scheme()
    }

    /// The client that asks it, for what the distribution protocol does not have: proxies, certificates and the
    /// gate for addresses are this registry's. It follows no redirect, reaches no other name, and knows no
    /// credentials. Only this host is to be asked.
    ///
    /// # Errors
    /// The client cannot be set up.
    pub fn client(&self) -> Result<reqwest::Client, RemoteError> {
        self.connection.client(self.scheme().as_str())
    }

    /// Asks whether there is a registry that lets us in.
    ///
    /// # Errors
    /// There is none, it cannot be reached, or it refuses us.
    pub async fn ping(&self) -> Result<(), RemoteError> {
        let request = request::Request::get(oci::target::PING).doing("answer /v2/");
        let answer = self.connection.exchange(&request).await?;
        answer.expect(&[200], &request).await.map(drop)
    }
}

/// A repository on a registry. Clones share connections and tokens.
#[derive(Clone, Debug)]
pub struct RemoteRepository {
    connection: Arc<Connection>,
    path: RepositoryPath,
}

impl RemoteRepository {
    /// The path on the registry.
    #[must_use]
    pub fn path(&self) -> &RepositoryPath {
        &self.path
    }

    /// The registry's host.
    #[must_use]
    pub fn host(&self) -> &RegistryHost {
        self.connection.host()
    }

    /// Host and path together.
    ///
    /// # Errors
    /// The two together are too long for a name.
    pub fn name(&self) -> Result<Repository, domain::RepositoryError> {
        Repository::new(self.host().clone(), self.path.clone())
    }

    /// Whether the other is on the same registry, so that blobs can be mounted.
    #[must_use]
    pub fn shares_registry_with(&self, other: &Self) -> bool {
        self.host() == other.host()
    }

    fn place(&self) -> String {
        format!("registry {}", self.host())
    }

    fn pull(&self) -> Vec<String> {
        vec![scope(&self.path, Access::Pull)]
    }

    fn push(&self) -> Vec<String> {
        vec![scope(&self.path, Access::PullPush)]
    }

    fn delete(&self) -> Vec<String> {
        vec![scope(&self.path, Access::PullPushDelete)]
    }
}

//! Registries as flows see them: answers in our words, and "could not find out" apart from "no".
//!
//! ```text
//! resolve(shop/api, uat) -> Some(sha256:9f…)   None: it is certain that there is no such tag
//! create_tag(shop/api, v1, sha256:9f…) -> Created | Same | Taken { there, said }
//! ```
//! Joins `adapters/remote` (the protocol) and `adapters/vendors` (our own server's rules and history).

mod describe;
mod error;
mod inspect;
mod mirrored;
mod open;
mod ours;
mod push_right;
mod transfer;
mod write;

pub use describe::ImageFacts;
pub use error::RegistryError;
pub use inspect::{Depth, Inspected};
pub use mirrored::Said;
pub use open::TOKEN_VARIABLE;
pub(crate) use open::client_settings;
pub use ours::Owner;
pub use push_right::Pushable;
pub use transfer::{Copied, WritablePlace};
pub use write::{AliasMove, TagMade, TagPut, TagsPut};

use crate::app::App;
use crate::settings::Mirror;
use domain::{Digest, RegistryHost, Repository, Tag};
use error::failed;
use remote::RemoteError;
use remote::place::Opener;
use remote::registry::{Registry, RemoteRepository, TagAt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Clients of registries, made when a host is first spoken to. Clones share them.
#[derive(Clone)]
pub struct Registries {
    inner: Arc<Inner>,
}

struct Inner {
    opener: Opener,
    mirrors: BTreeMap<RegistryHost, Vec<Mirror>>,
    clients: Mutex<BTreeMap<RegistryHost, Registry>>,
    owners: Mutex<BTreeMap<RegistryHost, Owner>>,
}

impl Registries {
    /// The clients of this command.
    ///
    /// # Errors
    /// The docker config or `DOCKER_HOST` cannot be used.
    pub fn of(app: &App) -> Result<Self, RegistryError> {
        app.registries()
    }

    fn client(&self, host: &RegistryHost) -> Result<Registry, RegistryError> {
        let mut clients =
            self.inner.clients.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(client) = clients.get(host) {
            return Ok(client.clone());
        }
        let client =
            self.inner.opener.registry(host).map_err(failed(format!("cannot use {host}")))?;
        clients.insert(host.clone(), client.clone());
        Ok(client)
    }

    fn repository(&self, repository: &Repository) -> Result<RemoteRepository, RegistryError> {
        Ok(self.client(repository.host())?.repository(repository.path().clone()))
    }

    /// What a tag names; `None` where it is certain that there is no such tag.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn resolve(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, RegistryError> {
        let what = || format!("cannot resolve {repository}:{tag}");
        match self.repository(repository)?.tag_at(tag).await.map_err(failed(what()))? {
            TagAt::Absent => Ok(None),
            TagAt::Digest(digest) => Ok(Some(digest)),
        }
    }

    /// Whether a repository has a manifest.
    ///
    /// # Errors
    /// It could not be found out.
    pub async fn has(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<bool, RegistryError> {
        let what = || format!("cannot ask for {repository}@{}", digest.short());
        self.repository(repository)?.has_manifest(&digest).await.map_err(failed(what()))
    }

    /// All tags of a repository; one that does not exist yet has none.
    ///
    /// # Errors
    /// They could not be found out.
    pub async fn tags(&self, repository: &Repository) -> Result<BTreeSet<Tag>, RegistryError> {
        match self.repository(repository)?.tags().await {
            Ok(list) => Ok(list.tags.into_iter().collect()),
            Err(RemoteError::NotFound { .. }) => Ok(BTreeSet::new()),
            Err(error) => Err(failed(format!("cannot list the tags of {repository}"))(error)),
        }
    }
}

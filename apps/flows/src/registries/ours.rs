//! Whether a registry is ours, and what only ours tells.

use super::Registries;
use super::error::RegistryError;
use domain::{RegistryHost, Repository, Tag, TagClass};
use remote::Credential;
use vendors::indelible::{Proof, Transport};
use vendors::{Api, ApiError, RuleOf};

/// Whose registry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An Indelible server: it keeps its tags' history itself.
    Ours,
    /// Somebody else's.
    Others,
}

impl Registries {
    /// The API of a host, with what proves us there.
    ///
    /// # Errors
    /// A credential helper cannot be asked.
    pub async fn api(&self, host: &RegistryHost) -> Result<Api, RegistryError> {
        let settings = &self.inner.opener.registry;
        let proof = match settings.credentials.find(host).await? {
            Some(Credential::Bearer(token)) => Proof::Token(token),
            Some(Credential::Basic { username, password }) => Proof::Basic { username, password },
            Some(Credential::IdentityToken(_)) | None => Proof::None,
        };
        self.api_with(host, proof)
    }

    fn api_with(&self, host: &RegistryHost, proof: Proof) -> Result<Api, RegistryError> {
        let settings = &self.inner.opener.registry;
        let is_plain = host.is_loopback() || settings.plain_http.contains(host);
        let transport = if is_plain { Transport::Plain } else { Transport::Tls };
        Ok(Api::new(host.clone(), transport, proof)?)
    }

    /// Asks as a stranger first: a registry of others must not be sent a credential on a path that it never
    /// asked for. Ours says in its own words that it wants one.
    async fn rule_of(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<RuleOf>, RegistryError> {
        let (host, path) = (repository.host(), repository.path());
        if host.is_docker_hub() {
            return Ok(None);
        }
        match self.api_with(host, Proof::None)?.rule_of(path, tag).await {
            Err(ApiError::Refused { .. }) => Ok(self.api(host).await?.rule_of(path, tag).await?),
            other => Ok(other?),
        }
    }

    /// The class that our server gives a tag; `None` at registries of others.
    ///
    /// # Errors
    /// The host cannot be reached, or refuses.
    pub async fn class_of(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<TagClass>, RegistryError> {
        let found = self.rule_of(repository, tag).await?;
        let owner = if found.is_some() { Owner::Ours } else { Owner::Others };
        let mut owners =
            self.inner.owners.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        owners.insert(repository.host().clone(), owner);
        Ok(found.map(|rule| rule.class))
    }

    /// Whose registry a repository is in.
    ///
    /// # Errors
    /// The host cannot be reached, or refuses.
    pub async fn owner(&self, repository: &Repository) -> Result<Owner, RegistryError> {
        let known = {
            let owners =
                self.inner.owners.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            owners.get(repository.host()).copied()
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let probe: Tag = "latest".parse().expect("a literal tag");
        match self.class_of(repository, &probe).await? {
            Some(_) => Ok(Owner::Ours),
            None => Ok(Owner::Others),
        }
    }
}

//! Whether a registry is ours, and what only ours tells.

use super::Registries;
use super::error::{RegistryError, failed};
use domain::{RegistryHost, Repository, Tag, TagClass};
use remote::Credential;
use vendors::indelible::Proof;
use vendors::pull_request::{HostToken, Place, PullRequests};
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

    /// The API is asked over the registry's own client: what may be reached, and how, is decided once.
    fn api_with(&self, host: &RegistryHost, proof: Proof) -> Result<Api, RegistryError> {
        let registry = self.client(host)?;
        let client = registry.client().map_err(failed(format!("cannot use {host}")))?;
        Ok(Api::new(host.clone(), registry.scheme(), client, proof))
    }

    /// The pull requests of a repository at a git host, over the same rules for connections.
    ///
    /// # Errors
    /// The host is no host, or is spoken to in another way than the address says.
    pub fn pull_requests(
        &self,
        place: Place,
        token: HostToken,
    ) -> Result<PullRequests, RegistryError> {
        let wrong = |why: &'static str| RegistryError::GitHost { api: place.api.clone(), why };
        let host = place.api_host().parse().map_err(|_| wrong("it names no host"))?;
        let registry = self.client(&host)?;
        let client = registry.client().map_err(failed(format!("cannot use {host}")))?;
        // A token never goes out in clear text by surprise.
        let is_told = place.api.starts_with(&format!("{}://", registry.scheme().as_str()));
        if !is_told {
            return Err(wrong(
                "its host is spoken to otherwise: https, but for this machine and --plain-http",
            ));
        }
        Ok(PullRequests::new(place, token, client))
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
        // A registry of others does not become ours while a command runs: it is asked once.
        if self.known_owner(repository.host()) == Some(Owner::Others) {
            return Ok(None);
        }
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
        if let Some(known) = self.known_owner(repository.host()) {
            return Ok(known);
        }
        let probe: Tag = "latest".parse().expect("a literal tag");
        match self.class_of(repository, &probe).await? {
            Some(_) => Ok(Owner::Ours),
            None => Ok(Owner::Others),
        }
    }
    fn known_owner(&self, host: &RegistryHost) -> Option<Owner> {
        let owners = self.inner.owners.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        owners.get(host).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::app::{App, Options};
    use crate::surroundings::Surroundings;

    /// Found nowhere (RFC 6761): only a proxy can lead there.
    const HOST: &str = "registry.invalid:5000";

    fn app(variables: &[(&str, String)]) -> App {
        // Whichever test comes first installs it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let surroundings = Surroundings {
            cwd: PathBuf::from("/nowhere"),
            variables: variables.collect::<BTreeMap<_, _>>(),
            clock: Arc::new(|| domain::Timestamp::from_millis(0)),
            entropy: Arc::new(|| 0),
        };
        let options = Options { plain_http: vec![HOST.parse().unwrap()], ..Options::default() };
        App::open(options, surroundings).unwrap()
    }

    #[tokio::test]
    async fn the_api_is_asked_by_the_registry_s_own_client_by_the_same_proxy() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let first_line = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let answer = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            String::from_utf8(head).unwrap().lines().next().unwrap().to_owned()
        });
        let registries = Registries::of(&app(&[("HTTP_PROXY", proxy)])).unwrap();
        let repository = format!("{HOST}/shop/api").parse().unwrap();
        assert_eq!(registries.owner(&repository).await.unwrap(), Owner::Others);
        let target = "api/v1/rules?repository=shop%2Fapi&tag=latest";
        assert_eq!(first_line.await.unwrap(), format!("GET http://{HOST}/{target} HTTP/1.1"));
    }

    #[tokio::test]
    async fn a_proxy_that_cannot_be_used_stops_the_api_too() {
        let socks = "socks5://127.0.0.1:1080".to_owned();
        let registries = Registries::of(&app(&[("http_proxy", socks)])).unwrap();
        let repository = format!("{HOST}/shop/api").parse().unwrap();
        let error = registries.owner(&repository).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot use {HOST}"));
    }
}

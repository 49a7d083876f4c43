//! Registries as flows see them: answers in our words, and "could not find out" apart from "no".
//!
//! ```text
//! resolve(shop/api, uat) -> Some(sha256:9f…)   None: it is certain that there is no such tag
//! create_tags(shop/api, [v1], sha256:9f…) -> Created | Same | Taken { there, said }
//! ```
//! Joins `adapters/remote` (the protocol) and `adapters/vendors` (our own server's rules and history).

use crate::app::App;
use crate::surroundings::Surroundings;
use crate::verdict::{Explain, Verdict};
use ::record::claim::PlatformImage;
use domain::{Digest, PinnedRef, Platform, RegistryHost, Repository, Secret, Tag, TagClass};
use oci::{ImageConfig, Kind, Manifest};
use remote::content::{ManifestBytes, read_whole};
use remote::copy::{CopyOptions, copy};
use remote::credentials::CredentialsError;
use remote::place::{Opener, Place, Target};
use remote::registry::{Registry, RegistrySettings, RemoteRepository, TagAt, TagWrite};
use remote::{Credential, Credentials, DockerConfig, RemoteError, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use vendors::indelible::{Proof, Transport};
use vendors::{Api, ApiError};

/// The longest image configuration that is read.
const CONFIG_BYTES_MAX: usize = 4 << 20;
/// The variable that carries a token of our server. Source: DESIGN §12, "Tokens".
pub const TOKEN_VARIABLE: &str = "INDELIBLE_TOKEN";

/// Clients of registries, made when a host is first spoken to. Clones share them.
#[derive(Clone)]
pub struct Registries {
    inner: Arc<Inner>,
}

struct Inner {
    opener: Opener,
    clients: Mutex<BTreeMap<RegistryHost, Registry>>,
    owners: Mutex<BTreeMap<RegistryHost, Owner>>,
}

/// Whose registry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An Indelible server: it keeps its tags' history itself.
    Ours,
    /// Somebody else's.
    Others,
}

/// What an image's bytes say, read and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest under which it was asked for.
    pub digest: Digest,
    /// The media type.
    pub media_type: String,
    /// The size of those bytes.
    pub size: u64,
    /// What an index lists, or the manifest itself.
    pub platforms: Vec<PlatformImage>,
}

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The image.
    pub digest: Digest,
    /// How many blobs were sent.
    pub sent: usize,
    /// Their bytes.
    pub sent_bytes: u64,
    /// How many were mounted from another repository.
    pub mounted: usize,
    /// How many were there.
    pub present: usize,
    /// How many attachments went along.
    pub referrers: usize,
}

/// What became of a tag that was to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagPut {
    /// It is new.
    Created,
    /// It named the digest before.
    Same,
    /// It names other bytes.
    Taken {
        /// What it names.
        there: Digest,
        /// Who put it there and when, as far as the registry tells.
        said: String,
    },
}

/// What became of an alias that was to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasMove {
    /// It names the digest now.
    Moved,
    /// It named the digest before.
    Same,
    /// It is not where it was expected.
    Stale {
        /// What it names.
        found: Option<Digest>,
    },
}

/// Why a registry, or another place of images, did not do it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The protocol.
    #[error("{what}")]
    Remote {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: RemoteError,
    },
    /// The registry refused a tag.
    #[error("{repository}:{tag} was not written: {answered}")]
    Denied {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// What the registry said.
        answered: String,
    },
    /// Our server's API.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The docker config.
    #[error("the docker config {path} cannot be used")]
    Config {
        /// The file.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A credential helper.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// `DOCKER_HOST`.
    #[error("DOCKER_HOST cannot be used")]
    DockerHost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A layout that is to be written.
    #[error("only a registry or an OCI layout can be written to")]
    NotWritable,
}

impl Explain for RegistryError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Denied { .. } => Verdict::Refused,
            Self::Remote {
                source: RemoteError::Denied { .. },
                ..
            } => Verdict::Refused,
            Self::Api(ApiError::Refused { .. }) => Verdict::Refused,
            Self::Remote { .. }
            | Self::Api(_)
            | Self::Config { .. }
            | Self::Credentials(_)
            | Self::DockerHost(_)
            | Self::NotWritable => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Remote {
                source: RemoteError::Unauthorized { answered, .. },
                ..
            } => Some(format!("docker login {}", answered.host)),
            Self::Remote { .. }
            | Self::Denied { .. }
            | Self::Api(_)
            | Self::Config { .. }
            | Self::Credentials(_)
            | Self::DockerHost(_)
            | Self::NotWritable => None,
        }
    }
}

fn failed(what: impl Into<String>) -> impl FnOnce(RemoteError) -> RegistryError {
    let what = what.into();
    move |source| RegistryError::Remote { what, source }
}

impl Registries {
    /// The clients of this command.
    ///
    /// # Errors
    /// The docker config or `DOCKER_HOST` cannot be used.
    pub fn of(app: &App) -> Result<Self, RegistryError> {
        app.registries()
    }

    pub(crate) fn open(app: &App) -> Result<Self, RegistryError> {
        let surroundings = app.surroundings();
        let mut credentials = Credentials::of(docker_configs(surroundings)?);
        if let Some(token) = surroundings.variable(TOKEN_VARIABLE) {
            // Only to hosts that the settings or the command call ours: a token must not reach a stranger.
            for host in own_hosts(app) {
                credentials = credentials.with(host, Credential::Bearer(Secret::new(token)));
            }
        }
        let docker = surroundings
            .variable("DOCKER_HOST")
            .map(str::parse)
            .transpose();
        let registry = RegistrySettings {
            credentials,
            plain_http: app.options().plain_http.clone(),
            proxy: proxy(surroundings),
            ..RegistrySettings::default()
        };
        let opener = Opener {
            registry,
            docker: docker
                .map_err(|error: remote::daemon::DockerHostError| {
                    RegistryError::DockerHost(error.into())
                })?
                .unwrap_or_default(),
            temp: surroundings
                .variable("TMPDIR")
                .map_or_else(std::env::temp_dir, Into::into),
        };
        let (clients, owners) = (Mutex::default(), Mutex::default());
        Ok(Self {
            inner: Arc::new(Inner {
                opener,
                clients,
                owners,
            }),
        })
    }

    fn client(&self, host: &RegistryHost) -> Result<Registry, RegistryError> {
        let mut clients = self
            .inner
            .clients
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(client) = clients.get(host) {
            return Ok(client.clone());
        }
        let client = self
            .inner
            .opener
            .registry(host)
            .map_err(failed(format!("cannot use {host}")))?;
        clients.insert(host.clone(), client.clone());
        Ok(client)
    }

    fn repository(&self, repository: &Repository) -> Result<RemoteRepository, RegistryError> {
        Ok(self
            .client(repository.host())?
            .repository(repository.path().clone()))
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
        match self
            .repository(repository)?
            .tag_at(tag)
            .await
            .map_err(failed(what()))?
        {
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
        self.repository(repository)?
            .has_manifest(&digest)
            .await
            .map_err(failed(what()))
    }

    /// All tags of a repository; one that does not exist yet has none.
    ///
    /// # Errors
    /// They could not be found out.
    pub async fn tags(&self, repository: &Repository) -> Result<BTreeSet<Tag>, RegistryError> {
        match self.repository(repository)?.tags().await {
            Ok(list) => Ok(list.tags.into_iter().collect()),
            Err(RemoteError::NotFound { .. }) => Ok(BTreeSet::new()),
            Err(error) => Err(failed(format!("cannot list the tags of {repository}"))(
                error,
            )),
        }
    }

    /// Reads what an image's bytes say, each verified against its digest.
    ///
    /// # Errors
    /// A part is missing, is something else than its digest, or could not be read.
    pub async fn describe(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<ImageFacts, RegistryError> {
        let what = || format!("cannot read {repository}@{digest}");
        let remote = self.repository(repository)?;
        let bytes = remote.manifest(&digest).await.map_err(failed(what()))?;
        let manifest = bytes.read().map_err(failed(what()))?;
        let mut platforms = Vec::new();
        match &manifest.kind {
            Kind::Image { .. } => platforms.push(
                platform(&remote, digest, &manifest, None)
                    .await
                    .map_err(failed(what()))?,
            ),
            Kind::Index { manifests } => {
                // Builders list attestations as `unknown/unknown`: they run nowhere.
                let runs = |platform: &Option<Platform>| {
                    !platform.as_ref().is_some_and(Platform::is_unknown)
                };
                for child in manifests.iter().filter(|child| runs(&child.platform)) {
                    let bytes = remote
                        .manifest(&child.digest)
                        .await
                        .map_err(failed(what()))?;
                    let read = bytes.read().map_err(failed(what()))?;
                    let one = platform(&remote, child.digest, &read, child.platform.clone()).await;
                    platforms.push(one.map_err(failed(what()))?);
                }
            }
        }
        let (media_type, size) = (
            manifest.media_type.as_str().to_owned(),
            bytes.bytes.len() as u64,
        );
        Ok(ImageFacts {
            digest,
            media_type,
            size,
            platforms,
        })
    }

    /// Opens a place, to be copied from.
    ///
    /// # Errors
    /// There is no such place, or it cannot be read.
    pub async fn open_place(&self, source: &Source) -> Result<Place, RegistryError> {
        self.inner
            .opener
            .open(source)
            .await
            .map_err(failed(format!("cannot open {}", shown(source))))
    }

    /// What the name of an opened place leads to.
    ///
    /// # Errors
    /// There is no such image, there are several, or it could not be found out.
    pub async fn digest_of(&self, place: &Place) -> Result<Digest, RegistryError> {
        Ok(place
            .resolve()
            .await
            .map_err(failed("cannot find the image"))?
            .digest)
    }

    /// Copies an image by digest, with all of its parts; no tag is written. Returns its digest.
    ///
    /// # Errors
    /// The source lacks something or delivers other bytes, or the target does not take it.
    pub async fn copy(&self, from: &Place, to: &Repository) -> Result<Digest, RegistryError> {
        let target = Target::Registry(self.repository(to)?);
        let copied = copy(from, &target, CopyOptions::default()).await;
        Ok(copied
            .map_err(failed(format!("cannot copy to {to}")))?
            .manifest
            .digest)
    }

    /// Copies an image into a repository or a layout; a layout's name is listed, a registry's tag is not written.
    ///
    /// # Errors
    /// As [`Registries::copy`], or the target is no place that is written.
    pub async fn copy_to(
        &self,
        from: &Place,
        to: &Source,
        referrers: bool,
    ) -> Result<Copied, RegistryError> {
        let what = || format!("cannot copy to {}", shown(to));
        let (target, names) = match to {
            Source::Registry(reference) => (
                Target::Registry(self.repository(reference.repository())?),
                vec![],
            ),
            Source::Layout { folder, name } => {
                let layout = remote::layout::Layout::open_or_create(folder)
                    .await
                    .map_err(failed(what()))?;
                let name = name.as_ref().map(|name| name.parse()).transpose();
                (
                    Target::Layout(layout),
                    name.map_err(|_| RegistryError::NotWritable)?
                        .into_iter()
                        .collect(),
                )
            }
            Source::OciArchive { .. } | Source::DockerArchive { .. } | Source::Daemon { .. } => {
                return Err(RegistryError::NotWritable);
            }
        };
        let too = if referrers {
            remote::ReferrersToo::Yes
        } else {
            remote::ReferrersToo::No
        };
        let done = copy(from, &target, CopyOptions { referrers: too })
            .await
            .map_err(failed(what()))?;
        target
            .list_in_layout(&done.manifest, &names)
            .await
            .map_err(failed(what()))?;
        Ok(Copied {
            digest: done.manifest.digest,
            sent: done.sent,
            sent_bytes: done.sent_bytes,
            mounted: done.mounted,
            present: done.present,
            referrers: done.referrers.len(),
        })
    }

    /// Copies an image and what is attached to it from one repository to another.
    ///
    /// # Errors
    /// As [`Registries::copy`].
    pub async fn copy_between(
        &self,
        from: &Repository,
        digest: Digest,
        to: &Repository,
    ) -> Result<(), RegistryError> {
        let pinned = PinnedRef {
            repository: from.clone(),
            tag: None,
            digest,
        };
        let place = self
            .open_place(&Source::Registry(domain::ImageRef::Pinned(pinned)))
            .await?;
        let options = CopyOptions {
            referrers: remote::ReferrersToo::Yes,
        };
        let target = Target::Registry(self.repository(to)?);
        copy(&place, &target, options)
            .await
            .map_err(failed(format!("cannot copy {from} to {to}")))
            .map(drop)
    }

    async fn manifest(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<ManifestBytes, RegistryError> {
        let what = || format!("cannot read {repository}@{digest}");
        self.repository(repository)?
            .manifest(&digest)
            .await
            .map_err(failed(what()))
    }

    /// Creates tags for a manifest that is there: in one request where the registry can.
    ///
    /// # Errors
    /// The registry refuses, or it could not be found out where a tag points.
    pub async fn create_tags(
        &self,
        repository: &Repository,
        tags: &[Tag],
        digest: Digest,
    ) -> Result<Vec<TagPut>, RegistryError> {
        let manifest = self.manifest(repository, digest).await?;
        let what = || format!("cannot tag {repository}@{}", digest.short());
        let written = self
            .repository(repository)?
            .put_manifest_tagged(&manifest, tags)
            .await;
        let mut puts = Vec::new();
        for (tag, write) in tags.iter().zip(written.map_err(failed(what()))?) {
            match write {
                TagWrite::Created => puts.push(TagPut::Created),
                TagWrite::Same => puts.push(TagPut::Same),
                TagWrite::Taken { there } => {
                    let said = self.who(repository, tag).await;
                    puts.push(TagPut::Taken { there, said });
                }
                TagWrite::Denied { answered } => {
                    let (repository, tag) = (repository.clone(), tag.clone());
                    return Err(RegistryError::Denied {
                        repository,
                        tag,
                        answered: answered.to_string(),
                    });
                }
                // Another tag of the same request is taken, and that one is an error for the caller.
                TagWrite::Skipped => puts.push(TagPut::Same),
            }
        }
        Ok(puts)
    }

    /// Creates one tag.
    ///
    /// # Errors
    /// As [`Registries::create_tags`].
    pub async fn create_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: Digest,
    ) -> Result<TagPut, RegistryError> {
        let mut puts = self
            .create_tags(repository, std::slice::from_ref(tag), digest)
            .await?;
        Ok(puts.pop().unwrap_or(TagPut::Same))
    }

    /// Who put a tag where it is; a registry of others does not tell.
    async fn who(&self, repository: &Repository, tag: &Tag) -> String {
        let history = match self.api(repository.host()).await {
            Ok(api) => api
                .tag_history(repository.path(), tag, None)
                .await
                .ok()
                .flatten(),
            Err(_) => None,
        };
        match history.as_ref().and_then(|page| page.history.first()) {
            Some(entry) => {
                let who = entry
                    .actor
                    .as_ref()
                    .map_or("somebody", |actor| actor.name());
                format!("put there by {who} at {}", entry.at)
            }
            None => "the registry does not tell who put it there".to_owned(),
        }
    }

    /// Moves an alias to a manifest that is there, if it still points where it is expected to.
    ///
    /// # Errors
    /// The registry refuses, or it could not be found out where the alias points.
    pub async fn move_alias(
        &self,
        repository: &Repository,
        alias: &Tag,
        from: Option<Digest>,
        to: Digest,
    ) -> Result<AliasMove, RegistryError> {
        use remote::registry::AliasMove as Said;
        let manifest = self.manifest(repository, to).await?;
        let expected = from.map_or(TagAt::Absent, TagAt::Digest);
        let what = || format!("cannot move {repository}:{alias}");
        let moved = self
            .repository(repository)?
            .move_alias(&manifest, alias, expected)
            .await;
        match moved.map_err(failed(what()))? {
            Said::Moved { .. } => Ok(AliasMove::Moved),
            Said::Same => Ok(AliasMove::Same),
            Said::Elsewhere {
                there: TagAt::Absent,
            } => Ok(AliasMove::Stale { found: None }),
            Said::Elsewhere {
                there: TagAt::Digest(found),
            } => Ok(AliasMove::Stale { found: Some(found) }),
            Said::Denied { answered } => Err(RegistryError::Denied {
                repository: repository.clone(),
                tag: alias.clone(),
                answered: answered.to_string(),
            }),
        }
    }

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
        let is_plain = host.is_loopback() || settings.plain_http.contains(host);
        let transport = if is_plain {
            Transport::Plain
        } else {
            Transport::Tls
        };
        Ok(Api::new(host.clone(), transport, proof)?)
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
        let found = self
            .api(repository.host())
            .await?
            .rule_of(repository.path(), tag)
            .await?;
        let owner = if found.is_some() {
            Owner::Ours
        } else {
            Owner::Others
        };
        let mut owners = self
            .inner
            .owners
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        owners.insert(repository.host().clone(), owner);
        Ok(found.map(|rule| rule.class))
    }

    /// Whose registry a repository is in.
    ///
    /// # Errors
    /// The host cannot be reached, or refuses.
    pub async fn owner(&self, repository: &Repository) -> Result<Owner, RegistryError> {
        let known = {
            let owners = self
                .inner
                .owners
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
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

async fn platform(
    remote: &RemoteRepository,
    digest: Digest,
    manifest: &Manifest,
    said: Option<Platform>,
) -> Result<PlatformImage, RemoteError> {
    let config = manifest
        .config()
        .map(|config| (config.digest, config.size, config.media_type.clone()));
    let platform = match (&said, &config) {
        (None, Some((digest, size, media_type))) if media_type.ends_with("json") => {
            let stream = remote.blob(digest, Some(*size)).await?;
            let bytes = read_whole(stream, CONFIG_BYTES_MAX, "the image configuration").await?;
            // An artifact's configuration is not an image's: then no platform is known.
            ImageConfig::read(&bytes)
                .ok()
                .and_then(|config| config.platform)
        }
        (_, _) => said,
    };
    Ok(PlatformImage {
        platform,
        manifest: digest,
        config: config.map(|(digest, _, _)| digest),
    })
}

fn shown(source: &Source) -> String {
    match source {
        Source::Layout { folder, .. } => format!("layout {}", folder.display()),
        Source::OciArchive { file, .. } | Source::DockerArchive { file, .. } => {
            format!("archive {}", file.display())
        }
        Source::Daemon { image } => format!("image {image} of the docker daemon"),
        Source::Registry(reference) => reference.to_string(),
    }
}

/// Hosts that get `INDELIBLE_TOKEN`: those that settings push to, and those that the command names.
fn own_hosts(app: &App) -> BTreeSet<RegistryHost> {
    let mut hosts: BTreeSet<RegistryHost> = app.options().own_hosts.iter().cloned().collect();
    if let Some(loaded) = app.loaded() {
        let settings = &loaded.settings;
        hosts.extend(
            settings
                .images
                .values()
                .map(|image| image.repository.host().clone()),
        );
        let own = settings
            .environments
            .iter()
            .flat_map(|environment| environment.images.values());
        hosts.extend(own.map(|repository| repository.host().clone()));
    }
    hosts
}

/// The docker config of the user. Source: docker/cli: `$DOCKER_CONFIG`, else `~/.docker`.
fn docker_configs(surroundings: &Surroundings) -> Result<Vec<DockerConfig>, RegistryError> {
    let folder = surroundings
        .variable("DOCKER_CONFIG")
        .map(std::path::PathBuf::from);
    let home = || {
        surroundings
            .variable("HOME")
            .map(|home| std::path::Path::new(home).join(".docker"))
    };
    let Some(folder) = folder.or_else(home) else {
        return Ok(Vec::new());
    };
    let path = folder.join("config.json");
    let wrong = |source: Box<dyn std::error::Error + Send + Sync>| RegistryError::Config {
        path: path.display().to_string(),
        source,
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(vec![
            DockerConfig::read(&text).map_err(|error| wrong(error.into()))?,
        ]),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(wrong(error.into())),
    }
}

fn proxy(surroundings: &Surroundings) -> Option<(String, String)> {
    let first = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| surroundings.variable(name))
            .map(str::to_owned)
    };
    let proxy = first(["HTTPS_PROXY", "https_proxy"])?;
    Some((proxy, first(["NO_PROXY", "no_proxy"]).unwrap_or_default()))
}

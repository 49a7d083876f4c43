//! The one place that opens adapters: settings, git, the record, registries. Each is opened when it is first asked for.
//!
//! ```text
//! App::open(options, surroundings) -> app;  app.record() -> SQLite file, git branch or server, begun by the first append
//! ```

mod error;

pub use error::OpenError;

use crate::person::Person;
use crate::record_git::{GitRecord, RECORD_BRANCH};
use crate::record_http::{HttpRecord, ServerAddress};
use crate::record_local::{LocalRecord, local_path};
use crate::registries::{Registries, RegistryError};
use crate::seam::{Record, RecordError};
use crate::settings::{self, EnvironmentSettings, Loaded, RecordPlace, Settings};
use crate::surroundings::Surroundings;
use domain::{Digest, EnvironmentName, Proof, RegistryHost};
use git::{BranchName, BranchStore, Checkout, Credential, Git, GitError, RemoteUrl};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use store::{Database, Ledger};
use tokio::sync::OnceCell;

/// What every command may be told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--record`, in the words of the settings.
    pub record: Option<String>,
    /// `--plain-http`.
    pub plain_http: Vec<RegistryHost>,
    /// Hosts that the command itself calls ours: they get the token of the environment.
    pub own_hosts: Vec<RegistryHost>,
}

/// Everything that flows work with.
pub struct App {
    surroundings: Surroundings,
    options: Options,
    loaded: Option<Loaded>,
    git: OnceCell<Git>,
    checkout: OnceCell<Option<Checkout>>,
    record: OnceCell<Box<dyn Record>>,
    registries: OnceLock<Registries>,
    person: OnceCell<Person>,
    pub(crate) writers: crate::writers::Writers,
}

impl App {
    /// Finds the settings; everything else waits until it is asked for.
    ///
    /// # Errors
    /// Settings that are there and cannot be used.
    pub fn open(options: Options, surroundings: Surroundings) -> Result<Self, OpenError> {
        let loaded = match &options.config {
            Some(path) => Some(settings::load(&surroundings.cwd.join(path))?),
            None => settings::find(&surroundings.cwd)?,
        };
        Ok(Self {
            surroundings,
            options,
            loaded,
            git: OnceCell::new(),
            checkout: OnceCell::new(),
            record: OnceCell::new(),
            registries: OnceLock::new(),
            person: OnceCell::new(),
            writers: crate::writers::Writers::default(),
        })
    }

    /// The same with a record that is open already, whatever the settings say.
    #[must_use]
    pub fn with_record(mut self, record: impl Record + 'static) -> Self {
        self.record = OnceCell::new_with(Some(Box::new(record)));
        self
    }

    /// What the command finds around it.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// What the command was told.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The settings and their file, where there are any.
    #[must_use]
    pub fn loaded(&self) -> Option<&Loaded> {
        self.loaded.as_ref()
    }

    /// The settings, for a command that cannot do without.
    ///
    /// # Errors
    /// There are none.
    pub fn settings(&self) -> Result<&Settings, OpenError> {
        let missing = || OpenError::NoSettings { from: self.surroundings.cwd.clone() };
        self.loaded.as_ref().map(|loaded| &loaded.settings).ok_or_else(missing)
    }

    /// The folder that paths of the settings are relative to.
    #[must_use]
    pub fn root(&self) -> &Path {
        let beside = self.loaded.as_ref().and_then(|loaded| loaded.path.parent());
        beside.unwrap_or(&self.surroundings.cwd)
    }

    /// An environment of the settings.
    ///
    /// # Errors
    /// There is none of that name; those that there are are listed.
    pub fn environment(&self, name: &EnvironmentName) -> Result<&EnvironmentSettings, OpenError> {
        let settings = self.settings()?;
        settings.environment(name).ok_or_else(|| {
            let known: Vec<_> = settings.environments.iter().map(|one| one.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            OpenError::NoEnvironment { name: name.clone(), known }
        })
    }

    /// The clients of registries.
    ///
    /// # Errors
    /// The docker config or `DOCKER_HOST` cannot be used.
    pub fn registries(&self) -> Result<Registries, RegistryError> {
        if let Some(known) = self.registries.get() {
            return Ok(known.clone());
        }
        let opened = Registries::open(self)?;
        Ok(self.registries.get_or_init(|| opened).clone())
    }

    /// The git program.
    ///
    /// # Errors
    /// There is none, or it is too old.
    pub async fn git(&self) -> Result<&Git, GitError> {
        self.git.get_or_try_init(|| Git::open(self.surroundings.for_git())).await
    }

    /// The git checkout around the settings, or around the current folder; `None` outside of any.
    ///
    /// # Errors
    /// Git cannot say.
    pub async fn checkout(&self) -> Result<Option<&Checkout>, GitError> {
        let found = self.checkout.get_or_try_init(|| async {
            match Checkout::find(self.git().await?, self.root()).await {
                Ok(checkout) => Ok(Some(checkout)),
                Err(GitError::NotARepository { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        Ok(found.await?.as_ref())
    }

    /// The address of the repository around the settings, and what proves us there: its `origin`, else its folder.
    ///
    /// # Errors
    /// There is no repository, or git cannot say.
    pub async fn own_remote(&self) -> Result<(RemoteUrl, Credential), OpenError> {
        let checkout = self.checkout().await?;
        let nowhere = || OpenError::NoRepository { from: self.root().to_owned() };
        let checkout = checkout.ok_or_else(nowhere)?;
        match checkout.origin().await? {
            Some(origin) => {
                let found = match origin.credential {
                    Some(credential) => Some(credential),
                    None => checkout.credential_for(&origin.url).await?,
                };
                Ok((origin.url, found.unwrap_or(Credential::Ambient)))
            }
            None => {
                let folder = RemoteUrl::folder(checkout.root()).map_err(|_| nowhere())?;
                Ok((folder, Credential::Ambient))
            }
        }
    }

    /// An address of the settings with what proves us there.
    ///
    /// # Errors
    /// Git cannot say.
    pub async fn remote(
        &self,
        url: Option<&RemoteUrl>,
    ) -> Result<(RemoteUrl, Credential), OpenError> {
        let Some(url) = url else {
            return self.own_remote().await;
        };
        let found = match self.checkout().await? {
            Some(checkout) => checkout.credential_for(url).await?,
            None => None,
        };
        Ok((url.clone(), found.unwrap_or(Credential::Ambient)))
    }

    /// A folder for a copy of a branch; it may be deleted at any time.
    #[must_use]
    pub fn cache_of(&self, remote: &RemoteUrl, branch: &BranchName) -> PathBuf {
        let name = Digest::sha256(format!("{remote}\0{branch}").as_bytes()).hex();
        let home = self.surroundings.cache_home().unwrap_or_else(std::env::temp_dir);
        home.join("indelible").join(&name[..16])
    }

    /// The record, for a command that may add to it: where there is none, the first append begins it.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn record(&self) -> Result<&dyn Record, OpenError> {
        Ok(self.record.get_or_try_init(|| self.open_record()).await?.as_ref())
    }

    /// The record, for a question, or for a decision about what is in it.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub async fn record_to_read(&self) -> Result<&dyn Record, OpenError> {
        let record = self.record().await?;
        if record.exists().await? {
            Ok(record)
        } else {
            Err(RecordError::Missing { at: record.place() }.into())
        }
    }

    /// Where the record is by option or settings.
    ///
    /// # Errors
    /// The option cannot be read.
    pub fn record_place(&self) -> Result<RecordPlace, OpenError> {
        match (&self.options.record, &self.loaded) {
            (Some(told), _) => settings::record_place(told).map_err(OpenError::RecordOption),
            (None, Some(loaded)) => Ok(loaded.settings.record.clone()),
            (None, None) => Ok(RecordPlace::Local),
        }
    }

    async fn open_record(&self) -> Result<Box<dyn Record>, OpenError> {
        self.record_at(self.record_place()?).await
    }

    /// The record at a place that somebody names beside the settings'.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn record_at(&self, place: RecordPlace) -> Result<Box<dyn Record>, OpenError> {
        match place {
            RecordPlace::Local => {
                let address = match self.own_remote().await {
                    Ok((url, _)) => url.to_string(),
                    Err(OpenError::NoRepository { .. }) => self.root().display().to_string(),
                    Err(error) => return Err(error),
                };
                let path = local_path(&self.surroundings, &address).ok_or(OpenError::NoHome)?;
                Ok(self.in_file(path, "local").await)
            }
            RecordPlace::File(path) => {
                Ok(self.in_file(self.surroundings.cwd.join(path), "file").await)
            }
            RecordPlace::Git(url) => {
                let (remote, credential) = self.remote(url.as_ref()).await?;
                self.open_git(remote, credential).await
            }
            RecordPlace::Server(address) => self.open_server(address).await,
        }
    }

    async fn open_server(&self, address: ServerAddress) -> Result<Box<dyn Record>, OpenError> {
        let api = self.registries()?.api(&address.host).await?;
        // What the address promises must hold: a token never goes out in clear text by surprise.
        if api.scheme() != address.scheme {
            return Err(OpenError::Scheme { address, spoken: api.scheme().as_str() });
        }
        let record = HttpRecord::open(api, address.to_string(), self.surroundings.clone());
        Ok(Box::new(record.await?))
    }

    async fn in_file(&self, path: PathBuf, kind: &'static str) -> Box<dyn Record> {
        let actor = self.person().await.actor(Proof::None);
        Box::new(LocalRecord::at(path, kind, actor, self.surroundings.clone()))
    }

    async fn open_git(
        &self,
        remote: RemoteUrl,
        credential: Credential,
    ) -> Result<Box<dyn Record>, OpenError> {
        let branch: BranchName = RECORD_BRANCH.parse().expect("a literal branch");
        let folder = self.cache_of(&remote, &branch);
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| {
            RecordError::Unavailable { place: folder.display().to_string(), source }
        };
        std::fs::create_dir_all(&folder).map_err(|error| unavailable(error.into()))?;
        let database = Database::open(&folder.join("record.db"));
        let cache = Ledger::new(database.map_err(|error| unavailable(error.into()))?);
        let git = self.git().await?;
        let store = BranchStore::new(git, remote, credential, branch, &folder.join("branch"));
        let person = self.person().await;
        let (actor, email) = (person.actor(Proof::Git), person.email().to_owned());
        Ok(Box::new(GitRecord::new(store, cache, actor, email, self.surroundings.clone())))
    }

    /// Who acts here, by their own word.
    pub async fn person(&self) -> &Person {
        let found = self.person.get_or_init(|| async {
            if let Some(named) = Person::of_variables(&self.surroundings) {
                return named;
            }
            // A checkout that git cannot read is told where it is needed; a name is not worth stopping for.
            let checkout = self.checkout().await.ok().flatten();
            Person::of_checkout(&self.surroundings, checkout).await
        });
        found.await
    }
}

//! `indelible.yaml`: what a team says once about its images, environments and rules.
//!
//! ```yaml
//! version: 1
//! record: git
//! images: {api: {repository: registry.example.com/shop/api, tags: [timestamp-env]}}
//! environments: {prod: {branches: [prod], alias: prod, promotes-from: uat}, uat: {branches: ["**"]}}
//! ```
//! Values are parsed once, here; unknown keys are errors that name the nearest known one.

mod check;
mod cluster;
mod find;
mod ignore;
mod mirrors;
mod ordered;
mod pull_requests;
mod read;
mod schema;
mod shape;
mod wire;

pub use find::{FILE_NAMES, FindError, Loaded, find, load};
pub(crate) use ignore::deciding;
pub use ignore::{IGNORE_MAX, IgnoreEntry, Then};
pub use mirrors::Mirror;
pub use read::record_place;
pub use read::{SETTINGS_BYTES_MAX, SettingsError, read};
pub use schema::schema;
pub use shape::At;
pub use wire::CheckLevel;

use domain::{EnvironmentName, ImageName, Platform, RegistryHost, Repository, Rule, Tag};
use release::VerifiedThere;
use release::gitops::SyncObject;
use release::rollout::Workload;
use std::collections::BTreeMap;
use tagging::{EnvironmentRule, Scheme};
use vendors::pull_request::GitHost;

/// A team's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where the record is.
    pub record: RecordPlace,
    /// Images by their short names.
    pub images: BTreeMap<ImageName, ImageSettings>,
    /// Environments in the order of the file: the first whose branch matches gets a build.
    pub environments: Vec<EnvironmentSettings>,
    /// Which tags may move, in the order in which they are asked.
    pub rules: Vec<Rule>,
    /// Files that `check` passes over.
    pub ignore: Vec<IgnoreEntry>,
    /// Who is called when a finding opens or closes, or a deploy lands.
    pub webhooks: Vec<Webhook>,
    /// What every image that is pinned must be for.
    pub platforms: Vec<Platform>,
    /// Who is asked before a registry itself, in this order.
    pub mirrors: BTreeMap<RegistryHost, Vec<Mirror>>,
}

/// An address that is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The address.
    pub url: domain::Secret,
    /// The variable that carries the token.
    pub token_variable: Option<String>,
}

/// Where the record is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordPlace {
    /// A file of this machine's user.
    Local,
    /// A file at this path.
    File(std::path::PathBuf),
    /// An orphan branch of a git repository; none: the repository that holds the settings.
    Git(Option<git::RemoteUrl>),
    /// A server of ours.
    Server(crate::record_http::ServerAddress),
}

/// One image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSettings {
    /// Where its builds are pushed.
    pub repository: Repository,
    /// Its tag schemes; the first one's tag goes into files.
    pub schemes: Vec<Scheme>,
    /// Whether one build serves all environments.
    pub builds: Builds,
}

/// For which environments a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builds {
    /// Each environment's branch has its own.
    PerEnvironment,
    /// Built for the first of the promotion chain, promoted to the others.
    Shared,
}

/// One environment.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentSettings {
    /// Its name.
    pub name: EnvironmentName,
    /// Its branches, and which events beside a push count.
    pub rule: EnvironmentRule,
    /// The tag that moves with it.
    pub alias: Option<Tag>,
    /// Where its builds are promoted from.
    pub promotes_from: Option<EnvironmentName>,
    /// Whether they must have been verified there.
    pub verified_there: VerifiedThere,
    /// How long a build must have been there before a rollback chooses it by itself, in milliseconds.
    pub soak_ms: i64,
    /// How it is deployed.
    pub deploy: DeployMode,
    /// Where its files are.
    pub git: GitTarget,
    /// Its clusters: contexts of the kubeconfig, in the order in which they are deployed to.
    pub clusters: Vec<String>,
    /// Whether they are deployed to one after the other.
    pub rollout: RolloutOrder,
    /// Its namespace, the same in each cluster.
    pub namespace: Option<String>,
    /// What runs each image.
    pub workloads: BTreeMap<ImageName, Vec<Workload>>,
    /// Repositories that differ from the image's own.
    pub images: BTreeMap<ImageName, Repository>,
    /// What its files must name.
    pub check: CheckLevel,
}

/// How an environment is deployed, as far as this version can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeployMode {
    /// Files of this work tree are edited.
    Files,
    /// A commit is pushed.
    Git,
    /// A pull request asks for the commit.
    Pr,
    /// The workloads of clusters are told, and waited for.
    Cluster,
    /// A commit is pushed, then the workloads of clusters are told, and waited for.
    GitCluster,
}

/// How the clusters of an environment are deployed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutOrder {
    /// One after the other; the first failure leaves those behind it as they were.
    InOrder,
    /// All at the same time.
    AtOnce,
}

/// Where the files of an environment are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitTarget {
    /// The repository; none: the one that holds the settings.
    pub repository: Option<git::RemoteUrl>,
    /// The branch.
    pub branch: git::BranchName,
    /// The folder below which images are looked for; empty: everywhere.
    pub path: String,
    /// Where its pull requests are opened, where the repository's address does not tell.
    pub pull_requests: Option<PullRequestsAt>,
    /// The objects of Argo CD or Flux that bring its commits, where the workloads do not tell.
    pub synced_by: Vec<SyncedBy>,
}

impl GitTarget {
    /// A branch as a whole.
    pub(crate) fn of(repository: Option<git::RemoteUrl>, branch: git::BranchName) -> Self {
        Self { repository, branch, path: String::new(), pull_requests: None, synced_by: Vec::new() }
    }
}

/// An object of Argo CD or Flux that brings commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncedBy {
    /// The object.
    pub object: SyncObject,
    /// The context of the cluster that it is in; none: each cluster of the environment has its own.
    pub context: Option<String>,
}

/// A git host that the address of a repository does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestsAt {
    /// Which kind of host.
    pub host: GitHost,
    /// Where its API begins; none: where such a host has it.
    pub api: Option<String>,
    /// The repository's name there; none: as the address says.
    pub project: Option<String>,
}

impl EnvironmentSettings {
    /// The first key that mode `cluster` needs and that is not there.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        if self.clusters.is_empty() {
            Some("clusters")
        } else if self.namespace.is_none() {
            Some("namespace")
        } else if self.workloads.is_empty() {
            Some("workloads")
        } else {
            None
        }
    }
}

impl Settings {
    /// An environment by its name.
    #[must_use]
    pub fn environment(&self, name: &EnvironmentName) -> Option<&EnvironmentSettings> {
        self.environments.iter().find(|environment| environment.name == *name)
    }

    /// The repository of an image in an environment.
    #[must_use]
    pub fn repository<'a>(
        &'a self,
        environment: &'a EnvironmentSettings,
        image: &ImageName,
    ) -> Option<&'a Repository> {
        let own = environment.images.get(image);
        own.or_else(|| self.images.get(image).map(|image| &image.repository))
    }

    /// The image that a repository belongs to, in whatever environment.
    #[must_use]
    pub fn image_of(&self, repository: &Repository) -> Option<&ImageName> {
        let own = self
            .images
            .iter()
            .find(|(_, image)| image.repository == *repository)
            .map(|(name, _)| name);
        own.or_else(|| {
            let of = |environment: &'_ EnvironmentSettings| {
                environment
                    .images
                    .iter()
                    .find(|(_, there)| *there == repository)
                    .map(|(name, _)| name.clone())
            };
            let name = self.environments.iter().find_map(of)?;
            self.images.get_key_value(&name).map(|(name, _)| name)
        })
    }

    /// The first environment of the promotion chain that ends in this one.
    #[must_use]
    pub fn first_of_chain<'a>(
        &'a self,
        environment: &'a EnvironmentSettings,
    ) -> &'a EnvironmentSettings {
        let mut at = environment;
        // The chain has no ring: that was checked when the settings were read.
        while let Some(before) = at.promotes_from.as_ref().and_then(|name| self.environment(name)) {
            at = before;
        }
        at
    }
}

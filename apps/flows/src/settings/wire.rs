//! The shape of `indelible.yaml`, key by key. What the values mean together is checked elsewhere.

use super::ordered::Ordered;
use domain::{EnvironmentName, ImageName, Pattern, RegistryHost, Repository, Tag, TagClass};
use serde::Deserialize;
use tagging::Scheme;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) version: u64,
    pub(super) record: Option<String>,
    #[serde(default)]
    pub(super) images: Ordered<ImageName, Image>,
    #[serde(default)]
    pub(super) environments: Ordered<EnvironmentName, Environment>,
    #[serde(default)]
    pub(super) rules: Vec<RuleEntry>,
    #[serde(default)]
    pub(super) webhooks: Vec<Webhook>,
    #[serde(default)]
    pub(super) mirrors: Ordered<RegistryHost, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) token_variable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Image {
    pub(super) repository: Repository,
    pub(super) tags: Option<Vec<Scheme>>,
    pub(super) environments: Option<Shared>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shared {
    Shared,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Environment {
    #[serde(default)]
    pub(super) branches: Vec<Pattern>,
    #[serde(default)]
    pub(super) events: Vec<EventWord>,
    pub(super) alias: Option<Tag>,
    pub(super) promotes_from: Option<EnvironmentName>,
    pub(super) verified_there: Option<VerifiedWord>,
    pub(super) soak: Option<String>,
    pub(super) deploy: Option<DeployWord>,
    pub(super) git: Option<Git>,
    #[serde(default)]
    pub(super) clusters: Vec<String>,
    pub(super) rollout: Option<RolloutWord>,
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) workloads: Ordered<ImageName, Vec<String>>,
    #[serde(default)]
    pub(super) images: Ordered<ImageName, EnvironmentImage>,
    pub(super) check: Option<CheckLevel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EnvironmentImage {
    pub(super) repository: Repository,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Git {
    pub(super) repository: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) path: Option<String>,
    pub(super) pull_requests: Option<PullRequests>,
    #[serde(default)]
    pub(super) synced_by: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PullRequests {
    pub(super) host: HostWord,
    pub(super) api: Option<String>,
    pub(super) project: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum HostWord {
    Github,
    Gitlab,
    AzureDevops,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleEntry {
    pub(super) repository: Option<Pattern>,
    pub(super) tag: Pattern,
    pub(super) is: TagClass,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EventWord {
    Manual,
    Schedule,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum VerifiedWord {
    Required,
    Warn,
    Off,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum DeployWord {
    #[serde(rename = "files")]
    Files,
    #[serde(rename = "git")]
    Git,
    #[serde(rename = "pr")]
    Pr,
    #[serde(rename = "cluster")]
    Cluster,
    #[serde(rename = "git+cluster")]
    GitCluster,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RolloutWord {
    InOrder,
    AtOnce,
}

/// What the files of an environment must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckLevel {
    /// Any name; it is only reported.
    Floating,
    /// An immutable tag or a digest.
    Tag,
    /// A digest.
    Digest,
}

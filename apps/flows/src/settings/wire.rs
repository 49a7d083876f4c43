//! The shape of `indelible.yaml`, key by key: what is read, and what `indelible schema` prints. What the values mean together is
//! checked elsewhere.

use super::ordered::Ordered;
use domain::{
    EnvironmentName, ImageName, Pattern, Platform, RegistryHost, Repository, Tag, TagClass,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tagging::Scheme;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub(super) version: u64,
    /// Where the record is: `local`, `file:PATH`, `git`, `git:URL`, `https://HOST`.
    pub(super) record: Option<String>,
    /// Short names of images.
    #[serde(default)]
    pub(super) images: Ordered<ImageName, Image>,
    /// The environments, in order: the first whose branch matches gets a build.
    #[serde(default)]
    pub(super) environments: Ordered<EnvironmentName, Environment>,
    /// Which tags may move, in the order in which they are asked.
    #[serde(default)]
    pub(super) rules: Vec<RuleEntry>,
    /// Files that `check` passes over: globs, with `!` for what it looks at all the same.
    #[serde(default)]
    pub(super) ignore: Vec<String>,
    /// Who is called when a finding opens or closes, and when a deploy lands.
    #[serde(default)]
    pub(super) webhooks: Vec<Webhook>,
    /// What every image that `pin` writes must be for, such as `linux/amd64`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) platforms: Vec<Platform>,
    /// Where the images of a registry are kept too, in the order in which they are asked.
    #[serde(default)]
    pub(super) mirrors: Ordered<RegistryHost, Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Webhook {
    /// The address that is called: `https`, or `http` to this machine.
    pub(super) url: String,
    /// The name of the variable that carries a bearer token.
    pub(super) token_variable: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Image {
    /// The repository in a registry, without tag and digest.
    #[schemars(with = "String")]
    pub(super) repository: Repository,
    /// Schemes of its tags; the first one's tag goes into files.
    #[schemars(schema_with = "super::schema::schemes")]
    pub(super) tags: Option<Vec<Scheme>>,
    /// `shared`: one build for all environments.
    pub(super) environments: Option<Shared>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shared {
    Shared,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Environment {
    /// Patterns of the branches whose builds are for it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) branches: Vec<Pattern>,
    /// Builds by hand or by a clock are for it too.
    #[serde(default)]
    pub(super) events: Vec<EventWord>,
    /// A tag that follows its newest build.
    #[schemars(with = "Option<String>")]
    pub(super) alias: Option<Tag>,
    /// The environment whose builds are brought here.
    #[schemars(with = "Option<String>")]
    pub(super) promotes_from: Option<EnvironmentName>,
    /// Whether a build must have been verified in the environment before.
    pub(super) verified_there: Option<VerifiedWord>,
    /// How long a build must have run before a rollback calls it known-good: `10m`, `2h`, `1d`.
    pub(super) soak: Option<String>,
    /// How builds come there.
    pub(super) deploy: Option<DeployWord>,
    /// Where its files are.
    pub(super) git: Option<Git>,
    /// Contexts of the kubeconfig, in the order in which they are deployed to.
    #[serde(default)]
    pub(super) clusters: Vec<String>,
    /// Whether clusters are deployed to one after the other, or at once.
    pub(super) rollout: Option<RolloutWord>,
    /// The namespace, the same in each cluster.
    pub(super) namespace: Option<String>,
    /// Which workloads run an image, as `deployment/api`.
    #[serde(default)]
    pub(super) workloads: Ordered<ImageName, Vec<String>>,
    /// Repositories of its own, by the short names of images.
    #[serde(default)]
    pub(super) images: Ordered<ImageName, EnvironmentImage>,
    /// What its files must name.
    pub(super) check: Option<CheckLevel>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EnvironmentImage {
    /// The repository in a registry, without tag and digest.
    #[schemars(with = "String")]
    pub(super) repository: Repository,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Git {
    /// The address of the repository; none: the one that holds the settings.
    pub(super) repository: Option<String>,
    /// The branch that is written to.
    pub(super) branch: Option<String>,
    /// The folder below which images are looked for.
    pub(super) path: Option<String>,
    /// Where pull requests are opened, where the address does not tell.
    pub(super) pull_requests: Option<PullRequests>,
    /// Objects of Argo CD or Flux that bring its commits, where the workloads do not tell.
    #[serde(default)]
    pub(super) synced_by: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PullRequests {
    /// Whose API it is.
    pub(super) host: HostWord,
    /// The address of the API.
    pub(super) api: Option<String>,
    /// The project, where the address does not tell.
    pub(super) project: Option<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum HostWord {
    Github,
    Gitlab,
    AzureDevops,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleEntry {
    /// The repositories that it is about; none: all.
    #[schemars(with = "Option<String>")]
    pub(super) repository: Option<Pattern>,
    /// The tags that it is about.
    #[schemars(with = "String")]
    pub(super) tag: Pattern,
    /// What such a tag is: `immutable`, `append` or `alias`.
    #[schemars(schema_with = "super::schema::tag_class")]
    pub(super) is: TagClass,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EventWord {
    Manual,
    Schedule,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum VerifiedWord {
    Required,
    Warn,
    Off,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
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

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RolloutWord {
    InOrder,
    AtOnce,
}

/// What the files of an environment must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckLevel {
    /// Any name; it is only reported.
    Floating,
    /// An immutable tag or a digest.
    Tag,
    /// A digest.
    Digest,
}

//! A first look at a cluster: what runs there, and what is wrong about it. Needs no settings and no record.
//!
//! ```text
//! one paged list of pods  ->  rows  ->  a HEAD for each tag and digest  ->  findings, and what is unknown
//! ```
//! Reads only. What runs is what the pods' imageIDs say; registries are asked what the names mean now.

use crate::app::App;
use crate::files::{Answers, AskedFor};
use crate::registries::{Registries, RegistryError};
use crate::surroundings::Surroundings;
use crate::verdict::{Explain, Verdict};
use ::record::claim::PlatformImage;
use cluster::{Cluster, ClusterError, ConnectTo, PodList, Scope};
use domain::{Digest, Repository, Tag, TaggedRef};
use futures_util::stream::{self, StreamExt as _};
use release::observed::{
    Findings, Meant, Pod, Presence, Registered, Row, TagNow, find, meant, rows, to_compare, wanted,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Questions to registries that wait for answers at once. Source: research/pin.md §6.3.
const IN_FLIGHT_MAX: usize = 48;

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct LookAt {
    /// The context of the kubeconfig.
    pub context: String,
    /// One namespace only.
    pub namespace: Option<String>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The context.
    pub context: String,
    /// The one namespace that was looked at; none: all.
    pub only_in: Option<String>,
    /// Why only that one, where all were asked for.
    pub denied: Option<String>,
    /// How many pods there are.
    pub pods: usize,
    /// What runs.
    pub rows: Vec<Row>,
    /// What is wrong, and what could not be found out.
    pub findings: Findings,
}

/// Why a cluster could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The docker config, or the like; a registry that does not answer is no error but unknown.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Explain for LookError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(ClusterError::Denied { .. }) => Some(
                "it needs the rights `get` and `list` on pods: kubectl create clusterrole indelible-look --verb=get,list --resource=pods"
                    .to_owned(),
            ),
            Self::Cluster(_) => None,
            Self::Registry(error) => error.hint(),
        }
    }
}

/// Looks at a cluster.
///
/// # Errors
/// The cluster does not answer, or does not let this user.
pub async fn look(app: &App, at: &LookAt) -> Result<Look, LookError> {
    let Listed { context, list, rows } = listed(app, at).await?;
    let registered = ask(&app.registries()?, &rows).await;
    let findings = find(&rows, &registered);
    let PodList { pods, only_in, denied } = list;
    Ok(Look { context, only_in, denied, pods: pods.len(), rows, findings })
}

/// What a cluster listed.
struct Listed {
    context: String,
    list: PodList,
    rows: Vec<Row>,
}

async fn listed(app: &App, at: &LookAt) -> Result<Listed, LookError> {
    let cluster = Cluster::connect(&connect_to(app.surroundings(), &at.context)).await?;
    let scope = at.namespace.clone().map_or(Scope::AllOrOwn, Scope::Namespace);
    let list = cluster.pods(&scope).await?;
    let rows = rows(&list.pods);
    Ok(Listed { context: cluster.context().to_owned(), list, rows })
}

/// Asks for one pod.
///
/// # Errors
/// The cluster does not answer, does not let this user, or has no such pod.
pub async fn pod(app: &App, at: &LookAt, name: &str) -> Result<Pod, LookError> {
    let cluster = Cluster::connect(&connect_to(app.surroundings(), &at.context)).await?;
    Ok(cluster.pod(at.namespace.as_deref(), name).await?)
}

/// Whether a name that runs nowhere may be pinned to what its registry has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRunning {
    /// It stays as it is: what it would bring has never run there.
    LeftAlone,
    /// It is told: whoever merges the pin deploys it.
    AsOfNow,
}

/// What runs under each name that was asked for.
#[derive(Clone, Debug)]
pub struct Running {
    /// Answers for a pin.
    pub answers: Answers,
    /// The one namespace that was looked at; none: all.
    pub only_in: Option<String>,
    /// Why only that one, where all were asked for.
    pub denied: Option<String>,
}

/// Says what runs under each name, as answers for a pin.
///
/// # Errors
/// The cluster does not answer, or does not let this user.
pub async fn running(
    app: &App,
    at: &LookAt,
    wanted: &BTreeSet<TaggedRef>,
    otherwise: NotRunning,
) -> Result<Running, LookError> {
    let Listed { list, rows, .. } = listed(app, at).await?;
    let names: BTreeSet<_> =
        wanted.iter().map(|one| (one.repository.clone(), one.tag.clone())).collect();
    let named: Vec<Row> = rows
        .into_iter()
        .filter(|row| row.named().is_some_and(|tag| names.contains(&tag)))
        .collect();
    let registries = app.registries()?;
    // Of a pinned row too: the index around what runs is what its tag names.
    let tags = tags_now(&registries, names).await;
    // Whether each digest is still there is no question of a pin, and is not asked.
    let registered = compared(&registries, &named, Registered { tags, ..Registered::default() });
    let registered = registered.await;
    let answer = |one: &TaggedRef| (one.clone(), answer(one, &named, &registered, otherwise));
    let answers = wanted.iter().map(answer).collect();
    Ok(Running { answers, only_in: list.only_in, denied: list.denied })
}

fn answer(
    one: &TaggedRef,
    rows: &[Row],
    registered: &Registered,
    otherwise: NotRunning,
) -> AskedFor {
    let tag = (one.repository.clone(), one.tag.clone());
    match meant(rows, registered, &tag) {
        Meant::One(digest) => AskedFor::Digest(digest),
        Meant::Several { builds, .. } => {
            let builds: Vec<_> = builds
                .iter()
                .map(|(digest, places)| {
                    let at: BTreeSet<_> = places
                        .iter()
                        .map(|at| format!("{} {}", at.namespace, at.owner))
                        .collect();
                    format!("{digest} in {}", at.into_iter().collect::<Vec<_>>().join(", "))
                })
                .collect();
            AskedFor::Unknown(format!("several builds of it run: {}", builds.join("; ")))
        }
        Meant::NotAManifest(digest) => AskedFor::Unknown(format!(
            "its pods report a configuration ({digest}), and its registry does not tell of which image"
        )),
        Meant::NotRunning => match (otherwise, registered.tags.get(&tag)) {
            (NotRunning::AsOfNow, Some(TagNow::Names(now))) => AskedFor::Digest(*now),
            (NotRunning::AsOfNow, Some(TagNow::Gone)) => AskedFor::NotThere,
            (NotRunning::AsOfNow, Some(TagNow::Unknown(why))) => AskedFor::Unknown(why.clone()),
            (NotRunning::AsOfNow, None) | (NotRunning::LeftAlone, _) => AskedFor::Unknown(
                "no pod runs it, and what its registry has now may be a change; `--as-of-now` takes that"
                    .to_owned(),
            ),
        },
    }
}

/// How a context is connected to.
pub(crate) fn connect_to(surroundings: &Surroundings, context: &str) -> ConnectTo {
    ConnectTo { kubeconfig: kubeconfig_of(surroundings), context: Some(context.to_owned()) }
}

/// Where kubectl would look: `KUBECONFIG`, else the file in the home folder.
pub(crate) fn kubeconfig_of(surroundings: &Surroundings) -> Vec<PathBuf> {
    match surroundings.variable("KUBECONFIG") {
        Some(list) => {
            std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
        }
        None => {
            let home = surroundings.variable("HOME").map(PathBuf::from);
            home.map(|home| home.join(".kube/config")).into_iter().collect()
        }
    }
}

/// Asks what the names mean now: first what is there, then what those hold that differ.
async fn ask(registries: &Registries, rows: &[Row]) -> Registered {
    let wanted = wanted(rows);
    let (tags, presence) = tokio::join!(
        tags_now(registries, wanted.tags),
        stream::iter(wanted.images.into_iter().map(|image| is_there(registries, image)))
            .buffer_unordered(IN_FLIGHT_MAX)
            .collect(),
    );
    compared(registries, rows, Registered { tags, presence, ..Registered::default() }).await
}

/// Adds what those images hold that differ.
async fn compared(registries: &Registries, rows: &[Row], mut registered: Registered) -> Registered {
    // What a registry does not have, or does not answer for, is not asked for again.
    let worth = |image: &(Repository, Digest)| match registered.presence.get(image) {
        Some(Presence::Gone | Presence::Unknown(_)) => false,
        None | Some(Presence::There) => true,
    };
    let differ: Vec<_> = to_compare(rows, &registered).into_iter().filter(worth).collect();
    let contents = stream::iter(differ.into_iter().map(|image| held(registries, image)))
        .buffer_unordered(IN_FLIGHT_MAX);
    registered.contents = contents.filter_map(|known| async { known }).collect().await;
    registered
}

async fn tags_now(
    registries: &Registries,
    tags: BTreeSet<(Repository, Tag)>,
) -> BTreeMap<(Repository, Tag), TagNow> {
    let asked = stream::iter(tags.into_iter().map(|tag| tag_now(registries, tag)));
    asked.buffer_unordered(IN_FLIGHT_MAX).collect().await
}

/// What a tag names now, as far as its registry says.
pub(crate) async fn tag_now(
    registries: &Registries,
    (repository, tag): (Repository, Tag),
) -> ((Repository, Tag), TagNow) {
    let now = match registries.resolve(&repository, &tag).await {
        Ok(Some(digest)) => TagNow::Names(digest),
        Ok(None) => TagNow::Gone,
        Err(error) => TagNow::Unknown(why(&error)),
    };
    ((repository, tag), now)
}

/// Whether a repository has a digest, as far as its registry says.
pub(crate) async fn is_there(
    registries: &Registries,
    image: (Repository, Digest),
) -> ((Repository, Digest), Presence) {
    let now = match registries.has(&image.0, image.1).await {
        Ok(true) => Presence::There,
        Ok(false) => Presence::Gone,
        Err(error) => Presence::Unknown(why(&error)),
    };
    (image, now)
}

/// What an image holds; one that cannot be read is not told apart from others, and said to be so.
async fn held(
    registries: &Registries,
    (repository, digest): (Repository, Digest),
) -> Option<(Digest, Vec<PlatformImage>)> {
    Some((digest, registries.describe(&repository, digest).await.ok()?.platforms))
}

/// The cause without the name that was asked for: many names of one registry are one line.
fn why(error: &RegistryError) -> String {
    if let RegistryError::Remote { source, .. } = error {
        return source.to_string();
    }
    error.to_string()
}

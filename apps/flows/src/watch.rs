//! Watching clusters: what their kubelets report goes into the record, as it happens.
//!
//! ```text
//! prod-eu: list, watch  ->  Tracker  ->  [began, ended, watched …]  ->  append, at most 256 at once
//! ```
//! Goes on where the record stands. Two watchers of one cluster say the same under the same keys, so that both may run.
//! Each cluster is watched on its own: one that is lost begins again by itself, and ends no other.
//! Ends when it is told to, after everything that was seen is recorded.

mod batches;
mod cloud_event;
mod follow;
mod hooks;
mod judging;
mod known;
mod meters;
mod names;
mod neighbours;
mod outward;
mod patience;
mod scene;
mod writer;

pub use hooks::WebhookError;
pub use meters::Meters;
pub use patience::Patience;

use crate::app::{App, OpenError};
use crate::look::connect_to;
use crate::seam::{Record, RecordError, each_run};
use crate::verdict::{Explain, Verdict};
use ::record::claim::{ClusterId, FindingClaim, Reported};
use ::record::{Run, RunQuestion, RunState, Span, Watched};
use cluster::{Cluster, ClusterError};
use domain::Timestamp;
use follow::follow;
use futures_util::future::join_all;
use hooks::Hooks;
use judging::Judging;
use known::Known;
use names::Names;
use neighbours::Neighbours;
use outward::Outward;
use patience::Keeping;
use release::observed::Tracker;
use scene::Scene;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch as signal};
use writer::Writer;

/// What webhooks may take for the last calls, after the watch was told to end.
const LAST_CALLS_WITHIN: Duration = Duration::from_secs(5);
/// Reports that wait while the record is written.
const WAITING_MAX: usize = 1_024;

/// A container that ended is started again after five minutes at most, and its node may be slow to say so. Source:
/// Kubernetes, pod-lifecycle, "How Pods handle problems with containers".
const STARTS_AGAIN_WITHIN_MS: i64 = 15 * 60_000;

/// Which cluster is watched.
#[derive(Clone, Debug)]
pub struct WatchAt {
    /// The context of the kubeconfig; the record knows the cluster by this name.
    pub context: String,
    /// One namespace only.
    pub namespace: Option<String>,
}

/// What a person is told meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The first list was complete: from here on everything is recorded.
    Watching {
        /// The context.
        context: String,
        /// Containers that run.
        containers: usize,
    },
    /// The watch was lost for too long: what happened meanwhile is bounded, and the gap is in the record.
    ListedAgain {
        /// The context.
        context: String,
    },
    /// Nodes may not be listed: an end that no kubelet reports stays unconfirmed.
    NoNodes {
        /// The context.
        context: String,
        /// Why.
        why: String,
    },
    /// A finding opened or closed.
    Finding {
        /// The context.
        context: String,
        /// What was recorded.
        claim: Box<FindingClaim>,
    },
    /// No Events may be made in the cluster: findings are in the record all the same.
    NoEvents {
        /// The context.
        context: String,
        /// Why.
        why: String,
    },
    /// The record does not take anything at the moment; it is tried again.
    RecordAway {
        /// Why.
        why: String,
    },
    /// The record will never take what was seen; everything else goes on.
    SetAside {
        /// The context.
        context: String,
        /// What, and why.
        why: String,
    },
    /// It cannot be watched, or not any more; it begins again by itself.
    CannotWatch {
        /// The context.
        context: String,
        /// Why.
        why: String,
        /// What would help.
        hint: Option<String>,
        /// When it is tried again at the latest.
        again_within: Duration,
    },
}

/// What a watcher did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The context.
    pub context: String,
    /// Begins and ends of containers that it recorded first.
    pub recorded: usize,
    /// Until when the record is complete; none: no list ever was.
    pub until: Option<Timestamp>,
}

/// Why a cluster cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It has no identity.
    #[error("{context} has no identity: its namespace kube-system has no uid")]
    NoIdentity {
        /// The context.
        context: String,
    },
    /// The settings, or the record's place.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A webhook of the settings.
    #[error("`webhooks` cannot be used")]
    Hook(#[from] WebhookError),
}

impl Explain for WatchError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Cluster(_) | Self::NoIdentity { .. } | Self::Hook(_) => Verdict::Unknown,
            Self::Open(error) => error.verdict(),
            Self::Record(error) => error.verdict(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(ClusterError::Denied { .. }) => Some(
                "it needs the rights `get`, `list` and `watch` on pods, nodes and namespaces: kubectl create clusterrole indelible-watch --verb=get,list,watch --resource=pods,nodes,namespaces"
                    .to_owned(),
            ),
            Self::Cluster(_) | Self::NoIdentity { .. } => None,
            Self::Hook(error) => error.hint(),
            Self::Open(error) => error.hint(),
            Self::Record(error) => error.hint(),
        }
    }
}

/// Watches some clusters until `stop` turns true, each on its own: a watch that is lost begins again.
///
/// # Errors
/// A webhook of the settings cannot be used, or a watch ended by something that there is no patience with: then all
/// end, and what was seen until then is recorded.
pub async fn watch(
    app: &App,
    (places, patience): (&[WatchAt], Patience),
    meters: &Meters,
    stop: &signal::Sender<bool>,
    tell: &(dyn Fn(&Told) + Sync),
) -> Result<Vec<Ended>, WatchError> {
    let (hooks, callers) = Hooks::open(app)?;
    let mut calling = std::pin::pin!(callers.run(meters));
    let watchers = places.iter().map(|at| async {
        let keeping = Keeping::of(app, (at, patience), meters, tell);
        let once = || watch_one(app, at, (&hooks, meters), stop.subscribe(), tell);
        let ended = keeping.keep(stop.subscribe(), once).await;
        if ended.is_err() {
            stop.send_replace(true);
        }
        ended
    });
    let ended = {
        let mut watching = std::pin::pin!(join_all(watchers));
        tokio::select! {
            ended = &mut watching => ended,
            // Without webhooks there is nobody to call.
            () = &mut calling => watching.await,
        }
    };
    if !hooks.is_silent() {
        drop(hooks);
        let _late = tokio::time::timeout(LAST_CALLS_WITHIN, calling).await;
    }
    ended.into_iter().collect()
}

async fn watch_one(
    app: &App,
    at: &WatchAt,
    (hooks, meters): (&Hooks, &Meters),
    stop: signal::Receiver<bool>,
    tell: &(dyn Fn(&Told) + Sync),
) -> Result<Ended, WatchError> {
    let cluster = Cluster::connect(&connect_to(app.surroundings(), &at.context)).await?;
    let no_identity = |_| WatchError::NoIdentity { context: at.context.clone() };
    let id = ClusterId::try_from(cluster.identity().await?).map_err(no_identity)?;
    let record = app.record().await?;
    record.refresh().await?;
    let (runs, alive) = standing(record, &id, at.namespace.as_deref()).await?;
    let tracker = Tracker::resume(id.clone(), &runs, alive);
    let scene = Scene::of(&runs);
    drop(runs);
    let settings = app.loaded().map(|loaded| &loaded.settings);
    let judging = Judging {
        app,
        record,
        cluster: &cluster,
        id: &id,
        at,
        scene: &scene,
        meters,
        outward: Outward {
            cluster: &cluster,
            at,
            hooks,
            meters,
            tell,
            is_denied: AtomicBool::new(false),
        },
        known: Known::new(id.clone(), &at.context, settings),
        names: Names::default(),
        neighbours: Neighbours::of(id.clone()),
    };
    let mut writer = Writer::new(app.surroundings(), record, id.clone(), at, &scene, meters);
    writer.server_ahead_ms = server_ahead_ms(app, &cluster).await;
    let (out, reports) = mpsc::channel(WAITING_MAX);
    let (seed, nodes_known) = (app.surroundings().seed(), Notify::new());
    let follow = follow(&cluster, at, seed, &out, &nodes_known, tell);
    tokio::select! {
        refused = follow => Err(refused),
        never = judging.run(tell) => match never {},
        ended = writer.run(tracker, reports, stop, &nodes_known, tell) => ended,
    }
}

/// How far the API server's clock is ahead of ours: it answered in the middle of the question.
async fn server_ahead_ms(app: &App, cluster: &Cluster) -> Option<i64> {
    let asked = app.surroundings().now().as_millis();
    let server = cluster.server_time().await?.as_millis();
    let answered = app.surroundings().now().as_millis();
    Some(server - i64::midpoint(asked, answered))
}

/// What the record knows of a cluster that can still matter: what runs, and what ended so shortly before the last
/// sign of life that its pod may start it again.
async fn standing(
    record: &dyn Record,
    cluster: &ClusterId,
    namespace: Option<&str>,
) -> Result<(Vec<Run>, Option<Timestamp>), RecordError> {
    let stretches = stretches(record, Some(cluster)).await?;
    let stretches = stretches.iter().filter(|one| one.sees(namespace));
    let alive = stretches.map(|one| one.last).max();
    let mut runs = Vec::new();
    let of = RunQuestion {
        cluster: Some(cluster.clone()),
        namespace: namespace.map(Reported::of),
        ..RunQuestion::default()
    };
    let open = RunQuestion { state: RunState::Open, ..of.clone() };
    each_run(record, &open, |run| runs.push(run)).await?;
    if let Some(alive) = alive {
        let since = alive.plus_millis(-STARTS_AGAIN_WITHIN_MS);
        let when = Span::between(Some(since), None).unwrap_or(Span::ALL);
        let starts_again = |run: &Run| run.ended.is_some_and(|ended| ended.deleted.is_none());
        let recent = RunQuestion { when, ..of };
        each_run(record, &recent, |run| {
            if starts_again(&run) {
                runs.push(run);
            }
        })
        .await?;
    }
    Ok((runs, alive))
}

/// The stretches in which a cluster, or any, was watched.
///
/// # Errors
/// The record cannot be read.
pub(crate) async fn stretches(
    record: &dyn Record,
    cluster: Option<&ClusterId>,
) -> Result<Vec<Watched>, RecordError> {
    let question = RunQuestion { cluster: cluster.cloned(), limit: 0, ..RunQuestion::default() };
    Ok(record.runs(&question, None).await?.watched)
}

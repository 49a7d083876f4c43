//! Watches: a list, then every change, for as long as somebody listens.
//!
//! ```text
//! list … rv 100 · watch from 100 · changed, deleted, bookmark rv 140 · (lost) · watch from 140 · 410 · list again
//! ```
//! Each object is cut down as it comes: no copy of the cluster is kept here. What could not be seen is not passed over:
//! after a 410 the list begins again, and whoever listens compares. A connection that says nothing is given up.

mod follow;
mod nodes;
#[cfg(test)]
pub(crate) mod scripted;

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::wire::{self, WirePod};
use follow::{Follow, Seen};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use kube::api::{Api, ApiResource, DynamicObject};
use nodes::WireNode;
use release::observed::Report;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// One small question.
const ASK_WITHIN: Duration = Duration::from_secs(30);
/// Its uid is the cluster's identity: every cluster has it, and it is never made anew.
const IDENTITY: &str = "kube-system";

impl Cluster {
    /// The identity of the cluster, which no kubeconfig can change: the uid of the namespace `kube-system`.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn identity(&self) -> Result<String, ClusterError> {
        let kind = ApiResource::erase::<Namespace>(&());
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &kind);
        let asked = tokio::time::timeout(ASK_WITHIN, api.get_metadata(IDENTITY)).await;
        let seconds = ASK_WITHIN.as_secs();
        let context = self.context.clone();
        let asked = asked.map_err(|_| ClusterError::TooLate { context, seconds })?;
        let what = || format!("namespace {IDENTITY}");
        let found = asked.map_err(|error| ClusterError::of(error, &self.context, "get", what))?;
        Ok(found.metadata.uid.unwrap_or_default())
    }

    /// Watches pods until nobody listens any more; `seed` spreads the waits of many watchers.
    ///
    /// # Errors
    /// The first list is refused. What happens later is waited for, and tried again.
    pub async fn watch_pods(
        &self,
        namespace: Option<&str>,
        seed: u64,
        out: &Sender<Report>,
    ) -> Result<(), ClusterError> {
        let kind = ApiResource::erase::<Pod>(&());
        let (api, what): (Api<WirePod>, _) = match namespace {
            Some(name) => {
                let what = format!("pods in namespace {name}");
                (Api::namespaced_with(self.client.clone(), name, &kind), what)
            }
            None => {
                (Api::all_with(self.client.clone(), &kind), "pods in all namespaces".to_owned())
            }
        };
        let pod = |wire| Box::new(wire::pod(wire));
        let report = |seen| match seen {
            Seen::ListBegins => Some(Report::ListBegins),
            Seen::Listed(wire) | Seen::Changed(wire) => Some(Report::Pod(pod(wire))),
            Seen::ListEnds => Some(Report::ListEnds),
            Seen::Deleted(wire) => Some(Report::Gone(pod(wire))),
            Seen::Alive => Some(Report::Alive),
        };
        Follow { api, context: &self.context, what, seed }.run(report, out).await
    }

    /// Watches which nodes answer, until nobody listens any more.
    ///
    /// # Errors
    /// The first list is refused.
    pub async fn watch_nodes(&self, seed: u64, out: &Sender<Report>) -> Result<(), ClusterError> {
        let kind = ApiResource::erase::<Node>(&());
        let api: Api<WireNode> = Api::all_with(self.client.clone(), &kind);
        let mut listed = Vec::new();
        let report = |seen| match seen {
            Seen::ListBegins => {
                listed.clear();
                None
            }
            Seen::Listed(wire) => {
                listed.push(nodes::node(wire));
                None
            }
            Seen::ListEnds => Some(Report::Nodes(std::mem::take(&mut listed))),
            Seen::Changed(wire) => Some(Report::Node(nodes::node(wire))),
            Seen::Deleted(wire) => Some(Report::NodeGone(nodes::node(wire).name)),
            Seen::Alive => None,
        };
        let what = "nodes".to_owned();
        Follow { api, context: &self.context, what, seed }.run(report, out).await
    }
}

//! One paged list of pods.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::wire::{self, WirePod};
use kube::api::{Api, ApiResource, ListParams};
use release::observed::Pod;
use std::time::Duration;

/// Pods in one answer. Source: kubectl's chunk size; larger pages only make the server hold more.
const PAGE: u32 = 500;
/// Lists begun again because their snapshot had grown too old.
const RESTARTS_MAX: usize = 3;
/// One page.
const PAGE_WITHIN: Duration = Duration::from_secs(60);

/// Which namespaces to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All; where that is denied, the context's own, and the answer says so.
    AllOrOwn,
    /// This one.
    Namespace(String),
}

/// Pods, and where they are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodList {
    /// The pods.
    pub pods: Vec<Pod>,
    /// The one namespace that was looked at; none: all of them.
    pub only_in: Option<String>,
    /// Set when all were asked for and denied.
    pub denied: Option<String>,
}

impl Cluster {
    /// Lists pods by pages.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn pods(&self, scope: &Scope) -> Result<PodList, ClusterError> {
        match scope {
            Scope::Namespace(name) => {
                let pods = self.list(Some(name)).await?;
                Ok(PodList { pods, only_in: Some(name.clone()), denied: None })
            }
            Scope::AllOrOwn => match self.list(None).await {
                Ok(pods) => Ok(PodList { pods, only_in: None, denied: None }),
                Err(denied @ ClusterError::Denied { .. }) => {
                    let own = self.namespace.clone();
                    let pods = self.list(Some(&own)).await?;
                    Ok(PodList { pods, only_in: Some(own), denied: Some(denied.to_string()) })
                }
                Err(other) => Err(other),
            },
        }
    }

    async fn list(&self, namespace: Option<&str>) -> Result<Vec<Pod>, ClusterError> {
        let kind = ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&());
        let api: Api<WirePod> = match namespace {
            Some(name) => Api::namespaced_with(self.client.clone(), name, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        };
        let what = || match namespace {
            Some(name) => format!("pods in namespace {name}"),
            None => "pods in all namespaces".to_owned(),
        };
        let mut restarts = 0;
        let mut pods = Vec::new();
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let answered = tokio::time::timeout(PAGE_WITHIN, api.list(&page)).await;
            let answer = answered.map_err(|_| ClusterError::TooLate {
                context: self.context.clone(),
                seconds: PAGE_WITHIN.as_secs(),
            })?;
            match answer {
                Ok(list) => {
                    pods.extend(list.items.into_iter().map(wire::pod));
                    match list.metadata.continue_.filter(|token| !token.is_empty()) {
                        Some(token) => page.continue_token = Some(token),
                        None => return Ok(pods),
                    }
                }
                // The snapshot of the first page is kept for five minutes only: from the beginning.
                Err(kube::Error::Api(status)) if status.code == 410 && restarts < RESTARTS_MAX => {
                    restarts += 1;
                    pods.clear();
                    page.continue_token = None;
                }
                Err(error) => return Err(ClusterError::of(error, &self.context, "list", what)),
            }
        }
    }
}

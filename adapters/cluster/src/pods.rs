//! One paged list of pods, or one pod.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::wire::{self, WirePod};
use kube::api::{Api, ApiResource, ListParams};
use release::observed::Pod;
use std::time::Duration;

/// Pods in one answer. Source: kubectl's chunk size; larger pages only make the server hold more.
pub(crate) const PAGE: u32 = 500;
/// Lists begun again because their snapshot had grown too old.
const RESTARTS_MAX: usize = 3;
/// The longest name of an object. Source: RFC 1123, subdomain.
const NAME_LEN_MAX: usize = 253;
/// One page, of a list or at the begin of a watch.
pub(crate) const PAGE_WITHIN: Duration = Duration::from_secs(60);

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
                let name = checked("namespace", name)?;
                let pods = self.list(Some(name)).await?;
                Ok(PodList { pods, only_in: Some(name.to_owned()), denied: None })
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

    /// Asks for one pod; without a namespace, in the context's own.
    ///
    /// # Errors
    /// The cluster does not answer, does not let this user, or has no such pod.
    pub async fn pod(&self, namespace: Option<&str>, name: &str) -> Result<Pod, ClusterError> {
        let namespace = checked("namespace", namespace.unwrap_or(&self.namespace))?;
        let name = checked("pod", name)?;
        let kind = ApiResource::erase::<k8s_openapi::api::core::v1::Pod>(&());
        let api: Api<WirePod> = Api::namespaced_with(self.client.clone(), namespace, &kind);
        let what = || format!("pod {name} in namespace {namespace}");
        let asked = tokio::time::timeout(PAGE_WITHIN, api.get(name)).await;
        match asked.map_err(|_| self.too_late())? {
            Ok(pod) => Ok(wire::pod(pod)),
            Err(error) => Err(ClusterError::of(error, &self.context, "get", what)),
        }
    }

    fn too_late(&self) -> ClusterError {
        ClusterError::TooLate { context: self.context.clone(), seconds: PAGE_WITHIN.as_secs() }
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
            match answered.map_err(|_| self.too_late())? {
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

/// A name goes into a path: what is none is not asked for.
///
/// Source: Kubernetes, object names: RFC 1123 subdomains.
fn checked<'a>(kind: &'static str, name: &'a str) -> Result<&'a str, ClusterError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let is_name = (1..=NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && !name.starts_with(['-', '.'])
        && !name.ends_with(['-', '.']);
    if is_name {
        return Ok(name);
    }
    Err(ClusterError::Name { kind, name: name.chars().take(NAME_LEN_MAX).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_become_another_path_is_no_name() {
        assert_eq!(checked("pod", "api-6d5f8c-x2x4q").unwrap(), "api-6d5f8c-x2x4q");
        let longest = "a".repeat(NAME_LEN_MAX);
        assert_eq!(checked("pod", &longest).unwrap(), longest);
        for name in ["", "a/b", "../nodes", "a?b", "API", "-a", "a.", &"a".repeat(NAME_LEN_MAX + 1)]
        {
            assert!(matches!(checked("pod", name), Err(ClusterError::Name { .. })), "{name}");
        }
    }
}

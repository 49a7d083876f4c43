//! The objects of Argo CD and Flux that bring commits to workloads: found by their marks, and read.
//!
//! ```text
//! argocd.argoproj.io/tracking-id: shop:apps/Deployment:shop/api   -> application/argocd/shop
//! kustomize.toolkit.fluxcd.io/name: shop, …/namespace: flux-system -> kustomization/flux-system/shop
//! ```
//! Read without their types: only the fields below are looked at, and an object of another form says nothing.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::workload::WorkloadFacts;
use domain::CommitId;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use release::gitops::{Stopped, SyncFacts, SyncKind, SyncObject, commit_of_revision};
use release::rollout::Workload;
use serde_json::Value;
use std::collections::BTreeMap;

/// Namespaces that Applications are looked for in where no list of all is allowed.
/// Source: Argo CD's installation manifests, and Red Hat OpenShift GitOps.
const ARGO_NAMESPACES: [&str; 2] = ["argocd", "openshift-gitops"];
/// The characters of an object's own words that are shown.
const SHOWN_CHARS_MAX: usize = 400;

/// What a workload's marks say of who brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncMark {
    /// This very object.
    Object(SyncObject),
    /// An Application of this name, in a namespace that the mark does not tell.
    Application(String),
    /// Perhaps an Application of this name: other tools use the same label.
    MaybeApplication(String),
}

impl WorkloadFacts {
    /// Who brings this workload, by its labels and annotations; none: nothing says so.
    ///
    /// Source: Argo CD, "Resource tracking"; Flux, kustomize-controller and helm-controller, "ownership labels".
    #[must_use]
    pub fn sync_mark(&self) -> Option<SyncMark> {
        mark(
            self.meta.labels.as_ref().unwrap_or(&BTreeMap::new()),
            self.meta.annotations.as_ref().unwrap_or(&BTreeMap::new()),
        )
    }
}

fn mark(
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> Option<SyncMark> {
    let flux = |kind, group: &str| {
        let get = |part: &str| labels.get(&format!("{group}.toolkit.fluxcd.io/{part}")).cloned();
        let (name, namespace) = (get("name")?, get("namespace")?);
        Some(SyncMark::Object(SyncObject { kind, namespace, name }))
    };
    if let Some(id) = annotations.get("argocd.argoproj.io/tracking-id") {
        let name = id.split(':').next().unwrap_or_default();
        // An Application outside of Argo CD's own namespace: `NAMESPACE_NAME`.
        return Some(match name.split_once('_') {
            Some((namespace, name)) => SyncMark::Object(SyncObject {
                kind: SyncKind::Application,
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            None => SyncMark::Application(name.to_owned()),
        });
    }
    if let Some(name) = labels.get("argocd.argoproj.io/instance") {
        return Some(SyncMark::Application(name.clone()));
    }
    flux(SyncKind::HelmRelease, "helm")
        .or_else(|| flux(SyncKind::Kustomization, "kustomize"))
        .or_else(|| {
            labels.get("app.kubernetes.io/instance").cloned().map(SyncMark::MaybeApplication)
        })
}

impl Cluster {
    /// The objects that bring a workload, in the order in which they have to show a commit; empty: none is known.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn synced_by(
        &self,
        (namespace, workload): (&str, &Workload),
        facts: &WorkloadFacts,
    ) -> Result<Vec<SyncObject>, ClusterError> {
        match facts.sync_mark() {
            None => Ok(Vec::new()),
            Some(SyncMark::Object(object)) => self.with_its_own(object).await,
            Some(SyncMark::Application(name)) => {
                let found = self.applications(&name).await?;
                Ok(that_brings(found, namespace, workload).into_iter().collect())
            }
            Some(SyncMark::MaybeApplication(name)) => {
                let mut found = self.applications(&name).await?;
                found.retain(|(_, body)| is_brought(body, namespace, workload));
                Ok(that_brings(found, namespace, workload).into_iter().collect())
            }
        }
    }

    /// A release of a chart is itself brought by a Kustomization, which shows the commit.
    async fn with_its_own(&self, object: SyncObject) -> Result<Vec<SyncObject>, ClusterError> {
        if object.kind != SyncKind::HelmRelease {
            return Ok(vec![object]);
        }
        let release = self.read_dynamic(&object).await?;
        let labels = release.and_then(|release| release.metadata.labels).unwrap_or_default();
        let before = match mark(&labels, &BTreeMap::new()) {
            Some(SyncMark::Object(before)) if before.kind == SyncKind::Kustomization => {
                Some(before)
            }
            Some(
                SyncMark::Object(_) | SyncMark::Application(_) | SyncMark::MaybeApplication(_),
            )
            | None => None,
        };
        Ok(before.into_iter().chain([object]).collect())
    }

    /// The Applications of a name, wherever they are.
    async fn applications(&self, name: &str) -> Result<Vec<(SyncObject, Value)>, ClusterError> {
        let at = |namespace: &str| SyncObject {
            kind: SyncKind::Application,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let api: Api<DynamicObject> =
            Api::all_with(self.client.clone(), &resource(SyncKind::Application));
        let asked = ListParams::default().fields(&format!("metadata.name={name}"));
        let what = || format!("applications called {name}");
        match self.within("list", what, api.list(&asked)).await {
            Ok(list) => {
                let one = |one: DynamicObject| {
                    (at(one.metadata.namespace.as_deref().unwrap_or_default()), one.data)
                };
                Ok(list.items.into_iter().map(one).collect())
            }
            // No such kind is there at all.
            Err(ClusterError::NotThere { .. }) => Ok(Vec::new()),
            Err(ClusterError::Denied { .. }) => {
                let mut found = Vec::new();
                for object in ARGO_NAMESPACES.map(at) {
                    let one = self.read_dynamic(&object).await?;
                    found.extend(one.map(|one| (object, one.data)));
                }
                Ok(found)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn read_dynamic(
        &self,
        object: &SyncObject,
    ) -> Result<Option<DynamicObject>, ClusterError> {
        let resource = resource(object.kind);
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &object.namespace, &resource);
        let what = || object.to_string();
        self.within("get", what, api.get_opt(&object.name)).await
    }

    /// What an object that brings commits says of itself; none: it is not there.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn sync_facts(&self, object: &SyncObject) -> Result<Option<SyncFacts>, ClusterError> {
        let found = self.read_dynamic(object).await?;
        Ok(found.map(|found| {
            let generation = found.metadata.generation.unwrap_or_default();
            match object.kind {
                SyncKind::Application => of_application(&found.data),
                SyncKind::Kustomization | SyncKind::HelmRelease => of_flux(generation, &found.data),
            }
        }))
    }
}

pub(crate) fn resource(kind: SyncKind) -> ApiResource {
    let (group, version, name, plural) = match kind {
        SyncKind::Application => ("argoproj.io", "v1alpha1", "Application", "applications"),
        SyncKind::Kustomization => {
            ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations")
        }
        SyncKind::HelmRelease => ("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"),
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, name), plural)
}

/// Which of several Applications of one name brings a workload that is marked with the name: the one that says so;
/// where none says so yet, the only one of Argo CD's own namespaces. A stranger's of the same name is neither waited
/// for nor suspended.
fn that_brings(
    mut found: Vec<(SyncObject, Value)>,
    namespace: &str,
    workload: &Workload,
) -> Option<SyncObject> {
    if let Some(at) = found.iter().position(|(_, body)| is_brought(body, namespace, workload)) {
        return Some(found.swap_remove(at).0);
    }
    let says_nothing = |body: &Value| body.pointer("/status/resources").is_none();
    found.retain(|(object, body)| {
        ARGO_NAMESPACES.contains(&object.namespace.as_str()) && says_nothing(body)
    });
    match found.as_slice() {
        [(object, _)] => Some(object.clone()),
        _ => None,
    }
}

/// Whether an Application says that a workload is one of its resources.
fn is_brought(body: &Value, namespace: &str, workload: &Workload) -> bool {
    let kind = workload.kind.name();
    let resources = body.pointer("/status/resources").and_then(Value::as_array);
    resources.into_iter().flatten().any(|one| {
        (text(one, "/kind"), text(one, "/namespace"), text(one, "/name"))
            == (Some(kind), Some(namespace), Some(workload.name()))
    })
}

fn text<'a>(body: &'a Value, at: &str) -> Option<&'a str> {
    body.pointer(at).and_then(Value::as_str)
}

/// One revision, or those of several sources.
fn revisions(body: &Value, at: &str) -> Vec<CommitId> {
    let one = text(body, &format!("{at}/revision"));
    let several = body.pointer(&format!("{at}/revisions")).and_then(Value::as_array);
    let several = several.into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(several).filter_map(commit_of_revision).collect()
}

fn shown(words: &[Option<&str>]) -> String {
    let words: Vec<&str> =
        words.iter().flatten().copied().filter(|word| !word.is_empty()).collect();
    let line = words.join(": ");
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_CHARS_MAX).collect()
}

/// Whether an Application syncs by itself. Source: argoproj/argo-cd, `SyncPolicyAutomated` and its `enabled`.
pub(crate) fn is_automated(body: &Value) -> bool {
    body.pointer("/spec/syncPolicy/automated")
        .is_some_and(|one| one.is_object() && one.pointer("/enabled") != Some(&Value::Bool(false)))
}

/// Source: argoproj/argo-cd, `manifests/crds/application-crd.yaml`; `OperationPhase` in gitops-engine.
fn of_application(body: &Value) -> SyncFacts {
    let (sync, phase) =
        (text(body, "/status/sync/status"), text(body, "/status/operationState/phase"));
    let message = text(body, "/status/operationState/message");
    let error = body.pointer("/status/conditions").and_then(Value::as_array).and_then(|all| {
        all.iter().find(|one| text(one, "/type").is_some_and(|kind| kind.ends_with("Error")))
    });
    let failed = matches!(phase, Some("Failed" | "Error")).then(|| shown(&[phase, message]));
    let is_over = matches!(phase, None | Some("Succeeded"));
    let state = match error {
        Some(error) => shown(&[text(error, "/type"), text(error, "/message")]),
        None => shown(&[sync, phase, message]),
    };
    SyncFacts {
        generation: 0,
        observed_generation: None,
        stopped: (!is_automated(body)).then_some(Stopped::Manual),
        applied: revisions(body, "/status/sync"),
        attempted: revisions(body, "/status/operationState/syncResult"),
        is_settled: sync == Some("Synced") && is_over,
        state: (!state.is_empty()).then_some(state),
        failed,
    }
}

/// Reasons of `Ready: False` that pass by themselves. Source: fluxcd/pkg `apis/meta`, kustomize-controller and
/// helm-controller `api`: `Progressing`, `DependencyNotReady`, `ReconciliationInProgress`, `ArtifactNotReady`.
const PASSING: [&str; 6] = [
    "Progressing",
    "ProgressingWithRetry",
    "DependencyNotReady",
    "ReconciliationInProgress",
    "SourceNotReady",
    "ArtifactNotReady",
];

/// Source: fluxcd/kustomize-controller and fluxcd/helm-controller, `config/crd/bases`.
fn of_flux(generation: i64, body: &Value) -> SyncFacts {
    let ready = body
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|one| text(one, "/type") == Some("Ready")));
    let of_ready = |at: &str| ready.and_then(|one| text(one, at));
    let (status, reason, message) =
        (of_ready("/status"), of_ready("/reason"), of_ready("/message"));
    let observed = body.pointer("/status/observedGeneration").and_then(Value::as_i64);
    // A condition of an older change says nothing of this one.
    let of_condition = ready.and_then(|one| one.pointer("/observedGeneration"));
    let is_current = of_condition.and_then(Value::as_i64).is_none_or(|seen| seen >= generation);
    let has_failed = status == Some("False")
        && is_current
        && !reason.is_some_and(|reason| PASSING.contains(&reason));
    let revision = |at: &str| text(body, at).and_then(commit_of_revision).into_iter().collect();
    let state = shown(&[reason, message]);
    SyncFacts {
        generation,
        observed_generation: Some(observed.unwrap_or_default()),
        stopped: (body.pointer("/spec/suspend") == Some(&Value::Bool(true)))
            .then_some(Stopped::Suspended),
        applied: revision("/status/lastAppliedRevision"),
        attempted: revision("/status/lastAttemptedRevision"),
        is_settled: status == Some("True") && is_current,
        state: (!state.is_empty()).then(|| state.clone()),
        failed: has_failed.then_some(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn who_brings_a_workload_is_told_by_its_marks() {
        let none = BTreeMap::new();
        let tracking = |id| labels(&[("argocd.argoproj.io/tracking-id", id)]);
        let found = mark(&none, &tracking("shop:apps/Deployment:shop/api"));
        assert_eq!(found, Some(SyncMark::Application("shop".to_owned())));
        let found = mark(&none, &tracking("team_shop:apps/Deployment:shop/api"));
        let object = |text: &str| Some(SyncMark::Object(text.parse().unwrap()));
        assert_eq!(found, object("application/team/shop"));
        let flux = labels(&[
            ("kustomize.toolkit.fluxcd.io/name", "shop"),
            ("kustomize.toolkit.fluxcd.io/namespace", "flux-system"),
            ("app.kubernetes.io/instance", "api"),
        ]);
        assert_eq!(mark(&flux, &none), object("kustomization/flux-system/shop"));
        let helm = labels(&[
            ("helm.toolkit.fluxcd.io/name", "api"),
            ("helm.toolkit.fluxcd.io/namespace", "shop"),
        ]);
        assert_eq!(mark(&helm, &none), object("helmrelease/shop/api"));
        let label = labels(&[("app.kubernetes.io/instance", "shop")]);
        assert_eq!(mark(&label, &none), Some(SyncMark::MaybeApplication("shop".to_owned())));
        assert_eq!(mark(&none, &none), None);
    }

    #[test]
    fn of_applications_of_one_name_only_the_one_that_brings_the_workload_counts() {
        let workload = "deployment/api".parse().unwrap();
        let brings = json!({"status": {"resources": [
            {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "api"}]}});
        let other = json!({"status": {"resources": [
            {"group": "apps", "kind": "Deployment", "namespace": "bank", "name": "api"}]}});
        let fresh = json!({"status": {}});
        let at = |namespace: &str| format!("application/{namespace}/shop").parse().unwrap();
        let one = |found: &[(&str, &Value)]| {
            let found = found.iter().map(|(namespace, body)| (at(namespace), (*body).clone()));
            that_brings(found.collect(), "shop", &workload)
        };
        assert_eq!(one(&[("team", &other), ("tools", &brings)]), Some(at("tools")));
        assert_eq!(one(&[("argocd", &fresh), ("team", &brings)]), Some(at("team")));
        assert_eq!(one(&[("team", &fresh), ("argocd", &fresh)]), Some(at("argocd")));
        // It says what it brings, and that is something else.
        assert_eq!(one(&[("argocd", &other)]), None);
        assert_eq!(one(&[("team", &fresh)]), None);
        assert_eq!(one(&[]), None);
    }

    /// As Argo CD 3 writes it, read by a person.
    #[test]
    fn an_application_is_read() {
        let a = "a".repeat(40);
        let body = json!({
            "spec": {"syncPolicy": {"automated": {"selfHeal": true}}},
            "status": {
                "sync": {"status": "Synced", "revision": a},
                "operationState": {"phase": "Succeeded", "message": "successfully synced (all tasks run)",
                    "syncResult": {"revision": a}},
                "resources": [{"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "api"}],
            },
        });
        let facts = of_application(&body);
        let commit: CommitId = a.parse().unwrap();
        assert_eq!((facts.applied, facts.attempted), (vec![commit.clone()], vec![commit]));
        assert!(facts.is_settled && facts.failed.is_none() && facts.stopped.is_none());
        assert!(is_brought(&body, "shop", &"deployment/api".parse().unwrap()));
        assert!(!is_brought(&body, "shop", &"statefulset/api".parse().unwrap()));
        let failed = json!({"status": {"operationState": {"phase": "Failed", "message": "one or more objects failed to apply",
            "syncResult": {"revisions": ["b".repeat(40), "c".repeat(40)]}}}});
        let facts = of_application(&failed);
        assert_eq!(facts.failed.as_deref(), Some("Failed: one or more objects failed to apply"));
        assert_eq!((facts.attempted.len(), facts.stopped), (2, Some(Stopped::Manual)));
    }

    /// As kustomize-controller 1 writes it, read by a person.
    #[test]
    fn a_kustomization_is_read() {
        let a = "a".repeat(40);
        let body = |status: &str, reason: &str, seen: i64| {
            json!({
                "spec": {"suspend": false},
                "status": {
                    "observedGeneration": 2,
                    "lastAppliedRevision": format!("main@sha1:{a}"),
                    "lastAttemptedRevision": format!("main@sha1:{a}"),
                    "conditions": [{"type": "Ready", "status": status, "reason": reason, "message": "m", "observedGeneration": seen}],
                },
            })
        };
        let facts = of_flux(2, &body("True", "ReconciliationSucceeded", 2));
        assert!(facts.is_settled && facts.applied == [a.parse().unwrap()]);
        let facts = of_flux(2, &body("False", "BuildFailed", 2));
        assert_eq!(facts.failed.as_deref(), Some("BuildFailed: m"));
        assert_eq!(of_flux(2, &body("False", "DependencyNotReady", 2)).failed, None);
        assert_eq!(of_flux(2, &body("False", "BuildFailed", 1)).failed, None, "of an older change");
    }
}

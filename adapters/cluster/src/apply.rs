//! Server-side apply of images, and of nothing else.
//!
//! ```text
//! {spec: {template: {spec: {containers: [{name: api, image: reg/shop/api:1@sha256:9f…}]}}}}   as `indelible`
//! ```
//! First without force: where another manager owns a field, the server says who, and that decides.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::workload::WorkloadFacts;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Resource;
use kube::api::{Api, ObjectMeta, Patch, PatchParams};
use kube::core::Status;
use release::observed::Role;
use release::rollout::{Manager, Slot, Workload, WorkloadKind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Our name as a field manager.
pub const FIELD_MANAGER: &str = "indelible";

/// Whether an image that kubectl or a stranger set is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOver {
    /// Only ours is changed.
    Never,
    /// We were told to.
    Told,
}

/// Whether the server stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// It checks everything and stores nothing.
    Only,
    /// It stores it.
    No,
}

/// Why images were not set.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Another system deploys there.
    #[error("{system} owns the image of {workload} and would put its own back: deploy through it")]
    System {
        /// The workload.
        workload: Workload,
        /// The system, and its field manager.
        system: String,
    },
    /// Somebody else set the image.
    #[error("the image of {workload} was set by {}", owners(.managers))]
    Owned {
        /// The workload.
        workload: Workload,
        /// Who.
        managers: Vec<Manager>,
    },
    /// A policy or webhook of the cluster does not let it in.
    #[error("the cluster does not let the change of {workload} in: {message}")]
    NotAdmitted {
        /// The workload.
        workload: Workload,
        /// Its words.
        message: String,
    },
}

/// Whether a server said that a change is wrong, rather than that it could not tell.
///
/// Source: `k8s.io/apiserver/pkg/admission`: webhooks answer 400 or 403 unless they say more, policies 422 or 403.
fn not_admitted(error: ClusterError, workload: &Workload) -> ApplyError {
    match error {
        ClusterError::Refused { code: 400 | 403 | 422, message, .. } => {
            ApplyError::NotAdmitted { workload: workload.clone(), message }
        }
        other => ApplyError::Cluster(other),
    }
}

/// Whether a webhook cannot rehearse: then only the change itself can tell.
///
/// Source: `k8s.io/apiserver/pkg/admission/plugin/webhook/errors`, `NewDryRunUnsupportedErr`.
fn cannot_rehearse(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { message, .. } if message.contains("does not support dry run"))
}

fn owners(managers: &[Manager]) -> String {
    managers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Cluster {
    /// Sets images of a workload's template; gives the generation that this made.
    ///
    /// # Errors
    /// Another manager owns one of them, or the cluster refuses or does not answer.
    pub async fn apply_images(
        &self,
        (namespace, workload): (&str, &Workload),
        facts: &WorkloadFacts,
        images: &[Slot],
        take_over: TakeOver,
        rehearsal: Rehearsal,
    ) -> Result<i64, ApplyError> {
        let body = body(workload, facts, images);
        let params = PatchParams {
            dry_run: rehearsal == Rehearsal::Only,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let tell =
            async |params: &PatchParams| match self.patch(namespace, workload, params, &body).await
            {
                Err(error) if params.dry_run && cannot_rehearse(&error) => {
                    Ok(Patched::Generation(facts.generation))
                }
                told => told.map_err(|error| not_admitted(error, workload)),
            };
        let status = match tell(&params).await? {
            Patched::Generation(generation) => return Ok(generation),
            Patched::Conflict(status) => status,
        };
        let managers = managers(&status);
        if let Some(system) = system(&managers, &facts.meta) {
            return Err(ApplyError::System { workload: workload.clone(), system });
        }
        if take_over == TakeOver::Never {
            return Err(ApplyError::Owned { workload: workload.clone(), managers });
        }
        match tell(&params.force()).await? {
            Patched::Generation(generation) => Ok(generation),
            Patched::Conflict(status) => {
                let of = |status| {
                    ClusterError::of(kube::Error::Api(status), &self.context, "patch", String::new)
                };
                Err(of(status).into())
            }
        }
    }

    async fn patch(
        &self,
        namespace: &str,
        workload: &Workload,
        params: &PatchParams,
        body: &Value,
    ) -> Result<Patched, ClusterError> {
        match workload.kind {
            WorkloadKind::Deployment => {
                self.patch_as::<Deployment>(namespace, workload, params, body).await
            }
            WorkloadKind::StatefulSet => {
                self.patch_as::<StatefulSet>(namespace, workload, params, body).await
            }
            WorkloadKind::DaemonSet => {
                self.patch_as::<DaemonSet>(namespace, workload, params, body).await
            }
        }
    }

    async fn patch_as<K>(
        &self,
        namespace: &str,
        workload: &Workload,
        params: &PatchParams,
        body: &Value,
    ) -> Result<Patched, ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug,
        K: DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let what = || format!("{workload} in namespace {namespace}");
        let patch = Patch::Apply(body);
        let asked = async {
            match api.patch(workload.name(), params, &patch).await {
                Ok(object) => Ok(Patched::Generation(object.meta().generation.unwrap_or_default())),
                Err(kube::Error::Api(status)) if is_conflict(&status) => {
                    Ok(Patched::Conflict(status))
                }
                Err(error) => Err(error),
            }
        };
        self.within("patch", what, asked).await
    }
}

enum Patched {
    Generation(i64),
    Conflict(Box<Status>),
}

fn is_conflict(status: &Status) -> bool {
    status.code == 409 && !managers(status).is_empty()
}

/// The managers that a conflict names: `conflict with "kubectl-edit" using apps/v1`.
///
/// Source: `k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go`.
fn managers(status: &Status) -> Vec<Manager> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let named = causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .filter_map(|cause| cause.message.split('"').nth(1));
    named.map(Manager::of).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The system that would put its own image back.
fn system(managers: &[Manager], meta: &ObjectMeta) -> Option<String> {
    let by_manager = managers.iter().find_map(|manager| match manager {
        Manager::System { .. } => Some(manager.to_string()),
        Manager::Kubectl(_) | Manager::Other(_) => None,
    });
    by_manager.or_else(|| {
        let labels = meta.labels.iter().flat_map(|map| map.keys().map(String::as_str));
        let annotations = meta.annotations.iter().flat_map(|map| map.keys().map(String::as_str));
        Manager::marked(labels, annotations).map(ToOwned::to_owned)
    })
}

/// The images that are to be set, and those that are ours already: what we leave out we would give up.
fn body(workload: &Workload, facts: &WorkloadFacts, images: &[Slot]) -> Value {
    let ours = ours(&facts.meta);
    let is_new =
        |slot: &Slot| images.iter().any(|image| image.role == slot.role && image.name == slot.name);
    let kept = facts
        .template
        .iter()
        .filter(|slot| ours.contains(&(slot.role, slot.name.clone())) && !is_new(slot));
    let all: Vec<&Slot> = images.iter().chain(kept).collect();
    let list = |role: Role| -> Vec<Value> {
        let of = all.iter().filter(|slot| slot.role == role);
        of.map(|slot| json!({"name": slot.name, "image": slot.image})).collect()
    };
    let mut spec = serde_json::Map::new();
    for (key, role) in [("initContainers", Role::Init), ("containers", Role::Main)] {
        let list = list(role);
        if !list.is_empty() {
            spec.insert(key.to_owned(), Value::Array(list));
        }
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": workload.kind.name(),
        "metadata": {"name": workload.name()},
        "spec": {"template": {"spec": spec}},
    })
}

/// Whether we wrote what an entry of `managedFields` speaks of.
pub(crate) fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply")
}

/// The containers whose image we own, from `managedFields`.
fn ours(meta: &ObjectMeta) -> BTreeSet<(Role, String)> {
    let mut owned = BTreeSet::new();
    let mine = meta.managed_fields.iter().flatten().filter(|entry| is_ours(entry));
    for fields in mine.filter_map(|entry| entry.fields_v1.as_ref()) {
        for (key, role) in [("f:initContainers", Role::Init), ("f:containers", Role::Main)] {
            let list = ["f:spec", "f:template", "f:spec", key]
                .iter()
                .try_fold(&fields.0, |value, key| value.get(key));
            let Some(list) = list.and_then(Value::as_object) else { continue };
            // `k:{"name":"api"}`
            let names = list.iter().filter(|(_, fields)| fields.get("f:image").is_some());
            let name = |key: &str| -> Option<String> {
                let key: Value = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
                Some(key.get("name")?.as_str()?.to_owned())
            };
            owned.extend(names.filter_map(|(key, _)| Some((role, name(key)?))));
        }
    }
    owned
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an API server of Kubernetes 1.35 answers a conflict.
    #[test]
    fn a_conflict_names_its_managers() {
        let text = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 409, "reason": "Conflict",
          "message": "Apply failed with 2 conflicts",
          "details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-client-side-apply\" using apps/v1", "field": ".spec.template.spec.containers[name=\"api\"].image"},
            {"reason": "FieldManagerConflict", "message": "conflict with \"argocd-controller\" using apps/v1", "field": ".x"}]}}"#;
        let status: Status = serde_json::from_str(text).unwrap();
        assert!(is_conflict(&status));
        let managers = managers(&status);
        let names: Vec<_> = managers.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Argo CD (argocd-controller)", "kubectl-client-side-apply"]);
        assert_eq!(
            system(&managers, &ObjectMeta::default()).as_deref(),
            Some("Argo CD (argocd-controller)")
        );
        let kubectl = [Manager::of("kubectl-client-side-apply")];
        assert_eq!(system(&kubectl, &ObjectMeta::default()), None);
        let annotations = [("meta.helm.sh/release-name".to_owned(), "api".to_owned())];
        let marked = ObjectMeta { annotations: Some(annotations.into()), ..ObjectMeta::default() };
        assert_eq!(system(&kubectl, &marked).as_deref(), Some("Helm"));
    }

    #[test]
    fn an_image_that_is_ours_stays_ours_when_another_is_set() {
        let meta: ObjectMeta = serde_json::from_str(
            r#"{"managedFields": [
              {"manager": "indelible", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
               "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}}},
              {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"log\"}": {"f:image": {}}}}}}}}]}"#,
        )
        .unwrap();
        assert_eq!(ours(&meta), [(Role::Main, "api".to_owned())].into());
        let slot = |name: &str, image: &str| Slot {
            role: Role::Main,
            name: name.to_owned(),
            image: image.to_owned(),
        };
        let facts = WorkloadFacts {
            uid: String::new(),
            generation: 1,
            template: vec![slot("api", "a:1"), slot("log", "l:1"), slot("web", "w:1")],
            refuses: None,
            meta,
            selector: String::new(),
            observed_generation: 1,
            counts: release::rollout::Counts::DaemonSet { wanted: 0, updated: 0, available: 0 },
            newest: crate::workload::Newest::ReplicaSet(None),
        };
        let body = body(&"daemonset/x".parse().unwrap(), &facts, &[slot("web", "w:2")]);
        let containers = &body["spec"]["template"]["spec"]["containers"];
        let expected = json!([{"name": "web", "image": "w:2"}, {"name": "api", "image": "a:1"}]);
        assert_eq!(*containers, expected);
        assert_eq!(body["kind"], "DaemonSet");
        assert!(body["spec"]["template"]["spec"].get("initContainers").is_none());
    }
}

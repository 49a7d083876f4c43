//! A workload looked at once, for who changed it: its identity and its field managers, nothing of its content.
//!
//! ```text
//! deployment/api  ->  uid, [kubectl-client-side-apply (…13:02), kubectl-rollout (image of `api`, 15:02)]
//! ```
//! Source: Kubernetes, server-side apply: each manager's `fieldsV1` lists what it set last, and `time` is when.

use crate::connect::Cluster;
use crate::error::ClusterError;
use domain::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ObjectMeta};
use release::observed::Owner;
use serde_json::Value;

/// What a workload's metadata tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// Its identity.
    pub uid: String,
    /// Who set fields of its specification, the newest change first.
    pub managers: Vec<FieldManager>,
    /// What made it, where it is no person's: a Job's CronJob.
    pub made_by: Option<Owner>,
}

/// A manager of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldManager {
    /// Its name.
    pub name: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// When it changed the object last.
    pub at: Option<Timestamp>,
    /// The containers whose image it set last.
    pub images: Vec<String>,
}

impl Cluster {
    /// Asks for the metadata of what makes pods; none: it is not there, or of a kind that is not known here.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn look_at(
        &self,
        namespace: &str,
        owner: &Owner,
    ) -> Result<Option<Looked>, ClusterError> {
        let Some(resource) = resource(&owner.kind) else { return Ok(None) };
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource);
        let what = || format!("{owner} in namespace {namespace}");
        let found = self.within("get", what, api.get_metadata_opt(&owner.name)).await?;
        Ok(found.map(|object| looked(resource, object.metadata)))
    }

    /// The same of whoever is to be told, or can have changed it: a Job comes and goes, its CronJob stays. Pods lead to
    /// their Job, and the Job to its CronJob (research/deploy.md §2.4).
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn look_at_maker(
        &self,
        namespace: &str,
        owner: &Owner,
    ) -> Result<Option<(Owner, Looked)>, ClusterError> {
        let own = self.look_at(namespace, owner).await?;
        let maker = match &own {
            Some(looked) => looked.made_by.clone(),
            None => owner.cron_job(),
        };
        if let Some(maker) = maker
            && let Some(looked) = self.look_at(namespace, &maker).await?
        {
            return Ok(Some((maker, looked)));
        }
        Ok(own.map(|looked| (owner.clone(), looked)))
    }
}

fn resource(kind: &str) -> Option<ApiResource> {
    Some(match kind {
        "deployment" => ApiResource::erase::<Deployment>(&()),
        "statefulset" => ApiResource::erase::<StatefulSet>(&()),
        "daemonset" => ApiResource::erase::<DaemonSet>(&()),
        "replicaset" => ApiResource::erase::<ReplicaSet>(&()),
        "job" => ApiResource::erase::<Job>(&()),
        "cronjob" => ApiResource::erase::<CronJob>(&()),
        "pod" => ApiResource::erase::<Pod>(&()),
        "rollout" => {
            ApiResource::from_gvk(&GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout"))
        }
        _ => return None,
    })
}

fn looked(resource: ApiResource, meta: ObjectMeta) -> Looked {
    let entries = meta.managed_fields.unwrap_or_default();
    let mut managers: Vec<FieldManager> =
        entries.into_iter().filter(sets_specification).map(manager).collect();
    managers.sort_by_key(|one| std::cmp::Reverse(one.at));
    let owners = meta.owner_references.unwrap_or_default();
    let controller = owners.into_iter().find(|owner| owner.controller == Some(true));
    let controller = controller.map(|owner| Owner::of(&owner.kind, &owner.name, &[]));
    Looked {
        made_by: controller.filter(|maker| self::resource(&maker.kind).is_some()),
        api_version: resource.api_version,
        kind: resource.kind,
        uid: meta.uid.unwrap_or_default(),
        managers,
    }
}

/// Controllers write statuses all the time: that is no change of what was asked for.
fn sets_specification(entry: &ManagedFieldsEntry) -> bool {
    let has_spec = entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get("f:spec").is_some());
    has_spec && entry.subresource.as_deref().unwrap_or_default().is_empty()
}

fn manager(entry: ManagedFieldsEntry) -> FieldManager {
    let mut images = Vec::new();
    if let Some(fields) = &entry.fields_v1 {
        images_of(&fields.0["f:spec"], &mut images);
    }
    FieldManager {
        name: entry.manager.unwrap_or_default(),
        operation: entry.operation.unwrap_or_default(),
        at: entry.time.map(|time| Timestamp::from_millis(time.0.as_millisecond())),
        images,
    }
}

/// The names in `k:{"name":"api"}` whose `f:image` is set: in a template, a job's template, or the pod itself.
fn images_of(spec: &Value, images: &mut Vec<String>) {
    let in_template = &spec["f:template"]["f:spec"];
    let in_job = &spec["f:jobTemplate"]["f:spec"]["f:template"]["f:spec"];
    for pod in [spec, in_template, in_job] {
        for list in ["f:containers", "f:initContainers"] {
            let Some(containers) = pod[list].as_object() else { continue };
            for (key, fields) in containers {
                let name = key.strip_prefix("k:").and_then(|key| serde_json::from_str(key).ok());
                let name = name.and_then(|key: Value| Some(key["name"].as_str()?.to_owned()));
                if let (Some(name), true) = (name, fields.get("f:image").is_some()) {
                    images.push(name);
                }
            }
        }
    }
}

impl Looked {
    /// Who set the image of a container last; without an owner of that field, who changed the object last.
    #[must_use]
    pub fn changed_image(&self, container: &str) -> Option<&FieldManager> {
        let owns = |one: &&FieldManager| one.images.iter().any(|image| image == container);
        self.managers.iter().find(owns).or_else(|| self.managers.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Kubernetes 1.35 answers after `kubectl apply` and `kubectl set image`, read by a person.
    const META: &str = r#"{"name": "api", "uid": "u1", "managedFields": [
      {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-17T14:00:00Z",
       "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
         "k:{\"name\":\"log\"}": {".": {}, "f:image": {}, "f:name": {}}, "k:{\"name\":\"api\"}": {".": {}, "f:name": {}}}}}}}},
      {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-17T15:09:00Z",
       "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {"f:replicas": {}}}, "subresource": "status"},
      {"manager": "kubectl-set", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-17T15:02:00Z",
       "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}}}}}
    ]}"#;

    #[test]
    fn the_manager_that_set_an_image_last_is_named_with_its_time() {
        let resource = resource("deployment").unwrap();
        let looked = looked(resource, serde_json::from_str(META).unwrap());
        assert_eq!((looked.api_version.as_str(), looked.kind.as_str()), ("apps/v1", "Deployment"));
        let api = looked.changed_image("api").unwrap();
        assert_eq!((api.name.as_str(), api.operation.as_str()), ("kubectl-set", "Update"));
        assert_eq!(api.at, "2026-03-17T15:02:00Z".parse().ok());
        assert_eq!(looked.changed_image("log").unwrap().name, "kubectl-client-side-apply");
        // Nobody owns it: who changed the specification last is the best that is known.
        assert_eq!(looked.changed_image("new").unwrap().name, "kubectl-set");
        assert_eq!(looked.made_by, None);
    }

    #[test]
    fn a_workload_without_managers_names_nobody() {
        let looked = looked(resource("statefulset").unwrap(), ObjectMeta::default());
        assert_eq!(looked.changed_image("api"), None);
        assert_eq!(resource("rollout").unwrap().plural, "rollouts");
        assert!(resource("widget").is_none());
    }
}

//! A new Job, made from an older one: the template of a Job can never be changed.
//!
//! ```text
//! migrate (image 1)  ->  migrate-x7k2p (image 2), labelled `indelible/job-of: migrate`
//! ```

use super::body::LISTS;
use super::{ApplyError, FIELD_MANAGER, Rehearsal, cannot_rehearse, not_admitted};
use crate::connect::Cluster;
use crate::workload::JOB_OF;
use kube::api::{DynamicObject, PostParams};
use release::rollout::{Holder, Manager, Slot, Workload};
use serde_json::{Map, Value, json};

/// What the Job controller writes on the pods of one Job, and which no other Job may carry.
///
/// Source: Kubernetes API, `batch/v1`, JobSpec.selector and manualSelector.
const OF_ONE_JOB: [&str; 4] = [
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
];
/// What kubectl remembers of the older one.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The next Job of a workload, from the newest one that there is.
pub(super) fn next_of(workload: &Workload, base: &Value, images: &[Slot]) -> Value {
    let kept = |key: &str, without: &[&str]| -> Map<String, Value> {
        let all = base["metadata"][key].as_object().cloned().unwrap_or_default();
        all.into_iter().filter(|(key, _)| !without.contains(&key.as_str())).collect()
    };
    let mut labels = kept("labels", &OF_ONE_JOB);
    labels.retain(|key, _| !is_mark(key));
    labels.insert(JOB_OF.to_owned(), json!(workload.name()));
    let mut annotations = kept("annotations", &[LAST_APPLIED]);
    annotations.retain(|key, _| !is_mark(key));
    let mut spec = base["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("selector");
        spec.remove("manualSelector");
    }
    let labels_of_pods = spec.pointer_mut("/template/metadata/labels");
    if let Some(labels) = labels_of_pods.and_then(Value::as_object_mut) {
        OF_ONE_JOB.iter().for_each(|key| drop(labels.remove(*key)));
    }
    for (key, holder) in LISTS {
        let list = spec.pointer_mut(&format!("/template/spec/{key}"));
        let Some(list) = list.and_then(Value::as_array_mut) else { continue };
        for image in images.iter().filter(|image| image.holder == holder) {
            let named = list.iter_mut().find(|entry| entry["name"] == json!(image.name));
            let Some(named) = named else { continue };
            match holder {
                Holder::Container | Holder::InitContainer => named["image"] = json!(image.image),
                Holder::Volume => named["image"]["reference"] = json!(image.image),
            }
        }
    }
    json!({
        "apiVersion": workload.kind.api_version(),
        "kind": workload.kind.name(),
        "metadata": {
            "generateName": format!("{}-", workload.name()),
            "labels": labels,
            "annotations": annotations,
        },
        "spec": spec,
    })
}

/// Whether a system would take an object with this key for its own.
fn is_mark(key: &str) -> bool {
    Manager::marked([key], []).is_some()
}

impl Cluster {
    /// Makes a Job; gives its generation.
    pub(super) async fn create_job(
        &self,
        (namespace, workload): (&str, &Workload),
        body: &Value,
        rehearsal: Rehearsal,
    ) -> Result<i64, ApplyError> {
        let api = self.api_of(namespace, workload.kind);
        let params = PostParams {
            dry_run: rehearsal == Rehearsal::Only,
            field_manager: Some(FIELD_MANAGER.to_owned()),
        };
        let object: DynamicObject = serde_json::from_value(body.clone())
            .expect("a kind, a version and metadata are an object");
        let what = || format!("a job of {workload} in namespace {namespace}");
        let first = object.metadata.generation.unwrap_or(1);
        match self.within("create", what, api.create(&params, &object)).await {
            Ok(made) => Ok(made.metadata.generation.unwrap_or(first)),
            Err(error) if params.dry_run && cannot_rehearse(&error) => Ok(first),
            Err(error) => Err(not_admitted(error, workload)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Kubernetes 1.35 shows a Job, read by a person.
    #[test]
    fn a_new_job_keeps_nothing_that_belongs_to_the_old_one() {
        let base = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "migrate", "uid": "u1", "resourceVersion": "7", "creationTimestamp": "2026-03-17T14:38:50Z",
                "labels": {"app": "migrate", "controller-uid": "u1"},
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "shop", "argocd.argoproj.io/tracking-id": "shop:batch/Job:shop/migrate"},
                "ownerReferences": [{"kind": "CronJob", "uid": "u0"}]},
            "spec": {"backoffLimit": 2, "manualSelector": false, "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}},
                "template": {"metadata": {"labels": {"app": "migrate", "job-name": "migrate", "batch.kubernetes.io/job-name": "migrate",
                        "controller-uid": "u1", "batch.kubernetes.io/controller-uid": "u1"}},
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "migrate", "image": "m:1"}, {"name": "log", "image": "l:1"}]}}},
            "status": {"succeeded": 1}});
        let image = Slot {
            holder: Holder::Container,
            name: "migrate".to_owned(),
            image: "m:2@sha256:9f".to_owned(),
        };
        let expected = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"generateName": "migrate-", "labels": {"app": "migrate", "indelible/job-of": "migrate"},
                "annotations": {"team": "shop"}},
            "spec": {"backoffLimit": 2,
                "template": {"metadata": {"labels": {"app": "migrate"}},
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "migrate", "image": "m:2@sha256:9f"}, {"name": "log", "image": "l:1"}]}}}});
        assert_eq!(next_of(&"job/migrate".parse().unwrap(), &base, &[image]), expected);
    }
}

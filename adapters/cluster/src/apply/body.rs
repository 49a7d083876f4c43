//! What is applied: the images that are to be set, beside those that are ours already.
//!
//! ```text
//! Deployment  spec.template.spec.{containers,initContainers}[name].image, .volumes[name].image.reference
//! CronJob     the same below spec.jobTemplate
//! ```

use super::is_ours;
use crate::workload::WorkloadFacts;
use kube::api::ObjectMeta;
use release::rollout::{Holder, Slot, Workload, WorkloadKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where a template names images, list by list.
pub(super) const LISTS: [(&str, Holder); 3] = [
    ("initContainers", Holder::InitContainer),
    ("containers", Holder::Container),
    ("volumes", Holder::Volume),
];

/// The way to the pods' specification.
fn way(kind: WorkloadKind) -> &'static [&'static str] {
    match kind {
        WorkloadKind::CronJob => &["spec", "jobTemplate", "spec", "template", "spec"],
        WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::Job
        | WorkloadKind::Rollout => &["spec", "template", "spec"],
    }
}

/// The images that are to be set, and those that are ours already: what we leave out we would give up.
pub(super) fn body(workload: &Workload, facts: &WorkloadFacts, images: &[Slot]) -> Value {
    let ours = ours(workload.kind, &facts.meta);
    let is_new = |slot: &Slot| {
        images.iter().any(|image| image.holder == slot.holder && image.name == slot.name)
    };
    let kept = facts
        .template
        .iter()
        .filter(|slot| ours.contains(&(slot.holder, slot.name.clone())) && !is_new(slot));
    let all: Vec<&Slot> = images.iter().chain(kept).collect();
    let mut spec = Map::new();
    for (key, holder) in LISTS {
        let of = all.iter().filter(|slot| slot.holder == holder);
        let list: Vec<Value> = of.map(|slot| entry(slot)).collect();
        if !list.is_empty() {
            spec.insert(key.to_owned(), Value::Array(list));
        }
    }
    let inside = way(workload.kind).iter().rev();
    let mut body = inside.fold(Value::Object(spec), |inner, key| json!({ *key: inner }));
    body["apiVersion"] = json!(workload.kind.api_version());
    body["kind"] = json!(workload.kind.name());
    body["metadata"] = json!({"name": workload.name()});
    body
}

fn entry(slot: &Slot) -> Value {
    match slot.holder {
        Holder::Container | Holder::InitContainer => {
            json!({"name": slot.name, "image": slot.image})
        }
        Holder::Volume => json!({"name": slot.name, "image": {"reference": slot.image}}),
    }
}

/// The containers and volumes whose image we own, from `managedFields`.
fn ours(kind: WorkloadKind, meta: &ObjectMeta) -> BTreeSet<(Holder, String)> {
    let mut owned = BTreeSet::new();
    let mine = meta.managed_fields.iter().flatten().filter(|entry| is_ours(entry));
    for fields in mine.filter_map(|entry| entry.fields_v1.as_ref()) {
        let spec = way(kind)
            .iter()
            .try_fold(&fields.0, |value, key| value.get(format!("f:{key}").as_str()));
        for (key, holder) in LISTS {
            let list = spec.and_then(|spec| spec.get(format!("f:{key}").as_str()));
            let Some(list) = list.and_then(Value::as_object) else { continue };
            // `k:{"name":"api"}`
            let names = list.iter().filter(|(_, fields)| fields.get("f:image").is_some());
            let name = |key: &str| -> Option<String> {
                let key: Value = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
                Some(key.get("name")?.as_str()?.to_owned())
            };
            owned.extend(names.filter_map(|(key, _)| Some((holder, name(key)?))));
        }
    }
    owned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_ours_stays_ours_when_another_is_set() {
        let meta: ObjectMeta = serde_json::from_str(
            r#"{"managedFields": [
              {"manager": "indelible", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
               "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}}},
              {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"log\"}": {"f:image": {}}}}}}}}]}"#,
        )
        .unwrap();
        assert_eq!(
            ours(WorkloadKind::DaemonSet, &meta),
            [(Holder::Container, "api".to_owned())].into()
        );
        let slot = |name: &str, image: &str| Slot {
            holder: Holder::Container,
            name: name.to_owned(),
            image: image.to_owned(),
        };
        let facts = WorkloadFacts {
            uid: String::new(),
            generation: 1,
            template: vec![slot("api", "a:1"), slot("log", "l:1"), slot("web", "w:1")],
            refuses: None,
            meta,
            edits: crate::workload::Edits::Itself,
            is_to_be_made_again: false,
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
        let files =
            Slot { holder: Holder::Volume, name: "files".to_owned(), image: "f:2".to_owned() };
        let facts = WorkloadFacts { template: Vec::new(), ..facts };
        let body = super::body(&"cronjob/x".parse().unwrap(), &facts, &[files]);
        let spec = &body["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(*spec, json!({"volumes": [{"name": "files", "image": {"reference": "f:2"}}]}));
        assert_eq!(body["apiVersion"], "batch/v1");
    }
}

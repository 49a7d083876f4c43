//! Images of an object whose lists can only be written as a whole: one value each, by its position.
//!
//! ```text
//! test …/containers/0/name = api · test …/containers/0/image = a:1 · replace …/containers/0/image a:2@sha256:9f
//! ```
//! Older CRDs of Argo Rollouts know no keys of lists: server-side apply would replace the other containers, and a merge
//! patch too. Each `test` fails the whole patch where somebody changed the list meanwhile. Source: RFC 6902; argo-rollouts#3281.

use super::body::LISTS;
use super::{ApplyError, FIELD_MANAGER, Rehearsal, TakeOver, is_ours, may_take, not_admitted};
use crate::connect::Cluster;
use crate::error::ClusterError;
use kube::api::{DynamicObject, ObjectMeta};
use release::rollout::{Holder, Manager, Slot, Workload};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is asked for.
pub(super) struct Positions<'a> {
    pub(super) namespace: &'a str,
    pub(super) workload: &'a Workload,
    pub(super) object: &'a Value,
    pub(super) images: &'a [Slot],
    pub(super) take_over: TakeOver,
    pub(super) rehearsal: Rehearsal,
}

impl Cluster {
    /// Sets the images; gives the generation that this made.
    pub(super) async fn replace_images(&self, asked: &Positions<'_>) -> Result<i64, ApplyError> {
        let Positions { namespace, workload, object, .. } = asked;
        let meta: ObjectMeta =
            serde_json::from_value(object["metadata"].clone()).unwrap_or_default();
        let owners = owners(&meta);
        let workload = *workload;
        may_take(workload, owners, &meta, asked.take_over)?;
        let dry = match asked.rehearsal {
            Rehearsal::Only => "&dryRun=All",
            Rehearsal::No => "",
        };
        let path = format!(
            "/apis/{}/namespaces/{namespace}/{}s/{}?fieldManager={FIELD_MANAGER}{dry}",
            workload.kind.api_version(),
            workload.kind.word(),
            workload.name()
        );
        let what = || format!("{workload} in namespace {namespace}");
        let body = Value::Array(operations(object, asked.images)).to_string().into_bytes();
        let request = http::Request::patch(path)
            .header(http::header::CONTENT_TYPE, "application/json-patch+json")
            .body(body)
            .map_err(|error| {
                ClusterError::of(
                    kube::Error::BuildRequest(kube::core::request::Error::BuildRequest(error)),
                    &self.context,
                    "patch",
                    what,
                )
            })?;
        let told = self.within("patch", what, self.client.request::<DynamicObject>(request)).await;
        let told = told.map_err(|error| not_admitted(error, workload))?;
        Ok(told.metadata.generation.unwrap_or_default())
    }
}

/// Tests and replaces, image by image.
fn operations(object: &Value, images: &[Slot]) -> Vec<Value> {
    let mut operations = Vec::new();
    for (key, holder) in LISTS {
        let list = object["spec"]["template"]["spec"][key].as_array();
        for (at, entry) in list.into_iter().flatten().enumerate() {
            let is_it =
                |image: &&Slot| image.holder == holder && entry["name"] == json!(image.name);
            let Some(image) = images.iter().find(is_it) else { continue };
            let place = format!("/spec/template/spec/{key}/{at}");
            let (value, now) = match holder {
                Holder::Container | Holder::InitContainer => ("image", &entry["image"]),
                Holder::Volume => ("image/reference", &entry["image"]["reference"]),
            };
            operations.extend([
                json!({"op": "test", "path": format!("{place}/name"), "value": image.name}),
                json!({"op": "test", "path": format!("{place}/{value}"), "value": now}),
                json!({"op": "replace", "path": format!("{place}/{value}"), "value": image.image}),
            ]);
        }
    }
    operations
}

/// Who else owns a list of containers or volumes as a whole.
fn owners(meta: &ObjectMeta) -> Vec<Manager> {
    let all = meta.managed_fields.iter().flatten().filter(|entry| !is_ours(entry));
    let of_template = all.filter(|entry| {
        let fields = entry.fields_v1.as_ref();
        let spec = fields.and_then(|fields| fields.0.pointer("/f:spec/f:template/f:spec"));
        let owns =
            |spec: &Value| LISTS.iter().any(|(list, _)| spec.get(format!("f:{list}")).is_some());
        spec.is_some_and(owns) && entry.subresource.is_none()
    });
    let names = of_template.filter_map(|entry| entry.manager.as_deref());
    let others = names.filter(|name| *name != FIELD_MANAGER).map(Manager::of);
    others.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_replaced_only_where_name_and_image_are_as_they_were_seen() {
        let object = json!({"spec": {"template": {"spec": {
            "containers": [{"name": "log", "image": "l:1"}, {"name": "api", "image": "a:1"}]}}}});
        let image =
            Slot { holder: Holder::Container, name: "api".to_owned(), image: "a:2".to_owned() };
        let expected = [
            json!({"op": "test", "path": "/spec/template/spec/containers/1/name", "value": "api"}),
            json!({"op": "test", "path": "/spec/template/spec/containers/1/image", "value": "a:1"}),
            json!({"op": "replace", "path": "/spec/template/spec/containers/1/image", "value": "a:2"}),
        ];
        assert_eq!(operations(&object, &[image]), expected);
    }

    #[test]
    fn whoever_owns_any_list_that_holds_images_is_an_owner() {
        let entry = |manager: &str, list: &str| {
            json!({"manager": manager, "operation": "Update", "apiVersion": "argoproj.io/v1alpha1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:template": {"f:spec": {list: {}}}}}})
        };
        let meta: ObjectMeta = serde_json::from_value(json!({"managedFields": [
            entry("argocd-controller", "f:initContainers"), entry("kubectl-edit", "f:volumes"),
            entry("other", "f:dnsPolicy")]}))
        .unwrap();
        let names: Vec<_> = owners(&meta).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Argo CD (argocd-controller)", "kubectl-edit"]);
    }
}

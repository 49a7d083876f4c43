//! An object of Kubernetes whose metadata is cut down while it is read.
//!
//! ```text
//! {"metadata": {"name": "api-1", "managedFields": [… 3 KB …]}, "spec": …, "status": …}  ->  name, uid, owners, times
//! ```
//! `managedFields` and annotations are most of a pod's metadata. Read as they are, a page of 500 pods takes tens of
//! megabytes for a moment, and memory that was used once is seldom given back.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope, ObjectMeta};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An object, as it is read.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WireObject<S, T> {
    #[serde(deserialize_with = "cut_down")]
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: S,
    pub(crate) status: Option<T>,
}

/// What of the metadata is read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    labels: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
}

fn cut_down<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let read = Metadata::deserialize(from)?;
    Ok(ObjectMeta {
        name: read.name,
        namespace: read.namespace,
        uid: read.uid,
        resource_version: read.resource_version,
        creation_timestamp: read.creation_timestamp,
        deletion_timestamp: read.deletion_timestamp,
        labels: read.labels,
        owner_references: read.owner_references,
        ..ObjectMeta::default()
    })
}

impl<S: Clone, T: Clone> Resource for WireObject<S, T> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn api_version(kind: &ApiResource) -> Cow<'_, str> {
        kind.api_version.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_of_the_metadata_is_there_and_the_rest_is_not() {
        let text = r#"{"kind": "Pod", "metadata": {
          "name": "a", "namespace": "b", "uid": "c", "resourceVersion": "7", "generateName": "a-",
          "creationTimestamp": "2026-03-17T14:38:50Z", "deletionTimestamp": "2026-03-17T14:40:00Z",
          "labels": {"app": "a"}, "annotations": {"x": "y"},
          "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "1", "controller": true}],
          "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {}}}]}, "spec": {}}"#;
        let read: WireObject<serde_json::Value, ()> = serde_json::from_str(text).unwrap();
        let ObjectMeta { name, namespace, uid, resource_version, .. } = read.metadata.clone();
        let names = [name, namespace, uid, resource_version];
        assert_eq!(names, ["a", "b", "c", "7"].map(|text| Some(text.to_owned())));
        assert!(read.metadata.deletion_timestamp > read.metadata.creation_timestamp);
        assert_eq!(read.metadata.labels.as_ref().unwrap()["app"], "a");
        assert_eq!(read.metadata.owner_references.as_ref().unwrap()[0].controller, Some(true));
        assert_eq!((read.metadata.managed_fields, read.metadata.annotations), (None, None));
    }
}

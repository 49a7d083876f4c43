//! Suspends automatic sync of an Argo CD Application, and gives it back what it was.
//!
//! ```text
//! spec.syncPolicy.automated: {selfHeal: true}  ->  null, kept in the annotation indelible.dev/suspended-sync
//! ```
//! What it was stands on the object itself, so that whoever restores it needs nothing else. Told by the version that was
//! read: a change by somebody else in between is a conflict, not lost.

use crate::apply::FIELD_MANAGER;
use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::sync::is_automated;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use release::gitops::{SyncKind, SyncObject};
use serde_json::{Value, json};

/// Where what it was is kept.
pub const SUSPENDED_ANNOTATION: &str = "indelible.dev/suspended-sync";

/// What became of automatic sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncChange {
    /// It was changed.
    Changed,
    /// It was so already.
    Already,
}

impl Cluster {
    /// Suspends automatic sync of an Application.
    ///
    /// # Errors
    /// It is not there, or the cluster does not let this user.
    pub async fn suspend_sync(&self, object: &SyncObject) -> Result<SyncChange, ClusterError> {
        let found = self.application_named(object).await?;
        let automated = found.data.pointer("/spec/syncPolicy/automated");
        let Some(automated) = automated.filter(|_| is_automated(&found.data)) else {
            return Ok(SyncChange::Already);
        };
        let change = json!({
            "metadata": {
                "resourceVersion": found.metadata.resource_version,
                "annotations": {SUSPENDED_ANNOTATION: automated.to_string()},
            },
            "spec": {"syncPolicy": {"automated": null}},
        });
        self.change_application(object, &change).await
    }

    /// Gives an Application the automatic sync back that we took from it.
    ///
    /// # Errors
    /// It is not there, or the cluster does not let this user.
    pub async fn restore_sync(&self, object: &SyncObject) -> Result<SyncChange, ClusterError> {
        let found = self.application_named(object).await?;
        let kept =
            found.metadata.annotations.as_ref().and_then(|all| all.get(SUSPENDED_ANNOTATION));
        let kept = kept.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(automated) = kept.filter(Value::is_object) else {
            return Ok(SyncChange::Already);
        };
        let mut change = json!({
            "metadata": {
                "resourceVersion": found.metadata.resource_version,
                "annotations": {SUSPENDED_ANNOTATION: null},
            },
        });
        // Somebody switched it on meanwhile: what they chose stays.
        if is_automated(&found.data) {
            self.change_application(object, &change).await?;
            return Ok(SyncChange::Already);
        }
        change["spec"] = json!({"syncPolicy": {"automated": automated}});
        self.change_application(object, &change).await
    }

    async fn application_named(&self, object: &SyncObject) -> Result<DynamicObject, ClusterError> {
        let not_there =
            || ClusterError::NotThere { context: self.context.clone(), what: object.to_string() };
        match object.kind {
            SyncKind::Application => self.read_dynamic(object).await?.ok_or_else(not_there),
            SyncKind::Kustomization | SyncKind::HelmRelease => Err(not_there()),
        }
    }

    async fn change_application(
        &self,
        object: &SyncObject,
        change: &Value,
    ) -> Result<SyncChange, ClusterError> {
        let resource = crate::sync::resource(object.kind);
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &object.namespace, &resource);
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let what = || object.to_string();
        let patch = Patch::Merge(change);
        self.within("patch", what, api.patch(&object.name, &params, &patch)).await?;
        Ok(SyncChange::Changed)
    }
}

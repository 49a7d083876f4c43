//! Namespaces that we make for a while, known again by a label, and what is put into them.
//!
//! ```text
//! namespace indelible-demo-uat   label indelible.dev/demo: 3f9a…   ->  Labelled { run: "3f9a…", uid, made }
//! ```
//! Removed by uid only: a namespace that somebody made under the same name meanwhile is another. Nothing that is there
//! already is changed.

use crate::connect::Cluster;
use crate::error::ClusterError;
use domain::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ObjectMeta, PostParams, Preconditions};
use serde_json::Value;
use std::collections::BTreeMap;

/// The label that tells our namespaces from others; its value is the run that made it.
pub const DEMO_LABEL: &str = "indelible.dev/demo";

/// Whose namespace has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// It is free.
    Nobody,
    /// Somebody's.
    Foreign,
    /// Ours.
    Labelled(Labelled),
}

/// A namespace with our label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Which run made it.
    pub run: String,
    /// Its identity.
    pub uid: String,
    /// When it was made, by the API server's clock.
    pub made: Option<Timestamp>,
}

impl Cluster {
    /// Asks whose namespace has a name.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn occupant_of(&self, name: &str) -> Result<Occupant, ClusterError> {
        let what = || format!("namespace {name}");
        let found = self.within("get", what, self.namespaces().get_opt(name)).await?;
        Ok(found.map_or(Occupant::Nobody, occupant))
    }

    /// Makes a namespace with our label.
    ///
    /// # Errors
    /// There is one of that name, or the cluster does not let this user.
    pub async fn make_labelled(
        &self,
        name: &str,
        run: &str,
        maker: &str,
    ) -> Result<(), ClusterError> {
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some(BTreeMap::from([(DEMO_LABEL.to_owned(), run.to_owned())])),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let (api, params) = (self.namespaces(), made_by(maker));
        let what = || format!("namespace {name}");
        self.within("create", what, api.create(&params, &namespace)).await.map(drop)
    }

    /// Makes a Deployment in a namespace, in the name of `maker` as its field manager.
    ///
    /// # Errors
    /// There is one of that name, or the cluster does not let it in.
    ///
    /// # Panics
    /// When `deployment` is not one: it is text of ours.
    pub async fn make_deployment(
        &self,
        namespace: &str,
        deployment: Value,
        maker: &str,
    ) -> Result<(), ClusterError> {
        let deployment: Deployment =
            serde_json::from_value(deployment).expect("a Deployment of ours is one");
        let api: Api<Deployment> = Api::namespaced(self.client.clone(), namespace);
        let params = made_by(maker);
        let what = || format!("deployments in namespace {namespace}");
        self.within("create", what, api.create(&params, &deployment)).await.map(drop)
    }

    /// Removes a namespace with all that is in it, if it is still this one; it is gone some time later.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn remove_labelled(
        &self,
        name: &str,
        labelled: &Labelled,
    ) -> Result<(), ClusterError> {
        let preconditions =
            Preconditions { uid: Some(labelled.uid.clone()), ..Preconditions::default() };
        let params = DeleteParams::background().preconditions(preconditions);
        let what = || format!("namespace {name}");
        match self.within("delete", what, self.namespaces().delete(name, &params)).await {
            // It has gone by itself, or is going already.
            Err(ClusterError::NotThere { .. } | ClusterError::Refused { code: 409, .. }) => Ok(()),
            removed => removed.map(drop),
        }
    }

    fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }
}

fn made_by(maker: &str) -> PostParams {
    PostParams { field_manager: Some(maker.to_owned()), ..PostParams::default() }
}

fn occupant(namespace: Namespace) -> Occupant {
    let ObjectMeta { labels, uid, creation_timestamp, .. } = namespace.metadata;
    let run = labels.and_then(|mut labels| labels.remove(DEMO_LABEL));
    // Without a uid nothing could be removed by it; every real API server gives one.
    match (run, uid) {
        (Some(run), Some(uid)) => Occupant::Labelled(Labelled {
            run,
            uid,
            made: creation_timestamp.map(|time| Timestamp::from_millis(time.0.as_millisecond())),
        }),
        (Some(_) | None, Some(_) | None) => Occupant::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an API server of Kubernetes 1.35 writes it.
    fn read(metadata: &str) -> Occupant {
        let text = format!(
            r#"{{"apiVersion": "v1", "kind": "Namespace", "metadata": {metadata}, "spec": {{"finalizers": ["kubernetes"]}}, "status": {{"phase": "Active"}}}}"#
        );
        occupant(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn only_the_label_makes_a_namespace_ours() {
        let ours = read(
            r#"{"name": "indelible-demo-uat", "uid": "8b7c", "creationTimestamp": "2026-03-17T14:38:50Z",
                "labels": {"kubernetes.io/metadata.name": "indelible-demo-uat", "indelible.dev/demo": "3f9a"}}"#,
        );
        let made = "2026-03-17T14:38:50Z".parse().ok();
        let expected = Labelled { run: "3f9a".to_owned(), uid: "8b7c".to_owned(), made };
        assert_eq!(ours, Occupant::Labelled(expected));
        for foreign in [
            r#"{"name": "indelible-demo-uat", "uid": "8b7c"}"#,
            r#"{"name": "indelible-demo-uat", "uid": "8b7c", "labels": {"kubernetes.io/metadata.name": "indelible-demo-uat"}}"#,
            r#"{"name": "indelible-demo-uat", "labels": {"indelible.dev/demo": "3f9a"}}"#,
        ] {
            assert_eq!(read(foreign), Occupant::Foreign, "{foreign}");
        }
    }
}

//! Which pods of a DaemonSet are of its newest template.
//!
//! ```text
//! template a, b, and a again: revisions b = 3, a = 4   ->  a pod that was made for the first a is new: it stays
//! ```
//! Its controller leaves a pod alone that has the newest revision's hash, however old it is; its status does not name
//! that revision. Source: `k8s.io/kubernetes/pkg/controller/daemon/util`, `IsPodUpdated`.

use super::{REVISION_HASH, is_of};
use crate::connect::Cluster;
use crate::workload::WorkloadFacts;
use k8s_openapi::api::apps::v1::ControllerRevision;

impl Cluster {
    /// The hash of a DaemonSet's newest revision; none where revisions cannot be read: then its pods tell by generation.
    pub(super) async fn newest_revision(
        &self,
        namespace: &str,
        facts: &WorkloadFacts,
    ) -> Option<String> {
        let listed = self.of_selector::<ControllerRevision>(
            namespace,
            &facts.selector,
            "controllerrevisions",
        );
        newest(listed.await.ok()?, &facts.uid)
    }
}

fn newest(revisions: Vec<ControllerRevision>, uid: &str) -> Option<String> {
    let own = revisions.into_iter().filter(|one| is_of(&one.metadata, uid));
    own.max_by_key(|one| one.revision)?.metadata.labels?.remove(REVISION_HASH)
}

#[cfg(test)]
mod tests {
    use super::super::{By, Owner, Pick, seen_pod};
    use super::*;
    use release::rollout::Template;
    use serde_json::json;

    fn revision(owner: &str, hash: &str, number: i64) -> ControllerRevision {
        let meta = json!({"name": format!("api-{hash}"), "labels": {"app": "api", REVISION_HASH: hash},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "api", "uid": owner, "controller": true}]});
        serde_json::from_value(json!({"metadata": meta, "revision": number})).unwrap()
    }

    /// As a DaemonSet of Kubernetes 1.35 left its pods after template a, template b, and a again.
    #[test]
    fn a_pod_that_was_made_before_a_rollback_to_its_template_is_new() {
        let revisions =
            vec![revision("u", "aaa", 4), revision("u", "bbb", 3), revision("other", "ccc", 9)];
        let hash = newest(revisions, "u");
        assert_eq!(hash.as_deref(), Some("aaa"));
        let template = |hash: Option<String>, pod_hash: &str, generation: &str| {
            let pick = Pick {
                owner: Owner(vec!["u".to_owned()]),
                by: By::RevisionOrGeneration { hash, generation: Some("4".to_owned()) },
                cannot_create: None,
            };
            let meta = json!({"name": "api-1", "labels": {REVISION_HASH: pod_hash, "pod-template-generation": generation},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "api", "uid": "u", "controller": true}]});
            let pod = serde_json::from_value(json!({"metadata": meta})).unwrap();
            seen_pod(pod, &pick).unwrap().template
        };
        assert_eq!(template(hash.clone(), "aaa", "2"), Template::New, "left as it was");
        assert_eq!(template(hash.clone(), "aaa", "4"), Template::New, "made again");
        assert_eq!(template(hash, "bbb", "3"), Template::Old);
        assert_eq!(template(None, "aaa", "4"), Template::New, "who may not read revisions");
        assert_eq!(template(None, "aaa", "2"), Template::Old);
    }
}

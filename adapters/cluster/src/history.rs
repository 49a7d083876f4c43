//! What a cluster still knows of the past: ReplicaSets, ControllerRevisions, Helm's releases, and the pods that tell
//! which bytes their templates brought.
//!
//! ```text
//! namespace shop -> replicaset/api-5d8f (revisions 1, 3), helm shop revision 2 (its manifest)
//! ```
//! Only templates' images are kept of each page. What one list is denied is told, and stops none of the others.

use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::helm::{HelmRelease, read_release};
use crate::rollout::REVISION_HASH;
use crate::workload::REVISION;
use domain::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, ReplicaSet};
use k8s_openapi::api::core::v1::{Pod, PodSpec, Secret};
use kube::api::{Api, ListParams, ObjectMeta};
use record::claim::{ImportedResult, Keeper};
use release::imported::{KeptImage, KeptTemplate};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Objects in one answer; of Secrets, which are up to 1 MiB each, fewer.
const PAGE: u32 = 500;
const SECRETS_PAGE: u32 = 20;
/// One page.
const PAGE_WITHIN: Duration = Duration::from_secs(60);
/// The most objects of one kind in a namespace that are read.
const OBJECTS_MAX: usize = 20_000;
/// The most revisions that a ReplicaSet's annotation names.
const REVISIONS_MAX: usize = 1_000;
/// Source: kubernetes, pkg/controller/deployment/util: `RevisionHistoryAnnotation`.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// What is still known in one namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptThere {
    /// Templates, each with its images.
    pub templates: Vec<KeptTemplate>,
    /// Helm's releases, each with its Secret's uid.
    pub releases: Vec<(String, HelmRelease)>,
    /// What could not be read, a line each.
    pub untold: Vec<String>,
}

/// imageIDs by the name of what made the pod and the container.
type Running = BTreeMap<(String, String), BTreeSet<String>>;

impl Cluster {
    /// Lists what is still known of the past of one namespace.
    ///
    /// # Errors
    /// The cluster does not answer. What is denied is told in the answer.
    pub async fn kept(&self, namespace: &str) -> Result<KeptThere, ClusterError> {
        let mut kept = KeptThere::default();
        let mut running = Running::new();
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        self.each(&pods, "pods", PAGE, &mut kept.untold, |pod| running_of(pod, &mut running))
            .await?;
        let (mut templates, mut releases, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        let sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), namespace);
        let take = |set| templates.extend(of_set(set, &running));
        self.each(&sets, "replicasets", PAGE, &mut kept.untold, take).await?;
        let revisions: Api<ControllerRevision> = Api::namespaced(self.client.clone(), namespace);
        let take = |one| templates.extend(of_revision(one, &running));
        self.each(&revisions, "controllerrevisions", PAGE, &mut kept.untold, take).await?;
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let take = |secret| release_of(secret, &mut releases, &mut broken);
        self.each(&secrets, "secrets", SECRETS_PAGE, &mut kept.untold, take).await?;
        kept.untold.extend(broken);
        Ok(KeptThere { templates, releases, ..kept })
    }

    /// Hands each object of a list on; a list that is denied is told.
    async fn each<K>(
        &self,
        api: &Api<K>,
        what: &'static str,
        page: u32,
        untold: &mut Vec<String>,
        mut take: impl FnMut(K),
    ) -> Result<(), ClusterError>
    where
        K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
    {
        let mut list = ListParams::default().limit(page);
        if what == "secrets" {
            list = list.fields("type=helm.sh/release.v1");
        }
        let mut count = 0;
        loop {
            let answered = tokio::time::timeout(PAGE_WITHIN, api.list(&list)).await;
            let seconds = PAGE_WITHIN.as_secs();
            let too_late = |_| ClusterError::TooLate { context: self.context.clone(), seconds };
            match answered.map_err(too_late)? {
                Ok(found) => {
                    count += found.items.len();
                    found.items.into_iter().for_each(&mut take);
                    match found.metadata.continue_.filter(|token| !token.is_empty()) {
                        Some(_) if count >= OBJECTS_MAX => {
                            untold.push(format!("{what}: only the first {count} were read"));
                            return Ok(());
                        }
                        Some(token) => list.continue_token = Some(token),
                        None => return Ok(()),
                    }
                }
                Err(error) => {
                    let error = ClusterError::of(error, &self.context, "list", || what.to_owned());
                    if !matches!(error, ClusterError::Denied { .. }) {
                        return Err(error);
                    }
                    untold.push(error.to_string());
                    return Ok(());
                }
            }
        }
    }
}

fn owner(meta: &ObjectMeta) -> Option<(String, String)> {
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
    Some((owner.kind.to_lowercase(), owner.name.clone()))
}

fn created(meta: &ObjectMeta) -> Option<Timestamp> {
    let time = meta.creation_timestamp.as_ref()?;
    Some(Timestamp::from_millis(time.0.as_millisecond()))
}

fn running_of(pod: Pod, running: &mut Running) {
    let Some((kind, name)) = owner(&pod.metadata) else { return };
    let hash = pod.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION_HASH));
    // A StatefulSet's pods carry the revision's name, a DaemonSet's only its hash.
    let names = match (kind.as_str(), hash) {
        ("statefulset" | "daemonset", Some(hash)) => vec![hash.clone(), format!("{name}-{hash}")],
        ("replicaset", _) => vec![name],
        (_, _) => return,
    };
    let status = pod.status.unwrap_or_default();
    let all = [status.container_statuses, status.init_container_statuses];
    for status in all.into_iter().flatten().flatten().filter(|one| !one.image_id.is_empty()) {
        for name in &names {
            let place = (name.clone(), status.name.clone());
            running.entry(place).or_default().insert(status.image_id.clone());
        }
    }
}

fn images(spec: &PodSpec, name: &str, running: &Running) -> Vec<KeptImage> {
    let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let image = |container: &k8s_openapi::api::core::v1::Container| {
        let place = (name.to_owned(), container.name.clone());
        Some(KeptImage {
            container: container.name.clone(),
            reference: container.image.clone()?,
            reported: running.get(&place).cloned().unwrap_or_default(),
        })
    };
    all.filter_map(image).collect()
}

fn of_set(set: ReplicaSet, running: &Running) -> Option<KeptTemplate> {
    let meta = set.metadata;
    let name = meta.name.clone()?;
    let (kind, owner) = owner(&meta)?;
    let spec = set.spec?.template?.spec?;
    let annotations = meta.annotations.clone().unwrap_or_default();
    let all = [annotations.get(REVISION_HISTORY), annotations.get(REVISION)];
    let numbers = all.into_iter().flatten().flat_map(|text| text.split(','));
    let revisions: BTreeSet<u64> =
        numbers.take(REVISIONS_MAX).filter_map(|text| text.trim().parse().ok()).collect();
    Some(KeptTemplate {
        kept_by: Keeper::ReplicaSet,
        uid: meta.uid.clone()?,
        workload: format!("{kind}/{owner}"),
        created: created(&meta)?,
        revisions: revisions.into_iter().collect(),
        result: ImportedResult::Told,
        images: images(&spec, &name, running),
        name: format!("replicaset/{name}"),
    })
}

fn of_revision(one: ControllerRevision, running: &Running) -> Option<KeptTemplate> {
    let meta = one.metadata;
    let name = meta.name.clone()?;
    let (kind, owner) = owner(&meta)?;
    let spec = one.data?.0.pointer("/spec/template/spec")?.clone();
    let spec: PodSpec = serde_json::from_value(spec).ok()?;
    Some(KeptTemplate {
        kept_by: Keeper::ControllerRevision,
        uid: meta.uid.clone()?,
        workload: format!("{kind}/{owner}"),
        created: created(&meta)?,
        revisions: u64::try_from(one.revision).ok().into_iter().collect(),
        result: ImportedResult::Told,
        images: images(&spec, &name, running),
        name: format!("controllerrevision/{name}"),
    })
}

fn release_of(secret: Secret, releases: &mut Vec<(String, HelmRelease)>, broken: &mut Vec<String>) {
    let name = secret.metadata.name.unwrap_or_default();
    let data = secret.data.unwrap_or_default();
    let Some(data) = data.get("release") else { return };
    match read_release(&data.0) {
        Ok(release) => releases.push((secret.metadata.uid.unwrap_or_default(), release)),
        // The bytes are a chart's values too: never repeated.
        Err(error) => broken.push(format!("secret {name}: {error}")),
    }
}

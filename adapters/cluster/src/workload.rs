//! A workload as its API server tells it: its template, who owns its images, how far its controller is.
//!
//! ```text
//! deployment/api  ->  generation 7, containers api and log, selector app=api, counts
//! ```

use crate::connect::Cluster;
use crate::error::ClusterError;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PodTemplateSpec, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Resource;
use kube::api::{Api, ObjectMeta};
use release::rollout::{Counts, Holder, Slot, Workload, WorkloadKind};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

mod argo;
mod batch;

pub(crate) use batch::JOB_OF;

/// One request.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);
/// What a Deployment writes on itself and on the ReplicaSet of its newest template.
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";
/// What a DaemonSet calls its newest template; its pods carry the same as a label.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// A workload that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadFacts {
    /// Its identity.
    pub uid: String,
    /// The number of its newest change.
    pub generation: i64,
    /// Its template's containers, init containers too.
    pub template: Vec<Slot>,
    /// Why nothing rolls out there by itself; none: it does.
    pub refuses: Option<&'static str>,
    /// Whether what stands there cannot be kept, though its images are right: a Job that failed.
    pub is_to_be_made_again: bool,
    /// The metadata of what is edited.
    pub(crate) meta: ObjectMeta,
    pub(crate) edits: Edits,
    pub(crate) selector: String,
    pub(crate) observed_generation: i64,
    pub(crate) counts: Counts,
    pub(crate) newest: Newest,
}

/// Where images are set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edits {
    /// In the object, entry by entry.
    Itself,
    /// In the object, whose lists have no keys: by position.
    Positions(Box<Value>),
    /// In the Deployment of this name, which an Argo Rollout takes its template from.
    Deployment(String),
    /// In a new object, made from this one.
    New(Box<Value>),
}

/// How a pod of the newest template is told from an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Newest {
    /// Its ReplicaSet has this revision.
    ReplicaSet(Option<String>),
    /// A DaemonSet's: its label names the newest revision, or it was made for this generation of the template.
    RevisionOrGeneration(Option<String>),
    /// It belongs to one of its ReplicaSets, and carries this label with this value.
    OfReplicaSet(&'static str, Option<String>),
    /// All of them.
    Every,
    /// Its label names this revision; the other one ran everywhere before.
    Revision { newest: Option<String>, before: Option<String> },
}

impl Cluster {
    /// Reads a workload; none: it is not there.
    ///
    /// # Errors
    /// The cluster does not answer, or does not let this user.
    pub async fn workload(
        &self,
        namespace: &str,
        workload: &Workload,
    ) -> Result<Option<WorkloadFacts>, ClusterError> {
        Ok(match workload.kind {
            WorkloadKind::Deployment => self.read(namespace, workload).await?.map(of_deployment),
            WorkloadKind::StatefulSet => self.read(namespace, workload).await?.map(of_stateful_set),
            WorkloadKind::DaemonSet => self.read(namespace, workload).await?.map(of_daemon_set),
            WorkloadKind::CronJob => self.read(namespace, workload).await?.map(batch::of_cron_job),
            WorkloadKind::Job => self.newest_job(namespace, workload).await?,
            WorkloadKind::Rollout => self.argo_rollout(namespace, workload).await?,
        })
    }

    async fn read<K>(&self, namespace: &str, workload: &Workload) -> Result<Option<K>, ClusterError>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug,
        K: DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let what = || format!("{workload} in namespace {namespace}");
        self.within("get", what, api.get_opt(workload.name())).await
    }

    /// Waits for one request, no longer than its time.
    pub(crate) async fn within<T>(
        &self,
        verb: &'static str,
        what: impl FnOnce() -> String,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, ClusterError> {
        let answered = tokio::time::timeout(REQUEST_WITHIN, request).await;
        let answer = answered.map_err(|_| ClusterError::TooLate {
            context: self.context.clone(),
            seconds: REQUEST_WITHIN.as_secs(),
        })?;
        answer.map_err(|error| ClusterError::of(error, &self.context, verb, what))
    }
}

pub(crate) fn of_deployment(object: Deployment) -> WorkloadFacts {
    let (spec, status) = (object.spec.unwrap_or_default(), object.status.unwrap_or_default());
    let is_paused = spec.paused == Some(true);
    let is_too_slow =
        |reason: &Option<String>| reason.as_deref() == Some("ProgressDeadlineExceeded");
    let conditions = status.conditions.unwrap_or_default();
    let too_slow = conditions
        .into_iter()
        .find(|one| one.type_ == "Progressing" && is_too_slow(&one.reason))
        .map(|one| one.message.unwrap_or_default());
    let counts = Counts::Deployment {
        wanted: number(spec.replicas.or(Some(1))),
        replicas: number(status.replicas),
        updated: number(status.updated_replicas),
        available: number(status.available_replicas),
        is_paused,
        too_slow,
    };
    let revision = annotation(&object.metadata, REVISION);
    let mut facts = facts(object.metadata, &spec.template, &spec.selector, counts);
    facts.refuses = is_paused
        .then_some("it is paused, so nothing would roll out: kubectl rollout resume lets it go on");
    facts.observed_generation = status.observed_generation.unwrap_or_default();
    facts.newest = Newest::ReplicaSet(revision);
    facts
}

fn of_stateful_set(object: StatefulSet) -> WorkloadFacts {
    let (spec, status) = (object.spec.unwrap_or_default(), object.status.unwrap_or_default());
    let strategy = spec.update_strategy.unwrap_or_default();
    let partition = strategy.rolling_update.and_then(|rolling| rolling.partition);
    let counts = Counts::StatefulSet {
        wanted: number(spec.replicas.or(Some(1))),
        ready: number(status.ready_replicas),
        updated: number(status.updated_replicas),
        partition: number(partition),
        is_one_revision: status.current_revision == status.update_revision,
    };
    let mut facts = facts(object.metadata, &spec.template, &spec.selector, counts);
    facts.refuses = by_hand(strategy.type_.as_deref());
    facts.observed_generation = status.observed_generation.unwrap_or_default();
    facts.newest =
        Newest::Revision { newest: status.update_revision, before: status.current_revision };
    facts
}

fn of_daemon_set(object: DaemonSet) -> WorkloadFacts {
    let (spec, status) = (object.spec.unwrap_or_default(), object.status.unwrap_or_default());
    let counts = Counts::DaemonSet {
        wanted: i64::from(status.desired_number_scheduled),
        updated: number(status.updated_number_scheduled),
        available: number(status.number_available),
    };
    let generation = annotation(&object.metadata, TEMPLATE_GENERATION);
    let mut facts = facts(object.metadata, &spec.template, &spec.selector, counts);
    facts.refuses = by_hand(spec.update_strategy.unwrap_or_default().type_.as_deref());
    facts.observed_generation = status.observed_generation.unwrap_or_default();
    facts.newest = Newest::RevisionOrGeneration(generation);
    facts
}

fn by_hand(strategy: Option<&str>) -> Option<&'static str> {
    (strategy == Some("OnDelete")).then_some(
        "its updateStrategy is OnDelete: it makes new pods only when somebody deletes the old ones",
    )
}

fn number(value: Option<i32>) -> i64 {
    value.map_or(0, i64::from)
}

fn annotation(meta: &ObjectMeta, key: &str) -> Option<String> {
    meta.annotations.as_ref()?.get(key).cloned()
}

fn facts(
    meta: ObjectMeta,
    template: &PodTemplateSpec,
    selector: &LabelSelector,
    counts: Counts,
) -> WorkloadFacts {
    WorkloadFacts {
        uid: meta.uid.clone().unwrap_or_default(),
        generation: meta.generation.unwrap_or_default(),
        template: slots(template),
        refuses: None,
        is_to_be_made_again: false,
        edits: Edits::Itself,
        selector: written(selector),
        observed_generation: 0,
        counts,
        newest: Newest::ReplicaSet(None),
        meta,
    }
}

fn slots(template: &PodTemplateSpec) -> Vec<Slot> {
    let Some(spec) = &template.spec else { return Vec::new() };
    let init = spec.init_containers.iter().flatten().map(|one| (Holder::InitContainer, one));
    let main = spec.containers.iter().map(|one| (Holder::Container, one));
    let slot = |(holder, one): (Holder, &k8s_openapi::api::core::v1::Container)| Slot {
        holder,
        name: one.name.clone(),
        image: one.image.clone().unwrap_or_default(),
    };
    let volume = |one: &Volume| {
        let image = one.image.as_ref()?.reference.clone()?;
        Some(Slot { holder: Holder::Volume, name: one.name.clone(), image })
    };
    let volumes = spec.volumes.iter().flatten().filter_map(volume);
    init.chain(main).map(slot).chain(volumes).collect()
}

/// A selector as a question writes it: `app=api,tier in (a,b)`.
///
/// Source: `k8s.io/apimachinery/pkg/apis/meta/v1`, `LabelSelectorAsSelector`.
fn written(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let asked = selector.match_expressions.iter().flatten().map(|one| {
        let values = one.values.iter().flatten().cloned().collect::<Vec<_>>().join(",");
        match one.operator.as_str() {
            "In" => format!("{} in ({values})", one.key),
            "NotIn" => format!("{} notin ({values})", one.key),
            "DoesNotExist" => format!("!{}", one.key),
            _ => one.key.clone(),
        }
    });
    equal.chain(asked).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

    #[test]
    fn a_selector_is_written_as_a_question() {
        let expression = |operator: &str, values: &[&str]| LabelSelectorRequirement {
            key: "tier".to_owned(),
            operator: operator.to_owned(),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        };
        let selector = LabelSelector {
            match_labels: Some([("app".to_owned(), "api".to_owned())].into()),
            match_expressions: Some(vec![
                expression("In", &["a", "b"]),
                expression("NotIn", &["c"]),
                expression("Exists", &[]),
                expression("DoesNotExist", &[]),
            ]),
        };
        assert_eq!(written(&selector), "app=api,tier in (a,b),tier notin (c),tier,!tier");
    }

    /// As Kubernetes 1.35 answers in the middle of a rollout, read by a person.
    #[test]
    fn a_deployment_in_the_middle_of_a_rollout_is_read() {
        let text = r#"{"apiVersion": "apps/v1", "kind": "Deployment",
          "metadata": {"name": "api", "uid": "u1", "generation": 7, "annotations": {"deployment.kubernetes.io/revision": "3"}},
          "spec": {"replicas": 2, "paused": true, "selector": {"matchLabels": {"app": "api"}},
            "template": {"spec": {"initContainers": [{"name": "migrate", "image": "m:1"}], "containers": [{"name": "api", "image": "a:1"}]}}},
          "status": {"observedGeneration": 6, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2,
            "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "slow"}]}}"#;
        let facts = of_deployment(serde_json::from_str(text).unwrap());
        assert_eq!((facts.uid.as_str(), facts.generation, facts.observed_generation), ("u1", 7, 6));
        assert!(facts.refuses.is_some_and(|why| why.contains("paused")));
        assert_eq!(facts.newest, Newest::ReplicaSet(Some("3".to_owned())));
        assert_eq!(facts.selector, "app=api");
        let names: Vec<_> =
            facts.template.iter().map(|slot| (slot.holder, slot.name.as_str())).collect();
        assert_eq!(names, [(Holder::InitContainer, "migrate"), (Holder::Container, "api")]);
        let expected = Counts::Deployment {
            wanted: 2,
            replicas: 3,
            updated: 1,
            available: 2,
            is_paused: true,
            too_slow: Some("slow".to_owned()),
        };
        assert_eq!(facts.counts, expected);
    }
}

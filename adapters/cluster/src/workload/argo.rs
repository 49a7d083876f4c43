//! Argo Rollouts, read without their types: the fields that are needed, by name.
//!
//! ```text
//! status: {observedGeneration: "7", phase: Progressing, currentPodHash: 6d5f8c, updatedReplicas: 1}
//! ```
//! Source: argo-rollouts `pkg/apis/rollouts/v1alpha1/types.go`; `observedGeneration` is a string there.

use super::{Edits, Newest, WorkloadFacts, facts};
use crate::connect::Cluster;
use crate::error::ClusterError;
use crate::wire::ROLLOUT_HASH as POD_HASH;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::ObjectMeta;
use release::rollout::{Counts, RolloutPhase, Workload, WorkloadKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What its API server says of its fields.
const DISCOVERED: &str = "/openapi/v3/apis/argoproj.io/v1alpha1";
const SCHEMA: &str = "io.argoproj.v1alpha1.Rollout";

/// Its controller takes templates of these kinds too, and nobody else rolls them out. Source: argo-rollouts,
/// `rollout/templateref.go`, `infoByGroupKind`: Deployment, ReplicaSet, PodTemplate.
const NO_DEPLOYMENT: &str = "its workloadRef takes the template of a ReplicaSet or a PodTemplate, where no image is set: let it name a Deployment, or give the Rollout a spec.template of its own";

impl Cluster {
    /// A Rollout, and the Deployment that it takes its template from.
    pub(super) async fn argo_rollout(
        &self,
        namespace: &str,
        workload: &Workload,
    ) -> Result<Option<WorkloadFacts>, ClusterError> {
        let api = self.api_of(namespace, workload.kind);
        let what = || format!("{workload} in namespace {namespace}");
        let Some(object) = self.within("get", what, api.get_opt(workload.name())).await? else {
            return Ok(None);
        };
        let whole = serde_json::to_value(&object).unwrap_or_default();
        let mut facts = read(&whole, object.metadata);
        let reference = &whole["spec"]["workloadRef"];
        if let Some(name) = reference["name"].as_str() {
            if reference["kind"].as_str() != Some("Deployment") {
                facts.refuses = Some(NO_DEPLOYMENT);
                return Ok(Some(facts));
            }
            let named = Workload::of(WorkloadKind::Deployment, name.to_owned());
            let Some(deployment) = self.read::<Deployment>(namespace, &named).await? else {
                facts.refuses = Some("the Deployment of its workloadRef is not there");
                return Ok(Some(facts));
            };
            from_deployment(&mut facts, deployment, &whole["status"]);
        } else if !self.has_keyed_containers().await? {
            facts.edits = Edits::Positions(Box::new(whole));
        }
        Ok(Some(facts))
    }

    /// Whether this server merges the containers of a Rollout by name; older CRDs replace the list.
    async fn has_keyed_containers(&self) -> Result<bool, ClusterError> {
        let what = || "the schema of rollouts".to_owned();
        let request = http::Request::get(DISCOVERED).body(Vec::new()).map_err(|error| {
            let error = kube::Error::BuildRequest(kube::core::request::Error::BuildRequest(error));
            ClusterError::of(error, &self.context, "get", what)
        })?;
        let found = self.within("get", what, self.client.request::<Value>(request)).await?;
        Ok(is_keyed(&found))
    }
}

fn is_keyed(discovered: &Value) -> bool {
    let template = &discovered["components"]["schemas"][SCHEMA]["properties"]["spec"]["properties"]
        ["template"];
    let containers = &template["properties"]["spec"]["properties"]["containers"];
    containers["x-kubernetes-list-type"] == "map"
        && containers["x-kubernetes-list-map-keys"] == serde_json::json!(["name"])
}

fn typed<T: DeserializeOwned + Default>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// A generation as that API writes it: a string.
fn generation(status: &Value, key: &str) -> i64 {
    status[key].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn read(whole: &Value, meta: ObjectMeta) -> WorkloadFacts {
    let (spec, status) = (&whole["spec"], &whole["status"]);
    let observed = generation(status, "observedGeneration");
    let counts = Counts::Rollout {
        wanted: spec["replicas"].as_i64().unwrap_or(1),
        updated: status["updatedReplicas"].as_i64().unwrap_or_default(),
        phase: phase(spec, status, meta.generation == Some(observed)),
        message: status["message"].as_str().unwrap_or_default().to_owned(),
    };
    let template: PodTemplateSpec = typed(&spec["template"]);
    let selector: LabelSelector = typed(&spec["selector"]);
    let mut facts = facts(meta, &template, &selector, counts);
    facts.observed_generation = observed;
    let hash = status["currentPodHash"].as_str().map(ToOwned::to_owned);
    facts.newest = Newest::OfReplicaSet(POD_HASH, hash);
    facts.refuses = (spec["paused"] == true)
        .then_some("it is paused by hand, so nothing would roll out: set spec.paused to false");
    facts
}

/// The phase, which says something only of the generation that was observed.
fn phase(spec: &Value, status: &Value, is_observed: bool) -> RolloutPhase {
    match status["phase"].as_str() {
        Some("Healthy") if is_observed => RolloutPhase::Healthy,
        Some("Degraded") if is_observed => RolloutPhase::Degraded,
        Some("Paused") if is_observed && !goes_on_by_itself(spec, status) => {
            RolloutPhase::WaitsForSomebody
        }
        Some(_) | None => RolloutPhase::Progressing,
    }
}

/// Whether a pause ends after a time that its strategy names.
fn goes_on_by_itself(spec: &Value, status: &Value) -> bool {
    let strategy = &spec["strategy"];
    let step = status["currentStepIndex"].as_u64().and_then(|at| usize::try_from(at).ok());
    let pause = step.map(|at| &strategy["canary"]["steps"][at]["pause"]["duration"]);
    let is_timed_step = pause.is_some_and(|duration| !duration.is_null());
    is_timed_step || !strategy["blueGreen"]["autoPromotionSeconds"].is_null()
}

/// The template, and what is edited, are the Deployment's; how far it is, the Rollout says.
fn from_deployment(facts: &mut WorkloadFacts, deployment: Deployment, status: &Value) {
    let spec = deployment.spec.unwrap_or_default();
    let own =
        super::facts(deployment.metadata, &spec.template, &spec.selector, facts.counts.clone());
    facts.edits = Edits::Deployment(own.meta.name.clone().unwrap_or_default());
    facts.template = own.template;
    facts.generation = own.generation;
    facts.meta = own.meta;
    if facts.selector.is_empty() {
        facts.selector = own.selector;
    }
    facts.observed_generation = generation(status, "workloadObservedGeneration");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_phase_of_an_older_generation_says_nothing() {
        let rollout = |observed: &str, phase: &str| {
            let whole = json!({"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}},
                    "template": {"spec": {"containers": [{"name": "api", "image": "a:1"}]}},
                    "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}, {"pause": {"duration": "10s"}}]}}},
                "status": {"observedGeneration": observed, "phase": phase, "currentStepIndex": 1, "currentPodHash": "6d5f8c", "message": "m"}});
            let meta = ObjectMeta { generation: Some(7), ..ObjectMeta::default() };
            let facts = read(&whole, meta);
            assert_eq!((facts.selector.as_str(), facts.template.len()), ("app=api", 1));
            let Counts::Rollout { phase, .. } = facts.counts else { panic!("a rollout") };
            (facts.observed_generation, phase)
        };
        assert_eq!(rollout("7", "Healthy"), (7, RolloutPhase::Healthy));
        assert_eq!(rollout("6", "Healthy"), (6, RolloutPhase::Progressing));
        assert_eq!(rollout("7", "Paused"), (7, RolloutPhase::WaitsForSomebody));
        assert_eq!(rollout("7", "Degraded"), (7, RolloutPhase::Degraded));
        let timed = json!({"strategy": {"canary": {"steps": [{"pause": {"duration": "10s"}}]}}});
        assert!(goes_on_by_itself(&timed, &json!({"currentStepIndex": 0})));
    }

    #[test]
    fn a_lent_template_is_judged_by_the_generation_of_who_lends_it() {
        let status = json!({"observedGeneration": "3", "workloadObservedGeneration": "8", "phase": "Healthy"});
        let whole = json!({"spec": {"workloadRef": {"kind": "Deployment", "name": "lent"}}, "status": status});
        let meta =
            ObjectMeta { uid: Some("r".to_owned()), generation: Some(3), ..ObjectMeta::default() };
        let mut facts = read(&whole, meta);
        let lent: Deployment =
            typed(&json!({"metadata": {"name": "lent", "uid": "d", "generation": 9},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "api"}},
                "template": {"spec": {"containers": [{"name": "api", "image": "a:1"}]}}}}));
        from_deployment(&mut facts, lent, &status);
        assert_eq!(facts.edits, Edits::Deployment("lent".to_owned()));
        assert_eq!(
            (facts.generation, facts.observed_generation),
            (9, 8),
            "the change to 9 is not seen yet"
        );
        assert_eq!((facts.selector.as_str(), facts.template.len()), ("app=api", 1));
        assert_eq!(facts.uid, "r", "its ReplicaSets are the Rollout's");
    }

    #[test]
    fn containers_are_applied_by_name_only_where_the_server_merges_them_by_name() {
        let schema = |containers: Value| {
            json!({"components": {"schemas": {"io.argoproj.v1alpha1.Rollout": {"properties": {"spec": {"properties": {
                "template": {"properties": {"spec": {"properties": {"containers": containers}}}}}}}}}}})
        };
        let keyed = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]});
        assert!(is_keyed(&schema(keyed)));
        assert!(!is_keyed(&schema(json!({"type": "array"}))), "older CRDs: the whole list");
        assert!(!is_keyed(&json!({})));
    }
}

//! The few fields of a pod that are read. Everything else of its JSON is skipped unread.
//!
//! Source: Kubernetes API v1.33, PodSpec and PodStatus.

mod object;

use domain::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ObjectMeta;
pub(crate) use object::WireObject;
use release::observed::{
    Container, ContainerState, Owner, Phase, Pod, Previous, Role, TemplateHash,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A pod, as it is read.
pub(crate) type WirePod = WireObject<Spec, Status>;

/// What a Deployment's pods carry of their ReplicaSet's name.
const TEMPLATE_HASH: &str = "pod-template-hash";
/// What an Argo Rollout's pods carry of it.
pub(crate) const ROLLOUT_HASH: &str = "rollouts-pod-template-hash";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    node_name: Option<String>,
    containers: Vec<SpecContainer>,
    init_containers: Vec<SpecContainer>,
    ephemeral_containers: Vec<SpecContainer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SpecContainer {
    name: String,
    image: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Status {
    phase: String,
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
    ephemeral_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    #[serde(rename = "imageID")]
    image_id: String,
    #[serde(rename = "containerID")]
    container_id: String,
    restart_count: u32,
    state: State,
    last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Running {
    started_at: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    started_at: Option<String>,
    finished_at: Option<String>,
    exit_code: i32,
    #[serde(rename = "containerID")]
    container_id: String,
}

/// Reads a pod; what is missing in it is missing in the result.
pub(crate) fn pod(wire: WirePod) -> Pod {
    let ObjectMeta { name, namespace, uid, labels, owner_references, .. } = wire.metadata;
    let version = wire.metadata.resource_version.as_deref().and_then(|text| text.parse().ok());
    let created = moment(wire.metadata.creation_timestamp);
    let deleted = moment(wire.metadata.deletion_timestamp);
    let name = name.unwrap_or_default();
    let label = |name| labels.as_ref().and_then(|labels| labels.get(name)).map(String::as_str);
    let hashes = [
        label(ROLLOUT_HASH).map(TemplateHash::OfRollout),
        label(TEMPLATE_HASH).map(TemplateHash::OfDeployment),
    ];
    let hashes: Vec<_> = hashes.into_iter().flatten().collect();
    let owners = owner_references.unwrap_or_default();
    let controller = owners.iter().find(|owner| owner.controller == Some(true));
    let owner = match controller {
        Some(owner) => Owner::of(&owner.kind, &owner.name, &hashes),
        None => Owner { kind: "pod".to_owned(), name: name.clone() },
    };
    let status = wire.status.unwrap_or_default();
    let spec = wire.spec;
    let containers = [
        (Role::Init, spec.init_containers, status.init_container_statuses),
        (Role::Main, spec.containers, status.container_statuses),
        (Role::Ephemeral, spec.ephemeral_containers, status.ephemeral_container_statuses),
    ];
    Pod {
        namespace: namespace.unwrap_or_default(),
        name,
        uid: uid.unwrap_or_default(),
        version,
        created,
        deleted,
        node: spec.node_name,
        owner,
        phase: phase(&status.phase),
        containers: containers
            .into_iter()
            .flat_map(|(role, spec, status)| joined(role, spec, status))
            .collect(),
    }
}

fn moment(time: Option<Time>) -> Option<Timestamp> {
    time.map(|time| Timestamp::from_millis(time.0.as_millisecond()))
}

fn phase(word: &str) -> Phase {
    match word {
        "Pending" => Phase::Pending,
        "Running" => Phase::Running,
        "Succeeded" => Phase::Succeeded,
        "Failed" => Phase::Failed,
        _ => Phase::Unknown,
    }
}

/// Each container of the spec with its status: the spec says what was meant, the status what runs.
fn joined(
    role: Role,
    spec: Vec<SpecContainer>,
    status: Vec<ContainerStatus>,
) -> impl Iterator<Item = Container> {
    let mut status: BTreeMap<String, ContainerStatus> =
        status.into_iter().map(|status| (status.name.clone(), status)).collect();
    spec.into_iter().map(move |SpecContainer { name, image }| {
        let status = status.remove(&name);
        let state = status.as_ref().map_or(ContainerState::Unreported, |one| state(&one.state));
        let status = status.unwrap_or_default();
        let previous = status.last_state.terminated.map(|ended| Previous {
            started: at(&ended.started_at),
            finished: at(&ended.finished_at),
            exit_code: ended.exit_code,
            container_id: ended.container_id,
        });
        Container {
            name,
            role,
            reference: image,
            image_id: status.image_id,
            container_id: status.container_id,
            state,
            restarts: status.restart_count,
            previous,
        }
    })
}

/// A kubelet that lost a container reports the year 1, or nothing: both are no moment.
fn at(text: &Option<String>) -> Option<Timestamp> {
    let at = text.as_ref()?.parse::<Timestamp>().ok()?;
    (at.as_millis() > 0).then_some(at)
}

fn state(state: &State) -> ContainerState {
    if let Some(running) = &state.running {
        ContainerState::Running { since: at(&running.started_at) }
    } else if let Some(ended) = &state.terminated {
        ContainerState::Ended {
            started: at(&ended.started_at),
            finished: at(&ended.finished_at),
            exit_code: ended.exit_code,
        }
    } else if let Some(waiting) = &state.waiting {
        ContainerState::Waiting { reason: waiting.reason.clone() }
    } else {
        ContainerState::Unreported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a kubelet of Kubernetes 1.35 with containerd reports it, read by a person.
    const POD: &str = r#"{
      "apiVersion": "v1", "kind": "Pod",
      "metadata": {
        "name": "api-6d5f8c-x2x4q", "namespace": "shop", "uid": "8b7c", "resourceVersion": "12", "creationTimestamp": "2026-03-17T14:38:50Z",
        "labels": {"app": "api", "pod-template-hash": "6d5f8c"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-6d5f8c", "uid": "1", "controller": true, "blockOwnerDeletion": true}]
      },
      "spec": {
        "nodeName": "node-a",
        "initContainers": [{"name": "migrate", "image": "shop/migrate:1"}],
        "containers": [{"name": "api", "image": "shop/api:uat", "ports": [{"containerPort": 80}]}, {"name": "log", "image": "log:2"}]
      },
      "status": {
        "phase": "Running",
        "initContainerStatuses": [{"name": "migrate", "imageID": "", "containerID": "", "restartCount": 0,
          "state": {"terminated": {"exitCode": 0, "startedAt": "2026-03-17T14:39:00Z", "finishedAt": "2026-03-17T14:39:02Z"}}}],
        "containerStatuses": [
          {"name": "log", "imageID": "", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
          {"name": "api", "image": "sha256:ff", "imageID": "reg.example.com/shop/api@sha256:aa", "containerID": "containerd://c1",
           "restartCount": 1, "state": {"running": {"startedAt": "2026-03-17T14:40:00Z"}},
           "lastState": {"terminated": {"exitCode": 137, "containerID": "containerd://c0",
             "startedAt": "2026-03-17T14:39:03Z", "finishedAt": "0001-01-01T00:00:00Z"}}}
        ]
      }
    }"#;

    #[test]
    fn a_pod_is_read_with_its_owner_and_each_container_with_its_own_status() {
        let pod = pod(serde_json::from_str(POD).unwrap());
        assert_eq!(pod.owner.to_string(), "deployment/api");
        assert_eq!((pod.phase, pod.node.as_deref()), (Phase::Running, Some("node-a")));
        let seen: Vec<_> = pod
            .containers
            .iter()
            .map(|one| (one.role, one.name.as_str(), one.reference.as_str(), one.restarts))
            .collect();
        let expected = [
            (Role::Init, "migrate", "shop/migrate:1", 0),
            (Role::Main, "api", "shop/api:uat", 1),
            (Role::Main, "log", "log:2", 3),
        ];
        assert_eq!(seen, expected);
        let since = Some("2026-03-17T14:40:00Z".parse().unwrap());
        assert_eq!(pod.containers[1].state, ContainerState::Running { since });
        assert_eq!(pod.containers[1].image_id, "reg.example.com/shop/api@sha256:aa");
        assert_eq!(pod.version, Some(12));
        assert_eq!((pod.created, pod.deleted), ("2026-03-17T14:38:50Z".parse().ok(), None));
        let previous = Previous {
            container_id: "containerd://c0".to_owned(),
            started: "2026-03-17T14:39:03Z".parse().ok(),
            finished: None,
            exit_code: 137,
        };
        assert_eq!(pod.containers[1].previous, Some(previous));
        let reason = "CrashLoopBackOff".to_owned();
        assert_eq!(pod.containers[2].state, ContainerState::Waiting { reason });
    }

    #[test]
    fn a_pod_of_an_argo_rollout_leads_to_the_rollout() {
        let text = r#"{"metadata": {"name": "api-7c9d-x", "labels": {"rollouts-pod-template-hash": "7c9d"},
          "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-7c9d", "uid": "1", "controller": true}]},
          "spec": {"containers": []}}"#;
        assert_eq!(pod(serde_json::from_str(text).unwrap()).owner.to_string(), "rollout/api");
    }

    #[test]
    fn a_pod_that_nothing_has_started_yet_reports_nothing() {
        let text = r#"{"metadata": {"name": "a", "namespace": "b"}, "spec": {"containers": [{"name": "c", "image": "d"}]}}"#;
        let pod = pod(serde_json::from_str(text).unwrap());
        assert_eq!(pod.owner.to_string(), "pod/a");
        assert_eq!(pod.phase, Phase::Unknown);
        assert_eq!(pod.containers[0].state, ContainerState::Unreported);
    }
}

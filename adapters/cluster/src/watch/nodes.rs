//! Whether a node's kubelet answers, as the control plane says it.
//!
//! Source: Kubernetes, node lifecycle controller: the condition `Ready` is `Unknown` while the kubelet is silent;
//! `False` is the kubelet's own word.

use domain::Timestamp;
use kube::core::Object;
use release::observed::NodeState;
use serde::{Deserialize, Serialize};

/// A node, as it is read.
pub(super) type WireNode = Object<Spec, Status>;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spec {}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    last_heartbeat_time: Option<String>,
}

/// Reads a node's name and state.
pub(super) fn node(wire: WireNode) -> (String, NodeState) {
    let conditions = wire.status.unwrap_or_default().conditions;
    let ready = conditions.into_iter().find(|condition| condition.kind == "Ready");
    let silent = ready.filter(|condition| condition.status == "Unknown");
    let state = silent.map_or(NodeState::Answers, |condition| NodeState::Silent {
        since: condition.last_heartbeat_time.and_then(|text| text.parse::<Timestamp>().ok()),
    });
    (wire.metadata.name.unwrap_or_default(), state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(ready: &str) -> NodeState {
        let text = format!(
            r#"{{"metadata": {{"name": "a"}}, "spec": {{"podCIDR": "10.0.0.0/24"}}, "status": {{"conditions": [
              {{"type": "MemoryPressure", "status": "Unknown", "lastHeartbeatTime": "2026-03-17T14:00:00Z"}}{ready}]}}}}"#
        );
        node(serde_json::from_str(&text).unwrap()).1
    }

    #[test]
    fn only_a_kubelet_that_says_nothing_is_silent() {
        let since = "2026-03-17T14:39:00Z".parse().ok();
        let ready = |status| {
            format!(
                r#", {{"type": "Ready", "status": "{status}", "lastHeartbeatTime": "2026-03-17T14:39:00Z"}}"#
            )
        };
        assert_eq!(state(&ready("Unknown")), NodeState::Silent { since });
        assert_eq!(state(&ready("True")), NodeState::Answers);
        assert_eq!(state(&ready("False")), NodeState::Answers);
        assert_eq!(state(""), NodeState::Answers);
    }
}

//! Whether a node's kubelet answers, as the control plane says it, and what the node is, as its kubelet says it.
//!
//! Source: Kubernetes, node lifecycle controller: the condition `Ready` is `Unknown` while the kubelet is silent;
//! `False` is the kubelet's own word.

use crate::wire::WireObject;
use domain::{Platform, Timestamp};
use record::claim::{NodeInfo, Reported};
use release::observed::{Node, NodeState};
use serde::Deserialize;

/// A node, as it is read.
pub(super) type WireNode = WireObject<Spec, Status>;

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Spec {}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    conditions: Vec<Condition>,
    node_info: Info,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Info {
    architecture: String,
    operating_system: String,
    container_runtime_version: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    last_heartbeat_time: Option<String>,
}

/// Reads a node.
pub(super) fn node(wire: WireNode) -> Node {
    let Status { conditions, node_info } = wire.status.unwrap_or_default();
    let ready = conditions.into_iter().find(|condition| condition.kind == "Ready");
    let silent = ready.filter(|condition| condition.status == "Unknown");
    let state = silent.map_or(NodeState::Answers, |condition| NodeState::Silent {
        since: condition.last_heartbeat_time.and_then(|text| text.parse::<Timestamp>().ok()),
    });
    Node { name: wire.metadata.name.unwrap_or_default(), state, info: info(&node_info) }
}

fn info(wire: &Info) -> Option<NodeInfo> {
    let platform = Platform::new(&wire.operating_system, &wire.architecture, None).ok()?;
    Some(NodeInfo { platform, runtime: Reported::of(&wire.container_runtime_version) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(ready: &str) -> NodeState {
        let text = format!(
            r#"{{"metadata": {{"name": "a"}}, "spec": {{"podCIDR": "10.0.0.0/24"}}, "status": {{"conditions": [
              {{"type": "MemoryPressure", "status": "Unknown", "lastHeartbeatTime": "2026-03-17T14:00:00Z"}}{ready}]}}}}"#
        );
        node(serde_json::from_str(&text).unwrap()).state
    }

    #[test]
    fn a_node_tells_its_platform_and_its_runtime() {
        let text = r#"{"metadata": {"name": "a"}, "spec": {}, "status": {"nodeInfo": {
          "architecture": "arm64", "operatingSystem": "linux", "containerRuntimeVersion": "containerd://1.6.20",
          "kubeletVersion": "v1.35.4"}}}"#;
        let info = node(serde_json::from_str(text).unwrap()).info.unwrap();
        assert_eq!(
            (info.platform.to_string().as_str(), info.runtime.as_str()),
            ("linux/arm64", "containerd://1.6.20")
        );
        assert_eq!(
            node(serde_json::from_str(r#"{"metadata": {"name": "a"}, "spec": {}}"#).unwrap()).info,
            None
        );
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

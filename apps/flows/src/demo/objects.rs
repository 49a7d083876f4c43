//! The Deployment that the demo begins with: as strict as a cluster may ask for, so that policies let it in.
//!
//! Source: Kubernetes, Pod Security Standards, "restricted".

use serde_json::{Value, json};

/// The name of the Deployment, its container, and its label `app`.
pub const WORKLOAD: &str = "api";
/// Anybody but root.
const USER: u32 = 65_532;

/// A Deployment whose image may be somebody else's tomorrow: it is asked for at every start.
pub(super) fn deployment(namespace: &str, replicas: u8, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": WORKLOAD, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": WORKLOAD}},
            "template": {
                "metadata": {"labels": {"app": WORKLOAD}},
                "spec": {
                    "automountServiceAccountToken": false,
                    // The first process of a container gets no signal that it does not ask for.
                    "terminationGracePeriodSeconds": 1,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": USER,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [{
                        "name": WORKLOAD,
                        "image": image,
                        "imagePullPolicy": "Always",
                        "resources": {"requests": {"cpu": "10m", "memory": "8Mi"}},
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }],
                },
            },
        },
    })
}

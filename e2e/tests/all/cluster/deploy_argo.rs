//! Argo Rollouts by discovery: their definition in the real API server; the test plays their controller.

use super::lab::Lab;
use super::{apply, wait_for_pods};
use crate::situations::runner::text;
use testbed::wait_until_within;

/// Reduced to what is read and written here. Source: argoproj/argo-rollouts, manifests/crds/rollout-crd.yaml; KEYS is
/// what newer ones say of lists of containers, and older ones do not (argo-rollouts#3281).
const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {kind: Rollout, listKind: RolloutList, plural: rollouts, singular: rollout, shortNames: [ro]}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              replicas: {type: integer, format: int32}
              paused: {type: boolean}
              selector: {type: object, x-kubernetes-preserve-unknown-fields: true}
              strategy: {type: object, x-kubernetes-preserve-unknown-fields: true}
              template:
                type: object
                properties:
                  metadata: {type: object, x-kubernetes-preserve-unknown-fields: true}
                  spec:
                    type: object
                    x-kubernetes-preserve-unknown-fields: true
                    properties:
                      containers:
                        type: array
                        items:
                          type: object
                          properties: {name: {type: string}, image: {type: string}}
                          required: [name]
                          x-kubernetes-preserve-unknown-fields: true
KEYS
          status:
            type: object
            properties:
              observedGeneration: {type: string}
              phase: {type: string}
              message: {type: string}
              currentPodHash: {type: string}
              currentStepIndex: {type: integer, format: int32}
              updatedReplicas: {type: integer, format: int32}
";
const KEYS: &str = "                        x-kubernetes-list-type: map
                        x-kubernetes-list-map-keys: [name]";

const ROLLOUT: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: uat}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  strategy: {canary: {steps: [{pause: {}}]}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: log, image: \"REGISTRY/shop/log:1\"}
      - {name: api, image: \"REGISTRY/shop/api:first\"}
";

/// What its controller would make: a ReplicaSet of the newest template.
fn replica_set(lab: &Lab, uid: &str, hash: &str, image: &str) {
    apply(
        &lab.cluster,
        &format!(
            "\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-{hash}
  namespace: uat
  ownerReferences: [{{apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web, uid: {uid}, controller: true}}]
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web, rollouts-pod-template-hash: {hash}}}}}
  template:
    metadata: {{labels: {{app: web, rollouts-pod-template-hash: {hash}}}}}
    spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: api, image: \"{image}\"}}]}}
"
        ),
    );
}

fn get(lab: &Lab, path: &str) -> String {
    lab.kubectl("uat", &["get", "rollout", "web", "--output", &format!("jsonpath={path}")])
}

fn report(lab: &Lab, phase: &str, hash: &str) {
    let generation = get(lab, "{.metadata.generation}");
    let status = format!(
        r#"{{"status": {{"observedGeneration": "{generation}", "phase": "{phase}", "message": "CanaryPauseStep", "currentStepIndex": 0, "currentPodHash": "{hash}", "updatedReplicas": 1}}}}"#
    );
    let patch = ["patch", "rollout", "web", "--subresource=status", "--type=merge", "--patch"];
    lab.kubectl("uat", &[&patch[..], &[&status]].concat());
}

/// Waits until the server says whether it merges lists of containers by name.
fn wait_for_schema(lab: &Lab, is_keyed: bool) {
    wait_until_within(super::PODS_WITHIN, "the server tells the new definition", || {
        let asked = ["get", "--raw", "/openapi/v3/apis/argoproj.io/v1alpha1"];
        let output = lab.cluster.kubectl().args(asked).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success()
            && told.contains("io.argoproj.v1alpha1.Rollout")
            && told.contains("x-kubernetes-list-map-keys\":[\"name\"]") == is_keyed
    })
    .unwrap();
}

#[test]
fn an_argo_rollout_is_told_and_waited_for_by_its_own_words() {
    let test = "an_argo_rollout_is_told_and_waited_for_by_its_own_words";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let host = lab.cluster.registry();
    lab.settle(
        "namespace: uat, workloads: {api: [deployment/api]}",
        "namespace: uat, workloads: {api: [rollout/web]}",
    );
    let (a, b) = (lab.build("a", "uat"), lab.build("b", "uat"));
    lab.deploy("uat", &a, &[]).exits(2).says(&["no rollout/web"]);

    apply(&lab.cluster, &DEFINITION.replace("KEYS", KEYS));
    wait_for_schema(&lab, true);
    apply(&lab.cluster, &ROLLOUT.replace("REGISTRY", &host));
    let uid = get(&lab, "{.metadata.uid}");
    let deploy = |digest: &str, hash: &str, phase: &str| {
        std::thread::scope(|scope| {
            let deploying = scope.spawn(|| lab.deploy("uat", digest, &["--take-over"]));
            wait_until_within(super::PODS_WITHIN, "the rollout has been told", || {
                get(&lab, "{.spec.template.spec.containers[1].image}").ends_with(digest)
            })
            .unwrap();
            let image = get(&lab, "{.spec.template.spec.containers[1].image}");
            replica_set(&lab, &uid, hash, &image);
            wait_for_pods(&lab.cluster, "uat", &format!("rollouts-pod-template-hash={hash}"), 1);
            report(&lab, phase, hash);
            deploying.join().unwrap()
        })
    };
    let done = deploy(&a, "aaaa", "Healthy").exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    let images = get(&lab, "{.spec.template.spec.containers[*].image}");
    assert_eq!(images, format!("{host}/shop/log:1 {host}/shop/api:a@{a}"));

    // An older definition: the list is one value, and only its entry is replaced.
    apply(&lab.cluster, &DEFINITION.replace("KEYS\n", ""));
    wait_for_schema(&lab, false);
    let paused = deploy(&b, "bbbb", "Paused").exits(0).json();
    assert_eq!(text(&paused, "grade"), "applied", "somebody has to promote it");
    let images = get(&lab, "{.spec.template.spec.containers[*].image}");
    assert_eq!(images, format!("{host}/shop/log:1 {host}/shop/api:b@{b}"));

    let c = lab.build("c", "uat");
    deploy(&c, "cccc", "Degraded").exits(1).says(&["Degraded: CanaryPauseStep"]);
}

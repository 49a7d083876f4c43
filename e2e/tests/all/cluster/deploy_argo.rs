//! Argo Rollouts by discovery: their definition in the real API server; the test plays their controller.

use super::lab::Lab;
use super::{apply, wait_for_pods};
use crate::situations::runner::{Ran, text};
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
              workloadRef: {type: object, x-kubernetes-preserve-unknown-fields: true}
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
              workloadObservedGeneration: {type: string}
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

/// A Rollout whose template is a Deployment's, which has no pods of its own.
const BORROWING: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shown, namespace: uat}
spec:
  replicas: 1
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: template}
";

const LENDING: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: template, namespace: uat}
spec:
  replicas: 0
  selector: {matchLabels: {app: shown}}
  template:
    metadata: {labels: {app: shown}}
    spec: {containers: [{name: api, image: \"REGISTRY/shop/api:first\"}]}
";

/// A Rollout whose controller the test plays.
struct Played<'a> {
    lab: &'a Lab,
    name: &'static str,
    /// The object that has the template.
    template: &'static str,
    /// The container's place in it.
    at: usize,
}

impl Played<'_> {
    fn get(&self, object: &str, path: &str) -> String {
        self.lab.kubectl("uat", &["get", object, "--output", &format!("jsonpath={path}")])
    }

    fn itself(&self, path: &str) -> String {
        self.get(&format!("rollout/{}", self.name), path)
    }

    fn image(&self) -> String {
        let path = format!("{{.spec.template.spec.containers[{}].image}}", self.at);
        self.get(self.template, &path)
    }

    /// What its controller would make: a ReplicaSet of the newest template, with that template's labels.
    ///
    /// Source: argo-rollouts, rollout/sync.go, `createDesiredReplicaSet`.
    fn replica_set(&self, hash: &str) {
        let (name, uid, image) = (self.name, self.itself("{.metadata.uid}"), self.image());
        let set = format!(
            "\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: {name}-{hash}
  namespace: uat
  labels: {{app: {name}, rollouts-pod-template-hash: {hash}}}
  ownerReferences: [{{apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: {name}, uid: {uid}, controller: true}}]
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}, rollouts-pod-template-hash: {hash}}}}}
  template:
    metadata: {{labels: {{app: {name}, rollouts-pod-template-hash: {hash}}}}}
    spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: api, image: \"{image}\"}}]}}
"
        );
        apply(&self.lab.cluster, &set);
    }

    fn report(&self, phase: &str, hash: &str) {
        let own = self.itself("{.metadata.generation}");
        let lent = self.get(self.template, "{.metadata.generation}");
        let status = format!(
            r#"{{"status": {{"observedGeneration": "{own}", "workloadObservedGeneration": "{lent}", "phase": "{phase}", "message": "CanaryPauseStep", "currentStepIndex": 0, "currentPodHash": "{hash}", "updatedReplicas": 1}}}}"#
        );
        let patch = ["patch", "rollout", self.name, "--subresource=status", "--type=merge"];
        self.lab.kubectl("uat", &[&patch[..], &["--patch", &status]].concat());
    }

    /// Deploys, while its controller makes the pods and ends in this phase.
    fn deploy(&self, digest: &str, hash: &str, phase: &str) -> Ran {
        std::thread::scope(|scope| {
            let deploying = scope.spawn(|| self.lab.deploy("uat", digest, &["--take-over"]));
            wait_until_within(super::PODS_WITHIN, "it has been told", || {
                deploying.is_finished() || self.image().ends_with(digest)
            })
            .unwrap();
            if !deploying.is_finished() {
                self.replica_set(hash);
                let label = format!("rollouts-pod-template-hash={hash}");
                wait_for_pods(&self.lab.cluster, "uat", &label, 1);
                self.report(phase, hash);
            }
            deploying.join().unwrap()
        })
    }
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
    let web = Played { lab: &lab, name: "web", template: "rollout/web", at: 1 };
    let done = web.deploy(&a, "aaaa", "Healthy").exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    let images = web.itself("{.spec.template.spec.containers[*].image}");
    assert_eq!(images, format!("{host}/shop/log:1 {host}/shop/api:a@{a}"));

    // An older definition: the list is one value, and only its entry is replaced.
    apply(&lab.cluster, &DEFINITION.replace("KEYS\n", ""));
    wait_for_schema(&lab, false);
    let paused = web.deploy(&b, "bbbb", "Paused").exits(0).json();
    assert_eq!(text(&paused, "grade"), "applied", "somebody has to promote it");
    let images = web.itself("{.spec.template.spec.containers[*].image}");
    assert_eq!(images, format!("{host}/shop/log:1 {host}/shop/api:b@{b}"));

    let c = lab.build("c", "uat");
    web.deploy(&c, "cccc", "Degraded").exits(1).says(&["Degraded: CanaryPauseStep"]);
    a_lent_template(&lab);
}

/// Of a `workloadRef`: the Deployment is told, the Rollout is waited for.
fn a_lent_template(lab: &Lab) {
    lab.settle("rollout/web", "rollout/shown");
    let d = lab.build("d", "uat");
    apply(&lab.cluster, BORROWING);
    lab.deploy("uat", &d, &[]).says(&["the Deployment of its workloadRef is not there"]);
    let host = lab.cluster.registry();
    apply(&lab.cluster, &LENDING.replace("REGISTRY", &host));
    let shown = Played { lab, name: "shown", template: "deployment/template", at: 0 };
    let done = shown.deploy(&d, "dddd", "Healthy").exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");
    assert_eq!(shown.image(), format!("{host}/shop/api:d@{d}"));
    assert_eq!(shown.itself("{.spec.template}"), "", "the Rollout itself is left as it was");

    let other = BORROWING.replace("kind: Deployment", "kind: PodTemplate").replace("apps/v1", "v1");
    apply(&lab.cluster, &other);
    let e = lab.build("e", "uat");
    let refused = lab.deploy("uat", &e, &[]);
    refused.says(&["a ReplicaSet or a PodTemplate", "let it name a Deployment"]);
    assert_eq!(shown.image(), format!("{host}/shop/api:d@{d}"), "nothing is written");
}

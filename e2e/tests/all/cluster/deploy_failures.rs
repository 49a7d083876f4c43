//! What keeps pods from running, told at once with pod, container, reason and log; and what a cluster does not let in.

use super::lab::Lab;
use super::{apply, wait_for_pods};
use crate::situations::runner::text;

#[test]
fn what_keeps_pods_from_running_is_told_with_its_cause() {
    let test = "what_keeps_pods_from_running_is_told_with_its_cause";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");
    lab.deploy("uat", &a, &["--take-over"]).exits(0);

    let crashing = lab.crashing("crashing", "uat");
    let failed = lab.deploy("uat", &crashing, &[]).exits(1);
    println!("a build that crashes is noticed within {:.1} s", failed.took.as_secs_f64());
    failed.says(&[
        "pod api-",
        "container api, CrashLoopBackOff: it ended 3 times, last with exit code 3",
        "log the database is not there",
    ]);

    let b = lab.build("b", "uat");
    missing_key(&lab, &b);
    full_quota(&lab, &b);
    policies(&lab);
}

/// A pod that asks for a key that its ConfigMap does not have.
fn missing_key(lab: &Lab, b: &str) {
    lab.kubectl("uat", &["create", "configmap", "api", "--from-literal=host=db"]);
    let wants = r#"{"spec": {"template": {"spec": {"containers": [{"name": "api",
        "env": [{"name": "PORT", "valueFrom": {"configMapKeyRef": {"name": "api", "key": "port"}}}]}]}}}}"#;
    lab.kubectl("uat", &["patch", "deployment", "api", "--patch", wants]);
    let failed = lab.deploy("uat", b, &[]).exits(1);
    println!("a key that is missing is noticed within {:.1} s", failed.took.as_secs_f64());
    failed.says(&[
        "container api, CreateContainerConfigError",
        "couldn't find key port in ConfigMap uat/api",
    ]);
    let gone =
        r#"{"spec": {"template": {"spec": {"containers": [{"name": "api", "env": null}]}}}}"#;
    lab.kubectl("uat", &["patch", "deployment", "api", "--patch", gone]);
    let done = lab.deploy("uat", b, &[]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed", "what stood in the way is gone: it goes on");
}

/// No room for the pod that a Deployment makes before it takes an old one away.
fn full_quota(lab: &Lab, b: &str) {
    let c = lab.build("c", "uat");
    lab.kubectl("uat", &["create", "quota", "few", "--hard=pods=2"]);
    let failed = lab.deploy("uat", &c, &[]).exits(1);
    println!("a full quota is noticed within {:.1} s", failed.took.as_secs_f64());
    failed.says(&["FailedCreate", "exceeded quota: few"]);
    lab.kubectl("uat", &["delete", "quota", "few"]);
    lab.deploy("uat", b, &[]).exits(0);
}

/// A policy for workloads refuses before anything is recorded, one for pods while they are made.
fn policies(lab: &Lab) {
    let before = lab.history("uat").len();
    let d = lab.build("d", "uat");
    apply(&lab.cluster, &policy("deployments", "apps", "object.spec.replicas > 2"));
    wait_for_policy(lab, &d);
    assert_eq!(lab.history("uat").len(), before, "what is not let in leaves no record");
    lab.kubectl("uat", &["delete", "validatingadmissionpolicybinding/strict"]);
    testbed::wait_until_within(super::PODS_WITHIN, "the policy is gone", || {
        lab.deploy("uat", &d, &["--dry-run"]).code == Some(0)
    })
    .unwrap();
    apply(&lab.cluster, &policy("pods", "", "object.spec.containers.size() > 9"));
    testbed::wait_until_within(super::PODS_WITHIN, "the policy for pods is in force", || {
        let pod = ["--namespace=uat", "run", "probe", "--image=probe", "--dry-run=server"];
        !lab.cluster.kubectl().args(pod).output().unwrap().status.success()
    })
    .unwrap();
    let failed = lab.deploy("uat", &d, &[]).exits(1);
    println!("a policy for pods is noticed within {:.1} s", failed.took.as_secs_f64());
    assert!(failed.took.as_secs() < 14, "what is decided is not waited for: {failed}");
    failed.says(&["FailedCreate", "nobody may do that here"]);
    // A later try may find that it is gone: what stands there from the first is no proof.
    let again = lab.deploy("uat", &d, &[]).exits(1);
    assert!(again.took.as_secs() >= 14, "it may be an earlier try's: {again}");
}

/// A policy is in force a moment after it was made: then the rehearsal is refused.
fn wait_for_policy(lab: &Lab, digest: &str) {
    let mut last = None;
    testbed::wait_until_within(super::PODS_WITHIN, "the policy is in force", || {
        let ran = lab.deploy("uat", digest, &["--dry-run"]);
        let is_refused = ran.code != Some(0);
        last = Some(ran);
        is_refused
    })
    .unwrap();
    last.unwrap().exits(1).says(&["does not let the change", "nobody may do that here"]);
}

fn policy(resources: &str, group: &str, holds: &str) -> String {
    format!(
        "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: strict}}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{{apiGroups: [\"{group}\"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [{resources}]}}]
  validations: [{{expression: \"{holds}\", message: nobody may do that here, reason: Forbidden}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: strict}}
spec:
  policyName: strict
  validationActions: [Deny]
  matchResources: {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: uat}}}}}}
"
    )
}

//! Commands against a real Kubernetes cluster: API server, two kubelets, containerd, runc.

mod demo;
mod deploy;
mod deploy_argo;
mod deploy_batch;
mod deploy_clusters;
mod deploy_failures;
mod deploy_kinds;
mod deploy_owners;
mod findings;
mod gitops;
mod import;
mod lab;
mod look;
mod policy;
mod standing;
mod two_clusters;
mod watch;

use crate::situations::runner::{Ran, Runner};
use std::path::Path;
use std::time::Duration;
use testbed::{Cluster, Missing, peer, skip, wait_until_within};

/// How long pods may take to do what they are told.
const PODS_WITHIN: Duration = Duration::from_secs(90);

/// A cluster, where this machine can have one; otherwise the test is counted as skipped.
fn cluster(test: &str) -> Option<Cluster> {
    match Cluster::start() {
        Ok(cluster) => {
            println!("{test}: {}", cluster.version());
            Some(cluster)
        }
        Err(error) if error.is::<Missing>() => {
            skip(test, error);
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

/// Runs kubectl; what it prints.
fn kubectl(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = cluster.kubectl().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Applies a file's text.
fn apply(cluster: &Cluster, yaml: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("objects.yaml");
    std::fs::write(&file, yaml).unwrap();
    kubectl(cluster, &["apply", "--filename", file.to_str().unwrap()]);
}

/// Waits until so many pods of a label are ready, and no other is there.
fn wait_for_pods(cluster: &Cluster, namespace: &str, label: &str, count: usize) {
    let ready = "jsonpath={range .items[*]}{.metadata.deletionTimestamp}{.status.containerStatuses[*].ready}{'\\n'}{end}";
    let asked = ["--namespace", namespace, "get", "pods", "--selector", label, "--output", ready];
    wait_until_within(PODS_WITHIN, &format!("{count} pods of {label} are ready"), || {
        let lines = kubectl(cluster, &asked);
        lines.lines().count() == count && lines.lines().all(|line| line == "true")
    })
    .unwrap();
}

/// Two replicas on two nodes, so that each pulls for itself, under a tag that may move.
fn two_replicas(cluster: &Cluster) -> String {
    format!(
        "\
apiVersion: v1
kind: Namespace
metadata: {{name: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: api, image: \"{}/shop/api:uat\", imagePullPolicy: Always}}]
",
        cluster.registry()
    )
}

/// Pushes an image that waits, under this name, with bytes of its own; gives its digest.
fn push_image(cluster: &Cluster, name: &str, says: &str) -> String {
    let base = format!("{}/testbed/busybox:1", cluster.registry());
    let target = format!("{}/{name}", cluster.registry());
    let mut crane = peer("crane").unwrap().command();
    let label = format!("says={says}");
    let done = crane.args(["mutate", &base, "--label", &label, "--tag", &target]).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    let asked = peer("crane").unwrap().command().args(["digest", &target]).output().unwrap();
    text(&asked.stdout).trim().to_owned()
}

/// Runs the program under test on a machine of its own that has this kubeconfig.
fn indelible(kubeconfig: &Path, arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let variable = ("KUBECONFIG", kubeconfig.display().to_string());
    Runner::new(home.path(), home.path()).with([variable]).run(arguments)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

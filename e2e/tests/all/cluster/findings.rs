//! Findings on a real cluster: they open and close by themselves, name digests, pods and who did it, and survive the
//! watcher.

use super::{apply, cluster, kubectl, push_image, wait_for_pods};
use crate::situations::runner::Runner;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testbed::{Cluster, Running, wait_until_within};

/// A kubelet restarts and pulls, the watcher judges, and asks the registry.
const FOUND_WITHIN: Duration = Duration::from_secs(90);

struct Lab {
    cluster: Cluster,
    folder: TempDir,
    ada: Runner,
}

fn objects(namespace: &str, name: &str, image: &str, pull: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: {name}, image: \"{image}\", imagePullPolicy: {pull}}}]
"
    )
}

impl Lab {
    fn start(test: &str) -> Option<Self> {
        let cluster = cluster(test)?;
        let folder = tempfile::tempdir().unwrap();
        let host = cluster.registry();
        let settings = format!(
            "version: 1
record: file:record.db
images: {{api: {{repository: {host}/shop/api, tags: [timestamp]}}}}
environments:
  uat: {{branches: [\"**\"], deploy: cluster, clusters: [testbed], namespace: uat, workloads: {{api: [deployment/api]}}}}
"
        );
        std::fs::write(folder.path().join("indelible.yaml"), settings).unwrap();
        let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
        let ada = Runner::new(folder.path(), folder.path()).with([kubeconfig]);
        Some(Self { cluster, folder, ada })
    }

    fn build(&self, name: &str) -> String {
        let digest = push_image(&self.cluster, &format!("shop/api:{name}"), name);
        let repository = format!("{}/shop/api", self.cluster.registry());
        let pushed = format!("{repository}@{digest}");
        let said = ["publish", "--pushed", &pushed, "--to", &repository, "--tag", name];
        self.ada.run(&[&said[..], &["--env", "uat"]].concat()).exits(0);
        digest
    }

    fn deploy(&self, digest: &str) {
        self.ada.run(&["deploy", "uat", &format!("api={digest}"), "--take-over"]).exits(0);
    }

    fn watch(&self, log: &str) -> (Running, Log) {
        let log = self.folder.path().join(log);
        let mut command = std::process::Command::new(testbed::indelible_bin().unwrap());
        command.args(["watch", "--context", "testbed"]).current_dir(self.folder.path());
        command.env("KUBECONFIG", self.cluster.kubeconfig()).env("HOME", self.folder.path());
        let mut running = Running::start(&mut command, &log).unwrap();
        let log = Log(log);
        running.wait_until_ready(|| log.has(&["watching testbed"])).unwrap();
        (running, log)
    }

    /// The Events of a workload, as `kubectl describe` finds them.
    fn events(&self, namespace: &str, workload: &str) -> String {
        let kind = format!("regarding.kind=Deployment,regarding.name={workload}");
        let asked = ["--namespace", namespace, "get", "events.v1.events.k8s.io"];
        let fields = "jsonpath={range .items[*]}{.type} {.reason} {.note}{'\\n'}{end}";
        let more = ["--field-selector", &kind, "--output", fields];
        kubectl(&self.cluster, &[&asked[..], &more].concat())
    }
}

/// What a watcher says, line by line.
struct Log(PathBuf);

impl Log {
    /// The lines that hold all of these words.
    fn lines(&self, words: &[&str]) -> Vec<String> {
        let text = std::fs::read_to_string(Path::new(&self.0)).unwrap_or_default();
        let holds = |line: &&str| words.iter().all(|word| line.contains(word));
        text.lines().filter(holds).map(ToOwned::to_owned).collect()
    }

    fn has(&self, words: &[&str]) -> bool {
        !self.lines(words).is_empty()
    }

    fn wait(&self, words: &[&str]) -> String {
        wait_until_within(FOUND_WITHIN, &format!("a line with {words:?}"), || self.has(words))
            .unwrap_or_else(|error| {
                panic!("{error:#}\n{}", std::fs::read_to_string(&self.0).unwrap_or_default())
            });
        self.lines(words).swap_remove(0)
    }
}

#[test]
fn findings_name_digests_pods_and_managers_and_open_and_close_by_themselves() {
    let test = "findings_name_digests_pods_and_managers_and_open_and_close_by_themselves";
    let Some(lab) = Lab::start(test) else { return };
    let host = lab.cluster.registry();
    let old = push_image(&lab.cluster, "shop/web:moving", "old");
    apply(&lab.cluster, &objects("web", "web", &format!("{host}/shop/web:moving"), "Always"));
    let a = lab.build("a");
    apply(&lab.cluster, &objects("uat", "api", &format!("{host}/shop/api:a"), "IfNotPresent"));
    wait_for_pods(&lab.cluster, "web", "app=web", 2);
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    lab.deploy(&a);
    let (mut watch, log) = lab.watch("watch.log");
    let unpinned = log.wait(&["testbed: unpinned: deployment/web names", "shop/web:moving"]);
    assert!(unpinned.contains("which can move"), "{unpinned}");

    // A rollout by us raises nothing of its own.
    let b = lab.build("b");
    lab.deploy(&b);

    // The tag moves, and one pod is made again: two replicas of one template, two builds.
    let new = push_image(&lab.cluster, "shop/web:moving", "new");
    let selected = ["--namespace", "web", "get", "pods", "--selector=app=web", "--output=name"];
    let pods = kubectl(&lab.cluster, &selected);
    let (gone, stays) = pods.trim().split_once('\n').unwrap();
    kubectl(&lab.cluster, &["--namespace", "web", "delete", gone]);
    wait_for_pods(&lab.cluster, "web", "app=web", 2);
    let stays = stays.trim_start_matches("pod/");
    let pods = kubectl(&lab.cluster, &selected);
    let made = pods.lines().map(|pod| pod.trim_start_matches("pod/")).find(|pod| *pod != stays);
    let two = log.wait(&["testbed: two-builds: 2 builds run in deployment/web", stays]);
    println!("{two}");
    for said in [&old[..19], &new[..19], stays, made.unwrap()] {
        assert!(two.contains(said), "both digests and both pods: {said} in {two}");
    }
    wait_until_within(FOUND_WITHIN, "an Event stands on the workload", || {
        let events = lab.events("web", "web");
        let holds =
            |line: &str| line.starts_with("Warning TwoBuilds ") && line.contains(&new[..19]);
        events.lines().any(holds)
    })
    .unwrap();

    undone(&lab, &log, &a, &b);

    // A watcher that starts again goes on where the record stands: what is open is not said again.
    watch.stop().unwrap();
    let (mut again, second) = lab.watch("again.log");
    kubectl(&lab.cluster, &["--namespace", "web", "delete", "pod", stays]);
    second.wait(&["testbed: two-builds of web deployment/web web is over"]);
    assert_eq!(second.lines(&["two-builds: 2 builds"]), [""; 0], "{:?}", second.lines(&[]));
    again.stop().unwrap();
}

/// `kubectl rollout undo` brings the build before back, and no deploy did: who it was is told.
fn undone(lab: &Lab, log: &Log, a: &str, b: &str) {
    assert_eq!(log.lines(&["outside-change"]), [""; 0]);
    assert_eq!(log.lines(&["two-builds", "deployment/api"]), [""; 0]);
    kubectl(&lab.cluster, &["--namespace", "uat", "rollout", "undo", "deployment/api"]);
    let line = log.wait(&["testbed: outside-change: deployment/api of uat", "changed by"]);
    println!("{line}");
    assert!(line.contains(&a[..19]) && line.contains(&b[..19]), "{line}");
    let managed = "jsonpath={range .metadata.managedFields[*]}{.manager} {.fieldsV1}{'\\n'}{end}";
    let asked = ["--namespace", "uat", "get", "deployment/api", "--show-managed-fields"];
    let managers = kubectl(&lab.cluster, &[&asked[..], &["--output", managed]].concat());
    let own = managers.lines().find(|line| line.contains("f:image\""));
    let own = own.and_then(|line| line.split(' ').next()).unwrap_or_default().to_owned();
    assert!(line.contains(&format!("changed by {own}")), "{line}\n{managers}");
    // Somebody writes it down: from then on it is decided.
    lab.ada.run(&["note", "deploy", "uat", &format!("api={a}")]).exits(0);
    log.wait(&["testbed: outside-change of uat deployment/api api is over"]);
}

//! Mode `cluster`: deployed, refused, failed, rolled back, promoted, and judged by what pods report.

use super::{apply, cluster, kubectl, push_image, text as text_of, wait_for_pods};
use crate::situations::runner::{Ran, Runner, text};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Cluster, peer};

/// Two environments, which are two namespaces of one cluster.
struct Lab {
    cluster: Cluster,
    _folder: TempDir,
    ada: Runner,
}

/// What runs there before the program is heard of: applied with kubectl, pinned to nothing.
fn objects(registry: &str, namespace: &str, kind: &str) -> String {
    let more = match kind {
        "StatefulSet" => "  replicas: 2\n  serviceName: api\n",
        "Deployment" => "  replicas: 2\n",
        _ => "",
    };
    format!(
        "\
apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: api, namespace: {namespace}}}
spec:
{more}  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {{name: api, image: \"{registry}/shop/api:first\"}}
"
    )
}

impl Lab {
    fn start(test: &str, kind: &str) -> Option<Self> {
        let cluster = cluster(test)?;
        let folder = tempfile::tempdir().unwrap();
        let host = cluster.registry();
        let workload = kind.to_lowercase();
        let settings = format!(
            "version: 1
record: local
images: {{api: {{repository: {host}/shop/api, tags: [timestamp]}}}}
environments:
  prod: {{promotes-from: uat, deploy: cluster, clusters: [testbed], namespace: prod, workloads: {{api: [{workload}/api]}}}}
  uat: {{deploy: cluster, clusters: [testbed], namespace: uat, workloads: {{api: [{workload}/api]}}}}
"
        );
        let work = folder.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        std::fs::write(work.join("indelible.yaml"), settings).unwrap();
        push_image(&cluster, "shop/api:first", "first");
        for namespace in ["uat", "prod"] {
            apply(&cluster, &objects(&host, namespace, kind));
        }
        let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
        let ada = Runner::new(&folder.path().join("home"), &work).with([kubeconfig]);
        Some(Self { cluster, _folder: folder, ada })
    }

    /// A build for an environment; gives its digest.
    fn build(&self, name: &str, environment: &str) -> String {
        let digest = push_image(&self.cluster, &format!("shop/api:{name}"), name);
        self.adopt(&digest, name, environment);
        digest
    }

    fn adopt(&self, digest: &str, name: &str, environment: &str) {
        let repository = format!("{}/shop/api", self.cluster.registry());
        let pushed = format!("{repository}@{digest}");
        let arguments = ["publish", "--pushed", &pushed, "--to", &repository, "--tag", name];
        self.ada.run(&[&arguments[..], &["--env", environment]].concat()).exits(0);
    }

    /// A build that no node of this cluster can run: its platform is another.
    fn unrunnable(&self, name: &str, environment: &str) -> String {
        let base = format!("{}/testbed/busybox:1", self.cluster.registry());
        let target = format!("{}/shop/api:{name}", self.cluster.registry());
        let other = format!("{target}-plan9");
        self.crane(&["mutate", &base, "--set-platform=plan9/mips", "--tag", &other]);
        self.crane(&["index", "append", "--manifest", &other, "--tag", &target]);
        let digest = self.crane(&["digest", &target]);
        self.adopt(&digest, name, environment);
        digest
    }

    fn crane(&self, arguments: &[&str]) -> String {
        let done = peer("crane").unwrap().command().args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", text_of(&done.stderr));
        text_of(&done.stdout).trim().to_owned()
    }

    fn deploy(&self, environment: &str, digest: &str, more: &[&str]) -> Ran {
        let image = format!("api={digest}");
        self.ada.run(&[&["deploy", environment, &image, "--json"], more].concat())
    }

    fn image(&self, namespace: &str, workload: &str) -> String {
        let path = "jsonpath={.spec.template.spec.containers[?(@.name==\"api\")].image}";
        kubectl(&self.cluster, &["--namespace", namespace, "get", workload, "--output", path])
    }

    /// The pods' names, and what they report to run.
    fn pods(&self, namespace: &str) -> Vec<String> {
        let path = "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[?(@.name==\"api\")].imageID}{'\\n'}{end}";
        let asked = ["--namespace", namespace, "get", "pods", "--selector=app=api"];
        let listed = kubectl(&self.cluster, &[&asked[..], &["--output", path]].concat());
        let mut pods: Vec<_> = listed.lines().map(ToOwned::to_owned).collect();
        pods.sort();
        pods
    }

    fn history(&self, environment: &str) -> Vec<Value> {
        let answer = self.ada.run(&["history", environment, "--json"]).json();
        answer["items"].as_array().unwrap().clone()
    }
}

/// The seconds from the first pull error that the kubelet reports until now.
fn since_first_error(cluster: &Cluster, namespace: &str) -> Option<f64> {
    let path = "jsonpath={range .items[?(@.reason==\"Failed\")]}{.firstTimestamp}{'\\n'}{end}";
    let events = kubectl(cluster, &["--namespace", namespace, "get", "events", "--output", path]);
    let first = events.lines().filter(|line| !line.is_empty()).min()?.to_owned();
    let first: domain::Timestamp = first.parse().ok()?;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().ok()?;
    Some(now.as_secs_f64() - first.as_millis() as f64 / 1000.0)
}

#[test]
fn a_deploy_is_done_when_its_pods_report_the_build() {
    let test = "a_deploy_is_done_when_its_pods_report_the_build";
    let Some(lab) = Lab::start(test, "Deployment") else { return };
    wait_for_pods(&lab.cluster, "uat", "app=api", 2);
    let a = lab.build("a", "uat");

    // kubectl set the image before: it is taken over only when that is said.
    let owned = lab.deploy("uat", &a, &[]).exits(1);
    owned.says(&["was set by kubectl", "--take-over"]);
    assert_eq!(lab.history("uat").len(), 0, "what is refused leaves no record");
    let dry = lab.deploy("uat", &a, &["--take-over", "--dry-run"]).exits(0).json();
    assert_eq!(text(&dry, "images.0.places.0"), "testbed uat/deployment/api api");
    assert!(lab.image("uat", "deployment/api").ends_with(":first"));
    let done = lab.deploy("uat", &a, &["--take-over"]).exits(0).json();
    assert_eq!((text(&done, "mode"), text(&done, "grade")), ("cluster", "observed"));
    let written = format!("{}/shop/api:a@{a}", lab.cluster.registry());
    assert_eq!(lab.image("uat", "deployment/api"), written);
    let running = lab.pods("uat");
    assert!(running.len() == 2 && running.iter().all(|pod| pod.ends_with(&a)), "{running:?}");

    // The same again restarts nothing.
    let same = lab.deploy("uat", &a, &[]).exits(0).json();
    assert_eq!(text(&same, "outcome"), "same");
    assert_eq!(lab.pods("uat"), running);

    // A build of uat does not reach prod by itself, and comes by promotion.
    lab.deploy("prod", &a, &["--take-over"]).exits(1).says(&["may not go to prod"]);
    let promoted = lab.ada.json(&["promote", "uat", "prod", "api", "--take-over"]);
    assert_eq!(
        (text(&promoted, "grade"), text(&promoted, "images.0.to")),
        ("observed", a.as_str())
    );

    bad_build(&lab);
}

/// A build that does not run is noticed at once, and left by a rollback.
fn bad_build(lab: &Lab) {
    let b = lab.build("b", "uat");
    let done = lab.deploy("uat", &b, &[]).exits(0).json();
    assert_eq!(text(&done, "grade"), "observed");

    let unrunnable = lab.unrunnable("unrunnable", "uat");
    let failed = lab.deploy("uat", &unrunnable, &[]).exits(1);
    let seconds = since_first_error(&lab.cluster, "uat").unwrap();
    println!(
        "a build that cannot be pulled is noticed {seconds:.1} s after the first error, the command took {:.1} s",
        failed.took.as_secs_f64()
    );
    assert!(seconds < 60.0, "generous: two cores may be busy");
    let failed = failed.says(&["container api", "ErrImagePull", "indelible rollback uat api"]);
    drop(failed);
    let newest = &lab.history("uat")[0];
    assert!(
        text(newest, "outcome").starts_with("failed: testbed uat/deployment/api: pod api-"),
        "{newest}"
    );
    let back = lab.ada.json(&["rollback", "uat", "api", "--reason", "it does not start"]);
    assert_eq!(
        (text(&back, "images.0.to"), text(&back, "images.0.condemns")),
        (b.as_str(), unrunnable.as_str())
    );
    assert_eq!(text(&back, "grade"), "observed");
    lab.deploy("uat", &unrunnable, &["--dry-run"]).exits(0);
}

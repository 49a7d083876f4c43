//! Two environments of one real cluster, a registry, and somebody who deploys.

use super::{apply, cluster, kubectl, push_image, text as text_of};
use crate::situations::runner::{Ran, Runner};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Cluster, peer};

/// Two environments, which are two namespaces of one cluster.
pub(super) struct Lab {
    pub(super) cluster: Cluster,
    _folder: TempDir,
    pub(super) ada: Runner,
}

/// What runs there before the program is heard of: applied with kubectl, pinned to nothing.
pub(super) fn objects(registry: &str, namespace: &str, kind: &str) -> String {
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
    pub(super) fn start(test: &str, kind: &str) -> Option<Self> {
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
    pub(super) fn build(&self, name: &str, environment: &str) -> String {
        let digest = push_image(&self.cluster, &format!("shop/api:{name}"), name);
        self.adopt(&digest, name, environment);
        digest
    }

    pub(super) fn adopt(&self, digest: &str, name: &str, environment: &str) {
        let repository = format!("{}/shop/api", self.cluster.registry());
        let pushed = format!("{repository}@{digest}");
        let arguments = ["publish", "--pushed", &pushed, "--to", &repository, "--tag", name];
        self.ada.run(&[&arguments[..], &["--env", environment]].concat()).exits(0);
    }

    /// A build that no node of this cluster can run: its platform is another.
    pub(super) fn unrunnable(&self, name: &str, environment: &str) -> String {
        let base = format!("{}/testbed/busybox:1", self.cluster.registry());
        let target = format!("{}/shop/api:{name}", self.cluster.registry());
        let other = format!("{target}-plan9");
        self.crane(&["mutate", &base, "--set-platform=plan9/mips", "--tag", &other]);
        self.crane(&["index", "append", "--manifest", &other, "--tag", &target]);
        let digest = self.crane(&["digest", &target]);
        self.adopt(&digest, name, environment);
        digest
    }

    /// A build whose first process ends at once.
    pub(super) fn crashing(&self, name: &str, environment: &str) -> String {
        let base = format!("{}/testbed/busybox:1", self.cluster.registry());
        let target = format!("{}/shop/api:{name}", self.cluster.registry());
        let says = "/bin/echo the database is not there; exit 3";
        self.crane(&[
            "mutate",
            &base,
            "--entrypoint",
            "/bin/sh,-c",
            "--cmd",
            says,
            "--tag",
            &target,
        ]);
        let digest = self.crane(&["digest", &target]);
        self.adopt(&digest, name, environment);
        digest
    }

    pub(super) fn crane(&self, arguments: &[&str]) -> String {
        let done = peer("crane").unwrap().command().args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", text_of(&done.stderr));
        text_of(&done.stdout).trim().to_owned()
    }

    #[must_use = "a command that failed is noticed by `.exits(0)`"]
    pub(super) fn deploy(&self, environment: &str, digest: &str, more: &[&str]) -> Ran {
        let image = format!("api={digest}");
        self.ada.run(&[&["deploy", environment, &image, "--json"], more].concat())
    }

    pub(super) fn image(&self, namespace: &str, workload: &str) -> String {
        let path = "jsonpath={.spec.template.spec.containers[?(@.name==\"api\")].image}";
        kubectl(&self.cluster, &["--namespace", namespace, "get", workload, "--output", path])
    }

    /// The pods' names, and what they report to run.
    pub(super) fn pods(&self, namespace: &str) -> Vec<String> {
        let path = "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[?(@.name==\"api\")].imageID}{'\\n'}{end}";
        let asked = ["--namespace", namespace, "get", "pods", "--selector=app=api"];
        let listed = kubectl(&self.cluster, &[&asked[..], &["--output", path]].concat());
        let mut pods: Vec<_> = listed.lines().map(ToOwned::to_owned).collect();
        pods.sort();
        pods
    }

    /// Changes the settings.
    pub(super) fn settle(&self, from: &str, to: &str) {
        let file = self.ada.cwd.join("indelible.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }

    /// Runs kubectl in a namespace; what it prints.
    pub(super) fn kubectl(&self, namespace: &str, arguments: &[&str]) -> String {
        kubectl(&self.cluster, &[&["--namespace", namespace], arguments].concat())
    }

    /// Applies an object of this namespace as another field manager.
    pub(super) fn apply_as(&self, manager: &str, namespace: &str, image: &str) {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec: {{template: {{spec: {{containers: [{{name: api, image: \"{image}\"}}]}}}}}}\n"
        );
        let file = self.ada.cwd.join("manager.yaml");
        std::fs::write(&file, text).unwrap();
        let manager = format!("--field-manager={manager}");
        let file = format!("--filename={}", file.display());
        self.kubectl(namespace, &["apply", "--server-side", "--force-conflicts", &manager, &file]);
    }

    pub(super) fn history(&self, environment: &str) -> Vec<Value> {
        let ran = self.ada.run(&["history", environment, "--json"]);
        let items = ran.json()["items"].as_array().unwrap().clone();
        // Where nothing is recorded, nothing is known.
        let _ = ran.exits(if items.is_empty() { 2 } else { 0 });
        items
    }
}

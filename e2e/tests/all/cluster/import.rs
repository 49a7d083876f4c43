//! What a cluster still knows: rollouts by kubectl, a StatefulSet, and a release as Helm keeps it.

use super::{apply, cluster, kubectl, push_image, text, wait_for_pods};
use crate::situations::runner::{Ran, Runner};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use testbed::Cluster;

fn objects(registry: &str, kind: &str, name: &str, image: &str) -> String {
    let more =
        if kind == "StatefulSet" { format!("  serviceName: {name}\n") } else { String::new() };
    format!(
        "\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: 1
{more}  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {{name: {name}, image: \"{registry}/{image}\"}}
"
    )
}

/// What a pipe of two programs makes of a text.
fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// A release as Helm stores it. Source: helm/helm, pkg/storage/driver/secrets.go and util.go: JSON, gzip, base64, in a
/// Secret of this type under the key `release`; Kubernetes' own base64 comes on top.
fn helm_secret(registry: &str, revision: u32, status: &str, image: &str) -> String {
    let manifest = objects(registry, "Deployment", "charted", image);
    let release = serde_json::json!({
        "name": "shop", "namespace": "shop", "version": revision, "manifest": manifest,
        "info": {
            "first_deployed": "2026-03-01T09:00:00.5Z", "status": status,
            "last_deployed": format!("2026-03-01T09:0{revision}:00.123456789Z"),
        },
        "chart": {"metadata": {"name": "shop", "version": "0.1.0"}}, "config": {"token": "s3cret-value"},
    });
    let packed = piped("gzip", &["-9", "-c"], release.to_string().as_bytes());
    let once = piped("base64", &["-w0"], &packed);
    let twice = text(&piped("base64", &["-w0"], &once));
    format!(
        "\
apiVersion: v1
kind: Secret
type: helm.sh/release.v1
metadata: {{name: sh.helm.release.v1.shop.v{revision}, namespace: shop, labels: {{owner: helm, name: shop}}}}
data: {{release: {twice}}}
"
    )
}

/// Three images of `api`, rolled out with kubectl; the first comes back.
fn rollouts(cluster: &Cluster, digests: &[String]) {
    let host = cluster.registry();
    apply(cluster, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    apply(cluster, &objects(&host, "Deployment", "api", &format!("shop/api:a@{}", digests[0])));
    wait_for_pods(cluster, "shop", "app=api", 1);
    for tagged in ["shop/api:b".to_owned(), format!("shop/api:c@{}", digests[2])] {
        let image = format!("api={host}/{tagged}");
        kubectl(cluster, &["--namespace", "shop", "set", "image", "deployment/api", &image]);
        kubectl(cluster, &["--namespace", "shop", "rollout", "status", "deployment/api"]);
        wait_for_pods(cluster, "shop", "app=api", 1);
    }
    kubectl(
        cluster,
        &["--namespace", "shop", "rollout", "undo", "deployment/api", "--to-revision=1"],
    );
    kubectl(cluster, &["--namespace", "shop", "rollout", "status", "deployment/api"]);
    wait_for_pods(cluster, "shop", "app=api", 1);
    apply(cluster, &objects(&host, "StatefulSet", "web", "shop/web:a"));
    wait_for_pods(cluster, "shop", "app=web", 1);
}

/// What Helm keeps of a release: three revisions, of which the second failed, and something that is no release.
fn releases(cluster: &Cluster, digest: &str) {
    let host = cluster.registry();
    for secret in [
        helm_secret(&host, 1, "superseded", &format!("shop/charted:v1@{digest}")),
        helm_secret(&host, 2, "failed", "shop/charted:v2"),
        helm_secret(&host, 3, "deployed", "shop/charted:v3"),
    ] {
        apply(cluster, &secret);
    }
    apply(
        cluster,
        "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata: {name: broken, namespace: shop}\nstringData: {release: '%'}\n",
    );
}

/// Somebody whose settings name the images and the cluster; nothing is recorded yet.
fn somebody(cluster: &Cluster, folder: &Path) -> Runner {
    let host = cluster.registry();
    let work = folder.join("work");
    std::fs::create_dir_all(&work).unwrap();
    let images: String = ["api", "web", "charted"]
        .iter()
        .map(|name| format!("  {name}: {{repository: {host}/shop/{name}}}\n"))
        .collect();
    let settings = format!(
        "version: 1\nrecord: local\nimages:\n{images}environments:\n  prod: {{branches: [main], deploy: files, clusters: [testbed], namespace: shop}}\n"
    );
    std::fs::write(work.join("indelible.yaml"), settings).unwrap();
    let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
    Runner::new(&folder.join("home"), &work).with([kubeconfig])
}

#[test]
fn what_a_cluster_still_knows_is_imported_once_with_what_it_does_not_know() {
    let Some(cluster) = cluster("record import --context") else { return };
    let digests =
        ["a", "b", "c"].map(|name| push_image(&cluster, &format!("shop/api:{name}"), name));
    let web = push_image(&cluster, "shop/web:a", "web");
    rollouts(&cluster, &digests);
    releases(&cluster, &digests[0]);
    let folder = tempfile::tempdir().unwrap();
    let ada = somebody(&cluster, folder.path());
    documented(&ada);
    imported_once(&ada);
    history_says_what_was_not_kept(&ada);
    what_ran_is_what_was_kept(&ada, &digests[0], &web);
}

/// Each example of docs/record.md is run as it stands there, in this cluster, into a record of its own.
fn documented(ada: &Runner) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/record.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, section) = text.split_once("\n## What a cluster still knows\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("$ indelible "));
    let told: Vec<Ran> = lines
        .map(|line| {
            let line = line.replace("prod-eu", "testbed");
            let words: Vec<&str> = line.split_whitespace().collect();
            ada.run(&[&words[..], &["--record", "file:documented.db"]].concat()).exits(0)
        })
        .collect();
    let [looked, imported] = &told[..] else { panic!("{told:?}") };
    assert!(looked.stdout.contains("WOULD ADD"), "{looked}");
    assert!(imported.stdout.contains("ADDED") && imported.stdout.contains("Helm"), "{imported}");
}

/// The first words of the line of a keeper.
fn row<'a>(stdout: &'a str, keeper: &str) -> Vec<&'a str> {
    let line = stdout.lines().find(|line| line.contains(keeper)).unwrap();
    line.split_whitespace().take(7).collect()
}

fn imported_once(ada: &Runner) {
    let import = ["record", "import", "--context", "testbed"];
    let looked = ada.run(&[&import[..], &["--dry-run"]].concat());
    assert!(looked.stdout.contains("WOULD ADD"), "{looked}");
    let imported = ada.run(&import).exits(0);
    let said = &imported.stdout;
    println!("{said}");
    // Revisions 2, 3 and 4 of the Deployment, and 1 in the annotation of the first set; b's pods are gone.
    assert_eq!(row(said, "ReplicaSet"), ["prod", "ReplicaSet", "4", "4", "0", "0", "1"]);
    let of_web = row(said, "ControllerRevision");
    assert_eq!(of_web, ["prod", "ControllerRevision", "1", "1", "0", "0", "0"]);
    assert_eq!(row(said, "Helm"), ["prod", "Helm", "3", "3", "0", "0", "2"]);
    assert!(said.contains("not told: secret broken: the release is not base64"), "{said}");
    assert!(!said.contains("s3cret-value"));
    let again = ada.run(&import);
    let words = row(&again.stdout, "ReplicaSet");
    assert_eq!(words[..5], ["prod", "ReplicaSet", "4", "0", "4"], "{again}");
}

fn history_says_what_was_not_kept(ada: &Runner) {
    let history = ada.run(&["history", "prod"]);
    println!("{}", history.stdout);
    assert!(!history.stdout.contains("Ada"), "{history}");
    for said in [
        "not kept",
        "basis imported",
        "shop/api:b at testbed/shop/deployment/api/api",
        "its digest was not kept",
        "it failed, and what ran then is not known",
    ] {
        assert!(history.stdout.contains(said), "`{said}` is not said: {history}");
    }
}

fn what_ran_is_what_was_kept(ada: &Runner, api: &str, web: &str) {
    let ran = ada.run(&["ran", "prod", "--at", "now", "--json"]).json();
    let items = ran["items"].as_array().unwrap();
    let digest_of = |image: &str| {
        let item = items.iter().find(|item| item["image"] == image);
        item.map(|item| item["digest"].as_str().unwrap())
    };
    assert_eq!(digest_of("api"), Some(api), "{ran:#}");
    assert_eq!(digest_of("web"), Some(web), "{ran:#}");
    assert_eq!(digest_of("charted"), None, "only its tag is known: {ran:#}");
}

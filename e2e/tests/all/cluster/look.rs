//! `status --context`: replicas that differ, a tag that moved, a digest that is gone, rights that are missing.

use super::{apply, cluster, indelible, kubectl, push_image, text, two_replicas, wait_for_pods};
use crate::situations::runner::Runner;
use serde_json::Value;
use testbed::{Cluster, peer};

fn status(cluster: &Cluster, more: &[&str]) -> (Value, i32) {
    let mut arguments = vec!["status", "--context", "testbed", "--json"];
    arguments.extend(more);
    let ran = indelible(&cluster.kubeconfig(), &arguments);
    (ran.json(), ran.code.unwrap())
}

fn kinds(status: &Value) -> Vec<&str> {
    let findings = status["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap()).collect()
}

#[test]
fn a_first_look_finds_what_moved_differs_and_is_gone() {
    let Some(cluster) = cluster("a_first_look_finds_what_moved_differs_and_is_gone") else {
        return;
    };
    let old = push_image(&cluster, "shop/api:uat", "old");
    apply(&cluster, &two_replicas(&cluster));
    wait_for_pods(&cluster, "shop", "app=api", 2);

    let (before, exit) = status(&cluster, &[]);
    assert_eq!((kinds(&before), exit), (vec!["unpinned"], 1));
    assert_eq!(before["rows"][0]["workload"], "deployment/api");
    assert_eq!(before["rows"][0]["running"][0]["digest"], old.as_str());

    let pods = kubectl(&cluster, &["--namespace", "shop", "get", "pods", "--output=name"]);
    let one = pods.lines().next().unwrap();
    traced(&cluster, one, &old);
    let runs_old = format!("{}/shop/api:uat@{old}", cluster.registry());
    assert!(pinned_by_what_runs(&cluster, 0).contains(&runs_old));

    // The tag moves, and one of two pods is made again.
    let new = push_image(&cluster, "shop/api:uat", "new");
    kubectl(&cluster, &["--namespace", "shop", "delete", one]);
    wait_for_pods(&cluster, "shop", "app=api", 2);
    let (after, _) = status(&cluster, &["--namespace", "shop"]);
    assert_eq!(kinds(&after), ["two-builds", "tag-moved", "unpinned"]);
    let mut both = [old.as_str(), new.as_str()];
    both.sort_unstable();
    assert_eq!(after["findings"][0]["digests"], serde_json::json!(both));
    assert_eq!(after["findings"][0]["proven"], true);
    let disagree = pinned_by_what_runs(&cluster, 2);
    assert!(disagree.contains("several builds of it run: "), "{disagree}");
    assert!(disagree.contains(&old) && disagree.contains(&new), "{disagree}");
    let pods_of = |at: usize| after["rows"][0]["running"][at]["pods"].as_array().unwrap().len();
    assert_eq!((pods_of(0), pods_of(1)), (1, 1));

    // The registry loses the old bytes, which still run.
    let gone = format!("{}/shop/api@{old}", cluster.registry());
    let deleted = peer("crane").unwrap().command().args(["delete", &gone]).output().unwrap();
    assert!(deleted.status.success(), "{}", text(&deleted.stderr));
    let (later, _) = status(&cluster, &[]);
    assert!(kinds(&later).contains(&"digest-gone"), "{later}");
    rights(&cluster);
}

/// What `pin --running` makes of a file with one name that runs and one that does not.
fn pinned_by_what_runs(cluster: &Cluster, exit: i32) -> String {
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
    let person = Runner::new(home.path(), home.path()).with([kubeconfig]);
    let pod = |name: &str, image: &str| {
        let image = format!("{}/{image}", cluster.registry());
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: {name}, image: \"{image}\"}}]}}\n"
        )
    };
    let (runs, idle) = (home.path().join("api.yaml"), home.path().join("idle.yaml"));
    std::fs::write(&runs, pod("api", "shop/api:uat")).unwrap();
    std::fs::write(&idle, pod("idle", "testbed/busybox:1")).unwrap();
    let pin = ["pin", "--running", "--context", "testbed"];
    // What runs nowhere is left alone until it is told that a change is meant.
    let left = person.run(&[&pin[..], &["idle.yaml"]].concat()).exits(2);
    assert!(left.stdout.contains("no pod runs it"), "{left}");
    person.run(&[&pin[..], &["--as-of-now", "idle.yaml"]].concat()).exits(0);
    assert!(std::fs::read_to_string(&idle).unwrap().contains("busybox:1@sha256:"));
    let ran = person.run(&[&pin[..], &["api.yaml"]].concat()).exits(exit);
    format!("{}{}", ran.stdout, std::fs::read_to_string(&runs).unwrap())
}

/// A pod leads to its bytes, and these to what is recorded about them: nothing yet, then their build.
fn traced(cluster: &Cluster, pod: &str, digest: &str) {
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
    let person = Runner::new(home.path(), home.path()).with([kubeconfig]);
    let record = ["--record", "file:record.db"];
    let trace = ["trace", pod, "--context", "testbed", "--namespace", "shop"];
    let trace = [&trace[..], &record].concat();
    let before = person.run(&trace).exits(2);
    assert!(before.stdout.contains(digest), "{before}");
    assert!(before.stdout.contains("unknown: nothing is recorded about these bytes"), "{before}");

    let pushed = format!("{}/shop/api@{digest}", cluster.registry());
    let publish = ["publish", "--pushed", &pushed, "--tag", "20260317-143958-uat", "--env", "uat"];
    person.run(&[&publish[..], &record].concat()).exits(0);
    let after = person.json(&trace);
    assert_eq!(after["workload"], "deployment/api");
    let found = &after["containers"][0];
    assert_eq!(found["digest"], digest);
    let build = &found["trace"]["items"][0]["builds"][0];
    assert_eq!(build["tags"][0], "20260317-143958-uat", "{after:#}");
    let gone = ["trace", "pod/nobody", "--context", "testbed", "--namespace", "shop"];
    person.run(&gone).exits(2).says(&["testbed has no pod nobody in namespace shop"]);
    person.run(&["trace", pod]).exits(2).says(&["--context NAME"]);
}

/// Without rights the answer is what is missing; with rights in one namespace, that one.
fn rights(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let all = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let ada = all
        .replace("user: {token: testbed}", "user: {token: testbed, as: ada}")
        .replace("user: admin}", "user: admin, namespace: shop}");
    std::fs::write(&path, ada).unwrap();
    let denied = indelible(&path, &["status", "--context", "testbed"]);
    assert_eq!(denied.code, Some(2));
    let said = denied.stderr;
    assert!(said.contains("does not let this user list pods in namespace shop"), "{said}");
    assert!(said.contains("--verb=get,list --resource=pods"), "{said}");

    let shop = ["--namespace", "shop", "create"];
    kubectl(
        cluster,
        &[&shop[..], &["role", "look", "--verb=get,list", "--resource=pods"]].concat(),
    );
    kubectl(cluster, &[&shop[..], &["rolebinding", "look", "--role=look", "--user=ada"]].concat());
    testbed::wait_until("the right is there", || {
        indelible(&path, &["status", "--context", "testbed"]).code == Some(1)
    })
    .unwrap();
    let own = indelible(&path, &["status", "--context", "testbed"]);
    assert!(own.stderr.contains("only namespace shop was looked at"), "{}", own.stderr);
    assert!(own.stdout.contains("deployment/api"), "{}", own.stdout);
    // A pin of what runs says so too: what runs elsewhere was not seen.
    let file = folder.path().join("pod.yaml");
    let image = format!("{}/shop/api:uat", cluster.registry());
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nspec: {{containers: [{{name: api, image: \"{image}\"}}]}}\n"
    );
    std::fs::write(&file, pod).unwrap();
    let pin = ["pin", "--running", "--context", "testbed", "--diff", file.to_str().unwrap()];
    let pinned = indelible(&path, &pin);
    assert!(pinned.stderr.contains("only namespace shop was looked at"), "{pinned}");
}

//! `demo --context NAME --registry HOST`: the story on a real cluster, what it leaves, and what it leaves alone.

use super::{PODS_WITHIN, apply, cluster, kubectl, push_image, two_replicas, wait_for_pods};
use crate::situations::runner::{Ran, Runner};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use testbed::{Cluster, wait_until_within};

/// How long a whole demo may take on two busy cores; it takes about a minute on idle ones.
const DEMO_WITHIN: Duration = Duration::from_secs(600);

/// Somebody with a kubeconfig, and a folder for temporary files.
struct Desk {
    runner: Runner,
    temporary: PathBuf,
    registry: String,
    _home: tempfile::TempDir,
}

impl Desk {
    fn new(cluster: &Cluster) -> Self {
        let home = tempfile::tempdir().unwrap();
        let temporary = home.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let kubeconfig = ("KUBECONFIG", cluster.kubeconfig().display().to_string());
        let tmpdir = ("TMPDIR", temporary.display().to_string());
        let runner = Runner::new(home.path(), home.path()).with([kubeconfig, tmpdir]);
        Self { runner, temporary, registry: cluster.registry(), _home: home }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let demo = ["demo", "--context", "testbed", "--registry", &self.registry];
        [&demo[..], more].concat()
    }

    fn demo(&self, more: &[&str]) -> Ran {
        self.runner.run(&self.arguments(more))
    }

    fn folders(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.temporary).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn namespaces(cluster: &Cluster) -> String {
    kubectl(cluster, &["get", "namespaces", "--output=name"])
}

/// The version of each object that is not the demo's: any change would count it up.
fn others(cluster: &Cluster) -> String {
    let path = "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.resourceVersion}{'\\n'}{end}";
    let kinds = "deployments,replicasets,pods,services,secrets,serviceaccounts";
    kubectl(cluster, &["--namespace=shop", "get", kinds, "--output", path])
}

/// Each of these stands in the transcript, in this order.
#[track_caller]
fn tells(transcript: &str, lines: &[&str]) {
    let mut rest = transcript;
    for line in lines {
        let at = rest.find(line);
        let at =
            at.unwrap_or_else(|| panic!("`{line}` is not told here:\n{rest}\n---\n{transcript}"));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn the_story_is_played_in_a_cluster_and_leaves_it_as_it_was() {
    let test = "the_story_is_played_in_a_cluster_and_leaves_it_as_it_was";
    let Some(cluster) = cluster(test) else { return };
    push_image(&cluster, "shop/api:uat", "somebody else's");
    apply(&cluster, &two_replicas(&cluster));
    wait_for_pods(&cluster, "shop", "app=api", 2);
    let desk = Desk::new(&cluster);
    let (before, shop) = (namespaces(&cluster), others(&cluster));

    let plan = desk.demo(&["--dry-run"]).exits(0);
    tells(
        &plan.stdout,
        &["make    namespace indelible-demo-prod", "make    namespace indelible-demo-uat"],
    );
    assert_eq!(namespaces(&cluster), before, "a dry run makes nothing");

    let told = desk.demo(&[]);
    println!("{}{}", told.stdout, told.stderr);
    println!("the demo took {:.0} s", told.took.as_secs_f64());
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    story(&told.stdout, &desk.registry);
    assert_eq!(namespaces(&cluster), before);
    assert_eq!(others(&cluster), shop, "nothing of somebody else's was touched");
    assert_eq!(desk.folders(), Vec::<PathBuf>::new());

    refusals(&cluster, &desk);
    failed_in_the_middle(&cluster, &desk);
    interrupted(&cluster, &desk);
    kept_and_replaced(&cluster, &desk);
}

/// What a reader sees, by the chapters of the story.
fn story(told: &str, registry: &str) {
    let digest = |says: &str| {
        let (_, after) = told.split_once(says).unwrap();
        after.lines().nth(1).unwrap().to_owned()
    };
    let [a, b, c] =
        ["--says 'the shop, build A'", "--says 'the shop, build B'", "--says 'build C:"]
            .map(digest);
    assert!(a.starts_with("sha256:") && a != b && b != c && a != c, "{a} {b} {c}");
    let short = |digest: &str| digest[..19].to_owned();
    let [short_a, short_b, short_c] = [&a, &b, &c].map(|digest| short(digest));
    tells(
        told,
        &[
            "# This is Indelible in the cluster testbed, https://127.0.0.1:",
            "make    namespace indelible-demo-prod with deployment/api, 2 pods",
            "make    namespace indelible-demo-uat with deployment/api, 1 pod",
            &format!("push    to {registry}/indelible-demo four images"),
            "## What runs under a tag that moves",
            &format!("digest {a}"),
            "$ indelible status --context testbed --namespace indelible-demo-uat",
            "deployment/api",
            "edge",
            "[exit 1]",
            "## Build A goes to uat",
            "deploy uat api=",
            &short_a,
            "## From now on prod is watched",
            "promote uat prod api --take-over",
            "## Build B takes the same way",
            "promote uat prod api",
            &short_b,
            "## Build C goes straight to prod, and does not start",
            "build C: there is no database",
            "[exit 1]",
            "## Roll back: to B, and C is condemned; again: to A, never to C",
            &short_b,
            &short_a,
        ],
    );
    let (_, answers) = told.split_once("## What ran, where").unwrap();
    let parts: Vec<&str> = answers.split("\n$ indelible ").collect();
    let [_, ran_at, ran_digest, history, status] = parts[..] else { panic!("{answers}") };
    assert!(ran_at.contains(&short_b) && !ran_at.contains(&short_c), "{ran_at}");
    assert!(ran_at.contains("observed"), "{ran_at}");
    assert!(ran_digest.contains("indelible-demo-prod"), "{ran_digest}");
    tells(history, &["rollback", "rollback", "failed", "promote", "promote"]);
    // What came by promotion was never found to be somebody else's, also not while it came.
    for found in history.lines().filter(|line| line.starts_with("finding: not-eligible")) {
        assert!(!found.contains(&short_a) && !found.contains(&short_b), "{found}");
    }
    tells(ran_digest, &["unknown: only a part of that time was watched", "[exit 2]"]);
    tells(history, &["finding: tag-moved", "basis"]);
    assert!(status.contains(&short_a) && !status.contains(&short_b), "{status}");
    tells(
        told,
        &[
            "# The namespaces indelible-demo-prod and indelible-demo-uat are removed",
            "are gone",
            "The images stay in",
        ],
    );
}

/// A namespace that is somebody's is left alone, and nothing else is made.
fn refusals(cluster: &Cluster, desk: &Desk) {
    kubectl(cluster, &["create", "namespace", "mine-uat"]);
    let before = namespaces(cluster);
    let refused = desk.demo(&["--namespace", "mine"]).exits(1);
    let refused =
        refused.says(&["testbed has a namespace mine-uat that no demo made", "--namespace NAME"]);
    assert_eq!(refused.stdout, "");
    desk.demo(&["--namespace", "mine", "--replace"]).exits(1);
    assert_eq!(namespaces(cluster), before);
    kubectl(cluster, &["delete", "namespace", "mine-uat"]);
    // A registry that does not answer.
    let before = namespaces(cluster);
    let nowhere = ["demo", "--context", "testbed", "--registry", "127.0.0.1:1"];
    let failed = desk.runner.run(&nowhere);
    assert_ne!(failed.code, Some(0), "{failed}");
    assert_eq!(namespaces(cluster), before);
    assert_eq!(desk.folders(), Vec::<PathBuf>::new());
    desk.runner.run(&["demo", "--context", "testbed"]).exits(2);
}

/// Somebody who may make namespaces and nothing in them: the one that was made by then is removed.
fn failed_in_the_middle(cluster: &Cluster, desk: &Desk) {
    let all = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let path = desk.temporary.parent().unwrap().join("ada.kubeconfig");
    let ada = all.replace("user: {token: testbed}", "user: {token: testbed, as: ada}");
    assert_ne!(ada, all);
    std::fs::write(&path, ada).unwrap();
    let role = ["create", "clusterrole", "stages", "--resource=namespaces"];
    kubectl(cluster, &[&role[..], &["--verb=get,create,delete"]].concat());
    let bound = ["create", "clusterrolebinding", "stages", "--clusterrole=stages", "--user=ada"];
    kubectl(cluster, &bound);
    wait_until_within(PODS_WITHIN, "the right is there", || {
        let asked = ["auth", "can-i", "create", "namespaces", "--as=ada"];
        cluster.kubectl().args(asked).output().unwrap().status.success()
    })
    .unwrap();
    let before = namespaces(cluster);
    let home = path.parent().unwrap();
    let runner = Runner::new(home, home).with([
        ("KUBECONFIG", path.display().to_string()),
        ("TMPDIR", desk.temporary.display().to_string()),
    ]);
    let failed = runner.run(&desk.arguments(&[])).exits(2);
    assert!(failed.stdout.contains("# ... and are gone."), "{failed}");
    let right = "does not let this user create deployments in namespace indelible-demo-prod";
    failed.says(&[right, "the demo needs the rights"]);
    assert_eq!(namespaces(cluster), before);
    assert_eq!(desk.folders(), Vec::<PathBuf>::new());
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn ended(mut child: Child) -> Option<i32> {
    let deadline = Instant::now() + DEMO_WITHIN;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("the demo does not end");
}

/// Waits until the demo has come to a moment that its folder shows.
fn wait_for_file(desk: &Desk, name: &str) {
    wait_until_within(DEMO_WITHIN, &format!("there is no {name}"), || {
        desk.folders().iter().any(|folder| folder.join(name).exists())
    })
    .unwrap();
}

/// Ctrl-C in the middle removes all that was made.
fn interrupted(cluster: &Cluster, desk: &Desk) {
    let before = namespaces(cluster);
    let child = desk.runner.begin(&desk.arguments(&[]));
    wait_for_file(desk, "build-A/index.json");
    assert!(namespaces(cluster).contains("namespace/indelible-demo-prod"));
    send("-INT", &child);
    assert_eq!(ended(child), Some(130));
    assert_eq!(namespaces(cluster), before);
    assert_eq!(desk.folders(), Vec::<PathBuf>::new());
}

/// What a demo left is known again, and removed when that is said.
fn kept_and_replaced(cluster: &Cluster, desk: &Desk) {
    let before = namespaces(cluster);
    let child = desk.runner.begin(&desk.arguments(&["--keep"]));
    wait_for_file(desk, "build-A/index.json");
    send("-INT", &child);
    assert_eq!(ended(child), Some(130));
    let uid = |name: &str| {
        kubectl(cluster, &["get", "namespace", name, "--output=jsonpath={.metadata.uid}"])
    };
    let first = uid("indelible-demo-uat");
    let refused = desk.demo(&[]).exits(1);
    refused.says(&["that a demo made at ", "--replace"]);
    let kept = desk.folders();
    // Its record can be asked where it stands.
    Runner::new(&kept[0], &kept[0]).run(&["record", "verify"]).exits(0);
    std::fs::remove_dir_all(&kept[0]).unwrap();

    let child = desk.runner.begin(&desk.arguments(&["--replace"]));
    wait_for_file(desk, "build-A/index.json");
    assert_ne!(uid("indelible-demo-uat"), first, "it was removed and made again");
    send("-TERM", &child);
    assert_eq!(ended(child), Some(130));
    assert_eq!(namespaces(cluster), before);
    assert_eq!(desk.folders(), Vec::<PathBuf>::new());
}

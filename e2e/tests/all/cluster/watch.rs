//! `watch`: what a real kubelet reports is what is recorded, and what nobody saw is said to be so.

use super::{apply, cluster, kubectl, push_image, two_replicas, wait_for_pods};
use crate::situations::runner::Runner;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use testbed::{Cluster, Running, wait_until_within};

/// What a kubelet does in its own time: kill, restart, pull, report.
const REPORTED_WITHIN: Duration = Duration::from_secs(60);

const SETTINGS: &str = "\
version: 1
record: file:record.db
environments:
  uat: {branches: [\"**\"], clusters: [testbed], namespace: shop}
";

fn job(cluster: &Cluster) -> String {
    format!(
        "\
apiVersion: batch/v1
kind: Job
metadata: {{name: short, namespace: shop}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: short, image: \"{}/shop/short:1\", command: [sleep, \"1\"]}}]
",
        cluster.registry()
    )
}

fn ticking(cluster: &Cluster) -> String {
    format!(
        "\
apiVersion: v1
kind: Pod
metadata: {{name: tick, namespace: shop}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: tick, image: \"{}/shop/tick:1\", command: [sleep, \"3\"]}}]
",
        cluster.registry()
    )
}

/// A number that no other process of this machine has among its arguments.
const LONG_SLEEP: &str = "86371";

fn sleeping(cluster: &Cluster) -> String {
    format!(
        "\
apiVersion: v1
kind: Pod
metadata: {{name: victim, namespace: shop}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: victim, image: \"{}/shop/victim:1\", command: [sleep, \"{LONG_SLEEP}\"]}}]
",
        cluster.registry()
    )
}

struct Desk {
    runner: Runner,
    kubeconfig: String,
    home: tempfile::TempDir,
}

impl Desk {
    fn new(cluster: &Cluster) -> Self {
        let home = tempfile::tempdir().unwrap();
        let kubeconfig = cluster.kubeconfig().display().to_string();
        std::fs::write(home.path().join("indelible.yaml"), SETTINGS).unwrap();
        let runner = Runner::new(home.path(), home.path());
        Self { runner: runner.with([("KUBECONFIG", kubeconfig.clone())]), kubeconfig, home }
    }

    fn watch(&self) -> Running {
        let mut command = std::process::Command::new(testbed::indelible_bin().unwrap());
        command.args(["watch", "--context", "testbed"]).current_dir(self.home.path());
        command.env("KUBECONFIG", &self.kubeconfig).env("HOME", self.home.path());
        let log = self.home.path().join("watch.log");
        let mut running = Running::start(&mut command, &log).unwrap();
        running.wait_until_ready(|| has_begun(&log)).unwrap();
        running
    }

    /// Every container that ran in the environment until now, by whatever digest.
    fn runs(&self, digest: &str) -> Vec<Value> {
        let ran = self.runner.run(&["ran", "--digest", digest, "--json"]);
        ran.json()["items"].as_array().unwrap().clone()
    }

    fn now(&self) -> (Value, Option<i32>) {
        let ran = self.runner.run(&["ran", "uat", "--json"]);
        (ran.json(), ran.code)
    }
}

fn has_begun(log: &Path) -> bool {
    std::fs::read_to_string(log).is_ok_and(|text| text.contains("watching testbed"))
}

fn precision<'a>(run: &'a Value, end: &str) -> &'a str {
    run[end]["precision"].as_str().unwrap_or_default()
}

#[test]
fn what_runs_is_recorded_while_it_is_watched_and_bounded_where_it_was_not() {
    let Some(cluster) =
        cluster("what_runs_is_recorded_while_it_is_watched_and_bounded_where_it_was_not")
    else {
        return;
    };
    let old = push_image(&cluster, "shop/api:uat", "old");
    apply(&cluster, &two_replicas(&cluster));
    wait_for_pods(&cluster, "shop", "app=api", 2);
    let desk = Desk::new(&cluster);
    let mut watch = desk.watch();

    // A container ends: the kubelet starts another in the same pod.
    let tick = push_image(&cluster, "shop/tick:1", "tick");
    apply(&cluster, &ticking(&cluster));
    wait_until_within(REPORTED_WITHIN, "the restart in place is recorded", || {
        let runs = desk.runs(&tick);
        let is_exact = |run: &&Value| precision(run, "ended") == "exact";
        let pods: std::collections::BTreeSet<_> =
            runs.iter().map(|run| run["pod"].as_str()).collect();
        runs.len() >= 2 && pods.len() == 1 && runs.iter().filter(is_exact).count() >= 1
    })
    .unwrap();

    killed(&cluster, &desk);
    one_clock(&desk);

    // A job of one second.
    let short = push_image(&cluster, "shop/short:1", "short");
    apply(&cluster, &job(&cluster));
    wait_until_within(REPORTED_WITHIN, "the short job is recorded", || {
        let (runs, is_job) = (desk.runs(&short), |run: &&Value| run["workload"] == "job/short");
        runs.iter().find(is_job).is_some_and(|run| precision(run, "ended") == "exact")
    })
    .unwrap();

    // The tag moves, and one pod is made again: two replicas, two digests.
    let new = push_image(&cluster, "shop/api:uat", "new");
    let selected = ["--namespace", "shop", "get", "pods", "--selector=app=api", "--output=name"];
    let pods = kubectl(&cluster, &selected);
    let one = pods.lines().next().unwrap();
    kubectl(&cluster, &["--namespace", "shop", "delete", one]);
    wait_for_pods(&cluster, "shop", "app=api", 2);
    wait_until_within(REPORTED_WITHIN, "both digests run", || {
        let (now, code) = desk.now();
        let runs = |digest: &str| {
            let items = now["items"].as_array().unwrap();
            items.iter().any(|row| row["digest"] == digest && row["basis"] == "observed")
        };
        code == Some(0) && runs(&old) && runs(&new)
    })
    .unwrap();

    watch.stop().unwrap();
    unwatched(&cluster, &desk, &new);
}

/// How far the API server's clock is ahead is kept with the stretch: here it is the clock of the watcher too.
fn one_clock(desk: &Desk) {
    let exported = desk.runner.run(&["record", "export"]).exits(0).stdout;
    let line = exported.lines().find(|line| line.contains("server_ahead_ms")).unwrap();
    let event: Value = serde_json::from_str(line).unwrap();
    let ahead = event["claim"]["change"]["server_ahead_ms"].as_i64().unwrap();
    assert!((-2_000..=2_000).contains(&ahead), "{line}");
}

/// A container's process is killed from outside, as the kernel does when memory is short: what ended, how, and what came
/// in its place.
fn killed(cluster: &Cluster, desk: &Desk) {
    let digest = push_image(cluster, "shop/victim:1", "victim");
    apply(cluster, &sleeping(cluster));
    wait_until_within(REPORTED_WITHIN, "it is recorded while it runs", || {
        let runs = desk.runs(&digest);
        runs.len() == 1 && runs[0]["ended"].is_null()
    })
    .unwrap();
    let processes = cluster.mark().traces().unwrap().processes;
    let is_victim = |line: &String| line.starts_with("sleep ") && line.contains(LONG_SLEEP);
    let victims: Vec<_> = processes.iter().filter(|(_, line)| is_victim(line)).collect();
    assert_eq!(victims.len(), 1, "{victims:?}");
    let victim = victims[0].0.to_string();
    let killed = std::process::Command::new("kill").args(["-KILL", &victim]).status().unwrap();
    assert!(killed.success());
    wait_until_within(REPORTED_WITHIN, "its end and the next container are recorded", || {
        let runs = desk.runs(&digest);
        let is_killed = |run: &Value| precision(run, "ended") == "exact" && run["exit_code"] == 137;
        let one_runs = runs.iter().filter(|run| run["ended"].is_null()).count() == 1;
        runs.len() == 2 && one_runs && runs.iter().any(is_killed)
    })
    .unwrap_or_else(|error| panic!("{error:#}: {:#?}", desk.runs(&digest)));
}

/// While nobody watches, pods go without a word: their ends are bounded, and the gap is told.
fn unwatched(cluster: &Cluster, desk: &Desk, new: &str) {
    let gone = kubectl(
        cluster,
        &["--namespace", "shop", "get", "pods", "--selector=app=api", "--output=name"],
    );
    for pod in gone.lines() {
        kubectl(cluster, &["--namespace", "shop", "delete", pod, "--force", "--grace-period=0"]);
    }
    wait_for_pods(cluster, "shop", "app=api", 2);
    let mut again = desk.watch();
    wait_until_within(REPORTED_WITHIN, "the end is bounded", || {
        desk.runs(new).iter().any(|run| precision(run, "ended") == "bounded")
    })
    .unwrap();
    let stretches = desk.runner.json(&["watched"]);
    assert_eq!(stretches["items"].as_array().unwrap().len(), 2, "{stretches}");
    let ran = desk.runner.run(&["ran", "--digest", new, "--json"]).json();
    let gaps = ran["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| !gap["from"].is_null() && !gap["until"].is_null()), "{ran}");
    // Before anybody watched nothing is known.
    desk.runner.run(&["ran", "uat", "--at", "2020-01-01T00:00:00Z"]).exits(2);
    again.stop().unwrap();
}

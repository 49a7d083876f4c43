//! The cluster comes up on this machine, runs what it is told to, and leaves nothing behind.
#![expect(
    clippy::disallowed_methods,
    reason = "a test starts itself again, and tells it so by a variable"
)]

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use testbed::{Cluster, Traces, skip, wait_until_within};

/// What a machine shows of clusters is compared: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());
/// Set for the process that starts a cluster and is killed.
const STARTER: &str = "INDELIBLE_TEST_STARTER";

const TWO_REPLICAS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: REGISTRY/testbed/busybox:1}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: api}}}
";

fn started(test: &str) -> Option<Cluster> {
    match Cluster::start() {
        Ok(cluster) => Some(cluster),
        Err(error) if error.is::<testbed::Missing>() => {
            skip(test, error);
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

fn kubectl(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = cluster.kubectl().args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn pods_run_on_both_nodes_and_nothing_is_left_behind() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Traces::of_this_machine().unwrap();
    let test = "pods_run_on_both_nodes_and_nothing_is_left_behind";
    let Some(cluster) = started(test) else { return };
    println!("{}", cluster.version());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.yaml");
    std::fs::write(&file, TWO_REPLICAS.replace("REGISTRY", &cluster.registry())).unwrap();
    kubectl(&cluster, &["apply", "--filename", file.to_str().unwrap()]);
    let where_and_what = "jsonpath={range .items[*]}{.spec.nodeName} {.status.containerStatuses[0].imageID}{'\\n'}{end}";
    wait_until_within(Duration::from_secs(60), "two pods run", || {
        let running = "--field-selector=status.phase=Running";
        kubectl(&cluster, &["get", "pods", running, "--output=name"]).lines().count() == 2
    })
    .unwrap();
    let pods = kubectl(&cluster, &["get", "pods", "--output", where_and_what]);
    let image = format!("{}/testbed/busybox@sha256:", cluster.registry());
    let mut nodes: Vec<_> = pods
        .lines()
        .map(|line| {
            let (node, image_id) = line.split_once(' ').unwrap();
            assert!(image_id.starts_with(&image), "{image_id}");
            node
        })
        .collect();
    nodes.sort_unstable();
    assert_eq!(nodes, testbed::NODES);
    // The API server reaches each kubelet by its node's name.
    for pod in kubectl(&cluster, &["get", "pods", "--output=name"]).lines() {
        let said = kubectl(&cluster, &["exec", pod, "--", "busybox", "echo", "inside"]);
        assert_eq!(said.trim(), "inside", "{pod}");
        kubectl(&cluster, &["logs", pod]);
    }
    drop(cluster);
    assert_eq!(Traces::of_this_machine().unwrap(), before);
}

#[test]
fn a_starter_that_is_killed_takes_its_cluster_along() {
    let test = "a_starter_that_is_killed_takes_its_cluster_along";
    if env::var_os(STARTER).is_some() {
        let cluster = started(test);
        let folder =
            cluster.as_ref().and_then(|cluster| Some(cluster.kubeconfig().parent()?.to_owned()));
        println!("\nstarted {}", folder.unwrap_or_default().display());
        // Until it is killed.
        std::io::stdin().read_exact(&mut [0]).unwrap();
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Traces::of_this_machine().unwrap();
    if let Err(missing) = testbed::peer("kube") {
        skip(test, missing);
        return;
    }
    let mut starter = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("cluster::{test}"), "--nocapture"])
        .env(STARTER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(starter.stdout.take().unwrap()).lines();
    let mut told = lines.map_while(Result::ok);
    let folder = told.find_map(|line| Some(PathBuf::from(line.strip_prefix("started ")?)));
    let folder = folder.expect("it did not start");
    assert_ne!(Traces::of_this_machine().unwrap(), before);
    starter.kill().unwrap();
    starter.wait().unwrap();
    wait_until_within(Duration::from_secs(20), "its processes and mounts go", || {
        Traces::of_this_machine().unwrap().is_quiet()
    })
    .unwrap();
    // Names are left, of cgroups and bridges, and its folder; the next cluster removes them.
    assert!(folder.join("kubeconfig").is_file(), "nobody could remove it: {}", folder.display());
    drop(Cluster::start().unwrap());
    assert!(!folder.exists(), "{}", folder.display());
    assert_eq!(Traces::of_this_machine().unwrap(), before);
}

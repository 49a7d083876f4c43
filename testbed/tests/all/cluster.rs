//! The cluster comes up on this machine, runs what it is told to, and leaves nothing behind.
#![expect(
    clippy::disallowed_methods,
    reason = "a test starts itself again, and tells it so by a variable"
)]

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use testbed::{Cluster, Machine, Mark, skip, wait_until_within};

/// The kernel takes a pod's network away some time after its last process.
const GONE_WITHIN: Duration = Duration::from_secs(20);
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
    let before = Machine::now().unwrap();
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
    let mark = cluster.mark();
    let standing = mark.traces().unwrap();
    // Five programs of the control plane, two for each node, and in each pod the program and what holds its namespaces.
    assert!(standing.processes.len() > 13, "{standing:#?}");
    assert!(standing.processes.values().any(|line| line.contains("sleep 3600")), "{standing:#?}");
    // A bridge for each node, and what plugs each pod in.
    assert!(standing.interfaces.len() >= 4, "{standing:#?}");
    assert!(!standing.cgroups.is_empty() && standing.folder.is_some(), "{standing:#?}");
    drop(cluster);
    nothing_is_left(&mark, &before);
}

/// Other clusters may come and go meanwhile: what has no name yet on it is looked at until it has.
fn nothing_is_left(mark: &Mark, before: &Machine) {
    let gone = wait_until_within(GONE_WITHIN, "nothing of the cluster is left", || {
        mark.traces().unwrap().is_nothing() && Machine::now().unwrap() == *before
    });
    if let Err(error) = gone {
        let (traces, now) = (mark.traces().unwrap(), Machine::now().unwrap());
        panic!("{error:#}: {traces:#?}\nnow {now:#?}\nbefore {before:#?}");
    }
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
    let before = Machine::now().unwrap();
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
    let mark = Mark::of(&folder).unwrap();
    assert!(!mark.traces().unwrap().is_quiet());
    starter.kill().unwrap();
    starter.wait().unwrap();
    wait_until_within(GONE_WITHIN, "its processes and mounts go", || {
        mark.traces().unwrap().is_quiet()
    })
    .unwrap();
    // Names are left, of cgroups and bridges, and its folder; the next cluster removes them, here or in another test.
    drop(Cluster::start().unwrap());
    nothing_is_left(&mark, &before);
}

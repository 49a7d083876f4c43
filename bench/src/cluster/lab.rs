//! The programs of one measurement: the cluster with its kwok, the informer, and the watcher.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use testbed::{Cluster, Nodes, Peer, Running, free_port, peer, wait_until_within};

/// As many real nodes would have so many pods.
const NODES: &str = "10";
/// Repositories that the pods run, as `informer` names them.
const IMAGES: u32 = 20;
const IMAGE: &str = "testbed/busybox:1";
/// Making and starting all pods; half a minute on two idle cores.
const FILLED_WITHIN: Duration = Duration::from_secs(900);
/// A complete list of all pods, and the last of the changes.
const SEEN_WITHIN: Duration = Duration::from_secs(300);
const SETTINGS: &str = "version: 1\nrecord: file:record.db\nenvironments:\n  prod: {branches: [main], clusters: [testbed]}\n";

/// A cluster with kwok nodes.
pub(super) struct Lab {
    indelible: PathBuf,
    informer: Peer,
    kwok: Peer,
    metrics: u16,
    cluster: Cluster,
    home: tempfile::TempDir,
}

impl Lab {
    pub(super) fn start(indelible: &Path) -> Result<Self> {
        let (kwok, informer) = (on_demand("kwok")?, on_demand("informer")?);
        let cluster = Cluster::start_with(Nodes::RealAndKwok)?;
        let home = tempfile::tempdir()?;
        fs::write(home.path().join("indelible.yaml"), SETTINGS)?;
        let metrics = free_port()?;
        let indelible = indelible.to_owned();
        Ok(Self { indelible, informer, kwok, metrics, cluster, home })
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn peers(&self) -> String {
        let (kwok, informer) = (self.kwok.version(), self.informer.version());
        format!("{}, {kwok}; {informer}", self.cluster.version())
    }

    pub(super) fn record(&self) -> PathBuf {
        self.home.path().join("record.db")
    }

    /// Makes the pods and waits until kwok says of all that they run.
    pub(super) fn fill(&self, pods: u32) -> Result<Duration> {
        let begun = Instant::now();
        let crane = peer("crane")?;
        let registry = self.cluster.registry();
        let source = format!("{registry}/{IMAGE}");
        for image in 0..IMAGES {
            let copy = format!("{registry}/shop/app-{image:02}:1");
            said(crane.command_at_home(self.home.path()).args(["copy", &source, &copy]))?;
        }
        let digest = said(crane.command_at_home(self.home.path()).args(["digest", &source]))?;
        let mut fill = self.informer();
        fill.args(["fill", NODES, &pods.to_string(), &registry, digest.trim()]);
        said(&mut fill)?;
        let wanted = usize::try_from(pods)?;
        wait_until_within(FILLED_WITHIN, "not all pods run", || {
            let names = said(self.cluster.kubectl().args([
                "get",
                "pods",
                "--all-namespaces",
                "--field-selector=status.phase=Running",
                "--output=name",
            ]));
            names.is_ok_and(|names| names.lines().count() >= wanted)
        })
        .with_context(|| self.cluster.logs())?;
        Ok(begun.elapsed())
    }

    /// The peer, once it holds all pods, and how long that took.
    pub(super) fn hold(&self, pods: u32) -> Result<(Running, Duration)> {
        let mut informer = self.informer();
        println!("$ informer KUBECONFIG hold");
        let begun = Instant::now();
        let running = Running::start(informer.arg("hold"), &self.home.path().join("hold.log"))?;
        let held = format!("# held {pods}\n");
        wait_until_within(SEEN_WITHIN, "the informer holds not all pods", || {
            self.log("hold.log").contains(&held)
        })?;
        Ok((running, begun.elapsed()))
    }

    /// The watcher, once its first list is complete, and how long that took.
    pub(super) fn watch(&self, pods: u32) -> Result<(Running, Duration)> {
        let metrics = format!("127.0.0.1:{}", self.metrics);
        let mut command = self.indelible();
        command.args(["watch", "--context", "testbed", "--metrics", &metrics]);
        println!("$ indelible watch --context testbed --metrics {metrics}");
        let begun = Instant::now();
        let mut running = Running::start(&mut command, &self.home.path().join("watch.log"))?;
        let watching = format!("watching testbed: {pods} container");
        let waited = wait_until_within(SEEN_WITHIN, "the watcher has no complete list", || {
            !running.is_alive() || self.log("watch.log").contains(&watching)
        });
        let took = begun.elapsed();
        waited.with_context(|| self.log("watch.log"))?;
        ensure!(running.is_alive(), "the watcher ended: {}", running.printed());
        Ok((running, took))
    }

    /// Restarts containers; says when each restart was asked for, one on a line.
    pub(super) fn change(&self, a_second: u32, seconds: u32) -> Result<String> {
        let numbers = [a_second.to_string(), seconds.to_string()];
        println!("$ informer KUBECONFIG change {a_second} {seconds}");
        let sent = said(self.informer().arg("change").args(numbers))?;
        for line in sent.lines().filter_map(|line| line.strip_prefix("# ")) {
            println!("{line}");
        }
        Ok(sent)
    }

    /// What runs by the API server's word: a pod's uid, its container's restarts and id, one pod on a line.
    pub(super) fn listed(&self) -> Result<String> {
        said(self.informer().arg("list"))
    }

    /// When the informer handed each restart to its program, one on a line.
    pub(super) fn handed(&self, count: u32) -> Result<String> {
        let wanted = usize::try_from(count)?;
        let seen = |log: &str| log.lines().filter(|line| !line.starts_with('#')).count();
        wait_until_within(SEEN_WITHIN, "the informer did not see all restarts", || {
            seen(&self.log("hold.log")) >= wanted
        })?;
        let log = self.log("hold.log");
        ensure!(
            !log.contains("# back"),
            "kwok took restarts back, as no kubelet does: run it again"
        );
        Ok(log)
    }

    /// How many lines a look at one namespace has below its head.
    pub(super) fn status(&self, namespace: &str) -> Result<usize> {
        let mut command = self.indelible();
        command.args(["status", "--context", "testbed", "--namespace", namespace]);
        let output = command.output().context("cannot start indelible")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let of_workload = |line: &&str| {
            let mut words = line.split_whitespace();
            words.next() == Some(namespace)
                && words.next().is_some_and(|word| word.starts_with("deployment/"))
        };
        let rows = text.lines().filter(of_workload).count();
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(rows > 0, "status shows no workload: {text}{errors}");
        Ok(rows)
    }

    /// How often the API server has been asked for pods, page by page. Source: its own count.
    pub(super) fn lists_of_pods(&self) -> Result<u64> {
        let text = said(self.cluster.kubectl().args(["get", "--raw", "/metrics"]))?;
        let ours = |line: &&str| {
            line.starts_with("apiserver_request_total{")
                && line.contains("resource=\"pods\"")
                && line.contains("verb=\"LIST\"")
        };
        let counts = text.lines().filter(ours).filter_map(|line| line.rsplit(' ').next());
        Ok(counts.filter_map(|count| count.parse::<u64>().ok()).sum())
    }

    pub(super) fn metrics(&self) -> Result<String> {
        let mut connection = e2e::Http::connect(&format!("127.0.0.1:{}", self.metrics))?;
        Ok(connection.get("/metrics")?.expect(200)?.text())
    }

    fn informer(&self) -> Command {
        let mut command = self.informer.command_at_home(self.home.path());
        command.arg(self.cluster.kubeconfig());
        command
    }

    fn indelible(&self) -> Command {
        let mut command = Command::new(&self.indelible);
        command
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_DATA_HOME");
        command
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }
}

/// A peer that no test needs: built when it is asked for the first time.
fn on_demand(name: &str) -> Result<Peer> {
    if let Ok(found) = peer(name) {
        return Ok(found);
    }
    println!("{name} is built first, which takes minutes: cargo xtask setup --kwok");
    let built = Command::new("cargo").args(["xtask", "setup", "--kwok"]).status();
    built.context("cannot start cargo")?;
    peer(name).with_context(|| {
        format!("{} names the folder that setup builds into", testbed::BUILT_PEERS)
    })
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} says: {errors}", command.get_program().display());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

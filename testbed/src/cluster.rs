//! A Kubernetes cluster: control plane, two nodes with kubelet, containerd and runc, and a registry.
//!
//! ```text
//! unshare (own processes, own mounts)
//! └── sh ── registry, etcd, kube-apiserver, controller-manager, scheduler, 2 × (containerd, kubelet), (kwok)
//! ```
//! The shell ends when its standard input does, and everything in its namespace ends with it: whatever
//! becomes of the test, also kill -9, no process and no mount outlives it. What stands outside of the
//! namespace, cgroups, one bridge and a folder, has the cluster's name and is removed when it stops; what a
//! killed test left of that is removed when the next cluster starts. Needs root on Linux.

mod hold;
mod images;
mod kwok;
mod leftovers;
mod node;
mod script;
mod traces;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::deadline::wait_until_within;
use crate::peer::{Peer, peer};
use crate::port::{answers_http, free_port};

pub use kwok::{DIGEST as KWOK_DIGEST, NODE as KWOK_NODE};
pub use traces::{Machine, Mark, Traces};

use hold::Hold;

/// How long the whole cluster may take until both nodes are ready; 7 s on two idle cores.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long its end may take: the kernel kills every process and waits for each.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
/// The programs that a cluster needs beside `kube`, in the words of `cargo xtask setup`.
const NEEDED: [&str; 7] = ["registry", "crane", "containerd", "runc", "unshare", "ip", "busybox"];
/// The nodes' names, as Kubernetes shows them.
pub const NODES: [&str; 2] = ["node-a", "node-b"];

/// How long a cluster lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifetime {
    /// As long as the process that started it.
    OfStarter,
    /// Until somebody stops it.
    UntilStopped,
}

/// What pods can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// The two real ones.
    Real,
    /// Beside them kwok: whatever node is made with [`KWOK_NODE`] is there, and its pods run without containers.
    RealAndKwok,
}

/// A running cluster; stopped, with everything in it, on drop.
#[derive(Debug)]
pub struct Cluster {
    shape: Shape,
    namespace: Child,
    /// Open as long as this value lives: its end is the cluster's.
    life: Option<ChildStdin>,
    /// Its own, or one that stays.
    folder: Option<TempDir>,
    /// Last: as long as it is there, nobody else removes anything of the cluster.
    hold: Hold,
}

/// Where everything of a cluster is.
#[derive(Clone, Debug)]
struct Shape {
    /// At most ten letters and digits: cgroups and the bridge are called so.
    name: String,
    folder: PathBuf,
    kube: Peer,
    kwok: Option<Peer>,
    ports: Ports,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    registry: u16,
    api: u16,
    etcd: u16,
    etcd_peers: u16,
    kubelets: [u16; 2],
}

impl Ports {
    fn free() -> Result<Self> {
        Ok(Self {
            registry: free_port()?,
            api: free_port()?,
            etcd: free_port()?,
            etcd_peers: free_port()?,
            kubelets: [free_port()?, free_port()?],
        })
    }
}

impl Cluster {
    /// Starts a cluster that ends with this process at the latest.
    ///
    /// # Errors
    /// A peer is not installed ([`crate::Missing`]), this user is not root, or a part does not come up.
    pub fn start() -> Result<Self> {
        Self::start_with(Nodes::Real)
    }

    /// Starts a cluster that ends with this process at the latest, with these kinds of node.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_with(nodes: Nodes) -> Result<Self> {
        let programs = Programs::find(nodes)?;
        let mut hold = Hold::new()?;
        let parent = std::env::temp_dir();
        let name = format!("{}{}", leftovers::FOLDER_PREFIX, hold.name());
        hold.note_folder(&parent.join(&name))?;
        let own = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(parent)?;
        let folder = own.path().to_owned();
        programs.start(&folder, Lifetime::OfStarter, hold, Some(own))
    }

    /// Starts a cluster that lives on in a folder, until [`stop_in`] is told of it.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_to_stay(folder: &Path, nodes: Nodes) -> Result<Started> {
        let programs = Programs::find(nodes)?;
        let mut cluster = programs.start(folder, Lifetime::UntilStopped, Hold::new()?, None)?;
        let started = Started {
            kubeconfig: cluster.kubeconfig(),
            registry: cluster.registry(),
            kube: cluster.shape.kube.path().to_owned(),
        };
        fs::write(folder.join("pid"), cluster.namespace.id().to_string())?;
        // Nobody stops it when this value goes.
        cluster.shape.name.clear();
        Ok(started)
    }

    /// The settings of kubectl, for an administrator; the context is `testbed`.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.shape.kubeconfig()
    }

    /// A registry that the nodes pull from: `127.0.0.1:40123`.
    #[must_use]
    pub fn registry(&self) -> String {
        self.shape.registry()
    }

    /// `kubectl` for this cluster.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        self.shape.kubectl()
    }

    /// What everything of it bears.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::of(&self.shape.folder).expect("it was signed before it was started")
    }

    /// What Kubernetes calls its version.
    #[must_use]
    pub fn version(&self) -> String {
        let said = self.kubectl().args(["version", "--output=json"]).output();
        let text = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
        let text = text.unwrap_or_default();
        let newest =
            text.rsplit("\"gitVersion\": \"").next().and_then(|rest| rest.split('"').next());
        format!("Kubernetes {}", newest.unwrap_or("of an unknown version"))
    }

    /// The last lines that each part printed.
    #[must_use]
    pub fn logs(&self) -> String {
        self.shape.logs()
    }

    fn wait_for_registry(&mut self) -> Result<()> {
        let port = self.shape.ports.registry;
        self.wait("its registry does not answer", |_| answers_http(port, "/v2/"))
    }

    fn wait_for_nodes(&mut self) -> Result<()> {
        self.wait("its nodes are not ready", |shape| {
            let conditions = "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}";
            let nodes = shape.said(&["get", "nodes", "--output", conditions]);
            let taints =
                shape.said(&["get", "nodes", "--output", "jsonpath={.items[*].spec.taints}"]);
            nodes.as_deref() == Some("True True") && taints.as_deref().is_some_and(str::is_empty)
        })?;
        self.wait("its default service account is not there", |shape| {
            shape.said(&["get", "serviceaccount", "default", "--output=name"]).is_some()
        })
    }

    fn wait(&mut self, what: &str, mut holds: impl FnMut(&Shape) -> bool) -> Result<()> {
        let Self { shape, namespace, .. } = self;
        let mut ended = false;
        let waited = wait_until_within(READY_WITHIN, what, || {
            ended = !matches!(namespace.try_wait(), Ok(None));
            ended || holds(shape)
        });
        if ended {
            bail!("the cluster ended at once; its parts printed:\n{}", shape.logs());
        }
        waited.with_context(|| format!("its parts printed:\n{}", shape.logs()))
    }
}

/// What a person needs of a cluster that stays.
#[derive(Clone, Debug)]
pub struct Started {
    /// For `KUBECONFIG`.
    pub kubeconfig: PathBuf,
    /// Where to push what the nodes shall pull.
    pub registry: String,
    /// The program whose first argument is `kubectl`.
    pub kube: PathBuf,
}

/// Stops a cluster that was started to stay in this folder; true when there was one.
///
/// # Errors
/// Its files cannot be read.
pub fn stop_in(folder: &Path) -> Result<bool> {
    let pid = folder.join("pid");
    if !pid.is_file() {
        return Ok(false);
    }
    let id = fs::read_to_string(&pid).with_context(|| format!("cannot read {}", pid.display()))?;
    let name = leftovers::signed(folder)?;
    // An id may be another process's by now: only ours has the folder in its arguments.
    let arguments = fs::read(format!("/proc/{}/cmdline", id.trim())).unwrap_or_default();
    let is_ours = String::from_utf8_lossy(&arguments).contains(&*folder.to_string_lossy());
    if is_ours {
        let _ended = Command::new("kill").args(["-KILL", id.trim()]).status();
        wait_until_within(STOPPED_WITHIN, "the cluster does not end", || {
            !Path::new("/proc").join(id.trim()).exists()
        })?;
    }
    leftovers::remove(&name)?;
    hold::give_back(&name);
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(is_ours)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.shape.name.is_empty() {
            return;
        }
        // The first process ends with its input, and unshare when the whole namespace has ended.
        drop(self.life.take());
        let ended = wait_until_within(STOPPED_WITHIN, "the cluster does not end", || {
            !matches!(self.namespace.try_wait(), Ok(None))
        });
        if ended.is_err() {
            let _killed = self.namespace.kill();
            let _awaited = self.namespace.wait();
        }
        // After the namespace: nothing writes there any more.
        let is_folder_gone = self.folder.take().is_none_or(|folder| folder.close().is_ok());
        if leftovers::remove(&self.shape.name).is_ok() && is_folder_gone {
            self.hold.end();
        }
    }
}

/// The programs that a cluster is made of.
struct Programs {
    kube: Peer,
    kwok: Option<Peer>,
}

impl Programs {
    fn find(nodes: Nodes) -> Result<Self> {
        for name in NEEDED {
            peer(name)?;
        }
        let kwok = match nodes {
            Nodes::Real => None,
            Nodes::RealAndKwok => Some(peer("kwok")?),
        };
        Ok(Self { kube: peer("kube")?, kwok })
    }

    /// Starts them in a folder that is there, under a name that is held.
    fn start(
        self,
        folder: &Path,
        lifetime: Lifetime,
        hold: Hold,
        own: Option<TempDir>,
    ) -> Result<Cluster> {
        leftovers::sweep();
        let name = hold.name().to_owned();
        leftovers::sign(folder, &name)?;
        let Self { kube, kwok } = self;
        let ports = Ports::free()?;
        let shape = Shape { name, folder: folder.to_owned(), kube, kwok, ports };
        shape.write_files()?;
        let mut namespace = shape.unshare(lifetime, &hold)?;
        let life = namespace.stdin.take();
        let mut cluster = Cluster { shape, namespace, life, folder: own, hold };
        cluster.wait_for_registry()?;
        images::push(&cluster.shape)?;
        cluster.wait_for_nodes()?;
        Ok(cluster)
    }
}

impl Shape {
    fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    fn registry(&self) -> String {
        format!("127.0.0.1:{}", self.ports.registry)
    }

    fn kubectl(&self) -> Command {
        let mut command = self.kube.command_at_home(&self.folder);
        command.arg("kubectl").arg("--kubeconfig").arg(self.kubeconfig());
        command
    }

    /// What kubectl printed, if it succeeded.
    fn said(&self, arguments: &[&str]) -> Option<String> {
        let output = self.kubectl().args(arguments).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn write_files(&self) -> Result<()> {
        script::write(self)?;
        kwok::write(self)?;
        for node in 0..NODES.len() {
            node::write(self, node)?;
        }
        Ok(())
    }

    fn unshare(&self, lifetime: Lifetime, hold: &Hold) -> Result<Child> {
        let mut command = peer("unshare")?.command_at_home(&self.folder);
        command
            .args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL", "--"])
            .arg("sh")
            .arg(script::path(self))
            .stdin(match lifetime {
                Lifetime::OfStarter => Stdio::piped(),
                // It never reads: it holds the cluster's name for as long as it lives.
                Lifetime::UntilStopped => hold.handed_on()?,
            })
            .arg(match lifetime {
                Lifetime::OfStarter => "until-input-ends",
                Lifetime::UntilStopped => "until-killed",
            })
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.join("script.log"))?);
        if lifetime == Lifetime::UntilStopped {
            // Ctrl-C in the terminal that started it is not meant for it.
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        command.spawn().context("cannot start unshare")
    }

    /// The last lines that each part printed.
    fn logs(&self) -> String {
        let mut all = String::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = fs::read(&path).unwrap_or_default();
                let text = String::from_utf8_lossy(&text).into_owned();
                let last: Vec<_> = text.lines().rev().take(5).collect();
                let lines: Vec<_> = last.into_iter().rev().collect();
                all += &format!("{}:\n  {}\n", path.display(), lines.join("\n  "));
            }
        }
        all
    }
}

//! One node: a containerd and a kubelet with folders, sockets and ports of their own.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::script::{kube, quoted};
use super::{NODES, Shape, images};

/// Where every kubelet makes its socket for device plugins: the path is a constant of Kubernetes. Each takes an older one
/// away first, so that they share it, but two that do that at once end.
const DEVICE_SOCKET: &str = "/var/lib/kubelet/device-plugins/kubelet.sock";

fn folder(shape: &Shape, node: usize) -> PathBuf {
    shape.folder.join(NODES[node])
}

/// Writes the settings of the node's programs.
pub(super) fn write(shape: &Shape, node: usize) -> Result<()> {
    let folder = folder(shape, node);
    fs::create_dir_all(folder.join("cni"))?;
    fs::write(folder.join("cni/10-pods.conflist"), network(shape, node))?;
    fs::write(folder.join("containerd.toml"), containerd(shape, node))?;
    fs::write(folder.join("kubelet.yaml"), kubelet(shape, node))?;
    Ok(())
}

/// The lines of the script that start the node.
pub(super) fn start(shape: &Shape, node: usize) -> String {
    let name = NODES[node];
    let at = |file: &str| quoted(shape, &format!("{name}/{file}"));
    let log = |part: &str| quoted(shape, &format!("{name}-{part}.log"));
    let kubelet = format!(
        "{} kubelet --config {} --kubeconfig {} --root-dir {} --cert-dir {} --hostname-override {name}",
        kube(shape),
        at("kubelet.yaml"),
        quoted(shape, "kubeconfig"),
        at("kubelet"),
        at("pki")
    );
    // One kubelet after the other: the second begins when the first has its socket.
    let before = match node {
        0 => String::new(),
        _ => format!("while [ ! -S {DEVICE_SOCKET} ]; do sleep 0.05; done; "),
    };
    format!(
        "containerd --config {} > {} 2>&1 &\n\
         (while [ ! -S {} ]; do sleep 0.05; done; {before}exec {kubelet} > {} 2>&1) &\n",
        at("containerd.toml"),
        log("containerd"),
        at("containerd.sock"),
        log("kubelet")
    )
}

/// Pods of one node see each other over a bridge without an address of the machine: nothing is forwarded,
/// and no firewall rule is made.
fn network(shape: &Shape, node: usize) -> String {
    let data = folder(shape, node).join("addresses");
    format!(
        "{{\"cniVersion\": \"0.4.0\", \"name\": \"pods\", \"plugins\": [{{\"type\": \"bridge\", \
         \"bridge\": \"{}-{node}\", \"isGateway\": false, \"ipMasq\": false, \
         \"ipam\": {{\"type\": \"host-local\", \"dataDir\": \"{}\", \
         \"ranges\": [[{{\"subnet\": \"10.88.{node}.0/24\"}}]]}}}}]}}\n",
        shape.name,
        data.display()
    )
}

fn containerd(shape: &Shape, node: usize) -> String {
    let (folder, registry) = (folder(shape, node), shape.registry());
    let folder = folder.display();
    format!(
        "version = 2\n\
         root = \"{folder}/images\"\n\
         state = \"{folder}/state\"\n\
         [grpc]\n\
         address = \"{folder}/containerd.sock\"\n\
         [plugins.\"io.containerd.grpc.v1.cri\"]\n\
         # A negative value is refused on some machines, and every sandbox with it.\n\
         restrict_oom_score_adj = true\n\
         disable_apparmor = true\n\
         netns_mounts_under_state_dir = true\n\
         sandbox_image = \"{registry}/{}\"\n\
         [plugins.\"io.containerd.grpc.v1.cri\".cni]\n\
         bin_dir = \"/usr/lib/cni\"\n\
         conf_dir = \"{folder}/cni\"\n\
         [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n\
         snapshotter = \"native\"\n\
         [plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"{registry}\"]\n\
         endpoint = [\"http://{registry}\"]\n",
        images::PAUSE
    )
}

fn kubelet(shape: &Shape, node: usize) -> String {
    let folder = folder(shape, node);
    let folder = folder.display();
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1\n\
         kind: KubeletConfiguration\n\
         address: 127.0.0.1\n\
         port: {}\n\
         healthzPort: 0\n\
         readOnlyPort: 0\n\
         failCgroupV1: false\n\
         cgroupDriver: cgroupfs\n\
         cgroupsPerQOS: false\n\
         cgroupRoot: /{}\n\
         enforceNodeAllocatable: []\n\
         failSwapOn: false\n\
         # Rules of the firewall would outlive the cluster.\n\
         makeIPTablesUtilChains: false\n\
         localStorageCapacityIsolation: false\n\
         resolvConf: \"\"\n\
         # Nobody answers there; without one, every pod gets a warning.\n\
         clusterDNS: [10.96.0.10]\n\
         podLogsDir: {folder}/pod-logs\n\
         evictionHard: {{memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}}\n\
         containerRuntimeEndpoint: unix://{folder}/containerd.sock\n\
         authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}\n\
         authorization: {{mode: AlwaysAllow}}\n\
         nodeStatusUpdateFrequency: 4s\n",
        shape.ports.kubelets[node], shape.name
    )
}

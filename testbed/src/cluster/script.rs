//! What the namespace's first process does: starts every part, then waits for its own end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::Result;

use super::{NODES, Shape, kwok, node};
use crate::distribution;

/// Anybody with this token is an administrator of this cluster, on this machine's loopback only.
const TOKEN: &str = "testbed";

/// Signed by itself, made when the API server starts for the first time.
const CERTIFICATE: &str = "pki/apiserver.crt";

/// Folders that the parts write to by fixed names: empty ones of the namespace stand in front of them.
const OWN_FOLDERS: [&str; 3] = ["/run", "/var/log", "/var/lib/cni"];

pub(super) fn path(shape: &Shape) -> PathBuf {
    shape.folder.join("cluster.sh")
}

/// Writes the script and the files that the control plane reads.
pub(super) fn write(shape: &Shape) -> Result<()> {
    fs::set_permissions(&shape.folder, fs::Permissions::from_mode(0o700))?;
    fs::write(shape.folder.join("registry.yml"), registry(shape))?;
    fs::write(shape.folder.join("tokens.csv"), format!("{TOKEN},admin,admin,system:masters\n"))?;
    fs::write(shape.kubeconfig(), kubeconfig(shape))?;
    fs::write(shape.folder.join("hosts"), format!("127.0.0.1 localhost {}\n", NODES.join(" ")))?;
    fs::write(path(shape), text(shape)?)?;
    Ok(())
}

fn registry(shape: &Shape) -> String {
    distribution::config(&shape.folder, shape.ports.registry)
}

fn kubeconfig(shape: &Shape) -> String {
    let (folder, port) = (shape.folder.display(), shape.ports.api);
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: testbed\n\
         contexts: [{{name: testbed, context: {{cluster: testbed, user: admin}}}}]\n\
         clusters: [{{name: testbed, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: \"{folder}/{CERTIFICATE}\"}}}}]\n\
         users: [{{name: admin, user: {{token: {TOKEN}}}}}]\n"
    )
}

fn text(shape: &Shape) -> Result<String> {
    let mut text = String::from("set -eu\n");
    for folder in OWN_FOLDERS {
        text += &format!("mkdir -p {folder}\nmount -t tmpfs indelible {folder}\n");
    }
    // The API server asks kubelets for logs by the names of their nodes.
    text += &format!("mount --bind {} /etc/hosts\n", quoted(shape, "hosts"));
    text += &cgroups(&shape.name);
    text += &format!("{} service-account-key {}\n", kube(shape), quoted(shape, "sa"));
    for (log, command) in first_parts(shape)? {
        text += &started(shape, log, &command);
    }
    // The others read the certificate that the API server makes for itself.
    text += &format!("while [ ! -s {} ]; do sleep 0.05; done\n", quoted(shape, CERTIFICATE));
    for (log, command) in second_parts(shape) {
        text += &started(shape, log, &command);
    }
    for node in 0..NODES.len() {
        text += &node::start(shape, node);
    }
    if let Some(command) = kwok::command(shape) {
        text += &started(shape, "kwok", &command);
    }
    // `read` ends with the input; the other waits for a signal that cannot be caught.
    text += "if [ \"$1\" = until-input-ends ]; then read -r _ || exit 0; else while :; do sleep 3600; done; fi\n";
    Ok(text)
}

/// One cgroup of the cluster's name under every controller; a new cpuset is empty, and nothing runs in that.
fn cgroups(name: &str) -> String {
    format!(
        "for controller in /sys/fs/cgroup /sys/fs/cgroup/*; do\n\
         \x20 [ -f \"$controller/cgroup.procs\" ] && mkdir -p \"$controller/{name}\" || continue\n\
         done\n\
         for what in cpus mems; do\n\
         \x20 [ -f /sys/fs/cgroup/cpuset/cpuset.$what ] || continue\n\
         \x20 cat /sys/fs/cgroup/cpuset/cpuset.$what > /sys/fs/cgroup/cpuset/{name}/cpuset.$what\n\
         done\n"
    )
}

fn started(shape: &Shape, log: &str, command: &str) -> String {
    format!("{command} > {} 2>&1 &\n", quoted(shape, &format!("{log}.log")))
}

/// The registry, etcd and the API server: the name of each one's log, and its command.
fn first_parts(shape: &Shape) -> Result<Vec<(&'static str, String)>> {
    let kube = kube(shape);
    let registry = crate::peer::peer("registry")?;
    let at = |name| quoted(shape, name);
    let ports = shape.ports;
    let (etcd, peers) = (url(ports.etcd), url(ports.etcd_peers));
    Ok(vec![
        ("registry", format!("'{}' serve {}", registry.path().display(), at("registry.yml"))),
        (
            "etcd",
            format!(
                "{kube} etcd --unsafe-no-fsync --data-dir {} --listen-client-urls {etcd} \
                 --advertise-client-urls {etcd} --listen-peer-urls {peers} \
                 --initial-advertise-peer-urls {peers} --initial-cluster default={peers}",
                at("etcd")
            ),
        ),
        (
            "apiserver",
            format!(
                "{kube} kube-apiserver --etcd-servers {etcd} --cert-dir {} --secure-port {} \
                 --bind-address 127.0.0.1 --service-cluster-ip-range 10.96.0.0/16 \
                 --service-account-issuer https://kubernetes.default.svc \
                 --service-account-key-file {} --service-account-signing-key-file {} \
                 --kubelet-preferred-address-types Hostname \
                 --token-auth-file {} --authorization-mode RBAC,Node --allow-privileged=true",
                at("pki"),
                ports.api,
                at("sa.pub"),
                at("sa.key"),
                at("tokens.csv")
            ),
        ),
    ])
}

fn second_parts(shape: &Shape) -> [(&'static str, String); 2] {
    let kube = kube(shape);
    let at = |name| quoted(shape, name);
    [
        (
            "controller-manager",
            format!(
                "{kube} kube-controller-manager --kubeconfig {} --leader-elect=false --secure-port 0 \
                 --service-account-private-key-file {} --root-ca-file {} --node-monitor-grace-period 20s",
                at("kubeconfig"),
                at("sa.key"),
                at(CERTIFICATE)
            ),
        ),
        (
            "scheduler",
            format!(
                "{kube} kube-scheduler --kubeconfig {} --leader-elect=false --secure-port 0",
                at("kubeconfig")
            ),
        ),
    ]
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

pub(super) fn kube(shape: &Shape) -> String {
    format!("'{}'", shape.kube.path().display())
}

/// A file of the cluster's folder, for the shell.
pub(super) fn quoted(shape: &Shape, name: &str) -> String {
    format!("'{}'", shape.folder.join(name).display())
}

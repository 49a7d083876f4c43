//! What of a cluster stands outside of its namespace, and the proof that nothing stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::deadline::wait_until_within;

/// Every cluster's name begins so; with its process's id in it, a dead starter can be told.
const PREFIX: &str = "ind";
/// Folders of clusters that end with their starter begin so.
pub(super) const FOLDER_PREFIX: &str = "indelible-cluster-";
/// The file in a cluster's folder that holds the cluster's name.
const NAME_FILE: &str = "name";
const CGROUPS: &str = "/sys/fs/cgroup";

/// A name that no other cluster of this machine has: at most thirteen bytes with a node's number, the longest
/// that a network interface may have is fifteen.
pub(super) fn new_name() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    format!("{PREFIX}{:x}x{:x}", std::process::id(), nanos & 0xfff)
}

/// Writes into a cluster's folder whose it is, before anything else: without it nobody could tell later.
///
/// # Errors
/// The folder cannot be written to.
pub(super) fn sign(folder: &Path, name: &str) -> Result<()> {
    let file = folder.join(NAME_FILE);
    fs::write(&file, name).with_context(|| format!("cannot write {}", file.display()))
}

/// The name of the cluster that a folder belongs to.
///
/// # Errors
/// The folder is not signed.
pub(super) fn signed(folder: &Path) -> Result<String> {
    let file = folder.join(NAME_FILE);
    let name = fs::read_to_string(&file);
    let name = name.with_context(|| format!("cannot read {}", file.display()))?;
    Ok(name.trim().to_owned())
}

/// Removes cgroups and bridges of a cluster that has ended.
///
/// # Errors
/// A cgroup still has processes after a while.
pub(super) fn remove(name: &str) -> Result<()> {
    for bridge in bridges().into_iter().filter(|bridge| bridge.starts_with(&format!("{name}-"))) {
        let _gone = Command::new("ip").args(["link", "delete", &bridge]).status();
    }
    for cgroup in cgroups().into_iter().filter(|path| path.ends_with(name)) {
        let what = format!("{} does not go", cgroup.display());
        wait_until_within(std::time::Duration::from_secs(20), &what, || {
            remove_cgroup(&cgroup);
            !cgroup.exists()
        })?;
    }
    Ok(())
}

/// Removes what a killed test left: its process is gone, its names are not.
pub(super) fn sweep() {
    let named =
        cgroups().into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let bridged = bridges().into_iter().filter_map(|name| Some(name.split_once('-')?.0.to_owned()));
    let names: BTreeSet<_> = named.chain(bridged).filter(|name| is_orphan(name)).collect();
    for name in names {
        // What cannot be removed now is tried again by the next cluster.
        let _removed = remove(&name);
    }
    sweep_folders(&std::env::temp_dir());
}

/// Removes the folders of clusters whose starter is gone; one without a name is just being made, or not ours to judge.
fn sweep_folders(parent: &Path) {
    for folder in folders(parent) {
        let file = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if file.starts_with(FOLDER_PREFIX) && signed(&folder).is_ok_and(|name| is_orphan(&name)) {
            let _removed = fs::remove_dir_all(&folder);
        }
    }
}

/// A cluster whose cgroups hold no process any more.
fn is_orphan(name: &str) -> bool {
    let starter = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('x'));
    let Some(id) = starter.and_then(|(id, _)| u32::from_str_radix(id, 16).ok()) else {
        return false;
    };
    !Path::new("/proc").join(id.to_string()).exists()
        && cgroups().iter().filter(|path| path.ends_with(name)).all(|path| !has_processes(path))
}

fn has_processes(cgroup: &Path) -> bool {
    let own = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    !own.is_empty() || folders(cgroup).iter().any(|path| has_processes(path))
}

/// From the leaves to the root: the kernel's files in them go with each folder.
fn remove_cgroup(cgroup: &Path) {
    for inner in folders(cgroup) {
        remove_cgroup(&inner);
    }
    let _gone = fs::remove_dir(cgroup);
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|e| e.path())
        .collect()
}

/// The cgroups of clusters, under every controller.
fn cgroups() -> Vec<PathBuf> {
    let root = PathBuf::from(CGROUPS);
    let mut found = Vec::new();
    for parent in folders(&root).into_iter().chain([root]) {
        found.extend(folders(&parent).into_iter().filter(|path| is_named(path)));
    }
    found.sort();
    found
}

fn is_named(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains('x'))
}

fn bridges() -> Vec<String> {
    let names = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(PREFIX) && name.contains('-')).collect()
}

/// What a machine shows of clusters: compared before and after, nothing may be new.
///
/// Only what a cluster makes is looked at: other tests start daemons of their own at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    mounts: BTreeSet<String>,
    processes: BTreeSet<String>,
    cgroups: BTreeSet<PathBuf>,
    namespaces: BTreeSet<String>,
    interfaces: BTreeSet<String>,
    firewall: Vec<String>,
    forwarding: String,
}

impl Traces {
    /// Looks at this machine.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn of_this_machine() -> Result<Self> {
        Ok(Self {
            mounts: mounts()?,
            processes: processes()?,
            cgroups: cgroups().into_iter().collect(),
            namespaces: names("/run/netns"),
            interfaces: names("/sys/class/net"),
            firewall: firewall(),
            forwarding: fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap_or_default(),
        })
    }

    /// Tells whether no process and no mount of a cluster is there.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.mounts.is_empty() && self.processes.is_empty()
    }
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Mounts of the parts, and those that the namespace has for itself.
fn mounts() -> Result<BTreeSet<String>> {
    let all = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    let words = ["indelible", "kubelet", "containerd", "cni"];
    let ours = all.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    Ok(ours.map(str::to_owned).collect())
}

/// Processes that name a cluster's folder, or live in another namespace than this one.
fn processes() -> Result<BTreeSet<String>> {
    let own = fs::read_link("/proc/self/ns/pid").context("cannot read /proc/self/ns")?;
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")?.flatten() {
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&arguments).replace('\0', " ");
        // One that ends meanwhile has none.
        let elsewhere = fs::read_link(entry.path().join("ns/pid")).is_ok_and(|other| other != own);
        if elsewhere || line.contains(FOLDER_PREFIX) {
            found.insert(line);
        }
    }
    Ok(found)
}

/// The rules, without comments, which hold the time of the question, and without counters.
fn firewall() -> Vec<String> {
    let said = Command::new("iptables-save").stderr(Stdio::null()).output();
    let text = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let text = text.unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(" [").next().unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_starter_that_was_killed_is_removed_and_no_other() {
        let parent = tempfile::tempdir().unwrap();
        let made = |folder: &str, name: Option<&str>| {
            let path = parent.path().join(folder);
            fs::create_dir_all(path.join("etcd")).unwrap();
            fs::write(path.join("etcd/wal"), "bytes").unwrap();
            name.into_iter().for_each(|name| sign(&path, name).unwrap());
            path
        };
        let mut starter = Command::new("sleep").arg("600").spawn().unwrap();
        let name = format!("{PREFIX}{:x}xabc", starter.id());
        let of_starter = made("indelible-cluster-a", Some(&name));
        let of_us = made("indelible-cluster-b", Some(&new_name()));
        let unsigned = made("indelible-cluster-c", None);
        let foreign = made("indelible-cluster-d", Some("somebody"));
        sweep_folders(parent.path());
        assert!(of_starter.exists(), "its starter lives");
        // kill -9
        starter.kill().unwrap();
        starter.wait().unwrap();
        let elsewhere = made("another-folder", Some(&name));
        sweep_folders(parent.path());
        assert!(!of_starter.exists(), "its starter is gone");
        for kept in [of_us, unsigned, foreign, elsewhere] {
            assert!(kept.join("etcd/wal").exists(), "{}", kept.display());
        }
    }
}

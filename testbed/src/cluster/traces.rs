//! What this machine shows of a cluster, and the proof that nothing stays.
//!
//! Other tests have clusters of their own at the same time: what bears another cluster's name is none of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::hold::PREFIX;
use super::leftovers::{bridges, cgroups_of, signed};

/// What everything of one cluster bears, or descends from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    name: String,
    folder: PathBuf,
}

impl Mark {
    /// The mark of the cluster that has this folder.
    ///
    /// # Errors
    /// It is no cluster's, or is gone.
    pub fn of(folder: &Path) -> Result<Self> {
        Ok(Self { name: signed(folder)?, folder: folder.to_owned() })
    }

    /// Looks at this machine.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn traces(&self) -> Result<Traces> {
        let folder = self.folder.to_string_lossy().into_owned();
        let bridges = bridges().into_iter().filter(|one| one.starts_with(&self.name));
        let bridges: BTreeSet<_> = bridges.collect();
        let is_ours = |name: &String| {
            bridges.contains(name) || bridge_of(name).is_some_and(|one| bridges.contains(&one))
        };
        Ok(Traces {
            mounts: mounts(|line| line.contains(&folder))?,
            processes: processes(&folder)?,
            cgroups: cgroups_of(&self.name).into_iter().collect(),
            interfaces: names("/sys/class/net").into_iter().filter(is_ours).collect(),
            folder: self.folder.exists().then(|| self.folder.clone()),
        })
    }
}

/// What of one cluster stands on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Outside of its namespace, which has mounts of its own.
    pub mounts: BTreeSet<String>,
    /// What names its folder in its arguments, and whatever descends from that: by process id.
    pub processes: BTreeMap<u32, String>,
    /// Under every controller.
    pub cgroups: BTreeSet<PathBuf>,
    /// Its bridges, and what is plugged into them.
    pub interfaces: BTreeSet<String>,
    /// Its folder, while that is there.
    pub folder: Option<PathBuf>,
}

impl Traces {
    /// Tells whether no process and no mount is there: what is left are names, and bytes.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.mounts.is_empty() && self.processes.is_empty()
    }

    /// Tells whether nothing is there.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What of this machine a cluster could change without its name on it: the same before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    mounts: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    interfaces: BTreeSet<String>,
    firewall: Vec<String>,
    forwarding: String,
}

impl Machine {
    /// Looks at this machine, past what belongs to clusters.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn now() -> Result<Self> {
        let is_nobodys = |name: &String| {
            let of = bridge_of(name).unwrap_or_else(|| name.clone());
            !(of.starts_with(PREFIX) && of.contains('-'))
        };
        Ok(Self {
            // The script mounts these in front of folders of the machine.
            mounts: mounts(|line| line.starts_with("indelible "))?,
            namespaces: names("/run/netns"),
            interfaces: names("/sys/class/net").into_iter().filter(is_nobodys).collect(),
            firewall: firewall(),
            forwarding: fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap_or_default(),
        })
    }
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The bridge that an interface is plugged into.
fn bridge_of(interface: &str) -> Option<String> {
    let master = fs::read_link(format!("/sys/class/net/{interface}/master")).ok()?;
    Some(master.file_name()?.to_str()?.to_owned())
}

fn mounts(is_wanted: impl Fn(&str) -> bool) -> Result<BTreeSet<String>> {
    let all = fs::read_to_string("/proc/self/mounts").context("cannot read /proc/self/mounts")?;
    Ok(all.lines().filter(|line| is_wanted(line)).map(str::to_owned).collect())
}

/// Processes that name a folder, and those that descend from one: what runs in a pod knows of no folder.
fn processes(folder: &str) -> Result<BTreeMap<u32, String>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")?.flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        // One that ends meanwhile has no parent.
        let Some((id, parent)) = id.and_then(|id| Some((id, parent_of(&entry.path())?))) else {
            continue;
        };
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        all.insert(id, (parent, String::from_utf8_lossy(&arguments).replace('\0', " ")));
    }
    let is_ours = |id: &u32| {
        let line = std::iter::successors(Some(*id), |id| all.get(id).map(|(parent, _)| *parent));
        line.take_while(|id| *id != 0)
            .any(|id| all.get(&id).is_some_and(|(_, arguments)| arguments.contains(folder)))
    };
    let ours = all.keys().copied().filter(|id| is_ours(id));
    Ok(ours.map(|id| (id, all[&id].1.clone())).collect())
}

/// Source: proc(5), `/proc/PID/stat`: the name stands in brackets, and may hold some itself.
fn parent_of(process: &Path) -> Option<u32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// The rules, without comments, which hold the time of the question, and without counters.
fn firewall() -> Vec<String> {
    let said = Command::new("iptables-save").stderr(Stdio::null()).output();
    let text = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let text = text.unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(" [").next().unwrap_or_default().to_owned()).collect()
}

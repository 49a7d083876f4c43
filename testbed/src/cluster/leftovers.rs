//! What of a cluster stands outside of its namespace, and how it goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::hold::{self, Hold, PREFIX};
use crate::deadline::wait_until_within;

/// Folders of clusters that end with their starter begin so; the cluster's name follows.
pub(super) const FOLDER_PREFIX: &str = "indelible-cluster-";
/// The file in a cluster's folder that holds the cluster's name.
const NAME_FILE: &str = "name";
const CGROUPS: &str = "/sys/fs/cgroup";
/// How long a cgroup of a cluster that has ended may still have processes.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// Writes into a cluster's folder whose it is.
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
    for cgroup in cgroups_of(name) {
        let what = format!("{} does not go", cgroup.display());
        wait_until_within(GONE_WITHIN, &what, || {
            remove_cgroup(&cgroup);
            !cgroup.exists()
        })?;
    }
    Ok(())
}

/// Removes what killed tests left: nobody holds its name any more. What is held is never touched.
pub(super) fn sweep() {
    hold::abandoned().iter().for_each(remove_abandoned);
}

/// What cannot be removed now keeps its name, and is tried again by the next cluster.
fn remove_abandoned(hold: &Hold) {
    let is_gone = remove(hold.name()).is_ok()
        && hold.folder().is_none_or(|folder| !is_of_tests(&folder) || remove_folder(&folder));
    if is_gone {
        hold.end();
    }
}

/// Only what was made to go with a test is removed, whatever a file says.
fn is_of_tests(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    folder.is_absolute() && name.is_some_and(|name| name.starts_with(FOLDER_PREFIX))
}

fn remove_folder(folder: &Path) -> bool {
    let _gone = fs::remove_dir_all(folder);
    !folder.exists()
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

/// A cluster's cgroups, under every controller.
pub(super) fn cgroups_of(name: &str) -> Vec<PathBuf> {
    let root = PathBuf::from(CGROUPS);
    let parents = folders(&root).into_iter().chain([root]);
    parents.map(|parent| parent.join(name)).filter(|path| path.is_dir()).collect()
}

/// The bridges of every cluster.
pub(super) fn bridges() -> Vec<String> {
    let names = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(PREFIX) && name.contains('-')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::DirBuilderExt as _;

    #[test]
    fn the_folder_of_a_killed_starter_goes_and_no_other_whatever_is_noted() {
        let parent = tempfile::tempdir().unwrap();
        let names = parent.path().join("names");
        let made = |folder: &str| {
            let path = parent.path().join(folder);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path.join("etcd")).unwrap();
            fs::write(path.join("etcd/wal"), "bytes").unwrap();
            let mut hold = Hold::new_in(&names).unwrap();
            hold.note_folder(&path).unwrap();
            (path, hold)
        };
        let (of_tests, dead) = made("indelible-cluster-a");
        let (of_somebody, dead_too) = made("photographs");
        let (of_us, alive) = made("indelible-cluster-b");
        drop((dead, dead_too));
        hold::abandoned_in(&names).iter().for_each(remove_abandoned);
        assert!(!of_tests.exists(), "nobody holds it");
        assert!(of_somebody.join("etcd/wal").exists() && of_us.join("etcd/wal").exists());
        assert_eq!(fs::read_dir(&names).unwrap().count(), 1, "the name that is held");
        assert_eq!(alive.folder(), Some(of_us));
    }
}

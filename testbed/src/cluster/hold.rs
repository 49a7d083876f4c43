//! A cluster's name, locked for as long as the cluster may live.
//!
//! ```text
//! /run/indelible-testbed/ind4f2xa1   "/tmp/indelible-cluster-ind4f2xa1", locked by whoever keeps that cluster
//! ```
//! The kernel lets go of a lock when its last holder ends, also by kill -9: no id is asked for, which another process
//! may have by then. A name is locked before anything bears it, so that nothing which lives is ever without a holder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

/// Every cluster's name begins so.
pub(super) const PREFIX: &str = "ind";
/// Gone after a start of the machine, as everything else that bears a cluster's name.
const NAMES: &str = "/run/indelible-testbed";
/// Names of one process are told apart by the clock.
const TRIES_MAX: u32 = 100;

/// A name that nobody else has while this value, or what was given its lock, is there.
#[derive(Debug)]
pub(super) struct Hold {
    name: String,
    path: PathBuf,
    file: File,
}

impl Hold {
    /// Takes a new name of this machine.
    ///
    /// # Errors
    /// This user may not write there.
    pub(super) fn new() -> Result<Self> {
        Self::new_in(Path::new(NAMES))
    }

    pub(super) fn new_in(names: &Path) -> Result<Self> {
        let made = fs::create_dir_all(names);
        made.with_context(|| format!("cannot make {}: it needs root", names.display()))?;
        for _ in 0..TRIES_MAX {
            let name = new_name();
            let path = names.join(&name);
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make {}", path.display()));
                }
            };
            // Somebody who sweeps may have come between: then it is theirs, and removed.
            if let Some(hold) = Self::lock(name, path, file)? {
                return Ok(hold);
            }
        }
        bail!("no name is free in {}", names.display())
    }

    /// None where another has it, or it is removed already.
    fn lock(name: String, path: PathBuf, file: File) -> Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let own = file.metadata().map(|file| file.ino()).ok();
        let is_there = fs::metadata(&path).is_ok_and(|now| Some(now.ino()) == own);
        Ok(is_there.then_some(Self { name, path, file }))
    }

    /// At most thirteen bytes: a bridge is called so with a node's number, and the longest name of a network
    /// interface is fifteen.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Notes the folder that goes with the cluster, before it is made.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn note_folder(&mut self, folder: &Path) -> Result<()> {
        let bytes = folder.as_os_str().as_encoded_bytes();
        self.file.write_all(bytes).with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// The folder that goes with the cluster, if it has one and it was noted.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let noted = fs::read_to_string(&self.path).ok()?;
        (!noted.is_empty()).then(|| PathBuf::from(noted))
    }

    /// The lock as a program's input: it is held until that program ends too.
    ///
    /// # Errors
    /// No more files can be opened.
    pub(super) fn handed_on(&self) -> Result<Stdio> {
        Ok(self.file.try_clone().context("cannot hand a lock on")?.into())
    }

    /// Gives the name back: nothing bears it any more.
    pub(super) fn end(&self) {
        let _gone = fs::remove_file(&self.path);
    }
}

fn new_name() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    format!("{PREFIX}{:x}x{:x}", std::process::id(), nanos & 0xfff)
}

/// Gives a name back that this process does not hold: its cluster was stopped, and nothing bears it any more.
pub(super) fn give_back(name: &str) {
    let _gone = fs::remove_file(Path::new(NAMES).join(name));
}

/// Takes the names that nobody holds any more, though nobody gave them back.
pub(super) fn abandoned() -> Vec<Hold> {
    abandoned_in(Path::new(NAMES))
}

pub(super) fn abandoned_in(names: &Path) -> Vec<Hold> {
    let entries = fs::read_dir(names).into_iter().flatten().flatten();
    let taken = entries.filter_map(|entry| {
        let file = OpenOptions::new().read(true).write(true).open(entry.path()).ok()?;
        Hold::lock(entry.file_name().into_string().ok()?, entry.path(), file).ok()?
    });
    taken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command};

    /// A process that holds a name, as a starter does, and its folder.
    fn held_elsewhere(names: &Path, folder: &Path) -> Child {
        let mut hold = Hold::new_in(names).unwrap();
        hold.note_folder(folder).unwrap();
        Command::new("sleep").arg("600").stdin(hold.handed_on().unwrap()).spawn().unwrap()
    }

    #[test]
    fn a_name_is_abandoned_when_its_last_holder_was_killed_and_not_before() {
        let names = tempfile::tempdir().unwrap();
        let mut holder = held_elsewhere(names.path(), Path::new("/tmp/of-it"));
        let young = Hold::new_in(names.path()).unwrap();
        assert_eq!(young.folder(), None, "it has made nothing yet");
        assert!(abandoned_in(names.path()).is_empty(), "both are held");
        holder.kill().unwrap();
        holder.wait().unwrap();
        let abandoned = abandoned_in(names.path());
        assert_eq!(abandoned.len(), 1);
        assert_eq!(abandoned[0].folder(), Some(PathBuf::from("/tmp/of-it")));
        assert!(abandoned_in(names.path()).is_empty(), "who sweeps holds it");
        abandoned[0].end();
        drop(abandoned);
        assert!(abandoned_in(names.path()).is_empty());
        assert!(young.path.exists());
    }

    /// Names are taken, used and given back, while others sweep as fast as they can.
    #[test]
    fn what_is_held_is_never_swept_also_where_many_begin_at_once() {
        let names = tempfile::tempdir().unwrap();
        let folders = tempfile::tempdir().unwrap();
        let (names, folders) = (names.path(), folders.path());
        let begun = |_| {
            for _ in 0..100 {
                let mut hold = Hold::new_in(names).unwrap();
                let folder = folders.join(hold.name());
                hold.note_folder(&folder).unwrap();
                fs::create_dir(&folder).unwrap();
                std::thread::yield_now();
                fs::write(folder.join("file"), "bytes").unwrap();
                fs::remove_dir_all(&folder).unwrap();
                hold.end();
            }
        };
        std::thread::scope(|scope| {
            let starters: Vec<_> = (0..6).map(|at| scope.spawn(move || begun(at))).collect();
            while !starters.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                for hold in abandoned_in(names) {
                    if let Some(folder) = hold.folder() {
                        let _gone = fs::remove_dir_all(folder);
                    }
                    hold.end();
                }
            }
        });
        assert_eq!(fs::read_dir(folders).unwrap().count(), 0);
    }
}

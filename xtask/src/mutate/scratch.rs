//! A copy of the checkout to break things in, kept in the cache so that it stays warm.
//!
//! Only files that differ are written: an untouched file keeps its time, and cargo its work.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, process};

/// Holds the copy; one run at a time uses it.
#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
    target: PathBuf,
    /// Held until this value is dropped.
    _lock: fs::File,
}

impl Scratch {
    /// Brings the copy of `from` up to date.
    ///
    /// # Errors
    /// The checkout cannot be read or the cache not be written.
    pub(super) fn copy(from: &Path) -> Result<Self> {
        // One copy per checkout: two of them would undo each other's files.
        let place = (from.to_owned(), String::new());
        let folder = place::cache()?.join("mutate").join(place::key(&[place]));
        let (root, target) = (folder.join("tree"), folder.join("target"));
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        let lock = fs::File::create(folder.join("lock"))?;
        lock.lock().context("cannot lock the copy")?;
        mirror(from, &root)?;
        Ok(Self { root, target, _lock: lock })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }
}

/// Copies what git tracks or would track, and removes what it no longer does.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = process::read(git.current_dir(from))?;
    let wanted: BTreeSet<&Path> = listed
        .split_terminator('\0')
        .map(Path::new)
        .filter(|name| from.join(name).is_file())
        .collect();
    for name in &wanted {
        copy_if_different(&from.join(name), &to.join(name))
            .with_context(|| format!("cannot copy {}", name.display()))?;
    }
    remove_unwanted(to, to, &wanted)
}

fn copy_if_different(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // Not `fs::copy`, which keeps the old time: cargo has to see that the file is new.
    fs::write(to, bytes)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}

fn remove_unwanted(top: &Path, folder: &Path, wanted: &BTreeSet<&Path>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_unwanted(top, &path, wanted)?;
        } else if !wanted.contains(path.strip_prefix(top)?) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_follows_and_leaves_equal_files_alone() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            process::read(git.args(arguments).current_dir(from.path())).unwrap();
        };
        git(&["init", "--quiet"]);
        fs::create_dir(from.path().join("src")).unwrap();
        for (name, text) in [("src/a.rs", "1"), ("src/b.rs", "1")] {
            fs::write(from.path().join(name), text).unwrap();
        }
        mirror(from.path(), to.path()).unwrap();
        let time = |name| fs::metadata(to.path().join(name)).unwrap().modified().unwrap();
        let before = time("src/a.rs");
        fs::remove_file(from.path().join("src/b.rs")).unwrap();
        mirror(from.path(), to.path()).unwrap();
        assert!(!to.path().join("src/b.rs").exists());
        assert_eq!(time("src/a.rs"), before);
    }
}

//! A git host on this disk: bare repositories, the developer's clone of one, and fresh clones for runners.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::runner::Runner;

/// A folder for one situation, with a bare repository of the source.
pub(crate) struct Forge {
    folder: TempDir,
    runners: Cell<usize>,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let forge = Self { folder: tempfile::tempdir().unwrap(), runners: Cell::new(0) };
        forge.bare("shop");
        forge
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a bare repository is; it is made where it is missing.
    pub(crate) fn bare(&self, name: &str) -> PathBuf {
        let path = self.path().join(format!("{name}.git"));
        if !path.exists() {
            let made = Runner::new(&self.path().join("host"), &path);
            made.git(&["init", "--quiet", "--bare", "--initial-branch=main", "."]);
        }
        path
    }

    /// A repository with its first commit, on a branch, pushed; and the person who works in it.
    pub(crate) fn begin(&self, name: &str, branch: &str, files: &[(&str, &str)]) -> Runner {
        let person = Runner::new(&self.path().join("ada"), &self.path().join("ada").join(name));
        person.git(&["init", "--quiet", &format!("--initial-branch={branch}")]);
        let bare = self.bare(name);
        person.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        for (path, text) in files {
            write(&person.cwd.join(path), text);
        }
        commit(&person, "The shop");
        push(&person, branch);
        person
    }

    /// A runner that starts with an empty home and a fresh clone of a branch of the source.
    pub(crate) fn runner(&self, branch: &str) -> Runner {
        self.runner_with(branch, &[])
    }

    pub(crate) fn runner_with(&self, branch: &str, clone: &[&str]) -> Runner {
        let number = self.runners.replace(self.runners.get() + 1);
        let folder = self.path().join(format!("runner-{number}"));
        let mut runner = Runner::new(&folder.join("home"), &folder);
        // With an address, or git would copy a shallow clone's whole past all the same.
        let source = format!("file://{}", self.bare("shop").display());
        let mut arguments = vec!["clone", "--quiet", "--branch", branch];
        arguments.extend(clone);
        arguments.extend([source.as_str(), "shop"]);
        runner.git(&arguments);
        runner.cwd = folder.join("shop");
        runner
    }

    /// A file as it stands on a branch of a repository.
    pub(crate) fn shown(&self, repository: &str, branch: &str, path: &str) -> String {
        let host = Runner::new(&self.path().join("host"), &self.bare(repository));
        host.git(&["show", &format!("{branch}:{path}")])
    }

    /// The messages on a branch, newest first.
    pub(crate) fn subjects(&self, repository: &str, branch: &str) -> Vec<String> {
        let host = Runner::new(&self.path().join("host"), &self.bare(repository));
        let log = host.git(&["log", "--format=%s", branch]);
        log.lines().map(ToOwned::to_owned).collect()
    }

    /// Where a branch stands; empty where there is none.
    pub(crate) fn tip(&self, repository: &str, branch: &str) -> String {
        let host = Runner::new(&self.path().join("host"), &self.bare(repository));
        host.git(&["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")])
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Commits everything, and gives the commit.
pub(crate) fn commit(person: &Runner, message: &str) -> String {
    person.git(&["add", "."]);
    person.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
    person.git(&["rev-parse", "HEAD"])
}

pub(crate) fn push(person: &Runner, branch: &str) {
    person.git(&["push", "--quiet", "origin", branch]);
}

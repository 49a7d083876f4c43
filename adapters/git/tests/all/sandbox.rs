//! Temporary repositories, and short ways to fill them.

use domain::{CommitId, Timestamp};
use git::{
    BranchName, BranchStore, Credential, Environment, Git, Message, NewFile, RemoteUrl, Retry,
    Scratch, Signature, TreePath, WriteBack,
};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A temporary folder and the git program, with nothing of the user's.
pub(crate) struct Sandbox {
    pub(crate) folder: TempDir,
    pub(crate) git: Git,
}

impl Sandbox {
    pub(crate) async fn new() -> Self {
        let git = Git::open(environment()).await.expect("git is installed");
        Self { folder: tempfile::tempdir().expect("a temporary folder"), git }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An empty bare repository.
    pub(crate) async fn bare(&self, name: &str) -> RemoteUrl {
        Scratch::init_bare(&self.git, &self.at(name), &branch("main")).await.unwrap()
    }

    /// A bare repository whose `main` has one commit with these files.
    pub(crate) async fn bare_with(&self, name: &str, files: &[(&str, &str)]) -> RemoteUrl {
        let remote = self.bare(name).await;
        let scratch = self.scratch(&format!("{name}-work")).await;
        commit(&scratch, 0, "first", files).await;
        scratch.push(&remote, &Credential::Ambient, &branch("main")).await.unwrap();
        remote
    }

    pub(crate) async fn scratch(&self, name: &str) -> Scratch {
        Scratch::init(&self.git, &self.at(name), &branch("main")).await.unwrap()
    }

    pub(crate) fn store(&self, remote: &RemoteUrl, cache: &str) -> BranchStore {
        let branch = branch("indelible/record");
        BranchStore::new(&self.git, remote.clone(), Credential::Ambient, branch, &self.at(cache))
    }

    pub(crate) fn write_back(&self, remote: &RemoteUrl, cache: &str) -> WriteBack {
        let branch = branch("main");
        WriteBack::new(&self.git, remote.clone(), Credential::Ambient, branch, &self.at(cache))
    }

    /// A hook of a remote, which is a shell script.
    pub(crate) fn hook(&self, remote: &str, name: &str, script: &str) {
        let folder = self.at(remote).join("hooks");
        std::fs::create_dir_all(&folder).unwrap();
        script_at(&folder.join(name), script);
    }
}

/// An executable shell script.
pub(crate) fn script_at(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn environment() -> Environment {
    Environment::bare(path_variable())
}

#[expect(clippy::disallowed_methods, reason = "a test finds the real git as a shell does")]
pub(crate) fn path_variable() -> OsString {
    std::env::var_os("PATH").expect("PATH is set")
}

pub(crate) fn branch(name: &str) -> BranchName {
    name.parse().unwrap()
}

pub(crate) fn path(text: &str) -> TreePath {
    text.parse().unwrap()
}

pub(crate) fn file(at: &str, text: &str) -> NewFile {
    NewFile { path: path(at), bytes: text.as_bytes().to_vec() }
}

pub(crate) fn message(subject: &str) -> Message {
    Message::new(subject).unwrap()
}

/// Ann, so many seconds after 2026-03-17T14:39:58Z.
pub(crate) fn ann(seconds: i64) -> Signature {
    let at = "2026-03-17T14:39:58Z".parse::<Timestamp>().unwrap().plus_millis(seconds * 1000);
    Signature::new("Ann", "ann@example.com", at).unwrap()
}

/// Three quick tries.
pub(crate) fn quick(seed: u64) -> Retry {
    let mut retry = Retry::seeded(seed);
    retry.tries = 3;
    retry.wait_first = Duration::from_millis(1);
    retry.wait_most = Duration::from_millis(5);
    retry
}

pub(crate) async fn commit(
    scratch: &Scratch,
    seconds: i64,
    subject: &str,
    files: &[(&str, &str)],
) -> CommitId {
    let paths: Vec<TreePath> = files.iter().map(|(at, _)| path(at)).collect();
    let files: Vec<(&TreePath, &[u8])> =
        paths.iter().zip(files).map(|(path, (_, text))| (path, text.as_bytes())).collect();
    scratch.commit(&ann(seconds), &message(subject), &files).await.unwrap()
}

/// Runs git as a user would, to look at, or to break, what the adapter made.
pub(crate) fn raw(folder: &Path, args: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "Eve"), ("GIT_AUTHOR_EMAIL", "eve@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Eve"), ("GIT_COMMITTER_EMAIL", "eve@example.com")])
        .output()
        .expect("git is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

//! A peer: a program that was not written here, at a path, with a version that the test prints.
//!
//! Looked for in `INDELIBLE_TESTBED_BIN` (what `cargo xtask setup` built), then in `PATH`, then
//! where Debian keeps daemons.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where `cargo xtask test` says that the peers built from `testbed/tools` are.
pub const BUILT_PEERS: &str = "INDELIBLE_TESTBED_BIN";
/// Daemons are not on everybody's `PATH`.
const DAEMONS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// A program that was not written here.
#[derive(Clone, Debug)]
pub struct Peer {
    name: String,
    path: PathBuf,
}

/// The peer is not on this machine; the message says what installs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    name: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not installed; `cargo xtask setup --yes` installs it", self.name)
    }
}

impl std::error::Error for Missing {}

/// Finds a peer by the name of its program, such as `crane` or `dockerd`.
///
/// # Errors
/// It is in none of the folders.
pub fn peer(name: &str) -> Result<Peer, Missing> {
    let built = env::var_os(BUILT_PEERS).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders =
        built.into_iter().chain(env::split_paths(&path)).chain(DAEMONS.iter().map(PathBuf::from));
    find(name, folders)
}

/// The file of a definition that another system publishes, such as `applications.argoproj.io`.
///
/// # Errors
/// It is not there.
pub fn definition(name: &str) -> Result<PathBuf, Missing> {
    let folder = env::var_os(BUILT_PEERS).map(PathBuf::from);
    find(&format!("{name}.yaml"), folder.into_iter()).map(|found| found.path)
}

fn find(name: &str, folders: impl Iterator<Item = PathBuf>) -> Result<Peer, Missing> {
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .map(|path| Peer { name: name.to_owned(), path })
        .ok_or_else(|| Missing { name: name.to_owned() })
}

impl Peer {
    /// The program's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs the peer with this process's environment.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// A command that runs the peer as a new user would: `home` is its home, and nothing but
    /// `PATH` and the language is inherited, so nobody's credentials or settings are read.
    ///
    /// podman and buildah keep their storage under `home` too.
    #[must_use]
    pub fn command_at_home(&self, home: &Path) -> Command {
        let mut command = self.command();
        let path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
        command
            .env_clear()
            .env("PATH", path)
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("XDG_RUNTIME_DIR", home);
        if matches!(self.name.as_str(), "podman" | "buildah") {
            command
                .arg("--root")
                .arg(home.join("containers"))
                .arg("--runroot")
                .arg(home.join("containers-run"))
                .args(["--storage-driver", "vfs"]);
        }
        command
    }

    /// The first line that the peer prints about its version, for the test's output.
    #[must_use]
    pub fn version(&self) -> String {
        let argument = match self.name.as_str() {
            "crane" | "kustomize" | "helm" | "cosign" | "openssl" => "version",
            "regctl" => return self.first_line(&["version", "--format", "{{.VCSTag}}"]),
            "strace" => "-V",
            "busybox" => "--help",
            _ => "--version",
        };
        self.first_line(&[argument])
    }

    fn first_line(&self, arguments: &[&str]) -> String {
        let said = self.command().args(arguments).output();
        let line = said.ok().and_then(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let line = text.lines().next()?.trim();
            // distribution prints its own path first.
            Some(line.replace(&*self.path.to_string_lossy(), &self.name))
        });
        match line {
            Some(line) if line.contains(&self.name) => line,
            Some(line) => format!("{} {line}", self.name),
            None => format!("{} of an unknown version", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_built_peer_comes_before_one_of_the_system() {
        let built = tempfile::tempdir().unwrap();
        let system = tempfile::tempdir().unwrap();
        for folder in [&built, &system] {
            fs::write(folder.path().join("crane"), "").unwrap();
        }
        let folders = [built.path(), system.path()].map(Path::to_owned);
        let found = find("crane", folders.into_iter()).unwrap();
        assert_eq!(found.path(), built.path().join("crane"));
    }

    #[test]
    fn a_missing_peer_says_what_installs_it() {
        let missing = find("crane", std::iter::empty()).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "crane is not installed; `cargo xtask setup --yes` installs it"
        );
    }

    #[test]
    fn a_new_users_command_inherits_no_settings() {
        let home = tempfile::tempdir().unwrap();
        let output = peer("env").unwrap().command_at_home(home.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("HOME={}", home.path().display())), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }
}

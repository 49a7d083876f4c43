//! A docker daemon of the test's own: its folders, its socket, no network changes.
//!
//! Builds and pushes to a loopback registry work; running containers does not, for there is no
//! bridge and no firewall rule. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::peer::{Peer, peer};
use crate::running::Running;

// A daemon of a test's own has no bridge, no firewall rules and forwards nothing: it changes nothing of the machine.
const ALONE: [&str; 6] = [
    "--storage-driver",
    "vfs",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--bridge=none",
];

/// A running docker daemon; stopped, with its images, on drop.
#[derive(Debug)]
pub struct Dockerd {
    // Before the folder: the process ends before its data is removed.
    running: Running,
    docker: Peer,
    folder: TempDir,
}

impl Dockerd {
    /// Starts a daemon with the `vfs` storage driver, which needs nothing of the kernel.
    ///
    /// # Errors
    /// A peer is not installed ([`crate::Missing`]), or the daemon does not come up: it needs root.
    pub fn start() -> Result<Self> {
        let (dockerd, docker) = (peer("dockerd")?, peer("docker")?);
        let folder = tempfile::tempdir()?;
        let settings = folder.path().join("daemon.json");
        fs::write(&settings, "{}")?;
        let mut command = dockerd.command_at_home(folder.path());
        command
            .args(ALONE)
            .arg("--config-file")
            .arg(settings)
            .arg("--data-root")
            .arg(folder.path().join("data"))
            .arg("--exec-root")
            .arg(folder.path().join("exec"))
            .arg("--pidfile")
            .arg(folder.path().join("pid"))
            .arg("--host")
            .arg(address(folder.path()));
        let running = Running::start(&mut command, &folder.path().join("log"))?;
        let mut daemon = Self { running, docker, folder };
        let mut ping = daemon.docker();
        ping.arg("version").stdout(Stdio::null()).stderr(Stdio::null());
        daemon
            .running
            .wait_until_ready(|| ping.status().is_ok_and(|status| status.success()))
            .with_context(|| dockerd.version())?;
        Ok(daemon)
    }

    /// A `docker` command that talks to this daemon, with no user's settings.
    #[must_use]
    pub fn docker(&self) -> Command {
        let mut command = self.docker.command_at_home(self.folder.path());
        command.arg("--host").arg(address(self.folder.path()));
        command
    }

    /// The daemon's socket, for `DOCKER_HOST=unix://…`.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("docker.sock")
}

fn address(folder: &Path) -> String {
    format!("unix://{}", socket(folder).display())
}

//! A peer that runs in the background: its output kept for errors, stopped by its own id on drop.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::deadline::{wait_until, wait_until_within};

/// How long a peer may take to stop by itself before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How much of a peer's output an error shows.
const SHOWN_BYTES: usize = 4 << 10;

/// A process that is stopped when this value is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a command in the background; what it prints goes to the file `log`.
    ///
    /// # Errors
    /// The command cannot be started or the file cannot be made.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("cannot make {}", log.display()))?;
        let errors = output.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Waits until `ready` says yes.
    ///
    /// # Errors
    /// The process ended, or the deadline passed; the error shows what it printed.
    pub fn wait_until_ready(&mut self, mut ready: impl FnMut() -> bool) -> Result<()> {
        let waited = wait_until("it is not ready", || !self.is_alive() || ready());
        if !self.is_alive() {
            bail!("it ended at once; it printed:\n{}", self.printed());
        }
        waited.with_context(|| format!("it printed:\n{}", self.printed()))
    }

    /// The process's id, for measurements.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of what the process printed.
    #[must_use]
    pub fn printed(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let tail = &bytes[bytes.len().saturating_sub(SHOWN_BYTES)..];
        String::from_utf8_lossy(tail).into_owned()
    }

    /// Ends the process as a power cut would: at once, with no chance to tidy up.
    ///
    /// # Errors
    /// The process cannot be awaited.
    pub fn kill(&mut self) -> Result<()> {
        // An error means that it has ended already.
        let _ended = self.child.kill();
        self.child.wait().context("cannot wait for a killed process")?;
        Ok(())
    }

    /// Asks the process to stop (SIGTERM) and waits; kills it when it does not.
    ///
    /// # Errors
    /// It had to be killed.
    pub fn stop(&mut self) -> Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        // std has no SIGTERM, and one is needed: dockerd stops its containerd only when asked.
        let id = self.child.id().to_string();
        let _asked = Command::new("kill").args(["-TERM", &id]).stderr(Stdio::null()).status();
        let stopped = wait_until_within(STOP_WITHIN, "it does not stop", || !self.is_alive());
        if stopped.is_err() {
            self.kill()?;
        }
        stopped
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A drop cannot fail; `stop` has killed it in the worst case.
        let _stopped = self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_process_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let running =
            Running::start(Command::new("sleep").arg("600"), &folder.path().join("log")).unwrap();
        let id = running.id();
        drop(running);
        assert!(!Path::new("/proc").join(id.to_string()).exists());
    }

    #[test]
    fn a_process_that_ends_at_once_shows_what_it_printed() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such disk; exit 3"]);
        let mut running = Running::start(&mut command, &folder.path().join("log")).unwrap();
        let error = running.wait_until_ready(|| false).unwrap_err();
        assert_eq!(error.to_string(), "it ended at once; it printed:\nno such disk\n");
    }
}

//! The CNCF registry ("distribution"), on a port and in a folder of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::peer::peer;
use crate::port::{answers_http, free_port};
use crate::running::Running;

/// A port that was free may be taken before the registry binds it.
const TRIES: usize = 3;

/// A running registry that nobody here wrote; stopped, with its data, on drop.
#[derive(Debug)]
pub struct Distribution {
    // Before the folder: the process ends before its data is removed.
    running: Running,
    host: String,
    _data: TempDir,
}

impl Distribution {
    /// Starts a registry on loopback, in cleartext, without users; deleting is allowed.
    ///
    /// # Errors
    /// The peer is not installed ([`crate::Missing`]) or does not come up.
    pub fn start() -> Result<Self> {
        let mut last = Self::start_on(free_port()?);
        for _ in 1..TRIES {
            if last.is_ok() {
                break;
            }
            last = Self::start_on(free_port()?);
        }
        last
    }

    fn start_on(port: u16) -> Result<Self> {
        let registry = peer("registry")?;
        let data = tempfile::tempdir()?;
        let settings = data.path().join("config.yml");
        fs::write(&settings, config(data.path(), port))?;
        let mut command = registry.command_at_home(data.path());
        command.arg("serve").arg(&settings);
        let mut running = Running::start(&mut command, &data.path().join("log"))?;
        running
            .wait_until_ready(|| answers_http(port, "/v2/"))
            .with_context(|| format!("{} on port {port}", registry.version()))?;
        Ok(Self { running, host: format!("127.0.0.1:{port}"), _data: data })
    }

    /// Its host and port, as image names begin: `127.0.0.1:40123`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The process's id, for measurements.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.running.id()
    }
}

/// The settings of a registry in this folder: cleartext on loopback, without users; deleting is allowed.
pub(crate) fn config(data: &Path, port: u16) -> String {
    let root = data.join("registry");
    format!(
        "version: 0.1\n\
         log: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage:\n\
         \x20 filesystem: {{rootdirectory: \"{}\"}}\n\
         \x20 delete: {{enabled: true}}\n\
         http: {{addr: \"127.0.0.1:{port}\"}}\n",
        root.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_registries_run_beside_each_other_and_answer() {
        let started = Distribution::start().and_then(|one| Ok((one, Distribution::start()?)));
        let (one, two) = match started {
            Ok(both) => both,
            Err(error) if error.is::<crate::Missing>() => {
                crate::skip("two_registries_run_beside_each_other_and_answer", error);
                return;
            }
            Err(error) => panic!("{error:#}"),
        };
        assert_ne!(one.host(), two.host());
        let port = one.host().rsplit(':').next().unwrap().parse().unwrap();
        drop(one);
        assert!(!answers_http(port, "/v2/"), "a dropped registry has ended");
    }
}

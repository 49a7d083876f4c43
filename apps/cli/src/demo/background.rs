//! A command of the story that runs on while others are typed, stopped by its own id.
//!
//! ```text
//! $ indelible serve --quiet --data data --listen 127.0.0.1:0 >server.log 2>&1 &
//! ```

use super::DemoError;
use super::shell::{Shell, Teller, typed};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// How long it may take until it says what is waited for.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often its output is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process that is stopped when this value is dropped.
#[derive(Debug)]
pub(super) struct Background {
    name: &'static str,
    child: Option<Child>,
    log: PathBuf,
}

impl Background {
    /// Prints and starts a command in a shell's folder; `log` there takes what it prints.
    pub(super) fn start(
        teller: &mut Teller,
        shell: &Shell,
        (name, words): (&'static str, &[&str]),
        log: &str,
    ) -> Result<Self, DemoError> {
        teller.typed_only(shell, &format!("{} >{log} 2>&1 &", typed(words)));
        let log = shell.folder.join(log);
        let stdout = std::fs::File::create(&log).map_err(DemoError::io("make", &log))?;
        let stderr = stdout.try_clone().map_err(DemoError::io("make", &log))?;
        let mut command = teller.command(shell, words).into_std();
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let start = |source| DemoError::Start { program: name.to_owned(), source };
        let child = command.spawn().map_err(start)?;
        Ok(Self { name, child: Some(child), log })
    }

    /// Waits until what it printed says something.
    pub(super) async fn wait_for<T>(
        &mut self,
        missing: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, DemoError> {
        let command = self.name;
        let deadline = tokio::time::Instant::now() + READY_WITHIN;
        loop {
            let printed = self.printed();
            if let Some(found) = read(&printed) {
                return Ok(found);
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                let why = format!("it ended with {status}");
                return Err(DemoError::NotReady { command, why, printed });
            }
            if tokio::time::Instant::now() >= deadline {
                let why = format!("it said no {missing} within {} s", READY_WITHIN.as_secs());
                return Err(DemoError::NotReady { command, why, printed });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What it printed so far.
    pub(super) fn printed(&self) -> String {
        printed(&self.log)
    }

    /// Lets it run on, and gives its id.
    pub(super) fn leave(mut self) -> u32 {
        // A child that is dropped without a kill lives on.
        self.child.take().map_or(0, |child| child.id())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error says that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn printed(log: &Path) -> String {
    std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

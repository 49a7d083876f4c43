//! The registry of the demo: `indelible serve` on a free port of this machine, stopped by its own id.

use super::DemoError;
use super::shell::{Shell, Teller, typed};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// How long the server may take until it says where it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How often its output is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The beginning of every address on loopback.
const LOOPBACK: &str = "127.0.0.1:";

/// A server that is stopped when this value is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Option<Child>,
    address: String,
}

impl Server {
    /// Starts the server in a shell's folder, with its data below it, and waits until it is ready.
    pub(super) async fn start(teller: &mut Teller, shell: &Shell) -> Result<Self, DemoError> {
        let words = ["indelible", "serve", "--quiet", "--data", "data", "--listen", "127.0.0.1:0"];
        teller.typed_only(shell, &format!("{} >server.log 2>&1 &", typed(&words)));
        let log = shell.folder.join("server.log");
        let stdout = std::fs::File::create(&log).map_err(DemoError::io("make", &log))?;
        let stderr = stdout.try_clone().map_err(DemoError::io("make", &log))?;
        let mut command = teller.command(shell, &words).into_std();
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let child = command
            .spawn()
            .map_err(|source| DemoError::Start { program: "indelible serve".to_owned(), source })?;
        let mut server = Self { child: Some(child), address: String::new() };
        server.address = server.ready(&log).await?;
        teller.typed_only(shell, "cat server.log");
        teller.show(&printed(&log));
        Ok(server)
    }

    /// Where it listens, such as `127.0.0.1:40123`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Lets it run on, and gives its id.
    pub(super) fn leave(mut self) -> u32 {
        // A child that is dropped without a kill lives on.
        self.child.take().map_or(0, |child| child.id())
    }

    async fn ready(&mut self, log: &Path) -> Result<String, DemoError> {
        let wait = async {
            loop {
                let said = printed(log);
                if let Some(address) = address_in(&said) {
                    return Ok(address);
                }
                let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
                if let Some(status) = ended {
                    return Err(DemoError::Server {
                        why: format!("it ended with {status}"),
                        printed: said,
                    });
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, wait).await.unwrap_or_else(|_| {
            let why = format!("it named no address within {} s", READY_WITHIN.as_secs());
            Err(DemoError::Server { why, printed: printed(log) })
        })
    }
}

impl Drop for Server {
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

/// The first whole address on loopback with a real port.
fn address_in(text: &str) -> Option<String> {
    text.match_indices(LOOPBACK).find_map(|(at, _)| {
        let rest = &text[at + LOOPBACK.len()..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        // What follows the port proves that its last digit has been written.
        let is_whole = rest.len() > digits;
        let port: u16 = rest[..digits].parse().ok().filter(|port| *port != 0 && is_whole)?;
        Some(format!("{LOOPBACK}{port}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_when_all_of_it_is_there() {
        assert_eq!(
            address_in("serving http://127.0.0.1:40123\n").as_deref(),
            Some("127.0.0.1:40123")
        );
        assert_eq!(
            address_in("asked for 127.0.0.1:0, got 127.0.0.1:7 now").as_deref(),
            Some("127.0.0.1:7")
        );
        for not_yet in ["", "127.0.0.1:", "127.0.0.1:401", "127.0.0.1:0\n", "127.0.0.1:99999\n"] {
            assert_eq!(address_in(not_yet), None, "{not_yet}");
        }
    }
}

//! The program under test as a server: started on a folder, asked, stopped, killed, traced.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use testbed::{Peer, Running, indelible_bin, wait_until_within};

use crate::http::Http;

/// How long a tracer may take to write its last line.
const TRACE_END: Duration = Duration::from_secs(180);

/// A running `indelible serve`; stopped on drop. Its folder stays.
#[derive(Debug)]
pub struct Server {
    running: Running,
    host: String,
    data: PathBuf,
}

impl Server {
    /// Starts the server on a data folder and a free port; what it prints goes beside the folder.
    ///
    /// # Errors
    /// No binary is built, or it does not come up.
    pub fn start(data: &Path) -> Result<Self> {
        Self::start_binary(&indelible_bin()?, data)
    }

    /// As [`Server::start`], with this program.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_binary(indelible: &Path, data: &Path) -> Result<Self> {
        Self::launch(Command::new(indelible), data)
    }

    /// As [`Server::start`], with each of its system calls of the kinds in `calls` written to a file.
    ///
    /// The file is whole once [`Server::stop_traced`] returns.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_traced(data: &Path, strace: &Peer, calls: &str, trace: &Path) -> Result<Self> {
        let mut command = strace.command();
        command
            // The tracer stands aside: the process that is started here is the server itself.
            .args(["-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "16777216"])
            .args(["-e", "signal=none", "-e"])
            .arg(format!("trace={calls}"))
            .arg("-o")
            .arg(trace)
            .arg(indelible_bin()?);
        Self::launch(command, data)
    }

    fn launch(mut command: Command, data: &Path) -> Result<Self> {
        let log = data.with_extension("log");
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0"])
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", data.parent().unwrap_or(data));
        let mut running = Running::start(&mut command, &log)?;
        let mut host = None;
        running.wait_until_ready(|| {
            host = said_host(&fs::read_to_string(&log).unwrap_or_default());
            host.as_deref().is_some_and(answers)
        })?;
        Ok(Self {
            running,
            host: host.context("the server did not say where it listens")?,
            data: data.to_owned(),
        })
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

    /// A new connection.
    ///
    /// # Errors
    /// It does not listen any more.
    pub fn connect(&self) -> Result<Http> {
        Http::connect(&self.host)
    }

    /// Makes a token, as an administrator; from then on nobody comes in without one.
    ///
    /// # Errors
    /// The server refuses it.
    pub fn create_token(&self, name: &str, rights: &[&str]) -> Result<String> {
        let wanted = serde_json::json!({ "name": name, "rights": rights });
        let made = self.ask_as_admin("/api/v1/tokens", &wanted)?;
        let secret = made["token"].as_str();
        Ok(secret.context("no token in the answer")?.to_owned())
    }

    /// The secret of its administrator.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn admin_token(&self) -> Result<String> {
        let path = self.data.join("admin.token");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text.trim().to_owned())
    }

    /// Makes a rule of the registry, as an administrator.
    ///
    /// # Errors
    /// The server refuses it.
    pub fn set_rule(&self, repositories: &str, tags: &str, class: &str) -> Result<()> {
        let rule = serde_json::json!(
            { "repositories": repositories, "tags": tags, "class": class }
        );
        self.ask_as_admin("/api/v1/rules", &rule)?;
        Ok(())
    }

    fn ask_as_admin(&self, target: &str, body: &Value) -> Result<Value> {
        let mut http = self.connect()?.with_token(&self.admin_token()?);
        let headers = [("Content-Type", "application/json")];
        let body = serde_json::to_vec(body)?;
        let answer = http.send("POST", target, &headers, &body)?.expect(201)?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Ends the process at once, with no chance to tidy up.
    ///
    /// # Errors
    /// The process cannot be awaited.
    pub fn kill(&mut self) -> Result<()> {
        self.running.kill()
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// It had to be killed.
    pub fn stop(mut self) -> Result<()> {
        self.running.stop()
    }

    /// As [`Server::stop`], and waits until the trace is whole.
    ///
    /// # Errors
    /// It had to be killed, or the tracer does not end.
    pub fn stop_traced(self, trace: &Path) -> Result<()> {
        let id = self.id().to_string();
        self.stop()?;
        // The tracer pads short numbers with blanks. It writes some hundred thousand lines, and shares the
        // machine with every other test.
        let is_last = |line: &str| {
            let (who, what) = line.split_once(' ').unwrap_or_default();
            who == id && what.trim_start() == "+++ exited with 0 +++"
        };
        wait_until_within(TRACE_END, "the trace has its last line", || {
            let text = fs::read(trace).unwrap_or_default();
            let tail = &text[text.len().saturating_sub(200)..];
            String::from_utf8_lossy(tail).lines().any(is_last)
        })
    }

    /// Says whether the process still runs; a server that died by itself is an error with its words.
    ///
    /// # Errors
    /// It ended.
    pub fn is_healthy(&mut self) -> Result<()> {
        if !self.running.is_alive() {
            bail!("the server ended; it printed:\n{}", self.running.printed());
        }
        Ok(())
    }
}

/// The first loopback address with a port in what was printed.
fn said_host(text: &str) -> Option<String> {
    text.match_indices("127.0.0.1:").find_map(|(at, host)| {
        let rest = &text[at + host.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let port: u16 = rest[..end].parse().ok()?;
        (port != 0).then(|| format!("{host}{port}"))
    })
}

fn answers(host: &str) -> bool {
    Http::connect(host).and_then(|mut http| http.get("/v2/")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_the_server_prints() {
        let said = "INFO listening on http://127.0.0.1:40123/ (asked for 127.0.0.1:0)\n";
        assert_eq!(said_host(said).as_deref(), Some("127.0.0.1:40123"));
        assert_eq!(said_host("asked for 127.0.0.1:0\n"), None);
        // A number at the end may be half printed.
        assert_eq!(said_host("http://127.0.0.1:401"), None);
    }
}

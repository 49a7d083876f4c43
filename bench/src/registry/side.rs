//! One of the two servers that are measured: its process, how it is reached, what is said about it.

use std::path::Path;

use anyhow::Result;
use e2e::{Http, Server};
use testbed::{Distribution, peer};

use crate::process;

/// A running server.
pub(super) struct Side {
    name: &'static str,
    about: String,
    server: Process,
    token: Option<String>,
    idle_bytes: u64,
}

/// Kept running as long as it is measured.
enum Process {
    Ours(Server),
    Distribution(Distribution),
}

impl Side {
    /// Starts ours on a new folder, with a token.
    pub(super) fn ours(indelible: &Path, data: &Path) -> Result<Self> {
        let server = Server::start_binary(indelible, data)?;
        let idle_bytes = process::resident_bytes(server.id())?;
        let rights = ["pull", "push-new-tags", "move-alias"];
        let token = server.create_token("bench", &rights)?;
        Ok(Self {
            name: "ours",
            about: "durable, with a token".to_owned(),
            server: Process::Ours(server),
            token: Some(token),
            idle_bytes,
        })
    }

    /// Starts CNCF distribution.
    pub(super) fn distribution() -> Result<Self> {
        let version = peer("registry")?.version();
        let server = Distribution::start()?;
        let idle_bytes = process::resident_bytes(server.id())?;
        Ok(Self {
            name: "distribution",
            about: format!("{version}, no sync, no token"),
            server: Process::Distribution(server),
            token: None,
            idle_bytes,
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Its process's id.
    pub(super) fn id(&self) -> u32 {
        match &self.server {
            Process::Ours(server) => server.id(),
            Process::Distribution(server) => server.id(),
        }
    }

    /// A new connection that may do everything that is measured.
    pub(super) fn connect(&self) -> Result<Http> {
        let http = match &self.server {
            Process::Ours(server) => server.connect()?,
            Process::Distribution(server) => Http::connect(server.host())?,
        };
        Ok(match &self.token {
            Some(token) => http.with_token(token),
            None => http,
        })
    }

    /// How it runs, and its command line.
    pub(super) fn about(&self) -> Result<String> {
        let line = process::command_line(self.id())?;
        Ok(format!("{}\n  $ {line}", self.about))
    }

    /// Its memory before the first request, and now.
    pub(super) fn memory(&self) -> Result<String> {
        let now = process::resident_bytes(self.id())?;
        Ok(format!(
            "{} MiB idle after the start, {} MiB at the end",
            self.idle_bytes >> 20,
            now >> 20
        ))
    }
}

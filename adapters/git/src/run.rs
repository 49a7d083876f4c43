//! The one place that starts git.
//!
//! ```text
//! env -i PATH=… HOME=/own LC_ALL=C GIT_CONFIG_NOSYSTEM=1 GIT_ALLOW_PROTOCOL=none … git status …
//! ```
//! Every process has an empty environment but for what is set here, arguments as an array, a time
//! limit after which it is killed with its children, and bounds on what it may print. Settings go
//! through `GIT_CONFIG_KEY_n`: they are stronger than those of any repository, and no child that
//! serves another repository inherits them. What a local process must not do (open a connection, ask
//! for a password, run hooks, filters, monitors, pagers, signing programs) is switched off for all.

use crate::credential::Credential;
use crate::environment::{Environment, Timeouts};
use crate::error::GitError;
use crate::own_home::OwnHome;
use crate::process::{self, Limits, Output, Sink};
use crate::remote_url::RemoteUrl;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;

/// The oldest git that is used: the first that takes its settings from the variables used here.
/// Source: release notes of git 2.31 (`GIT_CONFIG_COUNT`) and 2.32 (`GIT_CONFIG_GLOBAL`).
pub const VERSION_MIN: &str = "2.32";

/// What git may print to standard output unless a call says otherwise.
pub(crate) const STDOUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Switched off whatever a repository's own settings say.
const HARDENED: [(&str, &str); 17] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.pager", "cat"),
    ("core.askPass", ""),
    ("core.fsync", "none"),
    ("diff.external", ""),
    ("log.showSignature", "false"),
    ("gpg.program", "false"),
    ("commit.gpgSign", "false"),
    ("push.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("submodule.recurse", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.ext.allow", "never"),
    ("i18n.logOutputEncoding", "UTF-8"),
];

/// The git program with its own home. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Git {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    environment: Environment,
    home: OwnHome,
    version: String,
}

/// Whether a process may open a connection, and to where.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach<'a> {
    Nowhere,
    Remote { url: &'a RemoteUrl, credential: &'a Credential },
}

/// One process to be started.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    git: &'a Git,
    what: &'static str,
    args: Vec<OsString>,
    folder: Option<PathBuf>,
    reach: Reach<'a>,
    settings: Vec<(String, String)>,
    variables: Vec<(&'static str, OsString)>,
    stdin: Vec<u8>,
    stdout_max: usize,
}

impl Git {
    /// Finds the program, makes its own home, and keeps of the user's settings how to reach remotes.
    ///
    /// # Errors
    /// Refuses a missing program and one older than [`VERSION_MIN`].
    pub async fn open(environment: Environment) -> Result<Self, GitError> {
        let home = OwnHome::make(environment.temp.as_deref())?;
        let inner = Inner { environment, home, version: String::new() };
        let mut git = Self { inner: Arc::new(inner) };
        let (version, system, global) = tokio::join!(
            git.call("version", ["version"]).ok(),
            git.users_settings("--system"),
            git.users_settings("--global"),
        );
        let version = read_version(&version?.stdout)?;
        git.inner.home.keep_settings(&[system?, global?])?;
        if let Some(inner) = Arc::get_mut(&mut git.inner) {
            inner.version = version;
        }
        Ok(git)
    }

    /// The program's version, `2.39.5`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.inner.environment.timeouts
    }

    /// A process that opens no connection. `args[0]` is the command, as `what` names it.
    pub(crate) fn call<const N: usize>(&self, what: &'static str, args: [&str; N]) -> Call<'_> {
        Call {
            git: self,
            what,
            args: args.iter().map(OsString::from).collect(),
            folder: None,
            reach: Reach::Nowhere,
            settings: Vec::new(),
            variables: Vec::new(),
            stdin: Vec::new(),
            stdout_max: STDOUT_BYTES_MAX,
        }
    }

    /// The user's own settings, listed; nothing where there are none or no home was given.
    async fn users_settings(&self, scope: &str) -> Result<Vec<u8>, GitError> {
        let environment = &self.inner.environment;
        let Some(home) = &environment.home else {
            return Ok(Vec::new());
        };
        let args = ["config", scope, "--includes", "--list", "-z"];
        let mut call = self.call("config", args);
        call.variables.push(("HOME", home.into()));
        let mut command = call.command();
        command.env_remove("GIT_CONFIG_NOSYSTEM").env_remove("GIT_CONFIG_GLOBAL");
        for (name, value) in environment.places_of_settings.iter().chain(&environment.for_remotes) {
            command.env(name, value);
        }
        // No such file ends with 1 or 128: then there is nothing to keep.
        let output = call.run_command(command).await?;
        Ok(if output.code == Some(0) { output.stdout } else { Vec::new() })
    }
}

impl<'a> Call<'a> {
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Runs in a folder, from which git finds the repository.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Works on a repository without files.
    pub(crate) fn on_bare(mut self, repository: &Path) -> Self {
        self.variables.push(("GIT_DIR", repository.into()));
        self
    }

    pub(crate) fn reaching(mut self, url: &'a RemoteUrl, credential: &'a Credential) -> Self {
        self.reach = Reach::Remote { url, credential };
        self
    }

    pub(crate) fn setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub(crate) fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = bytes;
        self
    }

    pub(crate) fn stdout_max(mut self, bytes: usize) -> Self {
        self.stdout_max = bytes;
        self
    }

    /// Runs the process, whatever it ends with.
    pub(crate) async fn run(self) -> Result<Output, GitError> {
        let command = self.command();
        self.run_command(command).await
    }

    /// Runs the process, which must end with 0, and hands on what it prints as it comes.
    pub(crate) async fn ok_into(self, sink: Sink<'_>) -> Result<(), GitError> {
        let child = self.command().spawn().map_err(|source| self.not_started(source))?;
        let time = self.timeout();
        let output = process::finish_into(child, &self.stdin, self.what, time, sink).await?;
        if output.code == Some(0) { Ok(()) } else { Err(output.failed()) }
    }

    /// Runs the process, which must end with 0.
    pub(crate) async fn ok(self) -> Result<Output, GitError> {
        let output = self.run().await?;
        if output.code == Some(0) { Ok(output) } else { Err(output.failed()) }
    }

    fn timeout(&self) -> Duration {
        let timeouts = self.git.inner.environment.timeouts;
        match self.reach {
            Reach::Nowhere => timeouts.local,
            Reach::Remote { .. } => timeouts.remote,
        }
    }

    fn command(&self) -> Command {
        let inner = &self.git.inner;
        let mut command = Command::new(&inner.environment.program);
        command
            .args(&self.args)
            .current_dir(self.folder.clone().unwrap_or_else(|| inner.home.empty()))
            .env_clear()
            .env("PATH", &inner.environment.path)
            .env("HOME", inner.home.home())
            .envs(inner.environment.temp.as_ref().map(|temp| ("TMPDIR", temp)))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", inner.home.config())
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_GRAFT_FILE", "/dev/null")
            .env("GIT_PAGER", "cat")
            .env("GIT_EDITOR", "false")
            .env("GIT_ASKPASS", inner.home.askpass());
        let mut settings = self.settings.clone();
        self.set_reach(&mut command, &mut settings);
        set_settings(&mut command, &settings);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        command.process_group(0);
        command.kill_on_drop(true);
        command
    }

    fn set_reach(&self, command: &mut Command, settings: &mut Vec<(String, String)>) {
        let environment = &self.git.inner.environment;
        let Reach::Remote { url, credential } = self.reach else {
            command.env("GIT_ALLOW_PROTOCOL", "none");
            return;
        };
        command.env("GIT_ALLOW_PROTOCOL", url.allowed_protocols());
        // Ours answers nothing of ssh's, so that ssh gives up where it would ask.
        command.env("SSH_ASKPASS", self.git.inner.home.askpass());
        command.env("SSH_ASKPASS_REQUIRE", "force");
        if let Some(home) = &environment.home {
            command.env("HOME", home);
        }
        let is_ambient = *credential == Credential::Ambient;
        let fits = |name: &OsStr| is_ambient || name != "GIT_ASKPASS";
        let kept = environment.for_remotes.iter().filter(|(name, _)| fits(name));
        command.envs(kept.map(|(name, value)| (name, value)));
        let (Some(host), false) = (url.host(), is_ambient) else {
            return;
        };
        // Only what was given is used, and only at the host that it is for.
        settings.push(("credential.helper".into(), String::new()));
        match credential {
            Credential::Ambient => {}
            Credential::Token { username, token } => {
                command.env("INDELIBLE_GIT_HOST", host);
                command.env("INDELIBLE_GIT_USERNAME", username);
                command.env("INDELIBLE_GIT_PASSWORD", token.expose());
            }
            Credential::Header(header) => {
                settings.push(("http.followRedirects".into(), "false".into()));
                let key = format!("http.{}.extraHeader", url.as_str());
                settings.push((key.clone(), String::new()));
                settings.push((key, header.expose().to_owned()));
            }
        }
    }

    async fn run_command(&self, mut command: Command) -> Result<Output, GitError> {
        let child = command.spawn().map_err(|source| self.not_started(source))?;
        let limits = Limits { time: self.timeout(), stdout_bytes: self.stdout_max };
        process::finish(child, &self.stdin, self.what, limits).await
    }

    fn not_started(&self, source: std::io::Error) -> GitError {
        if let Some(folder) = self.folder.as_ref().filter(|folder| !folder.is_dir()) {
            let said = "there is no such folder".to_owned();
            return GitError::NotARepository { path: folder.clone(), said };
        }
        let program = self.git.inner.environment.program.clone();
        if source.kind() == std::io::ErrorKind::NotFound {
            GitError::ProgramMissing { program }
        } else {
            GitError::io(format!("cannot start {}", program.display()), source)
        }
    }
}

fn set_settings(command: &mut Command, settings: &[(String, String)]) {
    let hardened = HARDENED.iter().copied();
    let own = settings.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let mut count = 0_usize;
    for (key, value) in hardened.chain(own) {
        command.env(format!("GIT_CONFIG_KEY_{count}"), key);
        command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    command.env("GIT_CONFIG_COUNT", count.to_string());
}

/// The version out of `git version 2.39.5 (Apple Git-154)`.
fn read_version(stdout: &[u8]) -> Result<String, GitError> {
    let text = String::from_utf8_lossy(stdout);
    let garbled = || GitError::garbled("version", stdout);
    let version = text.trim().strip_prefix("git version ").ok_or_else(garbled)?;
    let version = version.split_whitespace().next().ok_or_else(garbled)?;
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Err(garbled());
    };
    if (major, minor) < (2, 32) {
        return Err(GitError::ProgramTooOld { found: version.to_owned(), needed: VERSION_MIN });
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_as_numbers() {
        let read = |text: &str| read_version(text.as_bytes());
        assert_eq!(read("git version 2.39.5\n").unwrap(), "2.39.5");
        assert_eq!(read("git version 2.50.1 (Apple Git-155)\n").unwrap(), "2.50.1");
        assert_eq!(read("git version 2.45.0.windows.1\n").unwrap(), "2.45.0.windows.1");
        assert_eq!(read("git version 2.32.0\n").unwrap(), "2.32.0");
        assert!(matches!(read("git version 2.31.9\n"), Err(GitError::ProgramTooOld { .. })));
        assert!(matches!(read("hg 7\n"), Err(GitError::Garbled { .. })));
    }
}

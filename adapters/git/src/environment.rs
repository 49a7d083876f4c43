//! What the caller hands to git of the user's surroundings, and how long git may take.
//!
//! ```text
//! PATH=/usr/bin HOME=/home/ann SSH_AUTH_SOCK=/run/…   kept
//! GIT_DIR=/elsewhere GIT_TRACE=1 LD_PRELOAD=x.so      dropped
//! ```
//! Reads no variable itself: `from_variables` picks from those that it is given.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// Variables that a process which talks to a remote gets beside its own settings: where credential
/// helpers, the ssh agent, proxies and certificates are found.
const KEPT_FOR_REMOTES: [&str; 23] = [
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "USER",
    "LOGNAME",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "KRB5CCNAME",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "GIT_ASKPASS",
];

/// Variables that say where the user's own git settings are.
const PLACES_OF_SETTINGS: [&str; 2] = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"];

/// The surroundings of every git process.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The program; a bare name is looked for in `path`.
    pub program: PathBuf,
    /// `PATH` of every process.
    pub path: OsString,
    /// Where temporary files go; git's own choice when absent.
    pub temp: Option<PathBuf>,
    /// The user's home. Processes that talk to a remote see it, because credential helpers keep
    /// their state there; with `None` nothing of the user's is read.
    pub home: Option<PathBuf>,
    /// How long a process may take.
    pub timeouts: Timeouts,
    pub(crate) for_remotes: Vec<(OsString, OsString)>,
    pub(crate) places_of_settings: Vec<(OsString, OsString)>,
}

/// How long one git process may take before it is killed with its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A process that only touches this machine's files.
    pub local: Duration,
    /// A process that talks to a remote, also to one that is a folder.
    pub remote: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { local: Duration::from_secs(60), remote: Duration::from_secs(120) }
    }
}

impl Environment {
    /// Nothing of the user's: the program `git` on this `PATH`.
    #[must_use]
    pub fn bare(path: impl Into<OsString>) -> Self {
        Self {
            program: PathBuf::from("git"),
            path: path.into(),
            temp: None,
            home: None,
            timeouts: Timeouts::default(),
            for_remotes: Vec::new(),
            places_of_settings: Vec::new(),
        }
    }

    /// Picks what git needs from all variables of the process, such as `std::env::vars_os()`.
    #[must_use]
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::bare(OsString::new());
        for (name, value) in variables {
            environment.take(&name, value);
        }
        environment
    }

    /// The same, with other timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    fn take(&mut self, name: &OsStr, value: OsString) {
        let is_in = |names: &[&str]| names.iter().any(|known| name == OsStr::new(known));
        if value.is_empty() {
            return;
        }
        if name == "PATH" {
            self.path = value;
        } else if name == "HOME" {
            self.home = Some(PathBuf::from(value));
        } else if name == "TMPDIR" {
            self.temp = Some(PathBuf::from(value));
        } else if is_in(&KEPT_FOR_REMOTES) {
            self.for_remotes.push((name.to_owned(), value));
        } else if is_in(&PLACES_OF_SETTINGS) {
            self.places_of_settings.push((name.to_owned(), value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_variables_reach_git() {
        let given = [
            ("PATH", "/bin"),
            ("HOME", "/home/ann"),
            ("SSH_AUTH_SOCK", "/run/agent"),
            ("GIT_DIR", "/elsewhere"),
            ("GIT_TRACE", "1"),
            ("GIT_EXEC_PATH", "/evil"),
            ("LD_PRELOAD", "x.so"),
            ("INDELIBLE_TOKEN", "hunter2"),
        ];
        let environment =
            Environment::from_variables(given.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(environment.path, "/bin");
        assert_eq!(environment.home, Some("/home/ann".into()));
        assert_eq!(environment.for_remotes, [("SSH_AUTH_SOCK".into(), "/run/agent".into())]);
        assert!(environment.places_of_settings.is_empty());
    }
}

//! The home that every git process gets instead of the user's.
//!
//! ```text
//! home/gitconfig   what is kept of the user's settings: credential, http, url, safe.directory, ssh
//! home/askpass     answers git's question for a password from that one process's environment
//! home/empty       where processes without a repository run
//! ```
//! Of the user's settings only those are kept that say how to reach a remote, prove who asks, and name them.
//! Hooks, filters, aliases, pagers, signing programs, templates and attributes of the user and of the
//! system are not read. Processes that talk to a remote see the user's `HOME`, because credential
//! helpers keep their state there; ssh finds keys and known hosts by itself, from the password file.
//! Source: git-config(1), gitcredentials(7), ssh(1).

use crate::error::GitError;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Answers only for the host that the token is for: after a redirect git would ask for another.
const ASKPASS: &str = r#"#!/bin/sh
[ -n "$INDELIBLE_GIT_HOST" ] || exit 1
case "$1" in
    *"://$INDELIBLE_GIT_HOST'"*|*"@$INDELIBLE_GIT_HOST'"*) ;;
    *) exit 1 ;;
esac
case "$1" in
    Username*) printf '%s\n' "$INDELIBLE_GIT_USERNAME" ;;
    Password*) printf '%s\n' "$INDELIBLE_GIT_PASSWORD" ;;
    *) exit 1 ;;
esac
"#;

/// A private folder, removed when the last user of it is gone.
#[derive(Debug)]
pub(crate) struct OwnHome {
    folder: TempDir,
}

impl OwnHome {
    /// Makes the folder, readable for this user alone.
    pub(crate) fn make(temp: Option<&Path>) -> Result<Self, GitError> {
        let wrong = |source| GitError::io("cannot make a private folder for git", source);
        let mut builder = tempfile::Builder::new();
        builder.prefix("indelible-git-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = match temp {
            Some(temp) => builder.tempdir_in(temp),
            None => builder.tempdir(),
        }
        .map_err(wrong)?;
        let home = Self { folder };
        fs::create_dir(home.empty()).map_err(wrong)?;
        fs::create_dir(home.home()).map_err(wrong)?;
        write_private(&home.config(), b"", 0o600).map_err(wrong)?;
        write_private(&home.askpass(), ASKPASS.as_bytes(), 0o700).map_err(wrong)?;
        Ok(home)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("gitconfig")
    }

    pub(crate) fn askpass(&self) -> PathBuf {
        self.folder.path().join("askpass")
    }

    pub(crate) fn empty(&self) -> PathBuf {
        self.folder.path().join("empty")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Keeps of the user's settings what is harmless and needed.
    pub(crate) fn keep_settings(&self, listings: &[Vec<u8>]) -> Result<(), GitError> {
        // First, so that the user's own command wins. A question on the terminal could not be answered:
        // git runs in a process group of its own.
        let mut text = String::from("[core]\n\tsshCommand = ssh -oBatchMode=yes\n");
        for listing in listings {
            text.push_str(&kept_settings(listing));
        }
        fs::write(self.config(), text)
            .map_err(|source| GitError::io("cannot write git's private settings", source))
    }
}

fn write_private(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _unused_here = mode;
    let mut file = options.open(path)?;
    file.write_all(bytes)
}

/// What stays of `git config --list -z`, as the text of a settings file.
fn kept_settings(listing: &[u8]) -> String {
    let mut text = String::new();
    for entry in listing.split(|byte| *byte == 0) {
        let Ok(entry) = std::str::from_utf8(entry) else {
            continue;
        };
        let (key, value) = match entry.split_once('\n') {
            Some((key, value)) => (key, Some(value)),
            None => (entry, None),
        };
        let Some((section, rest)) = key.split_once('.') else {
            continue;
        };
        let (subsection, name) = match rest.rsplit_once('.') {
            Some((subsection, name)) => (Some(subsection), name),
            None => (None, rest),
        };
        if is_kept(section, name) {
            write_setting(&mut text, section, subsection, name, value);
        }
    }
    text
}

fn is_kept(section: &str, name: &str) -> bool {
    match section {
        "credential" | "http" | "url" => true,
        "safe" => name == "directory",
        "core" => name == "sshcommand",
        "ssh" => name == "variant",
        // Read by `Checkout::author` alone: every commit of ours has its own signature.
        "user" => matches!(name, "name" | "email"),
        _ => false,
    }
}

fn write_setting(
    text: &mut String,
    section: &str,
    subsection: Option<&str>,
    name: &str,
    value: Option<&str>,
) {
    let escaped = |text: &str| {
        text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t")
    };
    let written = match subsection {
        Some(subsection) => writeln!(text, "[{section} \"{}\"]", escaped(subsection)),
        None => writeln!(text, "[{section}]"),
    }
    .and_then(|()| match value {
        Some(value) => writeln!(text, "\t{name} = \"{}\"", escaped(value)),
        None => writeln!(text, "\t{name}"),
    });
    written.expect("writing into a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_users_settings_only_the_way_to_a_remote_and_the_name_are_kept() {
        let listing = b"user.name\nAnn\0user.signingkey\nX\0credential.helper\nstore\0core.fsmonitor\n/evil\0\
            core.hookspath\n/evil\0filter.x.clean\nevil\0alias.push\n!evil\0\
            url.git@h:.insteadof\nhttps://h/\0http.https://h/.sslcainfo\n/ca \"x\".pem\0\
            safe.directory\n*\0credential.usehttppath\0";
        assert_eq!(
            kept_settings(listing),
            "[user]\n\tname = \"Ann\"\n[credential]\n\thelper = \"store\"\n\
             [url \"git@h:\"]\n\tinsteadof = \"https://h/\"\n\
             [http \"https://h/\"]\n\tsslcainfo = \"/ca \\\"x\\\".pem\"\n\
             [safe]\n\tdirectory = \"*\"\n\
             [credential]\n\tusehttppath\n"
        );
    }
}

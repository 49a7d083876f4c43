//! Where a repository is reached: the only kinds of address that git is ever given.
//!
//! ```text
//! https://git.example.com/shop/config.git   git@git.example.com:shop/config.git
//! ssh://git@git.example.com/shop/config     /srv/git/config.git   file:///srv/git/config.git
//! ext::sh -c evil                           refused, like every other transport
//! ```
//! A password in the URL is refused here, because arguments are public; `split` takes it out.

use crate::credential::Credential;
use domain::Secret;
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest address, in bytes.
pub const REMOTE_URL_LEN_MAX: usize = 2048;

/// The address of a repository that git may fetch from and push to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteUrl {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Https {
        host: String,
    },
    /// Without encryption: only this machine, for tests and tunnels.
    HttpLoopback {
        host: String,
    },
    Ssh,
    Local,
}

/// The text is no address that git is given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteUrlError {
    /// The text is empty.
    #[error("a repository's address is empty")]
    Empty,
    /// The text is too long.
    #[error("a repository's address has {len} bytes, more than {REMOTE_URL_LEN_MAX}")]
    TooLong {
        /// The bytes found.
        len: usize,
    },
    /// The text could be read as an option.
    #[error("`{text}` starts with `-`: git would read it as an option")]
    LooksLikeOption {
        /// The text, shortened.
        text: String,
    },
    /// The text has a control character, a space or a quote.
    #[error("a repository's address holds the character {found:?}")]
    Character {
        /// The character.
        found: char,
    },
    /// A transport that runs programs, or that nobody checks.
    #[error("`{text}` is not reached by https, ssh, or as a folder of this machine")]
    Transport {
        /// The text, shortened, without any password.
        text: String,
    },
    /// A password stands in the URL.
    #[error("the address of {host} holds a password: give it as a token, not in the URL")]
    Password {
        /// The host.
        host: String,
    },
    /// The host is missing or is no host name.
    #[error("`{text}` names no host")]
    Host {
        /// The text, shortened.
        text: String,
    },
    /// The folder is not named from the root on.
    #[error("`{text}` is a relative folder: name it from the root on")]
    Relative {
        /// The text, shortened.
        text: String,
    },
}

impl RemoteUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// Refuses what is not https, ssh, `user@host:path`, or an absolute folder.
    pub fn parse(text: &str) -> Result<Self, RemoteUrlError> {
        let (url, credential) = Self::split(text)?;
        match credential {
            None => Ok(url),
            Some(_) => {
                Err(RemoteUrlError::Password { host: url.host().unwrap_or_default().to_owned() })
            }
        }
    }

    /// Reads an address as CI systems write it, and takes name and password out of it.
    ///
    /// # Errors
    /// As [`RemoteUrl::parse`], but for the password.
    pub fn split(text: &str) -> Result<(Self, Option<Credential>), RemoteUrlError> {
        check_characters(text)?;
        if let Some(rest) = text.strip_prefix("https://") {
            return web(text, "https://", rest);
        }
        if let Some(rest) = text.strip_prefix("http://") {
            return web(text, "http://", rest);
        }
        let plain = |kind| Ok((Self { text: text.to_owned(), kind }, None));
        if let Some(rest) = text.strip_prefix("ssh://") {
            let authority = rest.split('/').next().unwrap_or_default();
            check_ssh_authority(authority, text)?;
            return plain(Kind::Ssh);
        }
        if let Some(path) = text.strip_prefix("file://") {
            return if path.starts_with('/') { plain(Kind::Local) } else { Err(relative(text)) };
        }
        if text.starts_with('/') {
            return plain(Kind::Local);
        }
        if text.contains("::") || text.contains("://") {
            return Err(transport(text));
        }
        match text.split_once(':') {
            Some((authority, path)) if !authority.contains('/') => {
                check_ssh_authority(authority, text)?;
                if path.is_empty() || path.starts_with('-') {
                    return Err(transport(text));
                }
                plain(Kind::Ssh)
            }
            Some(_) | None => Err(relative(text)),
        }
    }

    /// A folder of this machine, as an address.
    ///
    /// # Errors
    /// Refuses a relative folder and a name that is not UTF-8 or holds control characters.
    pub fn folder(path: &Path) -> Result<Self, RemoteUrlError> {
        let text = path.to_str().ok_or_else(|| transport(&path.to_string_lossy()))?;
        if !text.starts_with('/') {
            return Err(relative(text));
        }
        Self::parse(text)
    }

    /// Reads an address that may be a folder relative to `base`, as a repository's settings have it.
    ///
    /// # Errors
    /// As [`RemoteUrl::split`].
    pub fn split_beside(
        text: &str,
        base: &Path,
    ) -> Result<(Self, Option<Credential>), RemoteUrlError> {
        match Self::split(text) {
            Err(RemoteUrlError::Relative { .. }) => {
                Self::folder(&base.join(text)).map(|url| (url, None))
            }
            other => other,
        }
    }

    /// The address as git gets it; it never holds a password.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host with its port, where git asks that host for a password.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.kind {
            Kind::Https { host } | Kind::HttpLoopback { host } => Some(host),
            Kind::Ssh | Kind::Local => None,
        }
    }

    /// The folder, where the repository is on this machine.
    #[must_use]
    pub fn local_path(&self) -> Option<PathBuf> {
        match self.kind {
            Kind::Local => {
                Some(PathBuf::from(self.text.strip_prefix("file://").unwrap_or(&self.text)))
            }
            Kind::Https { .. } | Kind::HttpLoopback { .. } | Kind::Ssh => None,
        }
    }

    /// The value of `GIT_ALLOW_PROTOCOL`: `https` and `ssh` together, because a user's
    /// `url.*.insteadOf` commonly turns one into the other.
    pub(crate) fn allowed_protocols(&self) -> &'static str {
        match self.kind {
            Kind::Https { .. } | Kind::Ssh => "https:ssh",
            Kind::HttpLoopback { .. } => "http",
            Kind::Local => "file",
        }
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn web(
    text: &str,
    scheme: &str,
    rest: &str,
) -> Result<(RemoteUrl, Option<Credential>), RemoteUrlError> {
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if !is_host(host) {
        return Err(RemoteUrlError::Host { text: shown(&format!("{scheme}{host}")) });
    }
    let kind = match scheme {
        "https://" => Kind::Https { host: host.to_owned() },
        _ if is_loopback(host) => Kind::HttpLoopback { host: host.to_owned() },
        _ => return Err(transport(&format!("{scheme}{host}{path}"))),
    };
    match user.and_then(|user| user.split_once(':')) {
        None => Ok((RemoteUrl { text: text.to_owned(), kind }, None)),
        Some((username, password)) => {
            let credential = Credential::Token {
                username: percent_decoded(username),
                token: Secret::new(percent_decoded(password)),
            };
            Ok((RemoteUrl { text: format!("{scheme}{host}{path}"), kind }, Some(credential)))
        }
    }
}

fn check_characters(text: &str) -> Result<(), RemoteUrlError> {
    if text.is_empty() {
        return Err(RemoteUrlError::Empty);
    }
    if text.len() > REMOTE_URL_LEN_MAX {
        return Err(RemoteUrlError::TooLong { len: text.len() });
    }
    if text.starts_with('-') {
        return Err(RemoteUrlError::LooksLikeOption { text: shown(text) });
    }
    let is_folder = text.starts_with('/');
    let is_bad =
        |c: &char| c.is_control() || (!is_folder && (c.is_whitespace() || "'\"`".contains(*c)));
    match text.chars().find(is_bad) {
        None => Ok(()),
        Some(found) => Err(RemoteUrlError::Character { found }),
    }
}

/// `user@host`, `user@host:port`: nothing that ssh could read as an option.
fn check_ssh_authority(authority: &str, text: &str) -> Result<(), RemoteUrlError> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let user_fits = user.is_none_or(|user| {
        !user.is_empty()
            && !user.starts_with('-')
            && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
    });
    if user_fits && is_host(host) {
        Ok(())
    } else {
        Err(RemoteUrlError::Host { text: shown(&text.replace(authority, host)) })
    }
}

fn is_host(host: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b);
    !host.is_empty()
        && !host.starts_with('-')
        && !host.starts_with(':')
        && host.bytes().all(allowed)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            Some(_) | None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn shown(text: &str) -> String {
    crate::said::clean(text, &[])
}

fn transport(text: &str) -> RemoteUrlError {
    RemoteUrlError::Transport { text: shown(text) }
}

fn relative(text: &str) -> RemoteUrlError {
    RemoteUrlError::Relative { text: shown(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_allowed_kind_opens_only_its_own_transport() {
        let cases = [
            ("https://git.example.com/shop/config.git", "https:ssh"),
            ("https://ann@git.example.com:8443/x", "https:ssh"),
            ("git@git.example.com:shop/config.git", "https:ssh"),
            ("git.example.com:shop/config.git", "https:ssh"),
            ("ssh://git@git.example.com:22/shop", "https:ssh"),
            ("ssh://git@[::1]:22/shop", "https:ssh"),
            ("http://127.0.0.1:3000/x.git", "http"),
            ("/srv/git/with space/config.git", "file"),
            ("file:///srv/git/config.git", "file"),
        ];
        for (text, protocols) in cases {
            let url = RemoteUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.allowed_protocols()), (text, protocols));
        }
    }

    #[test]
    fn what_could_run_a_program_or_be_an_option_is_refused() {
        for bad in [
            "",
            "-oProxyCommand=evil",
            "--upload-pack=evil",
            "ext::sh -c evil",
            "ext::sh",
            "fd::7",
            "testgit::/x",
            "ssh://-oProxyCommand=evil/x",
            "-oProxyCommand=evil:x",
            "git@-oProxyCommand=evil:x",
            "-u@host:x",
            "host:-x",
            "git://host/x",
            "http://git.example.com/x",
            "ftp://host/x",
            "https:///x",
            "https://-h/x",
            "../config.git",
            "config.git",
            "file://relative",
            "/srv/a\nb",
            "https://host/a b",
        ] {
            assert!(RemoteUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_taken_out_of_the_address_and_never_shown() {
        let text = "https://gitlab-ci-token:s3cr%2Ft@git.example.com/shop.git";
        let refused = RemoteUrl::parse(text).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("s3cr"));
        let (url, credential) = RemoteUrl::split(text).unwrap();
        assert_eq!(url.as_str(), "https://git.example.com/shop.git");
        assert_eq!(
            credential,
            Some(Credential::Token {
                username: "gitlab-ci-token".into(),
                token: Secret::new("s3cr/t"),
            })
        );
    }

    #[test]
    fn a_relative_folder_is_read_beside_its_repository() {
        let (url, _) = RemoteUrl::split_beside("../config.git", Path::new("/srv/shop")).unwrap();
        assert_eq!(url.as_str(), "/srv/shop/../config.git");
    }

    #[test]
    fn an_address_has_a_longest_length() {
        let at = format!("/{}", "a".repeat(REMOTE_URL_LEN_MAX - 1));
        assert!(RemoteUrl::parse(&at).is_ok());
        assert_eq!(
            RemoteUrl::parse(&format!("{at}a")),
            Err(RemoteUrlError::TooLong { len: REMOTE_URL_LEN_MAX + 1 })
        );
    }
}

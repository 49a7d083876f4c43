//! The host of a registry, as it stands in an image reference.
//!
//! ```text
//! "127.0.0.1:5080"   loopback: clear text needs no option
//! "docker.io"        its API is at registry-1.docker.io, its credentials under https://index.docker.io/v1/
//! ```
//! Does not look up names: whether a name resolves to loopback is not asked here.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// Docker Hub under its canonical name.
pub const DOCKER_HUB: &str = "docker.io";

/// The host, and where it was given the port, of a registry.
///
/// Source: distribution/reference `regexp.go`: dot-joined labels, or an IPv6 address in brackets; then an
/// optional port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryHost(String);

/// The text is no registry host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a registry host: expected a name or an address, and an optional `:port`", text = text.escape_debug())]
pub struct HostError {
    text: String,
}

impl RegistryHost {
    /// Docker Hub.
    #[must_use]
    pub fn docker_hub() -> Self {
        Self(DOCKER_HUB.to_owned())
    }

    /// The host as it stands in a canonical reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host that answers requests: Docker Hub's API has another name.
    #[must_use]
    pub fn wire_host(&self) -> &str {
        if self.is_docker_hub() { "registry-1.docker.io" } else { &self.0 }
    }

    /// The key under which the docker config keeps this host's credentials.
    #[must_use]
    pub fn auth_key(&self) -> &str {
        if self.is_docker_hub() { "https://index.docker.io/v1/" } else { &self.0 }
    }

    /// Whether this is Docker Hub.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }

    /// Whether the name says this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.name();
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The host without its port.
    #[must_use]
    pub fn name(&self) -> &str {
        split_port(&self.0).0
    }
}

/// Splits `host:port`; the colons of an address in brackets are not the port's.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let from = text.rfind(']').map_or(0, |end| end + 1);
    match text[from..].rfind(':') {
        Some(colon) => (&text[..from + colon], Some(&text[from + colon + 1..])),
        None => (text, None),
    }
}

pub(crate) fn is_host(text: &str) -> bool {
    let (name, port) = split_port(text);
    // The longest port has five digits; the grammar has no limit, a connection has.
    let port_fits = port.is_none_or(|port| {
        (1..=5).contains(&port.len())
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    });
    port_fits && (is_bracketed_address(name) || name.split('.').all(is_label))
}

fn is_bracketed_address(name: &str) -> bool {
    // No zone id and no IPv4-mapped form: neither stands in the grammar, which has hex digits and colons only.
    name.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|bare| !bare.contains(['.', '%']) && bare.parse::<Ipv6Addr>().is_ok())
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl FromStr for RegistryHost {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if text.len() > super::repository::NAME_LEN_MAX || !is_host(text) {
            return Err(HostError { text: text.chars().take(64).collect() });
        }
        // Source: distribution/reference `normalize.go`, legacyDefaultDomain.
        let canonical = if text == "index.docker.io" { DOCKER_HUB } else { text };
        Ok(Self(canonical.to_owned()))
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::text::serde_as_text!(RegistryHost);

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> RegistryHost {
        text.parse().unwrap()
    }

    #[test]
    fn loopback_is_told_by_the_name_alone() {
        for yes in
            ["localhost", "localhost:5000", "127.0.0.1:80", "127.9.9.9", "[::1]:5000", "[::1]"]
        {
            assert!(host(yes).is_loopback(), "{yes}");
        }
        for no in
            ["localhost.example.com", "10.0.0.1", "[2001:db8::1]", "127.example.com", "docker.io"]
        {
            assert!(!host(no).is_loopback(), "{no}");
        }
    }

    #[test]
    fn docker_hub_has_three_names() {
        let hub = host("index.docker.io");
        assert_eq!(hub, RegistryHost::docker_hub());
        assert_eq!(hub.wire_host(), "registry-1.docker.io");
        assert_eq!(hub.auth_key(), "https://index.docker.io/v1/");
    }

    #[test]
    fn wrong_hosts_are_refused() {
        let bad = [
            "",
            ":5000",
            "a:",
            "a:x",
            "a:99999",
            "-a",
            "a-",
            "a..b",
            "a_b",
            "[::1",
            "[::ffff:1.2.3.4]",
            "[fe80::1%eth0]",
            "a/b",
            "http://a",
            "user@host",
        ];
        for text in bad {
            assert!(text.parse::<RegistryHost>().is_err(), "{text}");
        }
    }
}

//! Where a registry's API is.
//!
//! ```text
//! https + docker.io       -> https://registry-1.docker.io/v2/…
//! http  + 127.0.0.1:5080  -> http://127.0.0.1:5080/v2/…
//! ```
//! Whether clear text may be spoken is the caller's decision; it comes in as the [`Scheme`].

use domain::RegistryHost;
use http::Uri;

/// How a registry is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// In clear text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The word before `://`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The address of a target on a registry; targets are written by [`crate::target`].
///
/// # Panics
/// When the target is no path: those of [`crate::target`] always are.
#[must_use]
pub fn url(scheme: Scheme, host: &RegistryHost, target: &str) -> Uri {
    let text = format!("{}://{}{target}", scheme.as_str(), host.wire_host());
    text.parse().expect("a registry host and an encoded target are an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_hub_and_others_are_addressed() {
        for (scheme, host, expected) in [
            (Scheme::Https, "docker.io", "https://registry-1.docker.io/v2/"),
            (Scheme::Https, "ghcr.io", "https://ghcr.io/v2/"),
            (Scheme::Http, "127.0.0.1:5080", "http://127.0.0.1:5080/v2/"),
            (Scheme::Http, "[::1]:5000", "http://[::1]:5000/v2/"),
            (Scheme::Https, "Registry.Example:443", "https://Registry.Example:443/v2/"),
        ] {
            let host = host.parse().unwrap();
            assert_eq!(url(scheme, &host, "/v2/").to_string(), expected);
        }
    }
}

//! The address of a server that keeps a record.
//!
//! ```text
//! https://indelible.example.com      http://127.0.0.1:5080
//! ```
//! A scheme and a host: no path, no credentials, no query. A token comes from `INDELIBLE_TOKEN` or the docker config.

use domain::RegistryHost;
use oci::client::url::Scheme;
use std::fmt;
use std::str::FromStr;

/// Where a server is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// In clear text or not.
    pub scheme: Scheme,
    /// The host, with its port where that is not the usual one.
    pub host: RegistryHost,
}

/// The text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record on a server is https://HOST or http://HOST, with nothing behind the host")]
pub struct AddressError;

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError)?;
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(AddressError),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let host = host.parse().map_err(|_| AddressError)?;
        Ok(Self { scheme, host })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        for (text, shown) in [
            ("https://indelible.example.com", "https://indelible.example.com"),
            ("https://indelible.example.com:8443/", "https://indelible.example.com:8443"),
            ("http://127.0.0.1:5080", "http://127.0.0.1:5080"),
            ("http://[::1]:5080", "http://[::1]:5080"),
        ] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), shown);
        }
        for wrong in [
            "https://",
            "https:",
            "https:indelible.example.com",
            "ftp://indelible.example.com",
            "https://ada:secret@indelible.example.com",
            "https://indelible.example.com/shop",
            "https://indelible.example.com?a=b",
        ] {
            assert_eq!(wrong.parse::<ServerAddress>(), Err(AddressError), "{wrong}");
        }
    }
}

//! Whether a request was made by a program on purpose, or by a page in somebody's browser.
//!
//! ```text
//! Host: localhost:5080, 127.0.0.1:5080   -> ours
//! Host: attacker.example                 -> refused: a name that was made to resolve to this machine
//! Origin: https://attacker.example       -> refused at /v2, which no page has to call
//! ```
//! Addresses are always taken: rebinding needs a name. Source: DESIGN §7 and §9, threat 11.

use http::request::Parts;
use http::{HeaderMap, Method, header};
use std::net::{IpAddr, Ipv6Addr};

/// The header that a page cannot set without asking first, which is never granted.
pub(crate) const CUSTOM_HEADER: &str = "x-indelible";

/// The names under which the server may be addressed beside `localhost` and addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name_of(name).to_ascii_lowercase()).collect())
    }

    /// Whether the host that the request names is this server; one that names none is not.
    pub(crate) fn are_named_by(&self, parts: &Parts) -> bool {
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let named = parts.headers.get(header::HOST).map(|host| host.to_str());
        match (authority, named) {
            (None, None) | (_, Some(Err(_))) => false,
            (Some(host), None) | (None, Some(Ok(host))) => self.has(host),
            (Some(one), Some(Ok(other))) => self.has(one) && self.has(other),
        }
    }

    fn has(&self, host: &str) -> bool {
        let name = name_of(host).to_ascii_lowercase();
        name == "localhost" || is_address(&name) || self.0.contains(&name)
    }
}

/// Whether a page sent this.
pub(crate) fn has_origin(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN)
}

/// Whether a write to `/api/v1` cannot come from a page: it has a bearer, or the custom header.
pub(crate) fn is_deliberate(method: &Method, headers: &HeaderMap) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let has_bearer = headers.get(header::AUTHORIZATION).is_some_and(|value| {
        value.as_bytes().get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"bearer "))
    });
    reads || has_bearer || headers.get(CUSTOM_HEADER).is_some_and(|value| value == "1")
}

/// Cuts the port off; the colons of an address in brackets are not the port's.
fn name_of(host: &str) -> &str {
    let from = host.rfind(']').map_or(0, |end| end + 1);
    host[from..].rfind(':').map_or(host, |colon| &host[..from + colon])
}

fn is_address(name: &str) -> bool {
    let bracketed = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bracketed.map_or_else(
        || name.parse::<IpAddr>().is_ok(),
        |address| address.parse::<Ipv6Addr>().is_ok(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_were_told_are_ours() {
        let hosts = Hosts::new(&["Registry.example.com:443".to_owned()]);
        for ours in [
            "localhost",
            "LOCALHOST:5080",
            "127.0.0.1:5080",
            "[::1]:5080",
            "10.1.2.3",
            "registry.example.com",
            "registry.example.com:5080",
        ] {
            assert!(hosts.has(ours), "{ours}");
        }
        for strange in [
            "",
            "attacker.example",
            "localhost.attacker.example",
            "127.0.0.1.nip.io:80",
            "a]:1",
            "[::1",
        ] {
            assert!(!hosts.has(strange), "{strange}");
        }
    }

    #[test]
    fn a_page_cannot_write_to_the_api() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| {
                    (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
                })
                .collect::<HeaderMap>()
        };
        assert!(is_deliberate(&Method::GET, &headers(&[])));
        assert!(is_deliberate(&Method::POST, &headers(&[("x-indelible", "1")])));
        assert!(is_deliberate(&Method::POST, &headers(&[("authorization", "Bearer x")])));
        assert!(!is_deliberate(&Method::POST, &headers(&[])));
        // A browser sends Basic by itself once a person typed it.
        assert!(!is_deliberate(&Method::POST, &headers(&[("authorization", "Basic eDp4")])));
        assert!(!is_deliberate(&Method::POST, &headers(&[("x-indelible", "0")])));
    }
}

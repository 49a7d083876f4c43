//! Which requests go by a proxy: one question, asked by the gate for addresses and by the client alike.
//!
//! ```text
//! HTTPS_PROXY=http://proxy:3128   https://ghcr.io/…          CONNECT ghcr.io:443, and TLS inside
//! HTTP_PROXY=http://proxy:3128    http://reg.corp:5000/…     the proxy reads it, as anybody on the way could
//! NO_PROXY=corp,10.0.0.0/8        https://reg.corp/…         direct
//! ```
//! This machine is never asked by a proxy. Neither SOCKS nor `ALL_PROXY` is spoken, as docker does not.

use domain::Secret;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// What is always reached without a proxy.
const DIRECT: &str = "localhost,127.0.0.0/8,::1";

/// The proxies, as the variables of these names say it.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// `HTTP_PROXY`: for clear text. It may hold a password.
    pub http: Option<Secret>,
    /// `HTTPS_PROXY`: for TLS.
    pub https: Option<Secret>,
    /// `NO_PROXY`: names, with all below them, addresses, networks, or `*`, with commas between.
    pub without: String,
}

/// A proxy's address that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is no address of an HTTP proxy, such as http://proxy.example.com:3128")]
pub(crate) struct ProxyError {
    variable: &'static str,
}

/// The proxies, read.
#[derive(Debug)]
pub(crate) struct Ways {
    http: Option<Secret>,
    https: Option<Secret>,
    without: String,
    matcher: Matcher,
}

impl Ways {
    pub(crate) fn new(proxies: &Proxies) -> Result<Self, ProxyError> {
        let http = read(proxies.http.as_ref(), "HTTP_PROXY")?;
        let https = read(proxies.https.as_ref(), "HTTPS_PROXY")?;
        let without = format!("{DIRECT},{}", proxies.without);
        let text = |proxy: &Option<Secret>| {
            proxy.as_ref().map_or_else(String::new, |proxy| proxy.expose().to_owned())
        };
        let matcher =
            Matcher::builder().http(text(&http)).https(text(&https)).no(without.as_str()).build();
        Ok(Self { http, https, without, matcher })
    }

    /// Whether a proxy is asked for this address, and looks its name up.
    pub(crate) fn is_proxied(&self, uri: &Uri) -> bool {
        self.matcher.intercept(uri).is_some()
    }

    /// The proxy that is asked for this address, without its password.
    pub(crate) fn proxy_for(&self, uri: &Uri) -> Option<String> {
        Some(self.matcher.intercept(uri)?.uri().authority()?.to_string())
    }

    /// The proxies' own hosts.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = String> + '_ {
        let proxies = [&self.http, &self.https].into_iter().flatten();
        proxies.filter_map(|proxy| Some(proxy.expose().parse::<Uri>().ok()?.host()?.to_owned()))
    }

    /// Whether the proxy for clear text is itself spoken to in TLS.
    pub(crate) fn is_clear_text_in_tls(&self) -> bool {
        self.http.as_ref().is_some_and(|proxy| proxy.expose().starts_with("https:"))
    }

    /// The same, in the client's words.
    pub(crate) fn for_client(&self) -> Result<Vec<reqwest::Proxy>, reqwest::Error> {
        let without = || reqwest::NoProxy::from_string(&self.without);
        let http = self.http.iter().map(|proxy| reqwest::Proxy::http(proxy.expose()));
        let https = self.https.iter().map(|proxy| reqwest::Proxy::https(proxy.expose()));
        http.chain(https).map(|proxy| Ok(proxy?.no_proxy(without()))).collect()
    }
}

/// Reads an address; without a scheme it is `http`. What cannot be used must not mean "no proxy".
fn read(text: Option<&Secret>, variable: &'static str) -> Result<Option<Secret>, ProxyError> {
    let Some(text) = text.map(|text| text.expose().trim()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let wrong = || ProxyError { variable };
    let uri: Uri = full.parse().map_err(|_| wrong())?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    match uri.host() {
        Some(host) if is_http && !host.is_empty() => Ok(Some(Secret::new(full))),
        Some(_) | None => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(http: &str, https: &str, without: &str) -> Proxies {
        let secret = |text: &str| Some(Secret::new(text));
        Proxies { http: secret(http), https: secret(https), without: without.to_owned() }
    }

    fn goes_by_a_proxy(ways: &Ways, uri: &str) -> bool {
        ways.is_proxied(&uri.parse().unwrap())
    }

    #[test]
    fn each_scheme_has_its_own_proxy() {
        let only_tls = Ways::new(&proxies("", "proxy:3128", "")).unwrap();
        assert!(goes_by_a_proxy(&only_tls, "https://ghcr.io/v2/"));
        assert!(!goes_by_a_proxy(&only_tls, "http://reg.corp:5000/v2/"));
        let only_clear = Ways::new(&proxies("http://proxy:3128", " ", "")).unwrap();
        assert!(goes_by_a_proxy(&only_clear, "http://reg.corp:5000/v2/"));
        assert!(!goes_by_a_proxy(&only_clear, "https://ghcr.io/v2/"));
        assert!(!goes_by_a_proxy(&Ways::new(&Proxies::default()).unwrap(), "https://ghcr.io/"));
    }

    #[test]
    fn what_is_listed_and_this_machine_are_reached_directly() {
        let ways = Ways::new(&proxies("p:1", "p:1", ".corp, 10.0.0.0/8,203.0.113.7,Host.Example"));
        let ways = ways.unwrap();
        for (uri, expected) in [
            ("http://127.0.0.1:5080/v2/", false),
            ("http://127.9.9.9/v2/", false),
            ("http://[::1]:5080/v2/", false),
            ("http://localhost:5080/v2/", false),
            ("https://reg.corp/v2/", false),
            ("https://a.reg.corp:5000/v2/", false),
            ("https://10.1.2.3/v2/", false),
            ("https://203.0.113.7/v2/", false),
            ("https://host.example/v2/", false),
            ("https://203.0.113.8/v2/", true),
            ("https://notcorp/v2/", true),
            ("https://corp.example/v2/", true),
            ("https://localhost.example/v2/", true),
        ] {
            assert_eq!(goes_by_a_proxy(&ways, uri), expected, "{uri}");
        }
        let all = Ways::new(&proxies("p:1", "p:1", "*")).unwrap();
        assert!(!goes_by_a_proxy(&all, "https://ghcr.io/v2/"));
    }

    #[test]
    fn what_is_no_proxy_is_told_and_its_password_is_not() {
        for wrong in ["socks5://u:hunter2@proxy:1080", "http://", "http://u:hunter2@pro xy", "/x"] {
            let error = Ways::new(&proxies("", wrong, "")).unwrap_err();
            assert_eq!(error, ProxyError { variable: "HTTPS_PROXY" }, "{wrong}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let held = proxies("", "http://u:hunter2@proxy:3128", "");
        let ways = Ways::new(&held).unwrap();
        assert!(!format!("{held:?} {ways:?}").contains("hunter2"));
        assert_eq!(ways.hosts().collect::<Vec<_>>(), ["proxy"]);
        let named = ways.proxy_for(&"https://ghcr.io/v2/".parse().unwrap());
        assert_eq!(named.as_deref(), Some("proxy:3128"));
    }
}

//! The one gate for addresses that a registry names: token realms, redirects, upload locations.
//!
//! ```text
//! registry ghcr.io      -> https://pkg-containers.githubusercontent.com/…   public: asked
//! registry ghcr.io      -> https://169.254.169.254/…                        never
//! registry 10.0.0.5     -> https://10.0.0.6/token                           private, as it is itself
//! ```
//! A name is looked up once, here; the connection goes to the addresses that were judged. What goes by a
//! proxy is looked up by the proxy, and only addresses that stand in the URL are judged.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use domain::RegistryHost;
use http::Uri;
use oci::client::url::{Scheme, url};
use oci::target::PING;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

use super::proxy::Ways;
use crate::error::{RemoteError, Stage, place};

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Public,
    Private,
    Loopback,
    /// Link-local (where clouds serve credentials), multicast, reserved.
    Never,
}

/// Source: RFC 1918, RFC 6598, RFC 4193, RFC 3927, RFC 6890, RFC 6052.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, ..] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    if address.is_loopback() {
        Reach::Loopback
    } else if address.is_private() || is_shared {
        Reach::Private
    } else if address.is_link_local()
        || a == 0
        || a >= 224
        || (a, b) == (192, 0) && address.octets()[2] == 0
    {
        Reach::Never
    } else {
        Reach::Public
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let segments = address.segments();
    if let Some(v4) = address.to_ipv4_mapped() {
        return reach_v4(v4);
    }
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return reach_v4(Ipv4Addr::new(a, b, c, d));
    }
    if address.is_loopback() {
        Reach::Loopback
    } else if address.is_unique_local() {
        Reach::Private
    } else if address.is_unicast_link_local() || address.is_multicast() || address.is_unspecified()
    {
        Reach::Never
    } else {
        Reach::Public
    }
}

/// What may be asked on behalf of one registry.
#[derive(Debug)]
pub(super) struct Egress {
    registry: RegistryHost,
    scheme: Scheme,
    /// Names, without ports, that are asked whatever their addresses are.
    listed: HashSet<String>,
    /// Names of proxies: they are connected to, and no registry sends us there.
    proxies: HashSet<String>,
    ways: Ways,
    judged: Mutex<HashMap<String, Vec<IpAddr>>>,
    own_reach: OnceCell<Vec<Reach>>,
}

impl Egress {
    /// `scheme` is how the registry is spoken to: what it names is in clear text only if it is itself.
    pub(super) fn new<'a>(
        registry: RegistryHost,
        scheme: Scheme,
        listed: impl Iterator<Item = &'a RegistryHost>,
        ways: Ways,
    ) -> Arc<Self> {
        Arc::new(Self {
            listed: listed.map(|host| bare(host.as_str())).collect(),
            proxies: ways.hosts().map(|host| bare_name(&host)).collect(),
            registry,
            scheme,
            ways,
            judged: Mutex::default(),
            own_reach: OnceCell::new(),
        })
    }

    /// Which requests go by a proxy.
    pub(super) fn ways(&self) -> &Ways {
        &self.ways
    }

    /// Judges an address that the registry named.
    pub(super) async fn check(&self, to: &Uri) -> Result<(), RemoteError> {
        let host = to.host().unwrap_or_default();
        let name = bare_name(host);
        let own_name = bare(self.registry.wire_host());
        let refused = |reason| {
            Err(RemoteError::Egress {
                host: self.registry.to_string(),
                to: host.to_owned(),
                reason,
            })
        };
        if to.scheme_str() == Some("http") && self.scheme == Scheme::Https {
            return refused("it would be in clear text");
        }
        let is_listed = name != own_name && self.listed.contains(&name);
        if is_listed || self.is_same_authority(to) {
            return Ok(());
        }
        let addresses = match name.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) if self.ways.is_proxied(to) => return Ok(()),
            Err(_) => self.look_up(&name).await?,
        };
        let own = self.own_reach().await?;
        for address in &addresses {
            match reach(*address) {
                Reach::Public => {}
                Reach::Never => return refused("its address is link-local or reserved"),
                found @ (Reach::Private | Reach::Loopback) if own.contains(&found) => {}
                Reach::Private => return refused("its address is private: list it if it is yours"),
                Reach::Loopback => return refused("its address is this machine"),
            }
        }
        if let Ok(mut judged) = self.judged.lock() {
            judged.insert(name, addresses);
        }
        Ok(())
    }

    fn is_same_authority(&self, to: &Uri) -> bool {
        to.authority().is_some_and(|authority| {
            authority.as_str().eq_ignore_ascii_case(self.registry.wire_host())
        })
    }

    async fn own_reach(&self) -> Result<&Vec<Reach>, RemoteError> {
        self.own_reach
            .get_or_try_init(|| async {
                let name = bare(self.registry.wire_host());
                let own = url(self.scheme, &self.registry, PING);
                let addresses = match name.parse::<IpAddr>() {
                    Ok(address) => vec![address],
                    Err(_) if self.ways.is_proxied(&own) => Vec::new(),
                    Err(_) => self.look_up(&name).await?,
                };
                Ok(addresses.into_iter().map(reach).collect())
            })
            .await
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, RemoteError> {
        let other = Some(name).filter(|name| *name != bare(self.registry.wire_host()));
        look_up(name).await.map_err(|cause| RemoteError::Unreachable {
            place: place(self.registry.as_str(), other),
            stage: Stage::Connecting,
            cause: cause.into(),
        })
    }

    async fn addresses(&self, name: String) -> std::io::Result<Vec<IpAddr>> {
        let name = bare_name(&name);
        let is_own = name == bare(self.registry.wire_host());
        if is_own || self.listed.contains(&name) || self.proxies.contains(&name) {
            return look_up(&name).await;
        }
        let judged = self.judged.lock().ok().and_then(|judged| judged.get(&name).cloned());
        judged.ok_or_else(|| std::io::Error::other("this host was not let through"))
    }
}

async fn look_up(name: &str) -> std::io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// A host without its port and brackets, in lower case.
fn bare(host: &str) -> String {
    match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => bare_name(&host[..colon]),
        Some(_) | None => bare_name(host),
    }
}

fn bare_name(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

/// Gives connections the addresses that were judged.
#[derive(Debug)]
pub(super) struct Judged(pub(super) Arc<Egress>);

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let (egress, name) = (self.0.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let addresses = egress.addresses(name).await?;
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Proxies;
    use domain::Secret;

    #[test]
    fn addresses_are_judged_by_their_range() {
        for (address, expected) in [
            ("127.0.0.1", Reach::Loopback),
            ("::1", Reach::Loopback),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("10.0.0.1", Reach::Private),
            ("172.16.0.1", Reach::Private),
            ("172.32.0.1", Reach::Public),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("100.128.0.1", Reach::Public),
            ("fd00::1", Reach::Private),
            ("169.254.169.254", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("64:ff9b::a9fe:a9fe", Reach::Never),
            ("64:ff9b::0a00:0001", Reach::Private),
            ("fe80::1", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("::", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("140.82.121.33", Reach::Public),
            ("2606:4700::1", Reach::Public),
        ] {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }

    fn egress(registry: &str, listed: &[&str], proxies: &Proxies) -> Arc<Egress> {
        let registry: RegistryHost = registry.parse().unwrap();
        let scheme = if registry.is_loopback() { Scheme::Http } else { Scheme::Https };
        let listed: Vec<RegistryHost> = listed.iter().map(|host| host.parse().unwrap()).collect();
        Egress::new(registry, scheme, listed.iter(), Ways::new(proxies).unwrap())
    }

    async fn goes(registry: &str, listed: &[&str], to: &str) -> bool {
        let egress = egress(registry, listed, &Proxies::default());
        egress.check(&to.parse().unwrap()).await.is_ok()
    }

    #[tokio::test]
    async fn a_registry_sends_on_only_to_its_own_kind_or_to_what_is_listed() {
        assert!(goes("203.1.1.1", &[], "https://203.1.1.2/token").await);
        assert!(!goes("203.1.1.1", &[], "http://203.1.1.2/token").await);
        assert!(!goes("203.1.1.1", &[], "https://10.0.0.1/token").await);
        assert!(goes("203.1.1.1", &["10.0.0.1"], "https://10.0.0.1/token").await);
        assert!(!goes("203.1.1.1", &[], "https://127.0.0.1/token").await);
        assert!(!goes("203.1.1.1", &[], "https://[::1]/token").await);
        assert!(goes("10.0.0.5", &[], "https://10.0.0.6/token").await);
        assert!(!goes("10.0.0.5", &[], "https://127.0.0.1/token").await);
        assert!(!goes("10.0.0.5", &[], "https://169.254.169.254/").await);
        assert!(goes("127.0.0.1:5000", &[], "http://127.0.0.1:5001/token").await);
        assert!(!goes("127.0.0.1:5000", &[], "http://10.0.0.1/token").await);
        assert!(goes("169.254.1.1:5000", &[], "https://169.254.1.1:5000/token").await);
        assert!(!goes("169.254.1.1:5000", &[], "https://169.254.1.1:80/token").await);
    }

    #[tokio::test]
    async fn a_proxy_looks_names_up_and_changes_nothing_for_addresses() {
        let proxies = Proxies {
            https: Some(Secret::new("http://localhost:3128")),
            without: "localhost.localdomain".to_owned(),
            ..Proxies::default()
        };
        let egress = egress("registry.invalid", &[], &proxies);
        let check = async |to: &str| egress.check(&to.parse().unwrap()).await;
        // Names below `invalid` are never found (RFC 6761): it was the proxy's to look it up.
        assert!(check("https://storage.invalid/x").await.is_ok());
        for there in ["10.0.0.1", "169.254.169.254", "127.0.0.1", "[::1]"] {
            let refused = check(&format!("https://{there}/x")).await;
            assert!(matches!(refused, Err(RemoteError::Egress { .. })), "{there}: {refused:?}");
        }
        // The proxy's own host is connected to, and is no place that a registry may send us to.
        assert!(egress.addresses("localhost".to_owned()).await.is_ok());
        assert!(matches!(check("https://localhost/x").await, Err(RemoteError::Egress { .. })));
        assert!(egress.addresses("storage.invalid".to_owned()).await.is_err());
    }
}

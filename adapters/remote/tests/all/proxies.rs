//! Requests by way of a proxy: what it is asked, what it never sees, and who is asked without it.

use domain::{Digest, Secret};
use remote::registry::Proxies;
use remote::{Credential, Credentials, Registry, RegistrySettings, RemoteError, RemoteRepository};

use crate::script::{Reply, Script, install_provider, quick};

/// Names below `invalid` are found nowhere (RFC 6761): whoever answers for them is the proxy.
const CLEAR: &str = "registry.invalid:5000";
const IN_TLS: &str = "registry.invalid";

fn by(proxy: &Script, without: &str) -> RegistrySettings {
    let address = Some(Secret::new(format!("http://ada:hunter2@{}", proxy.host)));
    RegistrySettings {
        proxies: Proxies { http: address.clone(), https: address, without: without.to_owned() },
        plain_http: vec![CLEAR.parse().unwrap()],
        ..quick()
    }
}

/// `None` on a machine without certificates, where nothing in TLS can be asked.
fn repository(host: &str, settings: RegistrySettings) -> Option<RemoteRepository> {
    install_provider();
    match Registry::new(host.parse().unwrap(), settings) {
        Ok(registry) => Some(registry.repository("shop/api".parse().unwrap())),
        Err(RemoteError::Setup { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn clear_text_is_asked_for_by_its_whole_address() {
    let proxy = Script::start(|_, _| Reply::status(200)).await;
    let repository = repository(CLEAR, by(&proxy, "")).unwrap();
    let digest = Digest::sha256(b"");
    assert!(repository.has_blob(&digest).await.unwrap().is_some());
    let seen = proxy.seen();
    let target = format!("http://{CLEAR}/v2/shop/api/blobs/{digest}");
    assert!(seen[0].is("HEAD", &target), "{seen:?}");
    assert_eq!(seen[0].header("host"), Some(CLEAR));
    // `ada:hunter2` in base64.
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic YWRhOmh1bnRlcjI="));
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_who_we_are_is_not_told_to_the_proxy() {
    let proxy = Script::start(|_, _| Reply::status(403)).await;
    let password = Secret::new("pass");
    let credential = Credential::Basic { username: "user".to_owned(), password };
    let credentials = Credentials::none().with(IN_TLS.parse().unwrap(), credential);
    let settings = RegistrySettings { credentials, ..by(&proxy, "") };
    let Some(repository) = repository(IN_TLS, settings) else { return };
    let error = repository.has_blob(&Digest::sha256(b"")).await.unwrap_err();
    let seen = proxy.seen();
    assert!(seen[0].is("CONNECT", "registry.invalid:443"), "{seen:?}");
    assert_eq!(seen[0].header("proxy-authorization"), Some("Basic YWRhOmh1bnRlcjI="));
    assert!(seen.iter().all(|seen| seen.header("authorization").is_none()), "{seen:?}");
    assert_eq!(seen.len(), 3, "as often as any other connection that is not made");
    assert_eq!(error.to_string(), "registry registry.invalid cannot be reached");
    let RemoteError::Unreachable { cause, .. } = &error else { panic!("{error:?}") };
    let named = format!("by the proxy {}: ", proxy.host);
    assert!(cause.to_string().starts_with(&named), "{cause}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn what_is_listed_is_not_asked_by_the_proxy() {
    let proxy = Script::start(|_, _| Reply::status(200)).await;
    for without in ["invalid", ".invalid", "registry.invalid", "*"] {
        let repository = repository(CLEAR, by(&proxy, without)).unwrap();
        let error = repository.has_blob(&Digest::sha256(b"")).await.unwrap_err();
        assert!(matches!(error, RemoteError::Unreachable { .. }), "{without}: {error:?}");
    }
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn this_machine_is_never_asked_by_a_proxy() {
    let proxy = Script::start(|_, _| Reply::status(200)).await;
    let script = Script::start(|_, _| Reply::error(404, "BLOB_UNKNOWN")).await;
    let port = script.host.rsplit(':').next().unwrap();
    for host in [script.host.clone(), format!("localhost:{port}")] {
        let repository = repository(&host, by(&proxy, "")).unwrap();
        assert!(repository.has_blob(&Digest::sha256(b"")).await.unwrap().is_none());
    }
    assert!(proxy.seen().is_empty());
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test]
async fn a_registry_on_this_machine_may_send_on_to_what_the_proxy_reaches() {
    let proxy = Script::start(|_, _| Reply::status(200).body("hello")).await;
    let script = Script::start(|_, _| {
        Reply::status(307).with("Location", "http://storage.invalid/bucket/x?sig=1")
    })
    .await;
    let repository = repository(&script.host, by(&proxy, "")).unwrap();
    let stream = repository.blob(&Digest::sha256(b"hello"), Some(5)).await.unwrap();
    remote::content::read_whole(stream, 5, "blob").await.unwrap();
    assert!(proxy.seen()[0].is("GET", "http://storage.invalid/bucket/x?sig=1"));
}

#[tokio::test]
async fn a_proxy_does_not_lead_to_addresses_that_are_refused() {
    let proxy = Script::start(|_, _| {
        Reply::status(307).with("Location", "http://169.254.169.254/latest/meta-data")
    })
    .await;
    let repository = repository(CLEAR, by(&proxy, "")).unwrap();
    let asked = repository.blob(&Digest::sha256(b""), None).await;
    assert!(matches!(asked, Err(RemoteError::Egress { .. })));
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn a_proxy_that_cannot_be_used_is_told_and_never_passed_by() {
    install_provider();
    let proxies = Proxies {
        https: Some(Secret::new("socks5://ada:hunter2@127.0.0.1:1080")),
        ..Proxies::default()
    };
    let settings = RegistrySettings { proxies, ..quick() };
    let error = Registry::new(IN_TLS.parse().unwrap(), settings).unwrap_err();
    assert_eq!(error.to_string(), "cannot set up connections to registry.invalid");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("HTTPS_PROXY is no address of an HTTP proxy"), "{cause}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

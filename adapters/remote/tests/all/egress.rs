//! Where a registry may send us on to, and what goes along.

use domain::Digest;
use remote::{Credential, Credentials, Registry, RegistrySettings, RemoteError};
use tokio::io::AsyncReadExt as _;

use crate::script::{Reply, Script, install_provider, quick};

#[tokio::test]
async fn a_redirect_to_another_server_goes_without_credentials() {
    let storage = Script::start(|seen, _| {
        assert!(seen.header("authorization").is_none());
        Reply::status(200).body("hello")
    })
    .await;
    let there = storage.host.clone();
    let registry = Script::start(move |seen, _| match seen.header("authorization") {
        None => Reply::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        Some(_) => Reply::status(307).with("Location", format!("http://{there}/bucket/x?sig=1")),
    })
    .await;
    let host = registry.host.parse().unwrap();
    let password = domain::Secret::new("p");
    let credential = Credential::Basic { username: "u".into(), password };
    let settings =
        RegistrySettings { credentials: Credentials::none().with(host, credential), ..quick() };
    let repository = registry.repository_with(settings);
    let stream = repository.blob(&Digest::sha256(b"hello"), Some(5)).await.unwrap();
    remote::content::read_whole(stream, 5, "blob").await.unwrap();
    assert!(storage.seen()[0].is("GET", "/bucket/x?sig=1"));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused_before_it_is_asked() {
    for there in [
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]/x",
        "http://0.0.0.0/x",
    ] {
        let registry = Script::start(move |_, _| Reply::status(302).with("Location", there)).await;
        let asked = registry.repository().blob(&Digest::sha256(b""), None).await;
        assert!(matches!(asked, Err(RemoteError::Egress { .. })), "{there}");
    }
}

#[tokio::test]
async fn redirects_end_after_five() {
    let chain = |length: usize| {
        move |_: &_, nth: usize| match nth < length {
            true => Reply::status(307).with("Location", format!("/hop/{nth}")),
            false => Reply::status(200).body(""),
        }
    };
    let five = Script::start(chain(5)).await;
    assert!(five.repository().blob(&Digest::sha256(b""), Some(0)).await.is_ok());
    let six = Script::start(chain(6)).await;
    let asked = six.repository().blob(&Digest::sha256(b""), Some(0)).await;
    assert!(matches!(asked, Err(RemoteError::Protocol { .. })));
}

#[tokio::test]
async fn a_token_realm_at_a_private_address_is_refused() {
    let registry = Script::start(|_, _| {
        Reply::status(401)
            .with("WWW-Authenticate", "Bearer realm=\"http://10.0.0.1/token\",service=\"s\"")
    })
    .await;
    let asked = registry.repository().manifest(&Digest::sha256(b"")).await;
    assert!(matches!(asked, Err(RemoteError::Egress { .. })), "{asked:?}");
}

#[tokio::test]
async fn an_upload_location_at_a_private_address_is_refused() {
    let registry = Script::start(|seen, _| match seen.method.as_str() {
        "HEAD" => Reply::error(404, "BLOB_UNKNOWN"),
        _ => Reply::status(202).with("Location", "http://192.168.0.1/upload"),
    })
    .await;
    let source = remote::BlobSource::bytes("x");
    let put = registry.repository().put_blob(&Digest::sha256(b"x"), 1, &source, None).await;
    assert!(matches!(put, Err(RemoteError::Egress { .. })), "{put:?}");
}

#[tokio::test]
async fn a_redirect_to_tls_is_spoken_to_in_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let first = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    });
    let registry = Script::start(move |_, _| {
        Reply::status(307).with("Location", format!("https://{there}/x"))
    })
    .await;
    let asked = registry.repository().blob(&Digest::sha256(b""), None).await;
    let error = asked.err().unwrap();
    // A machine without certificates says so before it asks.
    if !matches!(error, RemoteError::Setup { .. }) {
        assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
        // Source: RFC 8446, section 5.1: a handshake record starts with 22.
        assert_eq!(first.await.unwrap(), 22);
    }
}

#[tokio::test]
async fn the_client_that_is_handed_on_keeps_the_rules() {
    install_provider();
    let script = Script::start(|_, _| Reply::status(307).with("Location", "/elsewhere")).await;
    let registry = Registry::new(script.host.parse().unwrap(), quick()).unwrap();
    let client = registry.client().unwrap();
    let answer = client.get(format!("http://{}/api", script.host)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), script.seen().len()), (307, 1));
    // Another name leads nowhere, although this one is known to every machine.
    let port = script.host.rsplit(':').next().unwrap();
    let asked = client.get(format!("http://localhost:{port}/api")).send().await;
    assert!(asked.unwrap_err().is_connect());
    assert_eq!(script.seen().len(), 1);
}

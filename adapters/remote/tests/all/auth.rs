//! Logging in: Basic, Bearer, tokens that end, identity tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{Digest, Secret};
use remote::{Credential, Credentials, RegistrySettings, RemoteError};

use crate::script::{Reply, Script, quick};

fn basic() -> Credential {
    Credential::Basic { username: "user".into(), password: Secret::new("pass") }
}

fn settings(host: &str, credential: Credential) -> RegistrySettings {
    RegistrySettings {
        credentials: Credentials::none().with(host.parse().unwrap(), credential),
        ..quick()
    }
}

fn absent() -> Reply {
    Reply::error(404, "BLOB_UNKNOWN")
}

/// A registry that wants the token `T1`, then `T2`, and so on, by how many it has given.
async fn with_tokens(life: &'static str) -> Script {
    let given = Arc::new(AtomicUsize::new(0));
    Script::start(move |seen, _| {
        if seen.target.starts_with("/token") {
            let n = given.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::status(200).body(format!(r#"{{"token":"T{n}"{life}}}"#));
        }
        let wanted = format!("Bearer T{}", given.load(Ordering::SeqCst));
        if seen.header("authorization") == Some(&wanted) {
            return absent();
        }
        let host = seen.header("host").unwrap();
        let challenge = format!(
            r#"Bearer realm="http://{host}/token",service="reg",scope="repository:shop/api:pull""#
        );
        Reply::status(401).with("WWW-Authenticate", challenge)
    })
    .await
}

#[tokio::test]
async fn a_stranger_gets_a_token_once_and_keeps_it() {
    let script = with_tokens(r#","expires_in":300"#).await;
    let repository = script.repository();
    for _ in 0..3 {
        assert!(repository.has_blob(&Digest::sha256(b"")).await.unwrap().is_none());
    }
    let seen = script.seen();
    let targets: Vec<&str> =
        seen.iter().map(|seen| seen.target.as_str()).filter(|t| t.starts_with("/token")).collect();
    assert_eq!(targets, ["/token?service=reg&scope=repository:shop/api:pull"]);
    assert_eq!(seen.len(), 5, "401, token, and three answers");
    assert!(seen[1].header("authorization").is_none());
}

#[tokio::test]
async fn credentials_go_to_the_realm_and_not_to_the_registry() {
    let script = with_tokens("").await;
    let repository = script.repository_with(settings(&script.host, basic()));
    repository.has_blob(&Digest::sha256(b"")).await.unwrap();
    let seen = script.seen();
    // `user:pass` in base64.
    assert_eq!(seen[1].header("authorization"), Some("Basic dXNlcjpwYXNz"));
    assert_eq!(seen[2].header("authorization"), Some("Bearer T1"));
    let push = remote::BlobSource::bytes("x");
    let _refused = repository.put_blob(&Digest::sha256(b"x"), 1, &push, None).await;
    let asked = script.seen();
    assert!(
        asked.iter().any(|seen| { seen.target.ends_with("scope=repository:shop/api:pull%2Cpush") })
    );
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_once() {
    let given = Arc::new(AtomicUsize::new(0));
    let script = Script::start(move |seen, nth| {
        if seen.target.starts_with("/token") {
            let n = given.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::status(200)
                .body(format!(r#"{{"access_token":"T{n}","expires_in":300}}"#));
        }
        // The first token is good for one request.
        match (seen.header("authorization"), nth) {
            (Some("Bearer T1"), 2) | (Some("Bearer T2"), _) => absent(),
            _ => {
                let realm =
                    format!("Bearer realm=\"http://{}/token\"", seen.header("host").unwrap());
                Reply::status(401).with("WWW-Authenticate", realm)
            }
        }
    })
    .await;
    let repository = script.repository();
    for _ in 0..2 {
        assert!(repository.has_blob(&Digest::sha256(b"")).await.unwrap().is_none());
    }
    let tokens = script
        .seen()
        .iter()
        .filter(|seen| seen.target == "/token?scope=repository:shop/api:pull")
        .count();
    assert_eq!(tokens, 2);
}

#[tokio::test]
async fn a_refused_login_says_so_and_is_not_tried_for_ever() {
    for (challenge, credential) in [
        (r#"Basic realm="x""#, Some(basic())),
        (r#"Basic realm="x""#, None),
        ("Negotiate", Some(basic())),
    ] {
        let script = Script::start(move |_, _| {
            Reply::error(401, "UNAUTHORIZED").with("WWW-Authenticate", challenge)
        })
        .await;
        let settings =
            credential.map_or_else(quick, |credential| settings(&script.host, credential));
        let error =
            script.repository_with(settings).manifest(&Digest::sha256(b"")).await.unwrap_err();
        assert!(matches!(error, RemoteError::Unauthorized { .. }), "{error:?}");
        assert!(script.seen().len() <= 2, "{challenge}");
        assert!(!error.to_string().contains("pass"), "{error}");
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let script = Script::start(|seen, _| {
        if seen.target == "/token" {
            assert_eq!(seen.method, "POST");
            let form = String::from_utf8(seen.body.clone()).unwrap();
            assert!(
                form.contains("grant_type=refresh_token") && form.contains("refresh_token=R1"),
                "{form}"
            );
            return Reply::status(200).body(r#"{"access_token":"T","expires_in":300}"#);
        }
        match seen.header("authorization") {
            Some("Bearer T") => absent(),
            _ => {
                let realm = format!(
                    "Bearer realm=\"http://{}/token\",service=\"s\"",
                    seen.header("host").unwrap()
                );
                Reply::status(401).with("WWW-Authenticate", realm)
            }
        }
    })
    .await;
    let identity = Credential::IdentityToken(Secret::new("R1"));
    let repository = script.repository_with(settings(&script.host, identity));
    assert!(repository.has_blob(&Digest::sha256(b"")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_service_that_fails_is_no_absence() {
    for status in [400, 401, 403, 404, 500] {
        let script = Script::start(move |seen, _| {
            if seen.target.starts_with("/token") {
                return Reply::status(status);
            }
            let realm = format!("Bearer realm=\"http://{}/token\"", seen.header("host").unwrap());
            Reply::status(401).with("WWW-Authenticate", realm)
        })
        .await;
        let error = script.repository().has_blob(&Digest::sha256(b"")).await.unwrap_err();
        assert!(!error.is_not_found(), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_mount_asks_for_both_repositories() {
    let script = with_tokens("").await;
    let from = "shop/base".parse().unwrap();
    let _refused = script.repository().mount(&Digest::sha256(b"x"), &from).await;
    let seen = script.seen();
    let asked = seen.iter().find(|seen| seen.target.starts_with("/token")).unwrap();
    assert!(
        asked
            .target
            .contains("scope=repository:shop/api:pull%2Cpush&scope=repository:shop/base:pull"),
        "{}",
        asked.target
    );
}

/// A registry whose tokens come from another host.
async fn with_tokens_from(service: &Script) -> Script {
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"reg\"", service.host);
    Script::start(move |seen, _| match seen.header("authorization") {
        Some("Bearer T") => absent(),
        _ => Reply::error(401, "UNAUTHORIZED").with("WWW-Authenticate", &realm),
    })
    .await
}

#[tokio::test]
async fn a_token_service_on_another_host_gets_the_password_and_the_registry_never_does() {
    let service = Script::start(|_, _| Reply::status(200).body(r#"{"token":"T"}"#)).await;
    let registry = with_tokens_from(&service).await;
    let repository = registry.repository_with(settings(&registry.host, basic()));
    assert!(repository.has_blob(&Digest::sha256(b"")).await.unwrap().is_none());
    assert_eq!(service.seen()[0].header("authorization"), Some("Basic dXNlcjpwYXNz"));
    for seen in registry.seen() {
        assert!(seen.header("authorization").is_none_or(|sent| sent == "Bearer T"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_token_service_that_sends_on_to_another_host_keeps_the_password_for_itself() {
    let other = Script::start(|_, _| Reply::status(200).body(r#"{"token":"T"}"#)).await;
    let there = format!("http://{}/token", other.host);
    let service =
        Script::start(move |_, _| Reply::status(307).with("Location", there.clone())).await;
    let registry = with_tokens_from(&service).await;
    let repository = registry.repository_with(settings(&registry.host, basic()));
    assert!(repository.has_blob(&Digest::sha256(b"")).await.unwrap().is_none());
    assert!(service.seen()[0].header("authorization").is_some());
    assert!(other.seen()[0].header("authorization").is_none());
}

#[tokio::test]
async fn a_token_service_that_refuses_is_named_beside_the_registry_to_log_in_to() {
    let service = Script::start(|_, _| Reply::error(401, "UNAUTHORIZED")).await;
    let registry = with_tokens_from(&service).await;
    let repository = registry.repository_with(settings(&registry.host, basic()));
    let error = repository.has_blob(&Digest::sha256(b"")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "registry {}, at {}, answered 401 (UNAUTHORIZED): it does not accept who we are: log in again",
            registry.host, service.host
        )
    );
    let RemoteError::Unauthorized { answered, .. } = error else { panic!("{error:?}") };
    assert_eq!(answered.host, registry.host, "`docker login` is for the registry");
}

#[tokio::test]
async fn a_token_has_1_mib_and_not_one_byte_more() {
    let limit = oci::limit::TOKEN_BODY_BYTES_MAX;
    for (length, is_read) in [(limit, true), (limit + 1, false)] {
        let token = r#"{"token":"T"}"#;
        let body = format!("{}{token}", " ".repeat(length - token.len()));
        let service = Script::start(move |_, _| Reply::status(200).body(body.clone())).await;
        let registry = with_tokens_from(&service).await;
        let asked = registry.repository().has_blob(&Digest::sha256(b"")).await;
        assert_eq!(asked.is_ok(), is_read, "{length}: {asked:?}");
        assert!(is_read || matches!(asked, Err(RemoteError::TooLarge { .. })));
    }
}

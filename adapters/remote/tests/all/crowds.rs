//! Many questions at once: each asked once, and what they share asked for once too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Digest, RepositoryPath};
use futures_util::stream::{self, StreamExt as _};
use oci::route::ManifestRef;
use remote::{Registry, RemoteError};
use tokio::time::Instant;

use crate::script::{Reply, Script, install_provider, quick};

/// As many as the measurement of research/pin.md §6.2 has.
const REFERENCES: usize = 188;
const REPOSITORIES: usize = 12;
const AT_ONCE: usize = 64;

fn found() -> Reply {
    Reply::status(200)
        .with("Docker-Content-Digest", Digest::sha256(b""))
        .with("Content-Type", "application/vnd.oci.image.index.v1+json")
}

/// Asks for tags of many repositories, 64 at a time; gives what went wrong.
async fn ask(script: &Script) -> Vec<RemoteError> {
    install_provider();
    let registry = Registry::new(script.host.parse().unwrap(), quick()).unwrap();
    let questions = (0..REFERENCES).map(|n| {
        let path: RepositoryPath = format!("shop/s{}", n % REPOSITORIES).parse().unwrap();
        let repository = registry.repository(path);
        async move { repository.resolve(&ManifestRef::Tag(format!("v{n}").parse().unwrap())).await }
    });
    let answers: Vec<_> = stream::iter(questions).buffer_unordered(AT_ONCE).collect().await;
    answers.into_iter().filter_map(Result::err).collect()
}

#[tokio::test]
async fn each_of_188_references_is_one_head() {
    let script = Script::start(|_, _| found()).await;
    assert!(ask(&script).await.is_empty());
    let seen = script.seen();
    assert!(seen.iter().all(|one| one.method == "HEAD"));
    assert_eq!(seen.len(), REFERENCES);
}

#[tokio::test]
async fn one_challenge_for_the_host_and_one_token_for_each_scope() {
    let script = Script::start(|seen, _| {
        if let Some((_, scope)) = seen.target.split_once("scope=") {
            return Reply::status(200).body(format!(r#"{{"token":"{scope}","expires_in":300}}"#));
        }
        let repository = seen.target.strip_prefix("/v2/").unwrap().split("/manifests").next();
        let scope = format!("Bearer repository:{}:pull", repository.unwrap());
        if seen.header("authorization") == Some(&scope) {
            return found();
        }
        let host = seen.header("host").unwrap();
        Reply::status(401).with(
            "WWW-Authenticate",
            format!(r#"Bearer realm="http://{host}/token",service="reg""#),
        )
    })
    .await;
    assert!(ask(&script).await.is_empty());
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for one in script.seen() {
        *asked.entry(format!("{} {}", one.method, one.target)).or_default() += 1;
    }
    let tokens: Vec<usize> =
        asked.iter().filter(|(what, _)| what.contains("/token")).map(|(_, n)| *n).collect();
    assert_eq!(tokens, [1; REPOSITORIES], "one token for each repository");
    let heads: usize =
        asked.iter().filter(|(what, _)| what.starts_with("HEAD")).map(|(_, n)| *n).sum();
    assert_eq!(heads, REFERENCES + 1, "the one that was refused is asked again");
}

#[tokio::test]
async fn what_fails_at_first_does_not_make_the_others_go_one_by_one() {
    // The first is never answered; a second one that waited for it would never come.
    let script = Script::start(|_, nth| if nth == 0 { Reply::Nothing } else { found() }).await;
    assert!(ask(&script).await.is_empty());
    assert_eq!(script.seen().len(), REFERENCES + 1);
}

#[tokio::test]
async fn a_pause_that_one_is_asked_for_holds_all_back() {
    let told = Arc::new(AtomicBool::new(false));
    let flag = told.clone();
    let script = Script::start(move |_, nth| {
        if nth == 1 {
            flag.store(true, Ordering::SeqCst);
            return Reply::status(429).with("Retry-After", 1);
        }
        found()
    })
    .await;
    let start = Instant::now();
    assert!(ask(&script).await.is_empty());
    assert!(told.load(Ordering::SeqCst));
    assert!(start.elapsed() >= Duration::from_secs(1));
    // Those that were under way are answered; after them comes nothing until the pause is over.
    let targets: BTreeSet<String> = script.seen().into_iter().map(|one| one.target).collect();
    assert_eq!(targets.len(), REFERENCES);
    assert_eq!(script.seen().len(), REFERENCES + 1);
}

#[tokio::test]
async fn a_limit_that_is_used_up_for_hours_is_told_at_once() {
    let script = Script::start(|_, _| {
        Reply::error(429, "TOOMANYREQUESTS")
            .with("ratelimit-limit", "100;w=21600")
            .with("ratelimit-remaining", "0;w=21600")
    })
    .await;
    let wrong = ask(&script).await;
    assert_eq!(wrong.len(), REFERENCES);
    assert!(wrong.iter().all(|one| matches!(one, RemoteError::RateLimited { .. })), "{wrong:?}");
    assert_eq!(script.seen().len(), REFERENCES, "none of them is asked again");
}

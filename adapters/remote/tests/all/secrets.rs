//! Whatever goes wrong, no error shows a password or a token, neither to people nor to programmers.

use std::error::Error;

use domain::{Digest, Secret};
use remote::{BlobSource, Credential, Credentials, RegistrySettings, RemoteError};

use crate::script::{Reply, Script, Seen, quick};

/// In each form in which it is held or sent: as it is, and `ada:hunter2` in base64.
const SECRETS: [&str; 2] = ["hunter2", "YWRhOmh1bnRlcjI="];

fn credentials() -> [Credential; 3] {
    let secret = || Secret::new("hunter2");
    [
        Credential::Basic { username: "ada".to_owned(), password: secret() },
        Credential::Bearer(secret()),
        Credential::IdentityToken(secret()),
    ]
}

/// Everything that an error can say.
fn all_that_is_said(error: &RemoteError) -> String {
    let mut said = format!("{error}\n{error:?}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        said += &format!("\n{deeper}\n{deeper:?}");
        cause = deeper.source();
    }
    said
}

/// A registry that asks for each way to log in, and then answers by `then`.
async fn registry(challenge: &'static str, then: fn() -> Reply) -> Script {
    Script::start(move |seen: &Seen, _| {
        let host = seen.header("host").unwrap();
        match (seen.target.starts_with("/token"), seen.header("authorization")) {
            (true, _) => Reply::status(200).body(r#"{"token":"hunter2"}"#),
            (false, None) => Reply::error(401, "UNAUTHORIZED")
                .with("WWW-Authenticate", challenge.replace("HOST", host)),
            (false, Some(_)) => then(),
        }
    })
    .await
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let challenges = ["Basic realm=\"x\"", "Bearer realm=\"http://HOST/token\""];
    let answers: [fn() -> Reply; 7] = [
        || Reply::error(401, "UNAUTHORIZED").with("WWW-Authenticate", "Basic realm=\"x\""),
        || Reply::error(403, "DENIED"),
        || Reply::error(429, "TOOMANYREQUESTS"),
        || Reply::error(503, "UNAVAILABLE"),
        || Reply::Nothing,
        || Reply::status(200).body("other bytes"),
        || Reply::status(307).with("Location", "http://10.0.0.1/x?token=hunter2"),
    ];
    let mut count = 0;
    for (challenge, then) in challenges.iter().flat_map(|one| answers.map(|then| (*one, then))) {
        for credential in credentials() {
            let script = registry(challenge, then).await;
            let host = script.host.parse().unwrap();
            let credentials = Credentials::none().with(host, credential);
            let settings = RegistrySettings { credentials, ..quick() };
            assert!(!SECRETS.iter().any(|secret| format!("{settings:?}").contains(secret)));
            let repository = script.repository_with(settings);
            let digest = Digest::sha256(b"x");
            let read = repository.manifest(&digest).await.map(drop);
            let written = repository.put_blob(&digest, 1, &BlobSource::bytes("x"), None).await;
            for error in [read.err(), written.err()].into_iter().flatten() {
                let said = all_that_is_said(&error);
                for secret in SECRETS {
                    assert!(!said.contains(secret), "`{secret}` is said: {said}");
                }
                count += 1;
            }
            assert!(!format!("{repository:?}").contains("hunter2"), "{repository:?}");
        }
    }
    assert!(count >= 42, "each way to fail was seen: {count}");
}

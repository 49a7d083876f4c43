//! Credential helpers as programs: what they print, and what happens when they fail.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use domain::Secret;
use remote::credentials::CredentialsError;
use remote::{Credential, Credentials, DockerConfig};

/// Asks for `a.io` with a helper that is this shell script.
async fn ask(script: &str, rest: &str) -> Result<Option<Credential>, CredentialsError> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("docker-credential-test");
    std::fs::write(folder.path().join("body"), script).unwrap();
    let wrapper =
        format!("#!/bin/sh\nexec /bin/sh {} \"$@\"\n", folder.path().join("body").display());
    // Written by another process, so that no descriptor of ours is open for writing when it is run.
    let made = std::process::Command::new("sh")
        .arg("-c")
        .arg("printf '%s' \"$1\" > \"$2\"")
        .arg("sh")
        .arg(wrapper)
        .arg(&program)
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = DockerConfig::read(&format!(r#"{{"credsStore":"test"{rest}}}"#)).unwrap();
    let credentials = Credentials::of(vec![config]).with_helpers_in(folder.path().to_owned());
    credentials.find(&"a.io".parse().unwrap()).await
}

fn basic(username: &str, password: &str) -> Credential {
    let password = Secret::new(password);
    let username = username.to_owned();
    Credential::Basic { username, password }
}

#[tokio::test]
async fn a_helper_gets_the_host_and_gives_a_password_or_an_identity_token() {
    let echo = r#"host=$(cat); printf '{"ServerURL":"%s","Username":"%s-%s","Secret":"S"}' "$host" "$1" "$host""#;
    assert_eq!(ask(echo, "").await.unwrap(), Some(basic("get-a.io", "S")));
    let token = r#"printf '{"Username":"<token>","Secret":"R"}'"#;
    let identity = Credential::IdentityToken(Secret::new("R"));
    assert_eq!(ask(token, "").await.unwrap(), Some(identity));
}

#[tokio::test]
async fn a_helper_that_knows_nothing_leaves_it_to_the_config() {
    let nothing = "echo credentials not found in native keychain; exit 1";
    assert_eq!(ask(nothing, "").await.unwrap(), None);
    // `dXNlcjpwYXNz` is `user:pass`.
    let auths = r#","auths":{"a.io":{"auth":"dXNlcjpwYXNz"}}"#;
    assert_eq!(ask(nothing, auths).await.unwrap(), Some(basic("user", "pass")));
}

#[tokio::test]
async fn a_helper_that_fails_is_told_and_its_secret_is_not() {
    let failed = ask("echo locked; exit 1", "").await.unwrap_err();
    assert_eq!(failed.to_string(), "docker-credential-test for a.io: locked");
    let odd = ask("echo hunter2", "").await.unwrap_err();
    assert_eq!(
        odd.to_string(),
        "docker-credential-test for a.io: its answer is not the expected JSON"
    );
    let endless = ask("yes hunter2", "").await.unwrap_err();
    assert!(matches!(endless, CredentialsError::HelperStart { .. }));
}

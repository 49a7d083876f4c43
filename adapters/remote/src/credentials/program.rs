//! Credential helpers: `docker-credential-NAME get`, the host on its input, JSON on its output.
//!
//! ```text
//! {"ServerURL":"ghcr.io","Username":"<token>","Secret":"…"}    `<token>`: the secret is an identity token
//! ```
//! Source: docker/docker-credential-helpers, README. Runs no shell; the name is checked before.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use domain::{RegistryHost, Secret};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::{Credential, CredentialsError};
use crate::error::shown;

/// How long a helper may take: some open a browser, none may hang a pipeline.
const HELPER_WITHIN: Duration = Duration::from_secs(60);
/// What is read of a helper's output.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;
/// The longest name of a helper.
const NAME_LEN_MAX: usize = 64;
/// What a helper says when it knows nothing. Source: docker-credential-helpers `credentials/error.go`.
const NOTHING_KNOWN: &str = "credentials not found in native keychain";

/// The name of a credential helper: what follows `docker-credential-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperName(String);

impl FromStr for HelperName {
    type Err = CredentialsError;

    fn from_str(text: &str) -> Result<Self, CredentialsError> {
        // Windows' helpers are named with their suffix in WSL configs: `desktop.exe`.
        let bare = text.strip_suffix(".exe").unwrap_or(text);
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=NAME_LEN_MAX).contains(&bare.len())
            && !bare.starts_with('-')
            && bare.bytes().all(fits)
        {
            Ok(Self(text.to_owned()))
        } else {
            let name = text.chars().take(NAME_LEN_MAX).collect();
            Err(CredentialsError::HelperName { name })
        }
    }
}

impl fmt::Display for HelperName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks a helper for a host's credential; `None` when it says that it has none.
pub(super) async fn ask(
    name: &HelperName,
    folder: Option<&Path>,
    host: &RegistryHost,
) -> Result<Option<Credential>, CredentialsError> {
    let asked = tokio::time::timeout(HELPER_WITHIN, run(name, folder, host)).await;
    let (succeeded, output) = asked.unwrap_or_else(|_elapsed| {
        let said = format!("no answer within {} s", HELPER_WITHIN.as_secs());
        Err(wrong(name, host, said))
    })?;
    if !succeeded {
        let said = String::from_utf8_lossy(&output).trim().to_owned();
        // ECR's helper and others add words before; docker itself compares the whole text.
        if said.contains(NOTHING_KNOWN) {
            return Ok(None);
        }
        return Err(wrong(name, host, shown(&said)));
    }
    // Nothing of the output is repeated: it holds the secret.
    let said: Said = serde_json::from_slice(&output)
        .map_err(|_| wrong(name, host, "its answer is not the expected JSON".to_owned()))?;
    if said.secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::new(said.secret);
    Ok(Some(match said.username.as_str() {
        "<token>" => Credential::IdentityToken(secret),
        _ => Credential::Basic { username: said.username, password: secret },
    }))
}

fn wrong(name: &HelperName, host: &RegistryHost, said: String) -> CredentialsError {
    CredentialsError::Helper { helper: name.clone(), host: host.to_string(), said }
}

/// Runs the helper; whether it succeeded, and what it printed.
async fn run(
    name: &HelperName,
    folder: Option<&Path>,
    host: &RegistryHost,
) -> Result<(bool, Vec<u8>), CredentialsError> {
    let program = format!("docker-credential-{name}");
    let program = folder.map_or_else(|| PathBuf::from(&program), |folder| folder.join(&program));
    let failed = |cause| CredentialsError::HelperStart {
        helper: name.clone(),
        host: host.to_string(),
        cause,
    };
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    talk(&mut child, host.auth_key()).await.map_err(failed)
}

async fn talk(child: &mut Child, key: &str) -> std::io::Result<(bool, Vec<u8>)> {
    if let Some(mut input) = child.stdin.take() {
        // A helper that reads nothing closes its end: what it prints decides.
        let _unread = input.write_all(key.as_bytes()).await;
    }
    let output = match child.stdout.take() {
        Some(output) => read_bounded(output).await?,
        None => Vec::new(),
    };
    let status = child.wait().await?;
    Ok((status.success(), output))
}

async fn read_bounded(output: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    output.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > OUTPUT_BYTES_MAX {
        return Err(std::io::Error::other("it prints more than 64 KiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_s_name_is_a_plain_word() {
        for good in ["ecr-login", "gcloud", "desktop.exe", "a", "osxkeychain"] {
            assert_eq!(good.parse::<HelperName>().unwrap().to_string(), good);
        }
        assert!("a".repeat(64).parse::<HelperName>().is_ok());
        assert!("a".repeat(65).parse::<HelperName>().is_err());
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_an_error_not_absence() {
        let name = "indelible-is-not-here".parse().unwrap();
        let asked = ask(&name, None, &"a.io".parse().unwrap()).await.unwrap_err();
        assert_eq!(
            asked.to_string(),
            "cannot run docker-credential-indelible-is-not-here for a.io"
        );
    }

    #[tokio::test]
    async fn output_is_read_up_to_64_kib() {
        let zeros = |length: usize| vec![0_u8; length];
        assert!(read_bounded(zeros(65_536).as_slice()).await.is_ok());
        assert!(read_bounded(zeros(65_537).as_slice()).await.is_err());
    }
}

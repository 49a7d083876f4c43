//! Who we are at a registry: the docker config, credential helpers, and what the caller says outright.
//!
//! ```text
//! {"auths":{"ghcr.io":{"auth":"dXNlcjpwYXNz"}},"credHelpers":{"x.dkr.ecr…":"ecr-login"},"credsStore":"desktop"}
//! ```
//! The text of the config and the folders of helpers are the caller's; nothing is looked for here. A helper
//! that cannot be asked is an error, never "no credentials": the registry's 404 for a stranger would else be
//! taken for absence.

mod program;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use domain::{RegistryHost, Secret};
use serde::Deserialize;

pub use program::HelperName;

/// The largest docker config that is read, in bytes.
pub const CONFIG_BYTES_MAX: usize = 4 << 20;

/// How we prove who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password or access token.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, exchanged at the token endpoint.
    IdentityToken(Secret),
    /// A token that is sent as it is.
    Bearer(Secret),
}

/// Why credentials could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The config is no JSON of the expected shape; its content is not repeated, it holds secrets.
    #[error("the docker config is not as expected, line {line}")]
    Config {
        /// Where.
        line: usize,
    },
    /// The config is larger than [`CONFIG_BYTES_MAX`].
    #[error("the docker config has {found} bytes, at most {CONFIG_BYTES_MAX} are read")]
    Size {
        /// Its length.
        found: usize,
    },
    /// An `auth` that is not base64 of `name:password`.
    #[error("the docker config's `auth` for {host} is not base64 of `name:password`")]
    Auth {
        /// The entry.
        host: String,
    },
    /// A helper's name that could be a path or an option.
    #[error("`{name}` is not the name of a credential helper: lower-case letters, digits and `-`", name = name.escape_debug())]
    HelperName {
        /// What stands in the config, cut.
        name: String,
    },
    /// The helper is not there or cannot be run.
    #[error("cannot run docker-credential-{helper} for {host}")]
    HelperStart {
        /// Its name.
        helper: HelperName,
        /// For which host.
        host: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The helper said that something is wrong.
    #[error("docker-credential-{helper} for {host}: {said}")]
    Helper {
        /// Its name.
        helper: HelperName,
        /// For which host.
        host: String,
        /// What it said, or what is wrong with that.
        said: String,
    },
}

/// One docker config, read.
#[derive(Clone, Debug, Default)]
pub struct DockerConfig {
    auths: BTreeMap<String, AuthEntry>,
    helpers: BTreeMap<String, HelperName>,
    store: Option<HelperName>,
}

#[derive(Default, Deserialize)]
struct ConfigFields {
    #[serde(default)]
    auths: Option<BTreeMap<String, AuthEntry>>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
struct AuthEntry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default, rename = "identitytoken")]
    identity_token: Option<String>,
    #[serde(default, rename = "registrytoken")]
    registry_token: Option<String>,
}

impl std::fmt::Debug for AuthEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl DockerConfig {
    /// Reads the text of a `config.json` or of a containers `auth.json`.
    ///
    /// # Errors
    /// Too large, not JSON, or a helper's name that is none.
    pub fn read(text: &str) -> Result<Self, CredentialsError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(CredentialsError::Size { found: text.len() });
        }
        // Only the line is told: serde's message may quote a secret.
        let fields: ConfigFields = serde_json::from_str(text)
            .map_err(|wrong| CredentialsError::Config { line: wrong.line() })?;
        let helpers = fields.helpers.unwrap_or_default().into_iter();
        let store = fields.store.filter(|name| !name.is_empty());
        Ok(Self {
            auths: fields.auths.unwrap_or_default(),
            helpers: helpers
                .map(|(host, name)| Ok((host, name.parse()?)))
                .collect::<Result<_, CredentialsError>>()?,
            store: store.map(|name| name.parse()).transpose()?,
        })
    }

    /// The helper that docker would ask for this host. Source: docker/cli `cli/config/configfile`.
    fn helper(&self, host: &RegistryHost) -> Option<&HelperName> {
        let keys = [host.auth_key(), host.as_str()];
        let own = keys.iter().find_map(|key| self.helpers.get(*key));
        own.or(self.store.as_ref())
    }

    fn entry(&self, host: &RegistryHost) -> Option<&AuthEntry> {
        let exact = self.auths.get(host.auth_key());
        exact.or_else(|| {
            let mut entries = self.auths.iter();
            entries
                .find(|(key, _)| {
                    key_host(key) == key_host(host.auth_key()) || key_host(key) == host.as_str()
                })
                .map(|(_, entry)| entry)
        })
    }
}

/// The host in a key such as `https://ghcr.io/v2/`. Source: docker/cli `ConvertToHostname`.
fn key_host(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or(bare)
}

impl AuthEntry {
    fn credential(&self, host: &RegistryHost) -> Result<Option<Credential>, CredentialsError> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = said(&self.registry_token) {
            return Ok(Some(Credential::Bearer(Secret::new(token))));
        }
        if let Some(token) = said(&self.identity_token) {
            return Ok(Some(Credential::IdentityToken(Secret::new(token))));
        }
        if let Some(auth) = said(&self.auth) {
            return decode_auth(&auth)
                .map(Some)
                .ok_or_else(|| CredentialsError::Auth { host: host.to_string() });
        }
        Ok(said(&self.username).zip(said(&self.password)).map(|(username, password)| {
            let password = Secret::new(password);
            Credential::Basic { username, password }
        }))
    }
}

fn decode_auth(auth: &str) -> Option<Credential> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    // Docker pads the decoded text with NUL. Source: docker/cli `decodeAuth`.
    let password = Secret::new(password.trim_end_matches('\0'));
    let username = username.to_owned();
    Some(Credential::Basic { username, password })
}

/// What is used for a host, and what was passed over before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What is used; none: it is asked as a stranger.
    pub used: Option<String>,
    /// Why others are not, in the order in which they were looked at.
    pub passed: Vec<String>,
}

/// A credential without its secret.
fn words(credential: &Credential) -> String {
    match credential {
        Credential::Basic { username, .. } => {
            format!("name and password of `{}`", username.escape_debug())
        }
        Credential::IdentityToken(_) => "an identity token".to_owned(),
        Credential::Bearer(_) => "a token".to_owned(),
    }
}

/// Where credentials are looked for, in order: what the caller said, then each config.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    said: BTreeMap<RegistryHost, Credential>,
    configs: Vec<DockerConfig>,
    helpers_in: Option<PathBuf>,
}

impl Credentials {
    /// None at all: everything is asked as a stranger.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Those of some docker configs; the first that knows a host decides.
    #[must_use]
    pub fn of(configs: Vec<DockerConfig>) -> Self {
        Self { configs, ..Self::default() }
    }

    /// Adds one that goes before every config.
    #[must_use]
    pub fn with(mut self, host: RegistryHost, credential: Credential) -> Self {
        self.said.insert(host, credential);
        self
    }

    /// Takes helpers from a folder instead of the process's `PATH`.
    #[must_use]
    pub fn with_helpers_in(mut self, folder: PathBuf) -> Self {
        self.helpers_in = Some(folder);
        self
    }

    /// Which credential is used for a host, and why the ones before it are not: a line each, without secrets.
    ///
    /// # Errors
    /// A helper cannot be asked, or an entry cannot be read.
    pub async fn explain(&self, host: &RegistryHost) -> Result<Explained, CredentialsError> {
        let mut passed = Vec::new();
        if let Some(said) = self.said.get(host) {
            return Ok(Explained {
                used: Some(format!("{}, as it was told", words(said))),
                passed,
            });
        }
        for config in &self.configs {
            match config.helper(host) {
                None => {
                    passed.push("the docker config names no credential helper for it".to_owned())
                }
                Some(name) => match program::ask(name, self.helpers_in.as_deref(), host).await? {
                    Some(found) => {
                        let used = format!("{}, from docker-credential-{name}", words(&found));
                        return Ok(Explained { used: Some(used), passed });
                    }
                    None => passed.push(format!("docker-credential-{name} has none for it")),
                },
            }
            match config.entry(host) {
                None => {
                    passed.push("the docker config has no entry for it: docker login".to_owned())
                }
                Some(entry) => match entry.credential(host)? {
                    Some(found) => {
                        let used = format!("{}, from the docker config", words(&found));
                        return Ok(Explained { used: Some(used), passed });
                    }
                    None => passed.push("the docker config's entry for it is empty".to_owned()),
                },
            }
        }
        if self.configs.is_empty() {
            passed.push("there is no docker config".to_owned());
        }
        Ok(Explained { used: None, passed })
    }

    /// The credential for a host, or none; runs a helper where the config names one.
    ///
    /// # Errors
    /// A helper cannot be asked, or an entry cannot be read.
    pub async fn find(&self, host: &RegistryHost) -> Result<Option<Credential>, CredentialsError> {
        if let Some(said) = self.said.get(host) {
            return Ok(Some(said.clone()));
        }
        for config in &self.configs {
            if let Some(name) = config.helper(host)
                && let Some(found) = program::ask(name, self.helpers_in.as_deref(), host).await?
            {
                return Ok(Some(found));
            }
            if let Some(entry) = config.entry(host)
                && let Some(found) = entry.credential(host)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn find(config: &str, host: &str) -> Result<Option<Credential>, CredentialsError> {
        let config = DockerConfig::read(config)?;
        Credentials::of(vec![config]).find(&host.parse().unwrap()).await
    }

    fn basic(username: &str, password: &str) -> Credential {
        let password = Secret::new(password);
        Credential::Basic { username: username.into(), password }
    }

    #[tokio::test]
    async fn entries_are_found_under_every_spelling_of_their_host() {
        // `dXNlcjpwYTpzcw==` is `user:pa:ss`.
        for (key, host) in [
            ("ghcr.io", "ghcr.io"),
            ("https://ghcr.io", "ghcr.io"),
            ("https://ghcr.io/v2/", "ghcr.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("docker.io", "docker.io"),
            ("localhost:5000", "localhost:5000"),
        ] {
            let config = format!(r#"{{"auths":{{"{key}":{{"auth":"dXNlcjpwYTpzcw=="}}}}}}"#);
            let found = find(&config, host).await.unwrap();
            assert_eq!(found, Some(basic("user", "pa:ss")), "{key}");
            assert_eq!(find(&config, "quay.io").await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn tokens_go_before_passwords_and_empty_entries_are_none() {
        let with = |fields: &str| format!(r#"{{"auths":{{"a.io":{{{fields}}}}}}}"#);
        let auth = r#""auth":"dXNlcjpwYXNz""#;
        let cases = [
            (String::new(), None),
            (r#""auth":"""#.to_owned(), None),
            (
                format!(r#"{auth},"identitytoken":"T""#),
                Some(Credential::IdentityToken(Secret::new("T"))),
            ),
            (format!(r#"{auth},"registrytoken":"R""#), Some(Credential::Bearer(Secret::new("R")))),
            (r#""username":"u","password":"p""#.to_owned(), Some(basic("u", "p"))),
        ];
        for (fields, expected) in cases {
            assert_eq!(find(&with(&fields), "a.io").await.unwrap(), expected, "{fields}");
        }
        let wrong = find(&with(r#""auth":"!""#), "a.io").await;
        assert!(matches!(wrong, Err(CredentialsError::Auth { .. })));
    }

    #[tokio::test]
    async fn what_the_caller_says_goes_first() {
        let host: RegistryHost = "a.io".parse().unwrap();
        let config = DockerConfig::read(r#"{"auths":{"a.io":{"auth":"dXNlcjpwYXNz"}}}"#).unwrap();
        let credentials = Credentials::of(vec![config]).with(host.clone(), basic("token", "T"));
        assert_eq!(credentials.find(&host).await.unwrap(), Some(basic("token", "T")));
    }

    #[test]
    fn a_wrong_config_is_refused_without_its_secrets() {
        let wrong =
            DockerConfig::read("{\"auths\":\n{\"a\":{\"auth\": \"hunter2\" x}}}").unwrap_err();
        assert_eq!(wrong.to_string(), "the docker config is not as expected, line 2");
        for name in ["../evil", "a b", "-x", "", "A", "a/b"] {
            let config = format!(r#"{{"credHelpers":{{"a.io":"{name}"}}}}"#);
            let refused = DockerConfig::read(&config);
            assert!(matches!(refused, Err(CredentialsError::HelperName { .. })), "{name}");
        }
        assert!(DockerConfig::read(&format!("{{}}{}", " ".repeat(CONFIG_BYTES_MAX - 2))).is_ok());
        assert!(DockerConfig::read(&format!("{{}}{}", " ".repeat(CONFIG_BYTES_MAX - 1))).is_err());
    }
}

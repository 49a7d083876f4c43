//! The API of our own server: `/api/v1/` and the tag history at the registry's own path.
//!
//! ```text
//! POST /api/v1/claims, GET /api/v1/log             the team's record: `log.rs`
//! GET  /api/v1/rules?repository=shop/api&tag=uat -> {"class":"alias","explained":{"by":"rule",…}}
//! POST /api/v1/unlock {"repository","tag","reason","minutes"}
//! ```
//! A host that answers otherwise is none of ours: that is an answer too, not an error.

mod ask;
mod log;

use base64::Engine as _;
use domain::{Pattern, RegistryHost, RepositoryPath, Rule, Secret, Tag, TagClass, Timestamp};
use http::Method;
use oci::client::url::Scheme;
use oci::history::TagEntry;
use oci::limit::PAGE_ENTRIES_MAX;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use record::claim::Right;
use serde::Deserialize;
use serde_json::{Value, json};

pub use ask::ApiError;
pub use log::{Appended, Conflict, LogPage, LogQuery, LogVerified, Whoami};

/// What stands in a query or a path segment as it is. Source: RFC 3986, unreserved.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server of ours, or a host that may be one.
#[derive(Clone, Debug)]
pub struct Api {
    host: RegistryHost,
    scheme: Scheme,
    authorization: Option<Secret>,
    client: reqwest::Client,
}

/// The class of a tag at the server, and what decided it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RuleOf {
    /// The class that the tag has, or would get at its first write.
    pub class: TagClass,
    /// Whether the tag was written, so that no rule changes its class.
    pub fixed: bool,
    /// What decided: `by` is `rule`, `built-in` or `default`.
    pub explained: Value,
}

/// A token that was made; the secret is told once.
#[derive(Clone, Deserialize)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub rights: Vec<Right>,
    /// Where.
    pub repositories: Pattern,
    #[serde(rename = "token")]
    secret: String,
}

impl NewToken {
    /// The secret, to be shown once.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(self.secret.clone())
    }
}

/// A token as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TokenListed {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub rights: Vec<Right>,
    /// Where.
    pub repositories: Pattern,
    /// Since when.
    pub created: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

/// One page of a history.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TagHistory {
    /// What happened, newest first.
    pub items: Vec<TagEntry>,
    /// What asks for the next page, where there is one.
    pub next: Option<String>,
}

/// A tag that may be moved for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Unlocked {
    /// Until then.
    pub until: Timestamp,
}

#[derive(Deserialize)]
struct Rules {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<TokenListed>,
}

/// How a caller proves who it is.
#[derive(Clone, Debug)]
pub enum Proof {
    /// It does not.
    None,
    /// A token of the server.
    Token(Secret),
    /// A user name and a token, as the docker config keeps them.
    Basic {
        /// The name; the server does not look at it.
        username: String,
        /// The token.
        password: Secret,
    },
}

impl Api {
    /// The API of a host; nothing is sent yet.
    ///
    /// `client` and `scheme` are the host's own from whoever keeps the rules for connections: proxies,
    /// certificates, which addresses may be reached, how long is waited for a connection. It follows no redirect.
    #[must_use]
    pub fn new(host: RegistryHost, scheme: Scheme, client: reqwest::Client, proof: Proof) -> Self {
        let authorization = match proof {
            Proof::None => None,
            Proof::Token(token) => Some(Secret::new(format!("Bearer {}", token.expose()))),
            Proof::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose());
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                Some(Secret::new(format!("Basic {pair}")))
            }
        };
        Self { host, scheme, authorization, client }
    }

    /// How the host is spoken to.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The class of a tag; `None` where the host is no server of ours.
    ///
    /// # Errors
    /// The host cannot be reached, or refuses.
    pub async fn rule_of(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
    ) -> Result<Option<RuleOf>, ApiError> {
        let path = format!(
            "/api/v1/rules?repository={}&tag={}",
            plain(repository.as_str()),
            plain(tag.as_str())
        );
        match self.ask(Method::GET, &path, None, "its rules").await {
            Ok(found) => Ok(Some(found)),
            Err(ApiError::NotOurs { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All rules that were set, in the order of asking.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn rules(&self) -> Result<Vec<Rule>, ApiError> {
        Ok(self.ask::<Rules>(Method::GET, "/api/v1/rules", None, "its rules").await?.rules)
    }

    /// Sets a rule.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn set_rule(&self, rule: &Rule) -> Result<Rule, ApiError> {
        self.ask(Method::POST, "/api/v1/rules", Some(json!(rule)), "a rule").await
    }

    /// Unlocks one tag for some minutes, at most 60.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn unlock(
        &self,
        repository: &RepositoryPath,
        tag: &Tag,
        reason: &str,
        minutes: u32,
    ) -> Result<Unlocked, ApiError> {
        let body =
            json!({ "repository": repository, "tag": tag, "reason": reason, "minutes": minutes });
        self.ask(Method::POST, "/api/v1/unlock", Some(body), "an unlock").await
    }

    /// Makes a token.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn create_token(
        &self,
        name: &str,
        rights: &[Right],
        repositories: &Pattern,
    ) -> Result<NewToken, ApiError> {
        let body = json!({ "name": name, "rights": rights, "repositories": repositories });
        self.ask(Method::POST, "/api/v1/tokens", Some(body), "a token").await
    }

    /// All tokens, without their secrets.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn tokens(&self) -> Result<Vec<TokenListed>, ApiError> {
        Ok(self.ask::<Tokens>(Method::GET, "/api/v1/tokens", None, "its tokens").await?.tokens)
    }

    /// Makes a token useless.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn revoke_token(&self, name: &str) -> Result<(), ApiError> {
        let path = format!("/api/v1/tokens/{}", plain(name));
        self.ask::<Value>(Method::DELETE, &path, None, "a token").await.map(drop)
    }

    /// One page of the history of a tag, or of all tags that a repository ever had, newest first; `None` where
    /// the host is no server of ours.
    ///
    /// # Errors
    /// The host cannot be reached, or refuses.
    pub async fn history(
        &self,
        repository: &RepositoryPath,
        tag: Option<&Tag>,
        after: Option<&str>,
    ) -> Result<Option<TagHistory>, ApiError> {
        let mut path = format!(
            "/api/v1/tag-history?limit={PAGE_ENTRIES_MAX}&repository={}",
            plain(repository.as_str())
        );
        let optional = [("tag", tag.map(Tag::as_str)), ("after", after)];
        for (name, value) in optional {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", plain(value)));
            }
        }
        match self.ask(Method::GET, &path, None, "a history").await {
            Ok(page) => Ok(Some(page)),
            Err(ApiError::NotOurs { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn plain(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

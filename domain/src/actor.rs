//! Who did something, and how that was proven.
//!
//! ```text
//! {"name":"ci-shop","proof":"token"}
//! ```

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest actor's name, in bytes.
pub const ACTOR_LEN_MAX: usize = 256;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    name: ActorName,
    proof: Proof,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct ActorName(String);

/// How the record knows that it was that actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Somebody said so.
    None,
    /// The git host let them push.
    Git,
    /// A token of ours.
    Token,
    /// Verified claims of an identity provider.
    Oidc,
}

/// The text names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an actor's name has 1 to {ACTOR_LEN_MAX} bytes and no control characters")]
pub struct ActorError;

impl TryFrom<String> for ActorName {
    type Error = ActorError;

    fn try_from(name: String) -> Result<Self, ActorError> {
        let fits = (1..=ACTOR_LEN_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
        if fits { Ok(Self(name)) } else { Err(ActorError) }
    }
}

impl From<ActorName> for String {
    fn from(name: ActorName) -> Self {
        name.0
    }
}

impl Actor {
    /// Joins a name and its proof.
    ///
    /// # Errors
    /// The name is empty, too long, or holds control characters.
    pub fn new(name: &str, proof: Proof) -> Result<Self, ActorError> {
        Ok(Self { name: ActorName::try_from(name.to_owned())?, proof })
    }

    /// The actor of a loopback server without any token. Source: DESIGN §12, "Tokens".
    #[must_use]
    pub fn anonymous_loopback() -> Self {
        Self { name: ActorName("anonymous (loopback)".to_owned()), proof: Proof::None }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name.0
    }

    /// How it was proven.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_256_characters_and_not_257() {
        assert!(Actor::new(&"a".repeat(256), Proof::None).is_ok());
        assert!(Actor::new(&"a".repeat(257), Proof::None).is_err());
        assert!(Actor::new("", Proof::None).is_err());
        assert!(Actor::new("a\u{1b}[31m", Proof::Git).is_err());
    }

    #[test]
    fn the_written_form_is_the_design_s() {
        let actor = Actor::new("ci-shop", Proof::Token).unwrap();
        let text = serde_json::to_string(&actor).unwrap();
        assert_eq!(text, r#"{"name":"ci-shop","proof":"token"}"#);
        assert_eq!(serde_json::from_str::<Actor>(&text).unwrap(), actor);
        assert!(serde_json::from_str::<Actor>(r#"{"name":"","proof":"token"}"#).is_err());
    }
}

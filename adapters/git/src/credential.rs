//! What proves to a remote who is asking.
//!
//! Never in an argument or a URL: a token goes to git's askpass program through the environment of
//! that one process, a header through git's own configuration variables.

use domain::Secret;

/// How a process that talks to a remote proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Whatever the user has set up: ssh agent and keys, credential helpers, Kerberos.
    Ambient,
    /// A user name and a password or token, for `https` and for that remote's host only.
    Token {
        /// The name; forges take any for a token, such as `x-access-token`.
        username: String,
        /// The password or token.
        token: Secret,
    },
    /// A whole header, `AUTHORIZATION: basic …`, as CI checkouts leave it in a repository's settings.
    Header(Secret),
}

impl Credential {
    /// The texts that must not appear in anything that is shown.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Ambient => Vec::new(),
            Self::Token { token, .. } => vec![token.expose()],
            Self::Header(header) => {
                header.expose().split_whitespace().chain([header.expose()]).collect()
            }
        }
    }
}

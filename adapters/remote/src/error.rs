//! Why a place did not give or take something, by what a caller can do about it.
//!
//! ```text
//! registry ghcr.io answered 404 (MANIFEST_UNKNOWN): there is no shop/api:1.4
//! registry ghcr.io answered 429 (TOOMANYREQUESTS): asked too often, again in 300 s
//! ```
//! Only [`RemoteError::NotFound`] means that something is not there; each other one means that it could not
//! be found out, or was refused.

use std::fmt;
use std::time::Duration;

use domain::{Digest, DigestMismatch};
use oci::document::DocumentError;

/// The characters of a registry's own message that are shown.
const SHOWN_CHARS_MAX: usize = 300;

/// What a registry answered, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The registry, as references name it.
    pub host: String,
    /// Who answered for it, where it was another host: its token service, its storage.
    pub at: Option<String>,
    /// The status.
    pub status: u16,
    /// The first OCI error code of the body, where there is one.
    pub code: Option<String>,
    /// The first message of the body, where there is one.
    pub message: Option<String>,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", place(&self.host, self.at.as_deref()), self.status)?;
        if let Some(code) = &self.code {
            write!(f, " ({})", shown(code))?;
        }
        match &self.message {
            Some(message) => write!(f, " `{}`", shown(message)),
            None => Ok(()),
        }
    }
}

/// A registry, and who answers or should answer for it where that is another host.
pub(crate) fn place(registry: &str, at: Option<&str>) -> String {
    match at {
        Some(at) => format!("registry {registry}, at {at},"),
        None => format!("registry {registry}"),
    }
}

/// A stranger's text as one line that cannot steer a terminal.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    short.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

/// How far a request came before it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No connection: the name is unknown, nobody listens, or the two cannot agree on TLS.
    Connecting,
    /// A connection that broke.
    Talking,
}

/// Why a place did not give or take something.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It is certain that the thing is not there.
    #[error("{said}: there is no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// Who said so.
        said: String,
    },
    /// No credentials, or none that were accepted.
    #[error("{answered}: {advice}")]
    Unauthorized {
        /// What the registry said.
        answered: Answered,
        /// Whether there were credentials, and what to do.
        advice: &'static str,
    },
    /// The credentials were accepted, and do not allow this.
    #[error("{answered}: not allowed to {action}")]
    Denied {
        /// What the registry said.
        answered: Answered,
        /// What was tried.
        action: String,
    },
    /// Asked too often, after all retries, or for longer than is waited.
    #[error("{answered}: asked too often{}", again(*after))]
    RateLimited {
        /// What the registry said.
        answered: Answered,
        /// When to come back, where it said so.
        after: Option<Duration>,
    },
    /// No connection, or one that broke, after all retries.
    #[error("{place} cannot be reached")]
    Unreachable {
        /// The host or socket.
        place: String,
        /// How far it came.
        stage: Stage,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing came for too long, after all retries.
    #[error("{place} sent nothing for {} s", waited.as_secs())]
    Timeout {
        /// The host or socket.
        place: String,
        /// How long was waited.
        waited: Duration,
    },
    /// A fault of the server, after all retries.
    #[error("{answered}")]
    Server {
        /// What it said.
        answered: Answered,
    },
    /// The request was refused for a reason that is none of the above.
    #[error("{answered}: {action} was refused")]
    Refused {
        /// What the registry said.
        answered: Answered,
        /// What was tried.
        action: String,
    },
    /// The bytes that came are not those that were asked for.
    #[error("{place} delivered other bytes")]
    DigestMismatch {
        /// Where they came from.
        place: String,
        /// Both digests.
        #[source]
        mismatch: DigestMismatch,
    },
    /// More or fewer bytes came than were announced.
    #[error("{place} delivered {found} bytes of {digest}, expected {expected}")]
    SizeMismatch {
        /// Where they came from.
        place: String,
        /// What was asked for.
        digest: Digest,
        /// The announced size.
        expected: u64,
        /// What came, at least.
        found: u64,
    },
    /// Larger than what is read.
    #[error("{what} is larger than {max} bytes")]
    TooLarge {
        /// What was read.
        what: String,
        /// The limit.
        max: u64,
    },
    /// An answer that is none in the protocol.
    #[error("{place}: {problem}")]
    Protocol {
        /// Who answered.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A document that is not what it must be.
    #[error("{what} cannot be read")]
    Document {
        /// Which.
        what: String,
        /// Why.
        #[source]
        cause: DocumentError,
    },
    /// An address that is not asked: private, loopback, or in clear text where that was not allowed.
    #[error("{host} sends on to {to}, which is refused: {reason}")]
    Egress {
        /// Who sent us there.
        host: String,
        /// The host that would have been asked.
        to: String,
        /// Why not.
        reason: &'static str,
    },
    /// An archive that ends early or is not what its name says.
    #[error("archive {path}: {problem}")]
    Archive {
        /// The file.
        path: String,
        /// What is wrong, and at which entry.
        problem: String,
    },
    /// A file or folder on this machine.
    #[error("cannot {action} {path}")]
    File {
        /// `read`, `write`, …
        action: &'static str,
        /// The path.
        path: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Several images are there, and none was named.
    #[error("{place} holds {count} images: name one of {names}")]
    Ambiguous {
        /// The place.
        place: String,
        /// How many.
        count: usize,
        /// Some of their names.
        names: String,
    },
    /// Credentials could not be read.
    #[error(transparent)]
    Credentials(#[from] crate::credentials::CredentialsError),
    /// The system's certificates or settings for `https` cannot be used.
    #[error("cannot set up connections to {host}")]
    Setup {
        /// The registry.
        host: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A blob that can be read only once was to be read again.
    #[error("the upload of {digest} broke, and its source cannot be read again")]
    NotRestartable {
        /// The blob.
        digest: Digest,
    },
}

fn again(after: Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!(", again in {} s", after.as_secs()))
}

impl RemoteError {
    /// Whether it is certain that the thing is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
        cause: std::io::Error,
    ) -> Self {
        let path = path.display().to_string();
        Self::File { action, path, cause }
    }

    pub(crate) fn protocol(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Protocol { place: place.into(), problem: problem.into() }
    }

    pub(crate) fn document(what: impl Into<String>, cause: DocumentError) -> Self {
        Self::Document { what: what.into(), cause }
    }
}

/// The value of something that may be absent; every other error stays one.
///
/// # Errors
/// Whatever is not [`RemoteError::NotFound`].
pub fn or_absent<T>(asked: Result<T, RemoteError>) -> Result<Option<T>, RemoteError> {
    match asked {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_that_names_host_status_and_code() {
        let mut answered = Answered {
            host: "ghcr.io".into(),
            at: None,
            status: 404,
            code: Some("MANIFEST_UNKNOWN".into()),
            message: None,
        };
        assert_eq!(answered.to_string(), "registry ghcr.io answered 404 (MANIFEST_UNKNOWN)");
        answered.at = Some("storage.example".into());
        assert_eq!(
            answered.to_string(),
            "registry ghcr.io, at storage.example, answered 404 (MANIFEST_UNKNOWN)"
        );
        answered.at = None;
        answered.message = Some("a \"b\"\n\u{1b}[31mred".into());
        assert_eq!(
            answered.to_string(),
            "registry ghcr.io answered 404 (MANIFEST_UNKNOWN) `a \"b\"\\n\\u{1b}[31mred`"
        );
    }

    #[test]
    fn only_not_found_is_absence() {
        let absent = RemoteError::NotFound { what: "shop/api:1".into(), said: "x".into() };
        assert!(or_absent::<()>(Err(absent)).unwrap().is_none());
        let unknown = RemoteError::Timeout { place: "x".into(), waited: Duration::from_secs(60) };
        assert_eq!(unknown.to_string(), "x sent nothing for 60 s");
        assert!(or_absent::<()>(Err(unknown)).is_err());
    }
}

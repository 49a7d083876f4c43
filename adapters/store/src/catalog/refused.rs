//! Why deletes, unlocks, rules and tokens are refused.

use crate::database::DatabaseError;
use domain::{Digest, Tag};
use record::EventError;

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The repository has no such tag, manifest or blob.
    #[error("`{what}` is not in the repository")]
    Unknown {
        /// The tag or digest.
        what: String,
    },
    /// A manifest of the repository names it.
    #[error("{digest} is in use: manifest {by} names it")]
    InUse {
        /// What was to be deleted.
        digest: Digest,
        /// One that names it.
        by: Digest,
    },
    /// A fact that cannot be recorded.
    #[error("the deletion cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a tag was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// It was never written.
    #[error("tag `{tag}` was never written: there is nothing to unlock")]
    Unknown {
        /// The tag.
        tag: Tag,
    },
    /// It is no immutable tag.
    #[error("tag `{tag}` is {class}, not immutable: there is nothing to unlock")]
    NotImmutable {
        /// The tag.
        tag: Tag,
        /// What it is.
        class: domain::TagClass,
    },
    /// The end is in the past or more than an hour away.
    #[error("a tag is unlocked for at most {max} minutes from now", max = record::claim::UNLOCK_MS_MAX / 60_000)]
    Span,
    /// A fact that cannot be recorded.
    #[error("the unlock cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a rule was not set.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There are too many.
    #[error("a registry keeps at most {max} rules", max = domain::rule::RULES_MAX)]
    TooMany,
    /// A fact that cannot be recorded.
    #[error("the rule cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a token was neither made nor revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The name is taken, also by one that was revoked: names in the history stay unambiguous.
    #[error("there is a token `{name}` already; names are not used twice")]
    Taken {
        /// The name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no token `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The name is empty, too long or holds other than visible ASCII.
    #[error("a token's name has 1 to {max} visible characters", max = crate::catalog::TOKEN_NAME_LEN_MAX)]
    Name,
    /// There are too many.
    #[error("a registry keeps at most {max} tokens", max = crate::catalog::TOKENS_MAX)]
    TooMany,
    /// A fact that cannot be recorded.
    #[error("the token cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

//! What the store's errors are to a client.

use super::Refusal;
use domain::{Digest, RepositoryPath, TagRefusal};
use oci::{ErrorCode, RefusedWrite};
use store::{BlobError, DatabaseError, DeleteError, PutError, RuleError, TokenError, UnlockError};

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Busy { .. } | DatabaseError::Locked { .. } => {
                Self::Busy(error.to_string())
            }
            DatabaseError::Unavailable { .. } => Self::Unavailable(Box::new(error)),
            DatabaseError::Full => Self::Full(Box::new(error)),
            DatabaseError::Corrupt { .. } | DatabaseError::Sqlite(_) => Self::internal(error),
        }
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::UnknownUpload { .. } => Self::unknown(ErrorCode::BlobUploadUnknown, error),
            // Two requests write to one upload: the second may come back.
            BlobError::UploadInUse { .. } | BlobError::TooManyUploads { .. } => {
                Self::Busy(error.to_string())
            }
            BlobError::Offset { .. } => {
                Self::Mismatch { code: ErrorCode::BlobUploadInvalid, message: error.to_string() }
            }
            BlobError::TooLarge { .. } => Self::TooLarge { message: error.to_string() },
            BlobError::Digest(_) => {
                Self::Mismatch { code: ErrorCode::DigestInvalid, message: error.to_string() }
            }
            BlobError::Full => Self::Full(Box::new(error)),
            BlobError::Io { .. } => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<DeleteError> for Refusal {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Unknown { .. } => Self::unknown(ErrorCode::ManifestUnknown, error),
            DeleteError::InUse { .. } => Self::InUse(error.to_string()),
            DeleteError::Event(_) => Self::internal(error),
            DeleteError::Database(cause) => cause.into(),
        }
    }
}

impl From<RuleError> for Refusal {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::TooMany => Self::Conflict(error.to_string()),
            RuleError::Event(_) => Self::Invalid(error.to_string()),
            RuleError::Database(cause) => cause.into(),
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Taken { .. } | TokenError::TooMany => Self::Conflict(error.to_string()),
            TokenError::Unknown { .. } => Self::unknown(ErrorCode::Unknown, error),
            TokenError::Name | TokenError::Event(_) => Self::Invalid(error.to_string()),
            TokenError::Database(cause) => cause.into(),
        }
    }
}

impl From<UnlockError> for Refusal {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Unknown { .. } => Self::unknown(ErrorCode::ManifestUnknown, error),
            UnlockError::NotImmutable { .. } => Self::Conflict(error.to_string()),
            UnlockError::Span | UnlockError::Event(_) => Self::Invalid(error.to_string()),
            UnlockError::Database(cause) => cause.into(),
        }
    }
}

/// A refused manifest write; the store does not repeat what was asked for, the answer does.
pub(crate) fn from_put(
    error: PutError,
    actor: &domain::Actor,
    repository: &RepositoryPath,
    incoming: Digest,
) -> Refusal {
    let write = |refusal, tag, there: Option<store::Holder>| {
        let put = there.map(|there| (there.actor.to_string(), there.at));
        let refused = RefusedWrite::new(refusal, repository.clone(), tag, incoming, put);
        Refusal::Write(Box::new(refused))
    };
    match error {
        PutError::Taken { tag, there } => {
            write(TagRefusal::Taken { digest: there.digest }, tag, Some(there))
        }
        PutError::Burnt { tag, there } => {
            write(TagRefusal::Burnt { digest: there.digest }, tag, Some(there))
        }
        PutError::Drops { tag, there } => {
            write(TagRefusal::Drops { digest: there.digest }, tag, Some(there))
        }
        PutError::Stale { tag, found } => write(TagRefusal::Stale { found }, tag, None),
        PutError::Denied { right, .. } => Refusal::RightMissing {
            actor: actor.to_string(),
            right,
            repository: Some(repository.clone()),
        },
        PutError::Missing { missing } => Refusal::Missing(missing),
        PutError::Digest(mismatch) => {
            Refusal::Mismatch { code: ErrorCode::DigestInvalid, message: mismatch.to_string() }
        }
        PutError::Event(_) => Refusal::internal(error),
        PutError::Blob(cause) => cause.into(),
        PutError::Database(cause) => cause.into(),
    }
}

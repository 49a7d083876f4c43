//! Why bytes were not kept or not given.

use domain::DigestMismatch;
use oci::UploadId;
use std::io;
use std::path::{Path, PathBuf};

/// Why bytes were not kept or not given.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No upload of that name in that repository.
    #[error("there is no upload {id}")]
    UnknownUpload {
        /// The name.
        id: UploadId,
    },
    /// Another request writes to it now.
    #[error("upload {id} is being written by another request")]
    UploadInUse {
        /// The name.
        id: UploadId,
    },
    /// The chunk starts elsewhere than the upload ends.
    #[error("the upload has {offset} bytes, the chunk starts at {start}")]
    Offset {
        /// Where it ends.
        offset: u64,
        /// Where the chunk starts.
        start: u64,
    },
    /// The blob is, or would be, too large.
    #[error("a blob has at most {max} bytes here")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// Too many uploads are under way.
    #[error("{max} uploads are under way, no more are taken")]
    TooManyUploads {
        /// The limit.
        max: usize,
    },
    /// The content is not what its digest names.
    #[error(transparent)]
    Digest(#[from] DigestMismatch),
    /// No space is left; nothing half-written stays visible.
    #[error("no space is left on the store's disk")]
    Full,
    /// The disk refuses.
    #[error("{} cannot be read or written", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: io::Error,
    },
}

impl BlobError {
    /// Names the file, and a full disk by its name.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| {
            let kind = source.kind();
            if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
                return Self::Full;
            }
            Self::Io { path: path.to_owned(), source }
        }
    }
}

/// Runs work on the disk off the runtime's threads.
pub(super) async fn on_disk<T, F>(work: F) -> Result<T, BlobError>
where
    F: FnOnce() -> Result<T, BlobError> + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|fault| {
        let source = io::Error::other(format!("the work was given up: {fault}"));
        Err(BlobError::Io { path: PathBuf::new(), source })
    })
}

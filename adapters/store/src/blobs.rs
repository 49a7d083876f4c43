//! Bytes on disk, named by their digest, and uploads that are under way.
//!
//! ```text
//! uploads/<uuid>.<repository's hash>  --commit: sync, rename, sync folder-->  blobs/sha256/ab/<hex>
//! ```
//! Whether a repository may show a blob is the catalog's to say, never this module's. Two uploads of the
//! same content are harmless: the second replaces the first with the same bytes.

use bytes::Bytes;
use domain::{Algorithm, Digest, DigestMismatch, RepositoryPath, Timestamp};
use oci::UploadId;
use std::ops::Range;
use std::path::PathBuf;

/// The most uploads that are under way at once.
pub const UPLOADS_OPEN_MAX: usize = 10_000;

/// Limits that settings may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobLimits {
    /// The largest blob, in bytes.
    pub blob_bytes_max: u64,
    /// The most uploads at once.
    pub uploads_max: usize,
}

/// A handle to the bytes; clones are cheap.
#[derive(Clone, Debug)]
pub struct Blobs {}

/// The only writer of one upload, from an offset on.
#[derive(Debug)]
pub struct UploadWriter {}

/// A blob that is being read.
#[derive(Debug)]
pub struct BlobReader {}

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
    /// The blob would be too large.
    #[error("a blob has at most {max} bytes")]
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
    #[error("{path} cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: std::io::Error,
    },
}

impl Blobs {
    /// Starts an upload into a repository.
    ///
    /// # Errors
    /// Too many are under way, or the disk refuses.
    pub async fn start(
        &self,
        repository: &RepositoryPath,
        algorithm: Algorithm,
        randomness: u128,
    ) -> Result<UploadId, BlobError> {
        todo!("{repository} {algorithm:?} {randomness}")
    }

    /// How many bytes an upload has.
    ///
    /// # Errors
    /// There is no such upload in that repository.
    pub async fn offset(
        &self,
        repository: &RepositoryPath,
        id: UploadId,
    ) -> Result<u64, BlobError> {
        todo!("{repository} {id}")
    }

    /// Takes an upload for writing at its end; `start` is where the chunk says that it starts.
    ///
    /// # Errors
    /// There is none, another request has it, or its end is elsewhere.
    pub async fn append(
        &self,
        repository: &RepositoryPath,
        id: UploadId,
        start: Option<u64>,
    ) -> Result<UploadWriter, BlobError> {
        todo!("{repository} {id} {start:?}")
    }

    /// Makes a finished upload durable under its digest; gives its size.
    ///
    /// # Errors
    /// The content is another; the upload stays and may go on.
    pub async fn commit(
        &self,
        repository: &RepositoryPath,
        id: UploadId,
        digest: Digest,
    ) -> Result<u64, BlobError> {
        todo!("{repository} {id} {digest}")
    }

    /// Throws an upload away.
    ///
    /// # Errors
    /// There is no such upload in that repository.
    pub async fn cancel(&self, repository: &RepositoryPath, id: UploadId) -> Result<(), BlobError> {
        todo!("{repository} {id}")
    }

    /// Throws away uploads whose last byte came before a moment; gives how many.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn sweep_uploads(&self, before: Timestamp) -> Result<usize, BlobError> {
        todo!("{before}")
    }

    /// Keeps bytes that are at hand, durably, under their digest.
    ///
    /// # Errors
    /// They are not what the digest names, or the disk refuses.
    pub async fn write(&self, digest: Digest, bytes: Bytes) -> Result<(), BlobError> {
        todo!("{digest} {bytes:?}")
    }

    /// Opens a blob for reading; `None`: it is not there.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn open(&self, digest: &Digest) -> Result<Option<BlobReader>, BlobError> {
        todo!("{digest}")
    }

    /// The whole of a small blob, verified against its digest; `None`: it is not there.
    ///
    /// # Errors
    /// It is larger than `bytes_max`, or damaged.
    pub async fn read(&self, digest: &Digest, bytes_max: u64) -> Result<Option<Bytes>, BlobError> {
        todo!("{digest} {bytes_max}")
    }

    /// Reads a blob and compares it with its digest; `None`: it is not there.
    ///
    /// # Errors
    /// It is damaged, or the disk refuses.
    pub async fn verify(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        todo!("{digest}")
    }

    /// Removes a blob's bytes; whether there were any.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn remove(&self, digest: &Digest) -> Result<Removed, BlobError> {
        todo!("{digest}")
    }
}

/// Whether there was something to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// There was.
    Gone,
    /// There was nothing.
    Absent,
}

impl UploadWriter {
    /// Adds the next piece.
    ///
    /// # Errors
    /// Too large, or the disk refuses; the upload then ends where it ended before.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        todo!("{piece:?}")
    }

    /// Writes what is still held back; gives the upload's size.
    ///
    /// # Errors
    /// As [`UploadWriter::write`].
    pub async fn finish(self) -> Result<u64, BlobError> {
        todo!()
    }
}

impl BlobReader {
    /// The blob's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        todo!()
    }

    /// Reads only this part from now on; the caller has checked it against the size.
    #[must_use]
    pub fn range(self, range: Range<u64>) -> Self {
        todo!("{range:?}")
    }

    /// The next piece, of at most 256 KiB; `None` at the end.
    ///
    /// # Errors
    /// The disk refuses, or the file is shorter than it was.
    pub async fn next(&mut self) -> Option<Result<Bytes, BlobError>> {
        todo!()
    }
}

//! Bytes on disk, named by their digest, and uploads that are under way.
//!
//! ```text
//! uploads/<uuid>.<repository's hash>  --commit: sync, rename, sync folder-->  blobs/sha256/ab/<hex>
//! ```
//! Whether a repository may show a blob is the catalog's to say, never this module's. Two uploads of the
//! same content are harmless: the second replaces the first with the same bytes.

mod durable;
mod error;
mod layout;
mod reader;
mod sweep;
mod upload;

pub use error::BlobError;
pub use reader::BlobReader;
pub use upload::UploadWriter;

use bytes::Bytes;
use domain::{Algorithm, Digest, RepositoryPath, Timestamp};
use durable::Folders;
use error::on_disk;
use layout::Layout;
use oci::UploadId;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use upload::{Content, Upload};

/// The most uploads that are under way at once, by default.
pub const UPLOADS_OPEN_MAX: usize = 10_000;
/// How long a request waits for another one's last write to the same upload.
const UPLOAD_WAIT: Duration = Duration::from_secs(5);

/// Limits that settings may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobLimits {
    /// The largest blob, in bytes.
    pub blob_bytes_max: u64,
    /// The most uploads at once.
    pub uploads_max: usize,
}

impl Default for BlobLimits {
    fn default() -> Self {
        Self { blob_bytes_max: oci::limit::BLOB_BYTES_DEFAULT, uploads_max: UPLOADS_OPEN_MAX }
    }
}

/// A handle to the bytes; clones are cheap.
#[derive(Clone, Debug)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    limits: BlobLimits,
    folders: Folders,
    uploads: Mutex<Uploads>,
}

#[derive(Debug)]
struct Uploads {
    open: HashMap<UploadId, Arc<Upload>>,
    /// Those of earlier processes included, which are in `open` only once somebody asks for them.
    count: usize,
}

/// Whether there was something to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// There was.
    Gone,
    /// There was nothing.
    Absent,
}

impl Blobs {
    /// The bytes under a data folder; makes the folders that are missing. Blocks.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open_folder(root: &Path, limits: BlobLimits) -> Result<Self, BlobError> {
        let layout = Layout::new(root);
        let folders = Folders::default();
        for folder in layout.folders() {
            folders.make(&folder)?;
        }
        let count = sweep::uploads(&layout)?.iter().filter(|left| left.is_upload()).count();
        let uploads = Mutex::new(Uploads { open: HashMap::new(), count });
        Ok(Self { inner: Arc::new(Inner { layout, limits, folders, uploads }) })
    }

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
        let max = self.inner.limits.uploads_max;
        {
            let mut uploads = self.uploads();
            if uploads.count >= max {
                return Err(BlobError::TooManyUploads { max });
            }
            uploads.count += 1;
        }
        let id = UploadId::new(randomness);
        let path = self.inner.layout.upload(repository, id);
        let inner = Arc::clone(&self.inner);
        // The place that was counted is given back also when the request goes away meanwhile.
        on_disk(move || {
            let created = Upload::create(path, algorithm);
            let mut uploads = inner.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            match created {
                Ok(upload) => {
                    uploads.open.insert(id, Arc::new(upload));
                    Ok(id)
                }
                Err(error) => {
                    uploads.count -= 1;
                    Err(error)
                }
            }
        })
        .await
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
        Ok(self.upload(repository, id).await?.length())
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
        let (upload, content) = self.lock(repository, id).await?;
        let offset = upload.length();
        match start {
            Some(start) if start != offset => Err(BlobError::Offset { offset, start }),
            Some(_) | None => {
                Ok(UploadWriter::new(upload, content, self.inner.limits.blob_bytes_max))
            }
        }
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
        let (upload, mut content) = self.lock(repository, id).await?;
        let inner = Arc::clone(&self.inner);
        on_disk(move || {
            let size = content.settle(
                &inner.folders,
                &digest,
                &upload.path,
                &inner.layout.blob(&digest),
            )?;
            inner.forget(id);
            Ok(size)
        })
        .await
    }

    /// Throws an upload away.
    ///
    /// # Errors
    /// There is no such upload in that repository.
    pub async fn cancel(&self, repository: &RepositoryPath, id: UploadId) -> Result<(), BlobError> {
        let (upload, content) = self.lock(repository, id).await?;
        let inner = Arc::clone(&self.inner);
        on_disk(move || {
            fs::remove_file(&upload.path).map_err(BlobError::io(&upload.path))?;
            inner.forget(id);
            drop(content);
            Ok(())
        })
        .await
    }

    /// Throws away uploads whose last byte came before a moment; gives how many.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn sweep_uploads(&self, before: Timestamp) -> Result<usize, BlobError> {
        let inner = Arc::clone(&self.inner);
        on_disk(move || sweep::sweep(&inner, before)).await
    }

    /// Keeps bytes that are at hand, durably, under their digest.
    ///
    /// # Errors
    /// They are not what the digest names, or the disk refuses.
    pub async fn write(&self, digest: Digest, bytes: Bytes) -> Result<(), BlobError> {
        let inner = Arc::clone(&self.inner);
        on_disk(move || {
            digest.verify(&bytes)?;
            let folder = inner.layout.uploads();
            let mut file = tempfile::Builder::new()
                .prefix(sweep::WRITE_PREFIX)
                .tempfile_in(&folder)
                .map_err(BlobError::io(&folder))?;
            file.write_all(&bytes).map_err(BlobError::io(&folder))?;
            inner.folders.settle(file.as_file(), file.path(), &inner.layout.blob(&digest))?;
            // It has another name now: there is nothing to remove.
            file.disable_cleanup(true);
            Ok(())
        })
        .await
    }

    /// Opens a blob for reading; `None`: it is not there.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn open(&self, digest: &Digest) -> Result<Option<BlobReader>, BlobError> {
        let path = self.inner.layout.blob(digest);
        on_disk(move || {
            let opened = open_file(&path)?;
            Ok(opened.map(|(file, size)| BlobReader::new(path, file, size)))
        })
        .await
    }

    /// The whole of a small blob, verified against its digest; `None`: it is not there.
    ///
    /// # Errors
    /// It is larger than `bytes_max`, or damaged.
    pub async fn read(&self, digest: &Digest, bytes_max: u64) -> Result<Option<Bytes>, BlobError> {
        let (path, digest) = (self.inner.layout.blob(digest), *digest);
        on_disk(move || {
            let Some((mut file, size)) = open_file(&path)? else {
                return Ok(None);
            };
            if size > bytes_max {
                return Err(BlobError::TooLarge { max: bytes_max });
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(BlobError::io(&path))?;
            digest.verify(&bytes)?;
            Ok(Some(Bytes::from(bytes)))
        })
        .await
    }

    /// Reads a blob and compares it with its digest; gives its size, `None`: it is not there.
    ///
    /// # Errors
    /// It is damaged, or the disk refuses.
    pub async fn verify(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let (path, digest) = (self.inner.layout.blob(digest), *digest);
        on_disk(move || {
            let Some((mut file, size)) = open_file(&path)? else {
                return Ok(None);
            };
            let actual = upload::hash(&mut file, digest.algorithm());
            digest.expect(actual.map_err(BlobError::io(&path))?)?;
            Ok(Some(size))
        })
        .await
    }

    /// Removes a blob's bytes; tells whether there were any.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn remove(&self, digest: &Digest) -> Result<Removed, BlobError> {
        let path = self.inner.layout.blob(digest);
        on_disk(move || match fs::remove_file(&path) {
            Ok(()) => Ok(Removed::Gone),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Removed::Absent),
            Err(error) => Err(BlobError::io(&path)(error)),
        })
        .await
    }

    /// As [`Blobs::read`], for a thread that may block.
    pub(crate) fn read_now(&self, digest: &Digest) -> Result<Option<Bytes>, BlobError> {
        let path = self.inner.layout.blob(digest);
        let Some((mut file, _)) = open_file(&path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(BlobError::io(&path))?;
        digest.verify(&bytes)?;
        Ok(Some(Bytes::from(bytes)))
    }

    fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.inner.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lock(
        &self,
        repository: &RepositoryPath,
        id: UploadId,
    ) -> Result<(Arc<Upload>, OwnedMutexGuard<Content>), BlobError> {
        let upload = self.upload(repository, id).await?;
        let content = tokio::time::timeout(UPLOAD_WAIT, upload.lock())
            .await
            .map_err(|_| BlobError::UploadInUse { id })?;
        // Whoever had it before may have finished it.
        if self.uploads().open.contains_key(&id) {
            Ok((upload, content))
        } else {
            Err(BlobError::UnknownUpload { id })
        }
    }

    async fn upload(
        &self,
        repository: &RepositoryPath,
        id: UploadId,
    ) -> Result<Arc<Upload>, BlobError> {
        let path = self.inner.layout.upload(repository, id);
        if let Some(upload) = self.uploads().open.get(&id) {
            let is_here = upload.path == path;
            return is_here.then(|| Arc::clone(upload)).ok_or(BlobError::UnknownUpload { id });
        }
        let inner = Arc::clone(&self.inner);
        on_disk(move || {
            // Under the lock: two requests must not both take it up with a length of their own.
            let mut uploads = inner.uploads.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(upload) = uploads.open.get(&id) {
                return Ok(Arc::clone(upload));
            }
            let resumed = Upload::resume(path)?.ok_or(BlobError::UnknownUpload { id })?;
            let upload = Arc::new(resumed);
            uploads.open.insert(id, Arc::clone(&upload));
            Ok(upload)
        })
        .await
    }
}

impl Inner {
    fn forget(&self, id: UploadId) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        if uploads.open.remove(&id).is_some() {
            uploads.count = uploads.count.saturating_sub(1);
        }
    }
}

fn open_file(path: &Path) -> Result<Option<(File, u64)>, BlobError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BlobError::io(path)(error)),
    };
    let size = file.metadata().map_err(BlobError::io(path))?.len();
    Ok(Some((file, size)))
}

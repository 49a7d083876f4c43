//! One upload: a file that grows at its end, and the hash of what it holds.
//!
//! The hash runs along in memory; after a restart it is made again from the file when it is needed.

use super::durable::{self, Folders};
use super::error::{BlobError, on_disk};
use bytes::Bytes;
use domain::{Algorithm, Digest, Digester};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Pieces are held back until they have this many bytes together, then hashed and written at once.
const WRITE_BYTES: usize = 256 * 1024;

/// An upload that this process knows.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) path: PathBuf,
    length: AtomicU64,
    content: Arc<Mutex<Content>>,
}

/// What only one request at a time may touch.
pub(super) struct Content {
    file: File,
    length: u64,
    /// None after a restart, or when another algorithm is asked for.
    running: Option<Digester>,
    algorithm: Algorithm,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Upload {
    pub(super) fn create(path: PathBuf, algorithm: Algorithm) -> Result<Self, BlobError> {
        let file = durable::new_file(&path).map_err(BlobError::io(&path))?;
        let running = Some(Digester::new(algorithm));
        Ok(Self::with(path, Content { file, length: 0, running, algorithm }))
    }

    /// Takes up an upload of an earlier process; `None`: there is no such file.
    pub(super) fn resume(path: PathBuf) -> Result<Option<Self>, BlobError> {
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BlobError::io(&path)(error)),
        };
        let length = file.seek(SeekFrom::End(0)).map_err(BlobError::io(&path))?;
        let algorithm = Algorithm::Sha256;
        Ok(Some(Self::with(path, Content { file, length, running: None, algorithm })))
    }

    fn with(path: PathBuf, content: Content) -> Self {
        let length = AtomicU64::new(content.length);
        Self { path, length, content: Arc::new(Mutex::new(content)) }
    }

    pub(super) fn length(&self) -> u64 {
        self.length.load(Ordering::Acquire)
    }

    pub(super) async fn lock(&self) -> OwnedMutexGuard<Content> {
        Arc::clone(&self.content).lock_owned().await
    }

    pub(super) fn try_lock(&self) -> Option<OwnedMutexGuard<Content>> {
        Arc::clone(&self.content).try_lock_owned().ok()
    }
}

impl Content {
    /// Appends all pieces; after an error the file ends where it ended before.
    fn append(&mut self, pieces: &[Bytes]) -> io::Result<()> {
        let written = pieces.iter().try_for_each(|piece| self.file.write_all(piece));
        if let Err(error) = written {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        for piece in pieces {
            self.length += piece.len() as u64;
            if let Some(running) = &mut self.running {
                running.update(piece);
            }
        }
        Ok(())
    }

    fn digest(&mut self, algorithm: Algorithm) -> io::Result<Digest> {
        if let Some(running) = self.running.clone().filter(|_| self.algorithm == algorithm) {
            return Ok(running.finish());
        }
        self.file.seek(SeekFrom::Start(0))?;
        let digest = hash(&mut self.file, algorithm)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        Ok(digest)
    }

    /// Compares, makes durable under the digest's name; gives the size.
    pub(super) fn settle(
        &mut self,
        folders: &Folders,
        digest: &Digest,
        from: &Path,
        to: &Path,
    ) -> Result<u64, BlobError> {
        let actual = self.digest(digest.algorithm()).map_err(BlobError::io(from))?;
        digest.expect(actual)?;
        folders.settle(&self.file, from, to)?;
        Ok(self.length)
    }
}

/// Hashes what is left of a file.
pub(super) fn hash(file: &mut File, algorithm: Algorithm) -> io::Result<Digest> {
    let mut digester = Digester::new(algorithm);
    let mut buffer = vec![0; WRITE_BYTES];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(digester.finish());
        }
        digester.update(&buffer[..read]);
    }
}

/// The only writer of one upload, at its end.
#[derive(Debug)]
pub struct UploadWriter {
    upload: Arc<Upload>,
    /// Away only while a write is under way; that write keeps the lock also when its request goes away.
    content: Option<OwnedMutexGuard<Content>>,
    held: Vec<Bytes>,
    held_bytes: usize,
    blob_bytes_max: u64,
}

impl UploadWriter {
    pub(super) fn new(
        upload: Arc<Upload>,
        content: OwnedMutexGuard<Content>,
        blob_bytes_max: u64,
    ) -> Self {
        Self { upload, content: Some(content), held: Vec::new(), held_bytes: 0, blob_bytes_max }
    }

    /// Where the upload ends, pieces that are held back included.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.upload.length() + self.held_bytes as u64
    }

    /// Adds the next piece.
    ///
    /// # Errors
    /// Too large, or the disk refuses: the upload then ends where it ended before.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        if self.offset() + piece.len() as u64 > self.blob_bytes_max {
            return Err(BlobError::TooLarge { max: self.blob_bytes_max });
        }
        self.held_bytes += piece.len();
        self.held.push(piece);
        if self.held_bytes < WRITE_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    /// Writes what is still held back; gives the upload's size.
    ///
    /// # Errors
    /// As [`UploadWriter::write`].
    pub async fn finish(mut self) -> Result<u64, BlobError> {
        if !self.held.is_empty() {
            self.flush().await?;
        }
        Ok(self.upload.length())
    }

    async fn flush(&mut self) -> Result<(), BlobError> {
        let id_lost = || BlobError::io(&self.upload.path)(io::Error::other("its write was lost"));
        let mut content = self.content.take().ok_or_else(id_lost)?;
        let pieces = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let upload = Arc::clone(&self.upload);
        let (content, written) = on_disk(move || {
            let written = content.append(&pieces).map_err(BlobError::io(&upload.path));
            upload.length.store(content.length, Ordering::Release);
            Ok((content, written))
        })
        .await?;
        self.content = Some(content);
        written
    }
}

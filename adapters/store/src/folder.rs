//! The server's data folder: its lock, its database, its blobs.
//!
//! ```text
//! data/lock  data/indelible.db  data/blobs/  data/uploads/  data/admin.token
//! ```
//! Made with mode 0700; a second program that opens the same folder is told who has it.

use crate::blobs::{BlobError, BlobLimits, Blobs};
use crate::catalog::Catalog;
use crate::database::{Database, OpenError};
use crate::ledger::Ledger;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open data folder; the lock is held until the last clone of it goes.
#[derive(Clone, Debug)]
pub struct DataFolder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    catalog: Catalog,
    database: Database,
    blobs: Blobs,
    // The last field, so that the database is closed before the lock goes.
    _lock: File,
}

/// A folder that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another program has it.
    #[error("data folder {} is in use{}: stop that program, or use another folder", .folder.display(), .pid.map_or_else(String::new, |pid| format!(" by process {pid}")))]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Who, where the lock file tells.
        pid: Option<u32>,
    },
    /// The disk refuses.
    #[error("{} cannot be used", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the disk says.
        #[source]
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The folders for blobs cannot be made.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// What a file that is made once turned out to be.
#[derive(Clone, PartialEq, Eq)]
pub enum WriteOnce {
    /// It was made now, with these contents.
    Made,
    /// It was there, with other or the same contents.
    There(Vec<u8>),
}

impl std::fmt::Debug for WriteOnce {
    /// The contents may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Made => "Made",
            Self::There(_) => "There(***)",
        })
    }
}

impl FolderError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

impl DataFolder {
    /// Opens a folder, makes what it lacks, and takes its lock. Blocks.
    ///
    /// # Errors
    /// Another program has it, a newer one made it, or the disk refuses.
    pub fn open(path: &Path, limits: BlobLimits) -> Result<Self, FolderError> {
        make_folder(path)?;
        let lock = lock(path)?;
        let database = Database::open(&path.join("indelible.db"))?;
        let blobs = Blobs::open_folder(path, limits)?;
        let inner = Inner {
            path: path.to_owned(),
            catalog: Catalog::new(database.clone(), blobs.clone()),
            database,
            blobs,
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// The registry's tables.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        self.inner.catalog.clone()
    }

    /// The record.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.inner.database.clone())
    }

    /// The bytes.
    #[must_use]
    pub fn blobs(&self) -> Blobs {
        self.inner.blobs.clone()
    }

    /// Makes a file with mode 0600 and these contents, durably, unless it is there. Blocks.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write_once(&self, name: &str, contents: &[u8]) -> Result<WriteOnce, FolderError> {
        let folder = &self.inner.path;
        let path = folder.join(name);
        // Looked for first: a server must also start on a disk that has no room for another file.
        match std::fs::read(&path) {
            Ok(contents) => {
                // A process may have been killed between making and syncing.
                sync(folder)?;
                return Ok(WriteOnce::There(contents));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(FolderError::io(&path)(error)),
        }
        // A file of the `tempfile` crate has mode 0600.
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(folder)
            .map_err(FolderError::io(folder))?;
        let written = file.write_all(contents).and_then(|()| file.as_file().sync_all());
        written.map_err(FolderError::io(&path))?;
        match file.persist_noclobber(&path) {
            Ok(_) => {
                sync(folder)?;
                Ok(WriteOnce::Made)
            }
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                std::fs::read(&path).map(WriteOnce::There).map_err(FolderError::io(&path))
            }
            Err(refused) => Err(FolderError::io(&path)(refused.error)),
        }
    }
}

/// Makes a folder and those above it; what is made lasts before anything is put into it.
fn make_folder(path: &Path) -> Result<(), FolderError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        make_folder(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(FolderError::io(path)(error)),
    }
    // Also where it is there: a process may have been killed between making and syncing.
    sync(parent.unwrap_or(Path::new(".")))
}

fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(FolderError::io(folder))
}

/// Takes the lock, and writes this process's number into its file for whoever comes next.
fn lock(folder: &Path) -> Result<File, FolderError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(FolderError::io(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(FolderError::Locked { folder: folder.to_owned(), pid: holder(&mut file) });
        }
        Err(TryLockError::Error(error)) => return Err(FolderError::io(&path)(error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| writeln!(file, "{}", std::process::id()));
    written.map_err(FolderError::io(&path))?;
    Ok(file)
}

/// The number that the holder wrote; none when it has not come to that yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

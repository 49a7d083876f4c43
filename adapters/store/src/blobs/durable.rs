//! Making bytes last: sync the file, rename it, sync the folder that has its new name.

use super::error::BlobError;
use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folders whose own names are known to last. One that is merely there may be a leftover of a process that
/// was killed before it synced the parent, or another thread's that is just being made.
#[derive(Debug, Default)]
pub(super) struct Folders {
    lasting: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Gives a finished file its last name. When this returns, no power cut takes it away.
    pub(super) fn settle(&self, file: &File, from: &Path, to: &Path) -> Result<(), BlobError> {
        let folder = to.parent().expect("a blob's path has a folder");
        self.make(folder)?;
        file.sync_data().map_err(BlobError::io(from))?;
        fs::rename(from, to).map_err(BlobError::io(to))?;
        sync_folder(folder).map_err(BlobError::io(folder))
    }

    /// Makes a folder that only its owner enters, where it is missing, and makes its name last.
    pub(super) fn make(&self, folder: &Path) -> Result<(), BlobError> {
        // Held over the sync: whoever comes second must not go on before the name lasts.
        let mut lasting = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        if lasting.contains(folder) {
            return Ok(());
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(BlobError::io(folder)(error)),
        }
        let parent = folder.parent().filter(|path| !path.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        sync_folder(parent).map_err(BlobError::io(parent))?;
        lasting.insert(folder.to_owned());
        Ok(())
    }
}

/// Makes a new file that only its owner reads.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

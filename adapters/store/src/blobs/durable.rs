//! Making bytes last: sync the file, rename it, sync the folder that has its new name.

use super::error::BlobError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Gives a finished file its last name. When this returns, no power cut takes it away.
pub(super) fn settle(file: &File, from: &Path, to: &Path) -> Result<(), BlobError> {
    let folder = to.parent().expect("a blob's path has a folder");
    make_folder(folder)?;
    file.sync_data().map_err(BlobError::io(from))?;
    fs::rename(from, to).map_err(BlobError::io(to))?;
    sync_folder(folder).map_err(BlobError::io(folder))
}

/// Makes a folder that only its owner enters, and makes its name last; there already is as good.
pub(super) fn make_folder(folder: &Path) -> Result<(), BlobError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {
            let parent = folder.parent().filter(|path| !path.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            sync_folder(parent).map_err(BlobError::io(parent))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(BlobError::io(folder)(error)),
    }
}

/// Makes a new file that only its owner reads.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

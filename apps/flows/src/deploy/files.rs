//! The files of a work tree: found below a folder, written whole or not at all.

use super::error::DeployError;
use crate::edit::TextFile;
use ignore::WalkBuilder;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why files could not be looked through.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A folder or file that cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What the walk itself said.
    #[error("cannot look through {}", path.display())]
    Walk {
        /// The path.
        path: PathBuf,
        /// What was said.
        source: ignore::Error,
    },
}

/// The files found, and those that hold no text.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Text files that can name an image.
    pub files: Vec<TextFile>,
    /// How many files were looked at.
    pub looked_at: usize,
}

/// Reads every text file below a path that can name an image; what git ignores is passed over.
///
/// Hidden folders are looked through, for CI files live there; `.git` is not. Links are not followed.
///
/// # Errors
/// A path that is there and cannot be read is an error: its images would be missed.
pub fn text_files(root: &Path, below: &str) -> Result<Walk, WalkError> {
    let start = if below.is_empty() { root.to_owned() } else { root.join(below) };
    let mut walk = Walk::default();
    let is_git = |entry: &ignore::DirEntry| entry.file_name() == ".git" && entry.depth() > 0;
    let walker = WalkBuilder::new(&start)
        .hidden(false)
        .require_git(false)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(move |entry| !is_git(entry))
        .build();
    for entry in walker {
        let entry = entry.map_err(|source| WalkError::Walk { path: start.clone(), source })?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        walk.looked_at += 1;
        let read = |source| WalkError::Read { path: entry.path().to_owned(), source };
        let metadata = entry
            .metadata()
            .map_err(|source| WalkError::Walk { path: entry.path().to_owned(), source })?;
        if metadata.len() > pin::scan::FILE_BYTES_MAX as u64 {
            continue;
        }
        let bytes = std::fs::read(entry.path()).map_err(read)?;
        if !pin::prefilter(&bytes) {
            continue;
        }
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        walk.files.push(TextFile { path: path.to_string_lossy().replace('\\', "/"), text });
    }
    Ok(walk)
}

/// Replaces a file's text, whole or not at all, keeping its mode; a link's target is written, not the link.
///
/// # Errors
/// The file is not what was read, or cannot be written.
pub fn write_file(path: &Path, old: &str, new: &str) -> Result<(), DeployError> {
    let wrong = |action| move |source| DeployError::File { action, path: path.to_owned(), source };
    let target = std::fs::canonicalize(path).map_err(wrong("find"))?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(wrong("write beside"))?;
    beside.write_all(new.as_bytes()).map_err(wrong("write"))?;
    let mode = std::fs::metadata(&target).map_err(wrong("read"))?.permissions();
    beside.as_file().set_permissions(mode).map_err(wrong("write"))?;
    beside.as_file().sync_all().map_err(wrong("write"))?;
    // As late as can be: somebody may have saved the file while we decided.
    let now = std::fs::read(&target).map_err(wrong("read"))?;
    if now != old.as_bytes() {
        return Err(DeployError::ChangedMeanwhile { path: path.to_owned() });
    }
    beside.persist(&target).map_err(|error| wrong("replace")(error.error))?;
    Ok(())
}

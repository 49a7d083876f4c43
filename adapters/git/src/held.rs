//! Files that one process holds at a time, beside the copy of a branch.
//!
//! ```text
//! cache/shop-record.lock        held while fetching
//! cache/shop-record.turn        held while writing, so that processes of this machine do not race
//! ```
//! A lock is the operating system's and ends with its process, however that ends: a file that is left behind
//! holds nobody up. Children do not inherit it.

use crate::error::GitError;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a process waits for its turn on one machine before it races.
pub(crate) const TURN_WITHIN: Duration = Duration::from_secs(20);

/// How often a file that another process holds is asked for again.
const POLL: Duration = Duration::from_millis(20);

/// Holds a file until it is dropped; `None` where others hold it for longer than `limit`.
pub(crate) async fn within(path: &Path, limit: Duration) -> Result<Option<fs::File>, GitError> {
    let wrong = |source| GitError::io(format!("cannot lock {}", path.display()), source);
    if let Some(parent) = path.parent() {
        make_private_folder(parent).map_err(wrong)?;
    }
    let mut options = fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path).map_err(wrong)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(fs::TryLockError::Error(source)) => return Err(wrong(source)),
            Err(fs::TryLockError::WouldBlock) if begun.elapsed() > limit => return Ok(None),
            Err(fs::TryLockError::WouldBlock) => tokio::time::sleep(POLL).await,
        }
    }
}

/// Makes a folder, and those above it, that only its user may look into.
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_held_by_one_and_free_as_soon_as_that_one_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/branch.turn");
        let first = within(&path, Duration::ZERO).await.unwrap();
        assert!(first.is_some());
        assert!(within(&path, Duration::ZERO).await.unwrap().is_none());
        drop(first);
        assert!(within(&path, Duration::ZERO).await.unwrap().is_some());
    }
}

//! Uploads that nobody goes on with, and files that a crash left behind.

use super::Inner;
use super::error::BlobError;
use super::layout::{Layout, upload_of};
use domain::Timestamp;
use oci::UploadId;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::UNIX_EPOCH;

/// What the names of files that are written at once start with.
pub(super) const WRITE_PREFIX: &str = "write-";

/// A file in `uploads/`.
pub(super) struct Left {
    path: PathBuf,
    id: Option<UploadId>,
    modified_ms: i64,
}

impl Left {
    pub(super) fn is_upload(&self) -> bool {
        self.id.is_some()
    }
}

/// The files in `uploads/`.
pub(super) fn uploads(layout: &Layout) -> Result<Vec<Left>, BlobError> {
    let folder = layout.uploads();
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(BlobError::io(&folder))? {
        let entry = entry.map_err(BlobError::io(&folder))?;
        let path = entry.path();
        // A file that was finished meanwhile has another name.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let modified = metadata.modified().map_err(BlobError::io(&path))?;
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = entry.file_name();
        found.push(Left {
            id: name.to_str().and_then(upload_of),
            modified_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            path,
        });
    }
    Ok(found)
}

/// Removes what was last written before a moment; gives how many files.
pub(super) fn sweep(inner: &Inner, before: Timestamp) -> Result<usize, BlobError> {
    let mut swept = 0;
    for left in uploads(&inner.layout)? {
        if left.modified_ms >= before.as_millis() {
            continue;
        }
        let mut uploads = inner.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let open = left.id.and_then(|id| uploads.open.get(&id).map(Arc::clone));
        // One that a request holds is in use, however slow its sender is.
        let held = open.as_ref().map(|upload| upload.try_lock());
        if matches!(held, Some(None)) {
            continue;
        }
        fs::remove_file(&left.path).map_err(BlobError::io(&left.path))?;
        if let Some(id) = left.id {
            uploads.open.remove(&id);
            uploads.count = uploads.count.saturating_sub(1);
        }
        swept += 1;
    }
    Ok(swept)
}

//! Images in a tar file: an OCI layout, or what `docker save` writes; plain or gzip.
//!
//! ```text
//! image.tar      indexed by offset, blobs are streamed out of it
//! image.tar.gz   unpacked once to a plain tar in the caller's temporary folder, then the same
//! ```
//! Nothing is ever unpacked under a name that stands in the archive, so no path can lead out.

pub mod docker;
pub mod oci;

mod gzip;
mod header;
mod index;
mod write;

pub use docker::DockerArchive;
pub use gzip::UNPACK_RATIO_MAX;
pub use index::{ARCHIVE_ENTRIES_MAX, LINKS_MAX};
pub use oci::OciArchive;
pub use write::write_layout;

use std::path::Path;

use index::TarIndex;
use tempfile::TempPath;

use crate::error::RemoteError;

/// Opens a tar, unpacking it first when it is gzip.
async fn open(file: &Path, temp: &Path) -> Result<TarIndex, RemoteError> {
    let (file, temp) = (file.to_owned(), temp.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        let unpacked = gzip::unpack_if_gzip(&file, &temp)?;
        TarIndex::read(&file, unpacked)
    });
    opened
        .await
        .map_err(|panicked| RemoteError::protocol("the archive reader", panicked.to_string()))?
}

/// Opens a tar that was saved here, and removes it with the last reader.
async fn open_saved(saved: TempPath, temp: &Path) -> Result<TarIndex, RemoteError> {
    let (file, temp) = (saved.to_path_buf(), temp.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        let unpacked = gzip::unpack_if_gzip(&file, &temp)?;
        TarIndex::read(&file, Some(unpacked.unwrap_or(saved)))
    });
    opened
        .await
        .map_err(|panicked| RemoteError::protocol("the archive reader", panicked.to_string()))?
}

fn wrong(path: &Path, problem: impl Into<String>) -> RemoteError {
    RemoteError::Archive { path: path.display().to_string(), problem: problem.into() }
}

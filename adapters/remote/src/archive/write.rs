//! Writes a layout folder as one tar: the same layout gives the same bytes.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::RemoteError;

/// Writes a layout as a tar file: sorted, without times and owners, whole or not at all.
///
/// # Errors
/// The folder cannot be read or the file cannot be written; nothing is left then.
pub async fn write_layout(layout: &crate::layout::Layout, file: &Path) -> Result<(), RemoteError> {
    let (folder, file) = (layout.folder().to_owned(), file.to_owned());
    let shown = file.clone();
    let failed = |cause| RemoteError::file("write", &shown, cause);
    tokio::task::spawn_blocking(move || write(&folder, &file))
        .await
        .map_err(|panicked| failed(std::io::Error::other(panicked)))?
        .map_err(failed)
}

fn write(folder: &Path, file: &Path) -> std::io::Result<()> {
    let beside = file.parent().filter(|path| !path.as_os_str().is_empty());
    let mut temp = tempfile::NamedTempFile::new_in(beside.unwrap_or(Path::new(".")))?;
    let mut tar = tar::Builder::new(&mut temp);
    for name in names(folder)? {
        let content = File::open(folder.join(&name))?;
        let mut header = tar::Header::new_ustar();
        header.set_size(content.metadata()?.len());
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, &name, content)?;
    }
    tar.finish()?;
    drop(tar);
    temp.flush()?;
    temp.as_file().sync_all()?;
    temp.persist(file).map(drop).map_err(|error| error.error)
}

/// The plain files of a layout, relative to it: its two documents first, then blobs by name.
fn names(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for algorithm in ["sha256", "sha512"] {
        let blobs = Path::new("blobs").join(algorithm);
        if !folder.join(&blobs).is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(folder.join(&blobs))? {
            let entry = entry?;
            let is_blob =
                entry.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_hexdigit());
            if is_blob && entry.file_type()?.is_file() {
                names.push(blobs.join(entry.file_name()));
            }
        }
    }
    names.sort();
    let documents = ["oci-layout", "index.json"].map(PathBuf::from);
    Ok(documents.into_iter().chain(names).collect())
}

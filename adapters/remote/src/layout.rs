//! An OCI image layout: a folder of blobs named by their digests, and an index that names some of them.
//!
//! ```text
//! oci:build/image:v1   ->  build/image/{oci-layout, index.json, blobs/sha256/9f…}
//! ```
//! Every path below the folder is made from a digest, and no symbolic link below it is followed, so nothing
//! outside is read or written. Two writers of one layout at once are not told apart: the later index stays.

mod write;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use domain::Digest;
use oci::document::descriptor::Descriptor;
use oci::document::layout::{
    CONTAINERD_NAME, INDEX_FILE, MARKER_FILE, blob_path, entry_name, read_index, read_marker,
};
use oci::document::manifest::Manifest;
use oci::limit::{MANIFEST_BYTES_SETTABLE_MAX, ManifestLimit};

use crate::content::{BlobSource, BlobStream, ManifestBytes, Resolved, verified};
use crate::error::RemoteError;
use crate::file_read::{FileSpan, plain_size, read_plain};

/// The marker is one line.
pub(crate) const MARKER_BYTES_MAX: usize = 4096;
/// How many names an error lists.
const NAMES_SHOWN: usize = 5;

/// A folder with an OCI image layout.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// Opens a layout that is there.
    ///
    /// # Errors
    /// The folder is missing, or is no layout of version 1.
    pub async fn open(folder: &Path) -> Result<Self, RemoteError> {
        let layout = Self { folder: folder.to_owned() };
        let marker = read_plain(&folder.join(MARKER_FILE), MARKER_BYTES_MAX).await?;
        let marker = marker
            .ok_or_else(|| layout.without(format!("`{MARKER_FILE}` file: it is no OCI layout")))?;
        read_marker(&marker)
            .map_err(|cause| RemoteError::document(layout.in_folder(MARKER_FILE), cause))?;
        Ok(layout)
    }

    /// Finds the manifest of a name, or of the only image when none is given.
    ///
    /// # Errors
    /// [`RemoteError::NotFound`] when there is none, [`RemoteError::Ambiguous`] when there are several.
    pub async fn resolve(&self, name: Option<&str>) -> Result<Resolved, RemoteError> {
        let bytes = read_plain(&self.folder.join(INDEX_FILE), MANIFEST_BYTES_SETTABLE_MAX).await?;
        let bytes = bytes.ok_or_else(|| self.without(format!("`{INDEX_FILE}`")))?;
        let entries = read_index(&bytes)
            .map_err(|cause| RemoteError::document(self.in_folder(INDEX_FILE), cause))?;
        select(&entries, name, &self.place())
    }

    /// Reads a manifest and checks it against its digest.
    ///
    /// # Errors
    /// It is not there, too large, or something else than its digest names.
    pub async fn manifest(&self, digest: &Digest) -> Result<ManifestBytes, RemoteError> {
        let path = self.blob_path(digest).await?;
        let bytes = read_plain(&path, MANIFEST_BYTES_SETTABLE_MAX).await?;
        let bytes = bytes.ok_or_else(|| self.without(format!("manifest {digest}")))?;
        checked_manifest(digest, bytes, &self.place())
    }

    /// The size of a blob; `None` when it is not there. Its content is not read.
    ///
    /// # Errors
    /// The file cannot be looked at, or is a link.
    pub async fn has_blob(&self, digest: &Digest) -> Result<Option<u64>, RemoteError> {
        plain_size(&self.blob_path(digest).await?).await
    }

    /// Streams a blob; the stream ends in an error when it is not what its digest and size name.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    pub async fn blob(
        &self,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<BlobStream, RemoteError> {
        let span = self.span(digest).await?;
        let stream = span.stream().await?;
        Ok(verified(stream, *digest, size, self.place()))
    }

    /// A blob as a source that can be read again.
    ///
    /// # Errors
    /// It is not there.
    pub async fn blob_source(&self, descriptor: &Descriptor) -> Result<BlobSource, RemoteError> {
        let span = self.span(&descriptor.digest).await?;
        let (digest, size, place) = (descriptor.digest, descriptor.size, self.place());
        Ok(BlobSource::restartable(move || {
            let (span, place) = (span.clone(), place.clone());
            Box::pin(async move { Ok(verified(span.stream().await?, digest, Some(size), place)) })
        }))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    async fn span(&self, digest: &Digest) -> Result<FileSpan, RemoteError> {
        let path = self.blob_path(digest).await?;
        let size = plain_size(&path).await?;
        let size = size.ok_or_else(|| self.without(format!("blob {digest}")))?;
        let offset = 0;
        Ok(FileSpan { path, offset, size })
    }

    /// The path of a blob, after a look that neither folder above it is a link.
    async fn blob_path(&self, digest: &Digest) -> Result<PathBuf, RemoteError> {
        let path = self.folder.join(blob_path(digest));
        for above in path.ancestors().skip(1).take(2) {
            match tokio::fs::symlink_metadata(above).await {
                Ok(found) if !found.is_dir() => {
                    let cause = std::io::Error::other("it is not a folder; links are not followed");
                    return Err(RemoteError::file("read", above, cause));
                }
                // A folder that is not there holds nothing; the file's own look says so.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(path)
    }

    fn place(&self) -> String {
        format!("layout {}", self.folder.display())
    }

    fn in_folder(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    fn without(&self, what: String) -> RemoteError {
        let said = self.place();
        RemoteError::NotFound { what, said }
    }
}

/// Checks a manifest's bytes and reads its media type out of them.
pub(crate) fn checked_manifest(
    digest: &Digest,
    bytes: Bytes,
    place: &str,
) -> Result<ManifestBytes, RemoteError> {
    digest
        .verify(&bytes)
        .map_err(|mismatch| RemoteError::DigestMismatch { place: place.to_owned(), mismatch })?;
    let limit =
        ManifestLimit::new(MANIFEST_BYTES_SETTABLE_MAX).expect("the largest that can be set");
    let manifest = Manifest::read_within(&bytes, None, limit)
        .map_err(|cause| RemoteError::document(format!("manifest {digest} of {place}"), cause))?;
    Ok(ManifestBytes {
        digest: *digest,
        media_type: manifest.media_type.as_str().to_owned(),
        bytes,
    })
}

/// Chooses the entry that a name means, or the only image.
pub(crate) fn select(
    entries: &[Descriptor],
    name: Option<&str>,
    place: &str,
) -> Result<Resolved, RemoteError> {
    let is_meant = |entry: &&Descriptor| match name {
        None => true,
        Some(name) => {
            let full = entry.annotations.get(CONTAINERD_NAME).map(String::as_str);
            entry_name(entry) == Some(name)
                || full == Some(name)
                || entry.digest.to_string() == name
        }
    };
    let mut meant: Vec<&Descriptor> = entries.iter().filter(is_meant).collect();
    // One image may stand under several names.
    meant.sort_by_key(|entry| entry.digest);
    meant.dedup_by_key(|entry| entry.digest);
    match meant.as_slice() {
        [] => Err(RemoteError::NotFound {
            what: name.map_or_else(
                || "manifest: its index is empty".to_owned(),
                |name| format!("image `{}`", name.escape_debug()),
            ),
            said: place.to_owned(),
        }),
        [only] => Ok(Resolved {
            digest: only.digest,
            media_type: only.media_type.clone(),
            size: Some(only.size),
        }),
        several => Err(RemoteError::Ambiguous {
            place: place.to_owned(),
            count: several.len(),
            names: some_names(several.iter().filter_map(|entry| entry_name(entry))),
        }),
    }
}

/// A few names for an error's end.
pub(crate) fn some_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let some: Vec<String> =
        names.take(NAMES_SHOWN).map(|name| format!("`{}`", crate::error::shown(name))).collect();
    if some.is_empty() {
        "none: they have no names, so name a digest".to_owned()
    } else {
        some.join(", ")
    }
}

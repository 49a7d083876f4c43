//! `oci-archive:`: a tar of an OCI image layout, as `docker buildx --output type=oci` and skopeo write it.

use std::path::Path;

use domain::Digest;
use oci::document::descriptor::Descriptor;
use oci::document::layout::{INDEX_FILE, MARKER_FILE, blob_path, read_index, read_marker};
use oci::limit::MANIFEST_BYTES_SETTABLE_MAX;

use super::index::TarIndex;
use crate::content::{BlobSource, BlobStream, ManifestBytes, Resolved, verified};
use crate::error::RemoteError;
use crate::layout::{MARKER_BYTES_MAX, checked_manifest, select};

/// A tar of an OCI image layout.
#[derive(Clone, Debug)]
pub struct OciArchive {
    tar: TarIndex,
}

impl OciArchive {
    /// Opens an archive; a gzip one is unpacked to a file in `temp`, which goes with the last clone.
    ///
    /// # Errors
    /// It is truncated, too large, leads out of itself, or is no layout.
    pub async fn open(file: &Path, temp: &Path) -> Result<Self, RemoteError> {
        let tar = super::open(file, temp).await?;
        let archive = Self { tar };
        let marker = archive.document(MARKER_FILE, MARKER_BYTES_MAX).await?;
        read_marker(&marker).map_err(|cause| archive.unreadable(MARKER_FILE, cause))?;
        Ok(archive)
    }

    /// Finds the manifest of a name, or of the only image when none is given.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub async fn resolve(&self, name: Option<&str>) -> Result<Resolved, RemoteError> {
        let bytes = self.document(INDEX_FILE, MANIFEST_BYTES_SETTABLE_MAX).await?;
        let entries = read_index(&bytes).map_err(|cause| self.unreadable(INDEX_FILE, cause))?;
        select(&entries, name, &self.place())
    }

    /// Reads a manifest and checks it against its digest.
    ///
    /// # Errors
    /// It is not there, too large, or something else than its digest names.
    pub async fn manifest(&self, digest: &Digest) -> Result<ManifestBytes, RemoteError> {
        let bytes = self.tar.bytes(&blob_path(digest), MANIFEST_BYTES_SETTABLE_MAX).await?;
        let bytes = bytes.ok_or_else(|| self.without(format!("manifest {digest}")))?;
        checked_manifest(digest, bytes, &self.place())
    }

    /// The size of a blob; `None` when it is not there.
    ///
    /// # Errors
    /// It is a link to a link, and so on.
    pub fn has_blob(&self, digest: &Digest) -> Result<Option<u64>, RemoteError> {
        self.tar.size(&blob_path(digest))
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
        let stream = self.tar.stream(&blob_path(digest)).await?;
        let stream = stream.ok_or_else(|| self.without(format!("blob {digest}")))?;
        Ok(verified(stream, *digest, size, self.place()))
    }

    /// A blob as a source that can be read again.
    ///
    /// # Errors
    /// It is not there.
    pub fn blob_source(&self, descriptor: &Descriptor) -> Result<BlobSource, RemoteError> {
        let source = self.tar.source(&blob_path(&descriptor.digest))?;
        source.ok_or_else(|| self.without(format!("blob {}", descriptor.digest)))
    }

    async fn document(&self, name: &str, max: usize) -> Result<bytes::Bytes, RemoteError> {
        let bytes = self.tar.bytes(name, max).await?;
        bytes.ok_or_else(|| self.without(format!("`{name}`: it is no OCI layout")))
    }

    fn unreadable(&self, name: &str, cause: oci::document::DocumentError) -> RemoteError {
        RemoteError::document(format!("`{name}` in {}", self.tar.path().display()), cause)
    }

    fn place(&self) -> String {
        format!("archive {}", self.tar.path().display())
    }

    fn without(&self, what: String) -> RemoteError {
        let said = self.place();
        RemoteError::NotFound { what, said }
    }
}

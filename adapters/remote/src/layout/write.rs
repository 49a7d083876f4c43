//! Writes into a layout: a blob under its digest once all of it was checked, the index by replacement.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use domain::{Digest, Tag};
use futures_util::StreamExt as _;
use oci::document::layout::{INDEX_FILE, MARKER, MARKER_FILE, REF_NAME};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::Layout;
use crate::content::{BlobSource, one, verified};
use crate::error::RemoteError;
use crate::file_read::read_plain;
use oci::limit::MANIFEST_BYTES_SETTABLE_MAX;

impl Layout {
    /// Opens a layout, making it first where the folder is missing or empty.
    ///
    /// # Errors
    /// The folder cannot be made, or holds something else.
    pub async fn open_or_create(folder: &Path) -> Result<Self, RemoteError> {
        let failed = |cause| RemoteError::file("make", folder, cause);
        tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        let mut inside = tokio::fs::read_dir(folder).await.map_err(failed)?;
        if inside.next_entry().await.map_err(failed)?.is_none() {
            let empty = json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []});
            replace(folder, INDEX_FILE, empty.to_string().as_bytes()).await?;
            replace(folder, MARKER_FILE, MARKER).await?;
        }
        Self::open(folder).await
    }

    /// Writes a blob, unless it is there with that size.
    ///
    /// # Errors
    /// The source's bytes are not what digest and size name, or the disk takes no more; nothing is left then.
    pub async fn put_blob(
        &self,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
    ) -> Result<(), RemoteError> {
        if self.has_blob(digest).await? == Some(size) {
            return Ok(());
        }
        let stream = source.open().await?;
        let stream = stream.ok_or(RemoteError::NotRestartable { digest: *digest })?;
        let mut stream = verified(stream, *digest, Some(size), "the source".to_owned());
        let path = self.blob_path(digest).await?;
        let folder = path.parent().unwrap_or(&path);
        let failed = |cause| RemoteError::file("write", &path, cause);
        tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        let temp = NamedTempFile::new_in(folder).map_err(failed)?;
        let mut file = tokio::fs::File::from_std(temp.reopen().map_err(failed)?);
        while let Some(piece) = stream.next().await {
            file.write_all(&piece?).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        temp.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Writes a manifest and gives it names; a name that stood on another image moves here.
    ///
    /// # Errors
    /// As [`Layout::put_blob`]; the index may be one that cannot be read.
    pub async fn put_manifest(
        &self,
        digest: &Digest,
        bytes: &Bytes,
        media_type: &str,
        tags: &[Tag],
    ) -> Result<(), RemoteError> {
        let source = BlobSource::restartable({
            let bytes = bytes.clone();
            move || {
                let bytes = bytes.clone();
                Box::pin(async move { Ok(one(bytes)) })
            }
        });
        self.put_blob(digest, bytes.len() as u64, &source).await?;
        let names: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        self.put_index_entry(digest, bytes.len() as u64, media_type, &names).await
    }

    /// Lists a manifest in the index under some names, or under none.
    ///
    /// # Errors
    /// The index cannot be read or written.
    pub async fn put_index_entry(
        &self,
        digest: &Digest,
        size: u64,
        media_type: &str,
        names: &[&str],
    ) -> Result<(), RemoteError> {
        let path = self.folder().join(INDEX_FILE);
        let bytes = read_plain(&path, MANIFEST_BYTES_SETTABLE_MAX).await?.unwrap_or_default();
        let not_an_index =
            || RemoteError::protocol(path.display().to_string(), "it is not an image index");
        let mut index: Value = serde_json::from_slice(&bytes).map_err(|_| not_an_index())?;
        let list = index.get_mut("manifests").and_then(Value::as_array_mut);
        let list = list.ok_or_else(not_an_index)?;
        let digest = digest.to_string();
        list.retain(|entry| {
            let name = entry["annotations"][REF_NAME].as_str();
            match name {
                Some(name) => !names.contains(&name),
                None => entry["digest"].as_str() != Some(&digest),
            }
        });
        let bare = json!({"mediaType": media_type, "digest": digest, "size": size});
        if names.is_empty() {
            list.push(bare.clone());
        }
        list.extend(names.iter().map(|name| {
            let mut entry = bare.clone();
            entry["annotations"] = json!({REF_NAME: name});
            entry
        }));
        replace(self.folder(), INDEX_FILE, index.to_string().as_bytes()).await
    }
}

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// Writes a file whole or not at all.
async fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RemoteError> {
    let (folder, path, bytes) = (folder.to_owned(), folder.join(name), bytes.to_vec());
    let written = tokio::task::spawn_blocking({
        let path: PathBuf = path.clone();
        move || -> std::io::Result<()> {
            let mut temp = NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut temp, &bytes)?;
            temp.as_file().sync_all()?;
            temp.persist(&path).map(drop).map_err(|error| error.error)
        }
    });
    let failed = |cause| RemoteError::file("write", &path, cause);
    written.await.map_err(|panicked| failed(std::io::Error::other(panicked)))?.map_err(failed)
}

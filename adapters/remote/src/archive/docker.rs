//! `docker-archive:`: what `docker save`, podman, kaniko and Bazel write.
//!
//! ```text
//! manifest.json -> config, layers -> the image's own manifest where the archive holds it, else one made here
//! ```
//! Layers go as they are: a plain tar stays one, a gzip keeps its bytes. Compressing here would tie the
//! digest to a library's version; this way the same archive gives the same digest for ever. A manifest that
//! is made here is OCI's.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use domain::{Digest, Digester, ImageRef};
use futures_util::StreamExt as _;
use oci::ImageFormat;
use oci::document::archive::{ArchiveImage, ArchivePath, MANIFEST_FILE, read};
use oci::document::config::ImageConfig;
use oci::document::descriptor::Descriptor;
use oci::document::layout::{INDEX_FILE, blob_path, read_index};
use oci::document::manifest::Manifest;
use oci::limit::{CONFIG_BYTES_MAX, MANIFEST_BYTES_SETTABLE_MAX};
use oci::media_type::{OCI_CONFIG, OCI_LAYER_GZIP, OCI_LAYER_TAR, OCI_LAYER_ZSTD};
use tempfile::TempPath;

use super::index::TarIndex;
use super::wrong;
use crate::content::{BlobSource, BlobStream, ManifestBytes, Resolved, verified};
use crate::error::RemoteError;
use crate::layout::{checked_manifest, some_names};

/// How deep indexes of an archive are followed to the image's own manifest.
const INDEX_DEPTH_MAX: usize = 3;

/// One image of an archive that docker saved.
#[derive(Clone, Debug)]
pub struct DockerArchive {
    tar: TarIndex,
    manifest: ManifestBytes,
    /// Where each blob of the manifest lies in the tar.
    blobs: BTreeMap<Digest, String>,
}

impl DockerArchive {
    /// Opens an archive and reads the image of a name, or the only one; hashes its layers.
    ///
    /// A gzip archive is unpacked to a file in `temp`, which goes with the last clone.
    ///
    /// # Errors
    /// It is truncated, too large, leads out of itself, lacks a file that it names, or holds no such image.
    pub async fn open(file: &Path, name: Option<&str>, temp: &Path) -> Result<Self, RemoteError> {
        let tar = super::open(file, temp).await?;
        Self::read(tar, name).await
    }

    /// Opens what the daemon has saved; the file goes with the last clone.
    pub(crate) async fn open_saved(saved: TempPath, temp: &Path) -> Result<Self, RemoteError> {
        let tar = super::open_saved(saved, temp).await?;
        Self::read(tar, None).await
    }

    async fn read(tar: TarIndex, name: Option<&str>) -> Result<Self, RemoteError> {
        let file = tar.path().to_owned();
        let listed = document(&tar, MANIFEST_FILE, MANIFEST_BYTES_SETTABLE_MAX).await?;
        let images = read(&listed).map_err(|cause| {
            RemoteError::document(format!("`{MANIFEST_FILE}` in {}", file.display()), cause)
        })?;
        let image = select(&images, name, &file)?;
        let config = document(&tar, image.config.as_str(), CONFIG_BYTES_MAX).await?;
        let layers = read_layers(&tar, image, &config).await?;
        let config = (Descriptor::of(OCI_CONFIG, &config), image.config.as_str().to_owned());
        let mut blobs: BTreeMap<_, _> =
            layers.iter().map(|layer| (layer.0.digest, layer.1.clone())).collect();
        blobs.insert(config.0.digest, config.1);
        let manifest = match own_manifest(&tar, &config.0.digest).await? {
            Some(manifest) => manifest,
            None => made_manifest(config.0, layers.into_iter().map(|layer| layer.0).collect())?,
        };
        Ok(Self { tar, manifest, blobs })
    }

    /// The manifest of the image that was chosen at opening.
    ///
    /// # Errors
    /// None today; as the other places have it.
    pub fn resolve(&self) -> Result<Resolved, RemoteError> {
        Ok(Resolved {
            digest: self.manifest.digest,
            media_type: self.manifest.media_type.clone(),
            size: Some(self.manifest.bytes.len() as u64),
        })
    }

    /// The manifest; an archive has one.
    ///
    /// # Errors
    /// Another digest is asked for.
    pub fn manifest(&self, digest: &Digest) -> Result<ManifestBytes, RemoteError> {
        if self.manifest.digest == *digest {
            Ok(self.manifest.clone())
        } else {
            Err(self.without(format!("manifest {digest}")))
        }
    }

    /// The size of a blob; `None` when it is not there.
    ///
    /// # Errors
    /// It is a link to a link, and so on.
    pub fn has_blob(&self, digest: &Digest) -> Result<Option<u64>, RemoteError> {
        self.tar.size(&self.name_of(digest))
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
        let stream = self.tar.stream(&self.name_of(digest)).await?;
        let stream = stream.ok_or_else(|| self.without(format!("blob {digest}")))?;
        Ok(verified(stream, *digest, size, place(&self.tar)))
    }

    /// A blob as a source that can be read again.
    ///
    /// # Errors
    /// It is not there.
    pub fn blob_source(&self, descriptor: &Descriptor) -> Result<BlobSource, RemoteError> {
        let source = self.tar.source(&self.name_of(&descriptor.digest))?;
        source.ok_or_else(|| self.without(format!("blob {}", descriptor.digest)))
    }

    fn name_of(&self, digest: &Digest) -> String {
        let named = self.blobs.get(digest).cloned();
        named.unwrap_or_else(|| blob_path(digest))
    }

    fn without(&self, what: String) -> RemoteError {
        let said = place(&self.tar);
        RemoteError::NotFound { what, said }
    }
}

fn place(tar: &TarIndex) -> String {
    format!("archive {}", tar.path().display())
}

async fn document(tar: &TarIndex, name: &str, max: usize) -> Result<Bytes, RemoteError> {
    let bytes = tar.bytes(name, max).await?;
    bytes.ok_or_else(|| RemoteError::NotFound {
        what: format!("`{name}`: it is not what docker save writes"),
        said: place(tar),
    })
}

/// The image that a name means, as people write it: `shop/api` is `docker.io/shop/api:latest`.
fn select<'a>(
    images: &'a [ArchiveImage],
    name: Option<&str>,
    file: &Path,
) -> Result<&'a ArchiveImage, RemoteError> {
    let place = format!("archive {}", file.display());
    let meant: Vec<&ArchiveImage> = match name {
        None => images.iter().collect(),
        Some(name) => {
            let is_meant =
                |image: &&ArchiveImage| image.repo_tags.iter().any(|tag| is_same(tag, name));
            images.iter().filter(is_meant).collect()
        }
    };
    match meant.as_slice() {
        [] => Err(RemoteError::NotFound {
            what: name.map_or_else(
                || "image".to_owned(),
                |name| format!("image `{}`", name.escape_debug()),
            ),
            said: place,
        }),
        [only] => Ok(only),
        several => Err(RemoteError::Ambiguous {
            place,
            count: several.len(),
            names: some_names(
                several.iter().flat_map(|image| image.repo_tags.iter().map(String::as_str)),
            ),
        }),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    let spelled_out = |text: &str| {
        let parsed: ImageRef = text.parse().ok()?;
        Some(match parsed {
            ImageRef::Bare(repository) => format!("{}:latest", repository.familiar()),
            ImageRef::Tagged(_) | ImageRef::Pinned(_) => parsed.to_string(),
        })
    };
    one == other || spelled_out(one).is_some_and(|one| spelled_out(other).as_ref() == Some(&one))
}

type Layer = (Descriptor, String);

async fn read_layers(
    tar: &TarIndex,
    image: &ArchiveImage,
    config: &[u8],
) -> Result<Vec<Layer>, RemoteError> {
    let path = tar.path();
    let config = ImageConfig::read(config).map_err(|cause| {
        RemoteError::document(format!("`{}` in {}", image.config.as_str(), path.display()), cause)
    })?;
    let (named, listed) = (config.diff_ids.len(), image.layers.len());
    if named != listed {
        return Err(wrong(
            path,
            format!("its configuration names {named} layers, its list {listed}"),
        ));
    }
    let mut layers = Vec::with_capacity(listed);
    for (layer, diff_id) in image.layers.iter().zip(&config.diff_ids) {
        let read = read_layer(tar, layer).await?;
        // A plain layer is what the configuration names; a packed one would have to be unpacked to tell.
        if read.0.media_type == OCI_LAYER_TAR
            && read.0.digest.algorithm() == diff_id.algorithm()
            && read.0.digest != *diff_id
        {
            return Err(wrong(
                path,
                format!(
                    "layer `{}` is not the {diff_id} that its configuration names",
                    layer.as_str()
                ),
            ));
        }
        layers.push(read);
    }
    Ok(layers)
}

/// Hashes a layer as it is, and looks at its first bytes for what it is packed with.
async fn read_layer(tar: &TarIndex, layer: &ArchivePath) -> Result<Layer, RemoteError> {
    let name = layer.as_str();
    let stream = tar.stream(name).await?;
    let mut stream =
        stream.ok_or_else(|| wrong(tar.path(), format!("it lacks the layer `{name}`")))?;
    let mut digester = Digester::new(domain::Algorithm::Sha256);
    let (mut start, mut size) = (Vec::new(), 0_u64);
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        if start.len() < 4 {
            start.extend(piece.iter().take(4));
        }
        size += piece.len() as u64;
        digester.update(&piece);
    }
    let media_type = match start.as_slice() {
        [0x1f, 0x8b, ..] => OCI_LAYER_GZIP,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => OCI_LAYER_ZSTD,
        _ => OCI_LAYER_TAR,
    };
    let descriptor = Descriptor::new(media_type, digester.finish(), size);
    Ok((descriptor, name.to_owned()))
}

fn made_manifest(
    config: Descriptor,
    layers: Vec<Descriptor>,
) -> Result<ManifestBytes, RemoteError> {
    let manifest = Manifest::image(ImageFormat::Oci, config, layers);
    let bytes = Bytes::from(manifest.write());
    Ok(ManifestBytes {
        digest: Digest::sha256(&bytes),
        media_type: manifest.media_type.as_str().to_owned(),
        bytes,
    })
}

/// The manifest that the daemon itself has of this configuration, with all its blobs in the archive.
///
/// Docker from 25 on saves an OCI layout beside its own list; its manifest is what a registry gave or gets.
async fn own_manifest(
    tar: &TarIndex,
    config: &Digest,
) -> Result<Option<ManifestBytes>, RemoteError> {
    let Some(bytes) = tar.bytes(INDEX_FILE, MANIFEST_BYTES_SETTABLE_MAX).await? else {
        return Ok(None);
    };
    let Ok(mut entries) = read_index(&bytes) else {
        return Ok(None);
    };
    for _ in 0..INDEX_DEPTH_MAX {
        let mut below = Vec::new();
        for entry in &entries {
            let Some(found) = manifest_at(tar, &entry.digest).await? else {
                continue;
            };
            let manifest = found.read()?;
            let is_whole = manifest.blobs().all(|blob| {
                matches!(tar.size(&blob_path(&blob.digest)), Ok(Some(size)) if size == blob.size)
            });
            if manifest.config().is_some_and(|own| own.digest == *config) && is_whole {
                return Ok(Some(found));
            }
            below.extend(manifest.children().iter().cloned());
        }
        entries = below;
    }
    Ok(None)
}

/// A manifest of the layout inside; `None` when it is not there or is none that we read.
async fn manifest_at(
    tar: &TarIndex,
    digest: &Digest,
) -> Result<Option<ManifestBytes>, RemoteError> {
    let name = blob_path(digest);
    if !tar.holds(&name)
        || tar.size(&name)?.is_some_and(|size| size > MANIFEST_BYTES_SETTABLE_MAX as u64)
    {
        return Ok(None);
    }
    let bytes = tar.bytes(&name, MANIFEST_BYTES_SETTABLE_MAX).await?;
    Ok(bytes.and_then(|bytes| checked_manifest(digest, bytes, "the archive").ok()))
}

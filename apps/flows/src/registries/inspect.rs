//! What the manifest behind a digest is: an index or one image, for which platforms, made when.
//!
//! ```text
//! inspect(nginx, sha256:9f…, Depth::Platforms)  ->  an index of linux/amd64, linux/arm64     one GET
//! inspect(nginx, sha256:9f…, Depth::Created)    ->  and made 2026-03-17T14:39:58Z            one image of it too
//! ```
//! Each part is read whole and verified against its digest.

use super::Registries;
use super::error::{RegistryError, failed};
use domain::{Digest, Platform, Repository, Timestamp};
use oci::{ImageConfig, Kind, Manifest};
use pin::{ImageShape, Part};
use remote::RemoteError;
use remote::content::read_whole;
use remote::registry::RemoteRepository;

/// The longest image configuration that is read.
const CONFIG_BYTES_MAX: usize = 4 << 20;

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The manifest, and the configuration of one that is no index.
    Platforms,
    /// And when it was made; of an index, when its first image was.
    Created,
}

/// What a manifest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// An index or one image.
    pub shape: ImageShape,
    /// When it was made, where that was asked and it says so.
    pub created: Option<Timestamp>,
}

impl Registries {
    /// Reads what a digest is; `None` where it is certain that the repository does not have it.
    ///
    /// # Errors
    /// It could not be read, or a part of it is missing.
    pub async fn inspect(
        &self,
        repository: &Repository,
        digest: Digest,
        depth: Depth,
    ) -> Result<Option<Inspected>, RegistryError> {
        let what = || format!("cannot read {repository}@{}", digest.short());
        let remote = self.repository(repository)?;
        let bytes = match remote.manifest(&digest).await {
            Ok(bytes) => bytes,
            Err(RemoteError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(what())(error)),
        };
        let manifest = bytes.read().map_err(failed(what()))?;
        let inspected = match &manifest.kind {
            Kind::Image { .. } => {
                let config = config(&remote, &manifest).await.map_err(failed(what()))?;
                let (platform, created) =
                    config.map_or((None, None), |config| (config.platform, config.created));
                Inspected { shape: ImageShape::Single(platform), created }
            }
            Kind::Index { manifests } => {
                // Builders list attestations as `unknown/unknown`: they run nowhere.
                let runs = |platform: &Option<Platform>| {
                    !platform.as_ref().is_some_and(Platform::is_unknown)
                };
                let parts: Vec<Part> = manifests
                    .iter()
                    .filter(|child| runs(&child.platform))
                    .map(|child| Part { platform: child.platform.clone(), digest: child.digest })
                    .collect();
                let first = parts.first().filter(|_| depth == Depth::Created);
                let created = match first {
                    Some(part) => created(&remote, &part.digest).await.map_err(failed(what()))?,
                    None => None,
                };
                Inspected { shape: ImageShape::Index(parts), created }
            }
        };
        Ok(Some(inspected))
    }
}

async fn created(
    remote: &RemoteRepository,
    digest: &Digest,
) -> Result<Option<Timestamp>, RemoteError> {
    let bytes = remote.manifest(digest).await?;
    let manifest = bytes.read()?;
    Ok(config(remote, &manifest).await?.and_then(|config| config.created))
}

/// An image's configuration; an artifact has none that says anything here.
async fn config(
    remote: &RemoteRepository,
    manifest: &Manifest,
) -> Result<Option<ImageConfig>, RemoteError> {
    let Some(config) = manifest.config().filter(|config| config.media_type.ends_with("json"))
    else {
        return Ok(None);
    };
    let stream = remote.blob(&config.digest, Some(config.size)).await?;
    let bytes = read_whole(stream, CONFIG_BYTES_MAX, "the image configuration").await?;
    Ok(ImageConfig::read(&bytes).ok())
}

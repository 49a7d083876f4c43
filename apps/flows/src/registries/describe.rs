//! What an image's bytes say, each part read and verified against its digest.

use super::Registries;
use super::error::{RegistryError, failed};
use ::record::claim::PlatformImage;
use domain::{Digest, Platform, Repository};
use oci::{ImageConfig, Kind, Manifest};
use remote::RemoteError;
use remote::content::read_whole;
use remote::registry::RemoteRepository;

/// The longest image configuration that is read.
const CONFIG_BYTES_MAX: usize = 4 << 20;

/// What an image's bytes say, read and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest under which it was asked for.
    pub digest: Digest,
    /// The media type.
    pub media_type: String,
    /// The size of those bytes.
    pub size: u64,
    /// What an index lists, or the manifest itself.
    pub platforms: Vec<PlatformImage>,
}

impl Registries {
    /// Reads what an image's bytes say, each verified against its digest.
    ///
    /// # Errors
    /// A part is missing, is something else than its digest, or could not be read.
    pub async fn describe(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<ImageFacts, RegistryError> {
        let what = || format!("cannot read {repository}@{digest}");
        let remote = self.repository(repository)?;
        let bytes = remote.manifest(&digest).await.map_err(failed(what()))?;
        let manifest = bytes.read().map_err(failed(what()))?;
        let mut platforms = Vec::new();
        match &manifest.kind {
            Kind::Image { .. } => platforms
                .push(platform(&remote, digest, &manifest, None).await.map_err(failed(what()))?),
            Kind::Index { manifests } => {
                // Builders list attestations as `unknown/unknown`: they run nowhere.
                let runs = |platform: &Option<Platform>| {
                    !platform.as_ref().is_some_and(Platform::is_unknown)
                };
                for child in manifests.iter().filter(|child| runs(&child.platform)) {
                    let bytes = remote.manifest(&child.digest).await.map_err(failed(what()))?;
                    let read = bytes.read().map_err(failed(what()))?;
                    let one = platform(&remote, child.digest, &read, child.platform.clone()).await;
                    platforms.push(one.map_err(failed(what()))?);
                }
            }
        }
        let (media_type, size) =
            (manifest.media_type.as_str().to_owned(), bytes.bytes.len() as u64);
        Ok(ImageFacts { digest, media_type, size, platforms })
    }
}

async fn platform(
    remote: &RemoteRepository,
    digest: Digest,
    manifest: &Manifest,
    said: Option<Platform>,
) -> Result<PlatformImage, RemoteError> {
    let config =
        manifest.config().map(|config| (config.digest, config.size, config.media_type.clone()));
    let platform = match (&said, &config) {
        (None, Some((digest, size, media_type))) if media_type.ends_with("json") => {
            let stream = remote.blob(digest, Some(*size)).await?;
            let bytes = read_whole(stream, CONFIG_BYTES_MAX, "the image configuration").await?;
            // An artifact's configuration is not an image's: then no platform is known.
            ImageConfig::read(&bytes).ok().and_then(|config| config.platform)
        }
        (_, _) => said,
    };
    Ok(PlatformImage { platform, manifest: digest, config: config.map(|(digest, _, _)| digest) })
}

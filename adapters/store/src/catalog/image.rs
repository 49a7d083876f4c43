//! What the bytes of a manifest say about an image, for the record: read from what the repository holds.
//!
//! ```text
//! image -> its configuration's platform      index -> each manifest that runs somewhere, and its configuration
//! ```
//! All of it or none: facts that could be read in part only would contradict those of whoever reads the
//! whole. Read before the write's transaction, off its thread; content never changes under its digest.

use crate::blobs::Blobs;
use crate::catalog::hot_rows::{HotRows, key};
use crate::catalog::{membership, read};
use crate::database::DatabaseError;
use domain::{Digest, Platform, RepositoryPath};
use oci::{Descriptor, Kind, Manifest, ManifestLimit, ManifestRef};
use record::ClaimKey;
use record::claim::{ImageClaim, PlatformImage};
use rusqlite::Connection;

/// The most platforms of one image that are recorded: an event holds few more.
pub const IMAGE_PLATFORMS_MAX: usize = 256;
/// Configurations and listed manifests that are read for one image's facts, together, in bytes.
pub const IMAGE_FACTS_BYTES_MAX: u64 = 4 << 20;

/// A manifest whose facts are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) repository: &'a RepositoryPath,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) manifest: &'a Manifest,
}

impl Asked<'_> {
    /// The facts as far as memory has them: an image whose configuration was read lately.
    pub(super) fn remembered(&self, hot: &HotRows) -> Option<ImageClaim> {
        let config = self.manifest.platform_config()?;
        let key = key(self.repository, &ManifestRef::Digest(config.digest));
        let platform = hot.platforms.get(&key).ok()?;
        self.claim(vec![self.whole(platform)])
    }

    /// The facts, read; `None`: no image, or its parts are missing, damaged or beyond a limit.
    pub(super) fn read(
        &self,
        reader: &Connection,
        blobs: &Blobs,
        hot: &HotRows,
    ) -> Result<Option<ImageClaim>, DatabaseError> {
        let path = self.repository;
        let mut reading = Reading { reader, blobs, hot, path, left: IMAGE_FACTS_BYTES_MAX };
        let platforms = match &self.manifest.kind {
            Kind::Image { .. } => {
                reading.platform(self.manifest)?.map(|Said(platform)| vec![self.whole(platform)])
            }
            Kind::Index { .. } => reading.listed(self.manifest)?,
        };
        Ok(platforms.and_then(|platforms| self.claim(platforms)))
    }

    fn whole(&self, platform: Option<Platform>) -> PlatformImage {
        let config = self.manifest.config().map(|config| config.digest);
        PlatformImage { platform, manifest: self.digest, config }
    }

    fn claim(&self, platforms: Vec<PlatformImage>) -> Option<ImageClaim> {
        // An attestation is pushed like an image, and says in its configuration that it runs nowhere.
        let is_attestation = match (&self.manifest.kind, platforms.as_slice()) {
            (Kind::Image { .. }, [one]) => one.platform.as_ref().is_some_and(Platform::is_unknown),
            (Kind::Image { .. } | Kind::Index { .. }, _) => false,
        };
        (!is_attestation).then(|| ImageClaim {
            key: ClaimKey::try_from(format!("image/{}", self.digest))
                .expect("a word and a digest make a key"),
            digest: self.digest,
            media_type: self.manifest.media_type.to_string(),
            size: self.size,
            platforms,
        })
    }
}

/// What was said about a platform: one, or that there is none.
struct Said(Option<Platform>);

struct Reading<'a> {
    reader: &'a Connection,
    blobs: &'a Blobs,
    hot: &'a HotRows,
    path: &'a RepositoryPath,
    left: u64,
}

impl Reading<'_> {
    /// The platforms of an index; `None`: they cannot all be told.
    fn listed(&mut self, index: &Manifest) -> Result<Option<Vec<PlatformImage>>, DatabaseError> {
        let mut platforms = Vec::new();
        for entry in index.runnable() {
            if platforms.len() == IMAGE_PLATFORMS_MAX {
                return Ok(None);
            }
            let Some(manifest) = self.manifest(&entry.digest)? else {
                return Ok(None);
            };
            let said = match &entry.platform {
                Some(platform) => Some(Said(Some(platform.clone()))),
                None => self.platform(&manifest)?,
            };
            let Some(Said(platform)) = said else {
                return Ok(None);
            };
            let config = manifest.config().map(|config| config.digest);
            platforms.push(PlatformImage { platform, manifest: entry.digest, config });
        }
        Ok(Some(platforms))
    }

    /// A listed manifest; one that is large enough to be a file is beyond what is read here.
    fn manifest(&mut self, digest: &Digest) -> Result<Option<Manifest>, DatabaseError> {
        let found = read::find(self.reader, self.path, &ManifestRef::Digest(*digest))?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        let Some(body) = found.body.take().filter(|body| self.may_read(body.len() as u64)) else {
            return Ok(None);
        };
        let whole = found.with(body.into())?;
        let limit = ManifestLimit::new(oci::limit::MANIFEST_BYTES_SETTABLE_MAX).unwrap_or_default();
        Ok(Manifest::read_within(&whole.bytes, Some(&whole.media_type), limit).ok())
    }

    /// What a manifest's configuration says; `None`: it cannot be read.
    fn platform(&mut self, manifest: &Manifest) -> Result<Option<Said>, DatabaseError> {
        match manifest.platform_config() {
            None => Ok(Some(Said(None))),
            Some(config) => self.config(config),
        }
    }

    fn config(&mut self, config: &Descriptor) -> Result<Option<Said>, DatabaseError> {
        let key = key(self.path, &ManifestRef::Digest(config.digest));
        let ticket = match self.hot.platforms.get(&key) {
            Ok(platform) => return Ok(Some(Said(platform))),
            Err(ticket) => ticket,
        };
        // A blob that this repository may not show is not looked at: the write is refused for it later.
        let size = membership::size(self.reader, self.path, &config.digest)?;
        if !size.is_some_and(|size| self.may_read(size)) {
            return Ok(None);
        }
        let bytes = self.blobs.read_now(&config.digest);
        let bytes = bytes
            .map_err(|why| DatabaseError::unreadable("configuration of an image", why))?
            .ok_or_else(|| DatabaseError::unreadable("configuration", "its file is missing"))?;
        let platform = oci::platform_of(&bytes);
        let weight = key.len() + size_of::<Platform>();
        self.hot.platforms.keep(ticket, key, platform.clone(), weight);
        Ok(Some(Said(platform)))
    }

    /// Takes bytes from what may be read; says whether they fit.
    fn may_read(&mut self, bytes: u64) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

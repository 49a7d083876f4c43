//! Images on their way: opened where they are, copied by digest.

use super::Registries;
use super::error::{RegistryError, failed};
use domain::{Digest, PinnedRef, Repository};
use remote::Source;
use remote::copy::{CopyOptions, copy};
use remote::place::{Place, Target};

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The image.
    pub digest: Digest,
    /// How many blobs were sent.
    pub sent: usize,
    /// Their bytes.
    pub sent_bytes: u64,
    /// How many were mounted from another repository.
    pub mounted: usize,
    /// How many were there.
    pub present: usize,
    /// How many attachments went along.
    pub referrers: usize,
}

impl Registries {
    /// Opens a place, to be copied from.
    ///
    /// # Errors
    /// There is no such place, or it cannot be read.
    pub async fn open_place(&self, source: &Source) -> Result<Place, RegistryError> {
        self.inner
            .opener
            .open(source)
            .await
            .map_err(failed(format!("cannot open {}", shown(source))))
    }

    /// What the name of an opened place leads to.
    ///
    /// # Errors
    /// There is no such image, there are several, or it could not be found out.
    pub async fn digest_of(&self, place: &Place) -> Result<Digest, RegistryError> {
        Ok(place.resolve().await.map_err(failed("cannot find the image"))?.digest)
    }

    /// Copies an image by digest, with all of its parts; no tag is written. Returns its digest.
    ///
    /// # Errors
    /// The source lacks something or delivers other bytes, or the target does not take it.
    pub async fn copy(&self, from: &Place, to: &Repository) -> Result<Digest, RegistryError> {
        let target = Target::Registry(self.repository(to)?);
        let copied = copy(from, &target, CopyOptions::default()).await;
        Ok(copied.map_err(failed(format!("cannot copy to {to}")))?.manifest.digest)
    }

    /// Copies an image into a repository or a layout; a layout's name is listed, a registry's tag is not written.
    ///
    /// # Errors
    /// As [`Registries::copy`], or the target is no place that is written.
    pub async fn copy_to(
        &self,
        from: &Place,
        to: &Source,
        referrers: bool,
    ) -> Result<Copied, RegistryError> {
        let what = || format!("cannot copy to {}", shown(to));
        let (target, names) = match to {
            Source::Registry(reference) => {
                (Target::Registry(self.repository(reference.repository())?), vec![])
            }
            Source::Layout { folder, name } => {
                let layout =
                    remote::layout::Layout::open_or_create(folder).await.map_err(failed(what()))?;
                let name = name.as_ref().map(|name| name.parse()).transpose();
                (
                    Target::Layout(layout),
                    name.map_err(|_| RegistryError::NotWritable)?.into_iter().collect(),
                )
            }
            Source::OciArchive { .. } | Source::DockerArchive { .. } | Source::Daemon { .. } => {
                return Err(RegistryError::NotWritable);
            }
        };
        let too = if referrers { remote::ReferrersToo::Yes } else { remote::ReferrersToo::No };
        let done =
            copy(from, &target, CopyOptions { referrers: too }).await.map_err(failed(what()))?;
        target.list_in_layout(&done.manifest, &names).await.map_err(failed(what()))?;
        Ok(Copied {
            digest: done.manifest.digest,
            sent: done.sent,
            sent_bytes: done.sent_bytes,
            mounted: done.mounted,
            present: done.present,
            referrers: done.referrers.len(),
        })
    }

    /// Copies an image and what is attached to it from one repository to another.
    ///
    /// # Errors
    /// As [`Registries::copy`].
    pub async fn copy_between(
        &self,
        from: &Repository,
        digest: Digest,
        to: &Repository,
    ) -> Result<(), RegistryError> {
        let pinned = PinnedRef { repository: from.clone(), tag: None, digest };
        let place = self.open_place(&Source::Registry(domain::ImageRef::Pinned(pinned))).await?;
        let options = CopyOptions { referrers: remote::ReferrersToo::Yes };
        let target = Target::Registry(self.repository(to)?);
        copy(&place, &target, options)
            .await
            .map_err(failed(format!("cannot copy {from} to {to}")))
            .map(drop)
    }
}

fn shown(source: &Source) -> String {
    match source {
        Source::Layout { folder, .. } => format!("layout {}", folder.display()),
        Source::OciArchive { file, .. } | Source::DockerArchive { file, .. } => {
            format!("archive {}", file.display())
        }
        Source::Daemon { image } => format!("image {image} of the docker daemon"),
        Source::Registry(reference) => reference.to_string(),
    }
}

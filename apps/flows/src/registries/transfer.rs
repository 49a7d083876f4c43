//! Images on their way: opened where they are, copied by digest.

use super::Registries;
use super::error::{RegistryError, failed};
use domain::{Digest, ImageRef, PinnedRef, Repository, Tag};
use remote::copy::{CopyOptions, MANIFESTS_MAX, copy};
use remote::place::{Place, Target};
use remote::{ReferrersToo, Source};
use std::collections::BTreeSet;
use std::path::PathBuf;

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

/// A place that images are copied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WritablePlace {
    /// A repository, and in it a tag or a digest.
    Registry(ImageRef),
    /// A folder, and the name that its index will list.
    Layout {
        /// The folder; it is made where it is missing.
        folder: PathBuf,
        /// The name.
        name: Option<Tag>,
    },
}

impl TryFrom<Source> for WritablePlace {
    type Error = RegistryError;

    fn try_from(source: Source) -> Result<Self, RegistryError> {
        let place = shown(&source);
        match source {
            Source::Registry(reference) => Ok(Self::Registry(reference)),
            Source::Layout { folder, name } => {
                let read = |name: String| match name.parse() {
                    Ok(tag) => Ok(tag),
                    Err(source) => Err(RegistryError::LayoutName { name, source }),
                };
                Ok(Self::Layout { folder, name: name.map(read).transpose()? })
            }
            Source::OciArchive { .. } | Source::DockerArchive { .. } | Source::Daemon { .. } => {
                Err(RegistryError::NotWritable { place })
            }
        }
    }
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

    /// Looks whether an image is whole where it is: a hole is found before a name is kept or a byte is sent.
    ///
    /// Manifests are read and verified. Blobs of files must be there; those of a registry are asked for when they
    /// are sent, and every blob is verified then.
    ///
    /// # Errors
    /// A manifest is missing, is something else than its digest, or is none; a blob is missing.
    pub async fn check_whole(&self, place: &Place, digest: Digest) -> Result<(), RegistryError> {
        let what = || format!("cannot read the image {digest}");
        let (mut waiting, mut seen) = (vec![digest], BTreeSet::new());
        while let Some(next) = waiting.pop() {
            if !seen.insert(next) {
                continue;
            }
            if seen.len() > MANIFESTS_MAX {
                // The copy refuses it in its own words.
                break;
            }
            let bytes = place.manifest(&next).await.map_err(failed(what()))?;
            let manifest = bytes.read().map_err(failed(what()))?;
            for blob in manifest.blobs() {
                place.blob_source(blob).await.map_err(failed(what()))?;
            }
            waiting.extend(manifest.children().iter().map(|child| child.digest));
        }
        Ok(())
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
    /// As [`Registries::copy`].
    pub async fn copy_to(
        &self,
        from: &Place,
        to: &WritablePlace,
        referrers: ReferrersToo,
    ) -> Result<Copied, RegistryError> {
        let (target, names, what) = match to {
            WritablePlace::Registry(reference) => {
                let target = Target::Registry(self.repository(reference.repository())?);
                (target, Vec::new(), format!("cannot copy to {reference}"))
            }
            WritablePlace::Layout { folder, name } => {
                let what = format!("cannot copy to layout {}", folder.display());
                let layout = remote::layout::Layout::open_or_create(folder).await;
                let layout = layout.map_err(failed(what.clone()))?;
                (Target::Layout(layout), name.iter().cloned().collect(), what)
            }
        };
        let what = || what.clone();
        let done = copy(from, &target, CopyOptions { referrers }).await.map_err(failed(what()))?;
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

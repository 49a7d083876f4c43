//! Copies a whole image: index, platform manifests, blobs, and on request what is attached to it.
//!
//! ```text
//! index -> children -> blobs      read first, so that a hole is found before anything is written
//! blobs -> children -> index      written last to first; no tag is touched
//! ```
//! A manifest is put only when everything that it names is there, so a copy that breaks off leaves nothing
//! that could be pulled by half.

use std::collections::BTreeMap;

use domain::Digest;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use oci::document::descriptor::Descriptor;

use crate::content::ManifestBytes;
use crate::error::RemoteError;
use crate::place::{Place, Target};
use crate::registry::BlobPut;

/// How many blobs are on their way at once. Source: containers/image's default.
const BLOBS_AT_ONCE: usize = 6;
/// How many manifests one image may have, attached ones included.
pub const MANIFESTS_MAX: usize = 2000;
/// How deep indexes may nest, and how far attachments of attachments are followed.
pub const DEPTH_MAX: usize = 4;

/// Whether what is attached to an image goes along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReferrersToo {
    /// Only the image.
    #[default]
    No,
    /// Signatures, SBOMs and provenance too.
    Yes,
}

/// What the caller decides about a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Whether what is attached goes along.
    pub referrers: ReferrersToo,
}

/// What a copy did.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The image's manifest, as it is at both ends.
    pub manifest: ManifestBytes,
    /// How many blobs were sent, and their bytes.
    pub sent: usize,
    /// Their bytes together.
    pub sent_bytes: u64,
    /// How many blobs the registry took from another repository.
    pub mounted: usize,
    /// How many blobs were there.
    pub present: usize,
    /// What was attached, and was copied too.
    pub referrers: Vec<Digest>,
}

/// Copies what the place's name leads to; returns what is now at both ends. Writes no tag.
///
/// # Errors
/// The source lacks something or delivers other bytes; the target does not take it.
pub async fn copy(from: &Place, to: &Target, options: CopyOptions) -> Result<Copied, RemoteError> {
    let digest = from.resolve().await?.digest;
    let mut walk = Walk::default();
    walk.add(from, &digest, 0).await?;
    let manifest = walk.get(&digest, from).await?;
    let mut copied =
        Copied { manifest, sent: 0, sent_bytes: 0, mounted: 0, present: 0, referrers: Vec::new() };
    put_all(from, to, &walk, &mut copied).await?;
    match options.referrers {
        ReferrersToo::No => {}
        ReferrersToo::Yes => copy_referrers(from, to, &walk, &mut copied).await?,
    }
    Ok(copied)
}

/// The manifests of an image, children before parents, and their blobs.
#[derive(Default)]
struct Walk {
    manifests: Vec<ManifestBytes>,
    blobs: BTreeMap<Digest, Descriptor>,
}

impl Walk {
    /// Adds a manifest and everything below it.
    async fn add(
        &mut self,
        from: &Place,
        digest: &Digest,
        depth: usize,
    ) -> Result<(), RemoteError> {
        if self.manifests.iter().any(|known| known.digest == *digest) {
            return Ok(());
        }
        let too_much = |problem: String| RemoteError::protocol(format!("image {digest}"), problem);
        if depth > DEPTH_MAX {
            return Err(too_much(format!("its indexes nest deeper than {DEPTH_MAX}")));
        }
        let manifest = from.manifest(digest).await?;
        let read = manifest.read()?;
        for blob in read.blobs() {
            self.blobs.insert(blob.digest, blob.clone());
        }
        for child in read.children() {
            Box::pin(self.add(from, &child.digest, depth + 1)).await?;
        }
        if self.manifests.len() >= MANIFESTS_MAX {
            return Err(too_much(format!("it has more than {MANIFESTS_MAX} manifests")));
        }
        self.manifests.push(manifest);
        Ok(())
    }

    async fn get(&self, digest: &Digest, from: &Place) -> Result<ManifestBytes, RemoteError> {
        match self.manifests.iter().find(|known| known.digest == *digest) {
            Some(found) => Ok(found.clone()),
            None => from.manifest(digest).await,
        }
    }
}

/// Puts the blobs, six at a time, then the manifests, children first.
async fn put_all(
    from: &Place,
    to: &Target,
    walk: &Walk,
    copied: &mut Copied,
) -> Result<(), RemoteError> {
    let blobs = walk.blobs.values().map(|blob| async move {
        let put = put_blob(from, to, blob).await?;
        Ok::<_, RemoteError>((put, blob.size))
    });
    let mut puts = stream::iter(blobs).buffer_unordered(BLOBS_AT_ONCE);
    while let Some((put, size)) = puts.try_next().await? {
        match put {
            BlobPut::Present => copied.present += 1,
            BlobPut::Mounted => copied.mounted += 1,
            BlobPut::Sent => {
                copied.sent += 1;
                copied.sent_bytes += size;
            }
        }
    }
    for manifest in &walk.manifests {
        let has_subject = manifest.read()?.subject.is_some();
        match to {
            Target::Registry(repository) if has_subject => {
                repository.put_referrer(manifest).await?
            }
            Target::Registry(_) | Target::Layout(_) => to.put_manifest(manifest).await?,
        }
    }
    Ok(())
}

async fn put_blob(from: &Place, to: &Target, blob: &Descriptor) -> Result<BlobPut, RemoteError> {
    match to {
        Target::Registry(repository) => {
            let mount_from = match from {
                Place::Registry(source, _) if source.shares_registry_with(repository) => {
                    Some(source.path())
                }
                Place::Registry(..)
                | Place::Layout(..)
                | Place::OciArchive(..)
                | Place::DockerArchive(_) => None,
            };
            let source = from.blob_source(blob).await?;
            repository.put_blob(&blob.digest, blob.size, &source, mount_from).await
        }
        Target::Layout(layout) => {
            if layout.has_blob(&blob.digest).await? == Some(blob.size) {
                return Ok(BlobPut::Present);
            }
            let source = from.blob_source(blob).await?;
            layout.put_blob(&blob.digest, blob.size, &source).await?;
            Ok(BlobPut::Sent)
        }
    }
}

/// Copies what is attached to any manifest of the image, and what is attached to that.
async fn copy_referrers(
    from: &Place,
    to: &Target,
    walk: &Walk,
    copied: &mut Copied,
) -> Result<(), RemoteError> {
    let mut subjects: Vec<Digest> = walk.manifests.iter().map(|manifest| manifest.digest).collect();
    let mut seen = subjects.len();
    for _ in 0..DEPTH_MAX {
        let mut attached = Vec::new();
        for subject in &subjects {
            for referrer in from.referrers(subject).await? {
                if copied.referrers.contains(&referrer.digest) {
                    continue;
                }
                seen += 1;
                if seen > MANIFESTS_MAX {
                    let place = format!("image {}", copied.manifest.digest);
                    return Err(RemoteError::protocol(
                        place,
                        format!("it has more than {MANIFESTS_MAX} manifests"),
                    ));
                }
                let mut walk = Walk::default();
                walk.add(from, &referrer.digest, 0).await?;
                put_all(from, to, &walk, copied).await?;
                copied.referrers.push(referrer.digest);
                attached.push(referrer.digest);
            }
        }
        subjects = attached;
    }
    Ok(())
}

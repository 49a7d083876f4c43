//! What is kept in memory: manifests, sizes of blobs, platforms of configurations, tokens.

use crate::catalog::hot::Hot;
use crate::catalog::{StoredManifest, Token};
use domain::{Platform, RepositoryPath, Tag};
use oci::ManifestRef;

/// Manifests and their keys, in bytes.
const MANIFEST_BYTES_KEPT: usize = 8 << 20;
/// Keys of blobs, in bytes: some ten thousand.
const BLOB_KEY_BYTES_KEPT: usize = 1 << 20;
/// Platforms and the keys of their configurations, in bytes: some thousands.
const PLATFORM_BYTES_KEPT: usize = 1 << 20;
/// Tokens, by number.
const TOKENS_KEPT: usize = 1_000;

#[derive(Debug)]
pub(super) struct HotRows {
    pub(super) manifests: Hot<StoredManifest>,
    pub(super) blobs: Hot<u64>,
    pub(super) platforms: Hot<Option<Platform>>,
    pub(super) tokens: Hot<Token>,
}

impl Default for HotRows {
    fn default() -> Self {
        Self {
            manifests: Hot::new(MANIFEST_BYTES_KEPT),
            blobs: Hot::new(BLOB_KEY_BYTES_KEPT),
            platforms: Hot::new(PLATFORM_BYTES_KEPT),
            tokens: Hot::new(TOKENS_KEPT),
        }
    }
}

impl HotRows {
    /// Forgets what these tags named.
    pub(super) fn changed<'a>(
        &self,
        repository: &RepositoryPath,
        tags: impl IntoIterator<Item = &'a Tag>,
    ) {
        for tag in tags {
            self.manifests.forget(&key(repository, &ManifestRef::Tag(tag.clone())));
        }
    }
}

/// No tag has a `:`, and no repository a NUL: two things never share a key.
pub(super) fn key(repository: &RepositoryPath, reference: &ManifestRef) -> String {
    match reference {
        ManifestRef::Tag(tag) => format!("{repository}\0{tag}"),
        ManifestRef::Digest(digest) => format!("{repository}\0{digest}"),
    }
}

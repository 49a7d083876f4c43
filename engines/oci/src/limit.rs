//! Every limit on what a stranger may send through this protocol, by name.
//!
//! ```text
//! manifest 4 MiB (settable up to 16) · JSON depth 64 · header bytes 32 KiB · tags in one request 46
//! ```
//! Each is enforced, and tested at it and one above it, where its bytes are read; those that only a
//! server can count (headers, blobs) are enforced by the server.

/// The manifest that is accepted by default, in bytes. Source: OCI distribution-spec 1.1, "Pushing Manifests".
pub const MANIFEST_BYTES_DEFAULT: usize = 4 << 20;

/// The largest that [`ManifestLimit`] can be set to, in bytes. Source: DESIGN §12.
pub const MANIFEST_BYTES_SETTABLE_MAX: usize = 16 << 20;

/// How deep JSON may nest. Source: DESIGN §12; the deepest known document, a BuildKit index, has 6.
pub const JSON_DEPTH_MAX: usize = 64;

/// How many keys one JSON object may have: each is held in memory while duplicates are looked for.
pub const JSON_KEYS_MAX: usize = 10_000;

/// All headers of one request together, in bytes. Source: DESIGN §12.
pub const HEADER_BYTES_MAX: usize = 32 << 10;

/// The tags that one manifest PUT may name with `?tag=`. Source: DESIGN §12.
pub const TAGS_IN_REQUEST_MAX: usize = 46;

/// The entries of one page of a list. Source: DESIGN §12.
pub const PAGE_ENTRIES_MAX: usize = 1000;

/// The blob that is accepted by default, in bytes. Source: DESIGN §12.
pub const BLOB_BYTES_DEFAULT: u64 = 10 << 30;

/// An image configuration, in bytes: the same as a manifest's largest.
pub const CONFIG_BYTES_MAX: usize = 16 << 20;

/// A request's path and query together, in bytes.
///
/// The longest that is needed: a name of 255, a sha512 digest and 46 tags of 128 with their `&tag=`.
pub const TARGET_BYTES_MAX: usize = 8 << 10;

/// The body of an error answer that is read, in bytes; the rest is dropped.
pub const ERROR_BODY_BYTES_MAX: usize = 64 << 10;

/// The errors that are kept of one answer.
pub const ERRORS_IN_BODY_MAX: usize = 16;

/// The text of one error that is kept, in characters.
pub const ERROR_TEXT_CHARS_MAX: usize = 1024;

/// A token answer, in bytes. Azure's tokens are near 4 KiB; 64 KiB is what a header could never carry.
pub const TOKEN_BODY_BYTES_MAX: usize = 64 << 10;

/// All challenges of one answer together, in bytes.
pub const CHALLENGE_BYTES_MAX: usize = 8 << 10;

/// All `Warning` headers of one answer together, in bytes. Source: OCI distribution-spec 1.1, "Warnings".
pub const WARNING_BYTES_MAX: usize = 4096;

/// One list answer (tags, catalogue), in bytes: 1 000 names, or a registry that ignores `n`.
pub const LIST_BODY_BYTES_MAX: usize = 32 << 20;

/// The longest `Retry-After` that is honoured, in seconds. Source: DESIGN §12.
pub const RETRY_AFTER_S_MAX: u64 = 120;

/// The largest manifest that a server accepts, or a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManifestLimit(usize);

/// The setting is outside what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a manifest limit of {bytes} bytes is not between 1 and {MANIFEST_BYTES_SETTABLE_MAX}")]
pub struct ManifestLimitError {
    bytes: usize,
}

impl ManifestLimit {
    /// A limit in bytes.
    ///
    /// # Errors
    /// Zero, or more than [`MANIFEST_BYTES_SETTABLE_MAX`].
    pub fn new(bytes: usize) -> Result<Self, ManifestLimitError> {
        if (1..=MANIFEST_BYTES_SETTABLE_MAX).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(ManifestLimitError { bytes })
        }
    }

    /// The limit in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.0
    }
}

impl Default for ManifestLimit {
    fn default() -> Self {
        Self(MANIFEST_BYTES_DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_limit_is_settable_up_to_16_mib() {
        assert_eq!(ManifestLimit::default().bytes(), 4_194_304);
        assert_eq!(ManifestLimit::new(16_777_216).unwrap().bytes(), 16_777_216);
        assert!(ManifestLimit::new(16_777_217).is_err());
        assert!(ManifestLimit::new(0).is_err());
    }
}

//! What a place gives and takes: manifests whose bytes were checked, blobs that are checked as they stream.
//!
//! ```text
//! verified(stream, digest, size)   the stream, and an error at its end when it was something else
//! ```

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::{Digest, Digester};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use oci::document::descriptor::Descriptor;
use oci::document::manifest::Manifest;

use crate::error::RemoteError;

/// A blob's bytes in pieces.
pub type BlobStream = BoxStream<'static, Result<Bytes, RemoteError>>;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The manifest's digest, as the place says it; [`ManifestBytes`] is the proof.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes, where the place says so.
    pub size: Option<u64>,
}

/// A manifest whose bytes have the digest under which it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestBytes {
    /// Its digest.
    pub digest: Digest,
    /// What it was served as; empty where the place does not say.
    pub media_type: String,
    /// The bytes, verbatim.
    pub bytes: Bytes,
}

impl ManifestBytes {
    /// Bytes of our own, named by their sha256.
    #[must_use]
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::sha256(&bytes), media_type: media_type.into(), bytes }
    }

    /// Reads what the bytes say.
    ///
    /// # Errors
    /// The bytes are no manifest that is accepted.
    pub fn read(&self) -> Result<Manifest, RemoteError> {
        let limit = oci::limit::ManifestLimit::new(oci::limit::MANIFEST_BYTES_SETTABLE_MAX)
            .expect("the largest that can be set can be set");
        Manifest::read_within(&self.bytes, Some(&self.media_type), limit)
            .map_err(|cause| RemoteError::document(format!("manifest {}", self.digest), cause))
    }

    /// The descriptor of this manifest.
    ///
    /// # Errors
    /// As [`ManifestBytes::read`].
    pub fn descriptor(&self) -> Result<Descriptor, RemoteError> {
        let manifest = self.read()?;
        let size = self.bytes.len() as u64;
        Ok(Descriptor::new(manifest.media_type.as_str(), self.digest, size))
    }
}

type Opened = BoxFuture<'static, Result<BlobStream, RemoteError>>;

/// Where the bytes of a blob that is put come from.
#[derive(Clone)]
pub struct BlobSource(Kind);

#[derive(Clone)]
enum Kind {
    Held(Bytes),
    Again(Arc<dyn Fn() -> Opened + Send + Sync>),
    Once(Arc<Mutex<Option<BlobStream>>>),
}

impl fmt::Debug for BlobSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Held(_) => "BlobSource(held)",
            Kind::Again(_) => "BlobSource(restartable)",
            Kind::Once(_) => "BlobSource(once)",
        })
    }
}

impl BlobSource {
    /// Bytes in memory.
    #[must_use]
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Held(bytes.into()))
    }

    /// A stream that can be opened again, so that a broken upload is tried again.
    pub fn restartable(open: impl Fn() -> Opened + Send + Sync + 'static) -> Self {
        Self(Kind::Again(Arc::new(open)))
    }

    /// A stream that can be read once: a broken upload of it fails.
    #[must_use]
    pub fn once(stream: BlobStream) -> Self {
        Self(Kind::Once(Arc::new(Mutex::new(Some(stream)))))
    }

    /// Whether a broken upload may start over.
    pub(crate) fn is_restartable(&self) -> bool {
        !matches!(self.0, Kind::Once(_))
    }

    /// Opens the stream from its start; `None` when it was read and cannot be read again.
    pub(crate) async fn open(&self) -> Result<Option<BlobStream>, RemoteError> {
        match &self.0 {
            Kind::Held(bytes) => Ok(Some(one(bytes.clone()))),
            Kind::Again(open) => open().await.map(Some),
            Kind::Once(stream) => Ok(stream.lock().ok().and_then(|mut held| held.take())),
        }
    }
}

/// A stream of one piece.
pub(crate) fn one(bytes: Bytes) -> BlobStream {
    stream::iter([Ok(bytes)]).boxed()
}

struct Checking {
    stream: BlobStream,
    digester: Option<Digester>,
    digest: Digest,
    size: Option<u64>,
    seen: u64,
    place: String,
}

/// Passes a stream on, and ends it with an error when it was not what `digest` and `size` name.
///
/// With a size, the last piece is held back until all of it was checked: the error comes in its place. A
/// stream that is longer ends at once. What came before an error was not verified.
#[must_use]
pub(crate) fn verified(
    stream: BlobStream,
    digest: Digest,
    size: Option<u64>,
    place: String,
) -> BlobStream {
    let checking = Checking {
        stream,
        digester: Some(Digester::new(digest.algorithm())),
        digest,
        size,
        seen: 0,
        place,
    };
    stream::try_unfold(checking, |mut checking| async move {
        match checking.stream.next().await {
            Some(piece) => {
                let piece = piece?;
                checking.take(&piece)?;
                Ok(Some((piece, checking)))
            }
            None => checking.end().map(|()| None),
        }
    })
    .boxed()
}

impl Checking {
    fn take(&mut self, piece: &[u8]) -> Result<(), RemoteError> {
        self.seen += piece.len() as u64;
        if let Some(digester) = &mut self.digester {
            digester.update(piece);
        }
        match self.size {
            Some(expected) if self.seen > expected => Err(self.wrong_size(expected)),
            // Before the last piece is passed on: an upload is whole with it, and nobody asks for more.
            Some(expected) if self.seen == expected => self.check(),
            Some(_) | None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), RemoteError> {
        if let Some(expected) = self.size.filter(|expected| *expected != self.seen) {
            return Err(self.wrong_size(expected));
        }
        self.check()
    }

    fn check(&mut self) -> Result<(), RemoteError> {
        let Some(digester) = self.digester.take() else {
            return Ok(());
        };
        self.digest
            .expect(digester.finish())
            .map_err(|mismatch| RemoteError::DigestMismatch { place: self.place.clone(), mismatch })
    }

    fn wrong_size(&self, expected: u64) -> RemoteError {
        RemoteError::SizeMismatch {
            place: self.place.clone(),
            digest: self.digest,
            expected,
            found: self.seen,
        }
    }
}

/// Reads a stream whole, up to a limit.
///
/// # Errors
/// The stream's own, or [`RemoteError::TooLarge`].
pub async fn read_whole(
    mut stream: BlobStream,
    bytes_max: usize,
    what: &str,
) -> Result<Bytes, RemoteError> {
    let mut whole = bytes::BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        if whole.len() + piece.len() > bytes_max {
            return Err(RemoteError::TooLarge { what: what.to_owned(), max: bytes_max as u64 });
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &'static [u8], digest: Digest, size: u64) -> Result<Bytes, RemoteError> {
        let pieces = stream::iter(bytes.chunks(2).map(|piece| Ok(Bytes::from_static(piece))));
        let checked = verified(pieces.boxed(), digest, Some(size), "here".into());
        futures_util::FutureExt::now_or_never(read_whole(checked, 100, "it")).unwrap()
    }

    #[test]
    fn a_stream_is_whole_and_right_or_ends_in_an_error() {
        let digest = Digest::sha256(b"hello");
        assert_eq!(read(b"hello", digest, 5).unwrap(), "hello");
        assert!(matches!(read(b"hallo", digest, 5), Err(RemoteError::DigestMismatch { .. })));
        for short_or_long in [&b"hell"[..], b"hello world"] {
            assert!(matches!(
                read(short_or_long, digest, 5),
                Err(RemoteError::SizeMismatch { expected: 5, .. })
            ));
        }
    }

    #[test]
    fn a_limit_holds_at_it_and_one_above() {
        let whole = |max| {
            let stream = one(Bytes::from_static(b"hello"));
            futures_util::FutureExt::now_or_never(read_whole(stream, max, "it")).unwrap()
        };
        assert!(whole(5).is_ok());
        assert!(matches!(whole(4), Err(RemoteError::TooLarge { max: 4, .. })));
    }
}

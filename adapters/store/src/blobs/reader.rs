//! Reading a blob in pieces. What the kernel has in memory is read at once; the rest on a blocking thread.

use super::error::{BlobError, on_disk};
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// The largest piece, in bytes. Source: measured for static files, research/registry.md §4.2.
const PIECE_BYTES_MAX: u64 = 256 * 1024;

/// A blob that is being read; pieces come in order.
#[derive(Debug)]
pub struct BlobReader {
    path: PathBuf,
    size: u64,
    left: Range<u64>,
    file: Arc<File>,
}

impl BlobReader {
    pub(super) fn new(path: PathBuf, file: File, size: u64) -> Self {
        Self { path, size, left: 0..size, file: Arc::new(file) }
    }

    /// The blob's size in bytes, whatever the range.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads only this part; what lies beyond the blob's end is left out. Before the first piece only.
    #[must_use]
    pub fn range(mut self, range: Range<u64>) -> Self {
        let end = range.end.min(self.size);
        self.left = range.start.min(end)..end;
        self
    }

    /// The next piece, of at most 256 KiB; `None` at the end.
    ///
    /// # Errors
    /// The disk refuses, or the file is shorter than it was.
    pub async fn next(&mut self) -> Option<Result<Bytes, BlobError>> {
        if self.left.is_empty() {
            return None;
        }
        let at = self.left.start;
        let length = (self.left.end - at).min(PIECE_BYTES_MAX);
        let read = match read_at_hand(&self.file, at, length) {
            AtHand::Read(piece) => Ok(piece),
            AtHand::Unknown => self.read_on_disk(at, length).await,
        };
        match &read {
            Ok(piece) => self.left.start += piece.len() as u64,
            Err(_) => self.left = 0..0,
        }
        Some(read)
    }

    async fn read_on_disk(&self, at: u64, length: u64) -> Result<Bytes, BlobError> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        on_disk(move || read_piece(&file, at, length).map_err(BlobError::io(&path))).await
    }
}

/// What can be had without waiting for the disk.
enum AtHand {
    /// One byte at least.
    Read(Bytes),
    /// Not in memory, or this system does not tell: whoever reads on a blocking thread learns why.
    Unknown,
}

/// Two switches between threads for each piece were most of what a pull cost (perf, `bench registry`).
#[cfg(target_os = "linux")]
fn read_at_hand(file: &File, at: u64, length: u64) -> AtHand {
    use rustix::io::{ReadWriteFlags, preadv2};
    let Ok(length) = usize::try_from(length) else { return AtHand::Unknown };
    let mut piece = vec![0; length];
    let into = &mut [io::IoSliceMut::new(&mut piece)];
    match preadv2(file, into, at, ReadWriteFlags::NOWAIT) {
        Ok(0) | Err(_) => AtHand::Unknown,
        Ok(read) => {
            piece.truncate(read);
            AtHand::Read(Bytes::from(piece))
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn read_at_hand(_: &File, _: u64, _: u64) -> AtHand {
    AtHand::Unknown
}

fn read_piece(mut file: &File, at: u64, length: u64) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(at))?;
    let capacity = usize::try_from(length).map_err(io::Error::other)?;
    // Unlike a zeroed buffer, this one is written once only.
    let mut piece = Vec::with_capacity(capacity);
    let read = file.take(length).read_to_end(&mut piece)?;
    if read < capacity {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Bytes::from(piece))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn holding(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn both_ways_read_the_same_bytes() {
        let file = holding(b"0123456789");
        assert_eq!(read_piece(&file, 2, 5).unwrap(), b"23456"[..]);
        if let AtHand::Read(piece) = read_at_hand(&file, 2, 5) {
            assert_eq!(piece, b"23456"[..]);
        }
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_an_error_and_then_the_end() {
        let mut reader = BlobReader::new(PathBuf::from("blob"), holding(b"0123"), 10);
        while let Some(Ok(piece)) = reader.next().await {
            assert_eq!(piece, b"0123"[..]);
        }
        assert!(reader.next().await.is_none());
        let mut reader = BlobReader::new(PathBuf::from("blob"), holding(b""), 10);
        let error = reader.next().await.unwrap().unwrap_err();
        assert!(matches!(error, BlobError::Io { .. }), "{error}");
    }
}

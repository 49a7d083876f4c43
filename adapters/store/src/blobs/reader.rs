//! Reading a blob in pieces, one piece ahead of whoever sends them.

use super::error::BlobError;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use tokio::task::JoinHandle;

/// The largest piece, in bytes. Source: measured for static files, research/registry.md §4.2.
const PIECE_BYTES_MAX: u64 = 256 * 1024;

/// A blob that is being read; pieces come in order.
#[derive(Debug)]
pub struct BlobReader {
    path: PathBuf,
    size: u64,
    left: Range<u64>,
    file: Option<File>,
    ahead: Option<JoinHandle<Result<(File, Bytes), BlobError>>>,
}

impl BlobReader {
    pub(super) fn new(path: PathBuf, file: File, size: u64) -> Self {
        Self { path, size, left: 0..size, file: Some(file), ahead: None }
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
        if self.ahead.is_none() {
            self.start_next();
        }
        let read = self.ahead.take()?.await.unwrap_or_else(|fault| {
            let source = io::Error::other(format!("the read was given up: {fault}"));
            Err(BlobError::Io { path: self.path.clone(), source })
        });
        match read {
            Ok((file, piece)) => {
                self.file = Some(file);
                self.start_next();
                Some(Ok(piece))
            }
            Err(error) => {
                self.left = 0..0;
                Some(Err(error))
            }
        }
    }

    fn start_next(&mut self) {
        if self.left.is_empty() {
            return;
        }
        let Some(file) = self.file.take() else {
            return;
        };
        let at = self.left.start;
        let length = (self.left.end - at).min(PIECE_BYTES_MAX);
        self.left.start += length;
        let path = self.path.clone();
        // Straight onto a blocking thread: a task around it would be one more switch for each piece.
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            read_piece(file, at, length).map_err(BlobError::io(&path))
        }));
    }
}

fn read_piece(mut file: File, at: u64, length: u64) -> io::Result<(File, Bytes)> {
    file.seek(SeekFrom::Start(at))?;
    let capacity = usize::try_from(length).map_err(io::Error::other)?;
    // Unlike a zeroed buffer, this one is written once only.
    let mut piece = Vec::with_capacity(capacity);
    let read = (&mut file).take(length).read_to_end(&mut piece)?;
    if read < capacity {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((file, Bytes::from(piece)))
}

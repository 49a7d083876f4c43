//! Reads a span of a file in pieces, without following a symbolic link at its end.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt as _};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::content::BlobStream;
use crate::error::RemoteError;

/// One piece of a stream: large enough that system calls do not show, small enough for many at once.
const PIECE_BYTES: usize = 256 << 10;

/// A span of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSpan {
    pub(crate) path: PathBuf,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl FileSpan {
    /// Streams the span; the stream ends early, without an error, when the file does.
    pub(crate) async fn stream(self) -> Result<BlobStream, RemoteError> {
        let failed = |cause| RemoteError::file("read", &self.path, cause);
        let mut file = File::open(&self.path).await.map_err(failed)?;
        if self.offset > 0 {
            file.seek(SeekFrom::Start(self.offset)).await.map_err(failed)?;
        }
        let start = (file, self.size, self.path);
        Ok(stream::try_unfold(start, |(mut file, left, path)| async move {
            let piece = read_piece(&mut file, left)
                .await
                .map_err(|cause| RemoteError::file("read", &path, cause))?;
            let left = left - piece.len() as u64;
            Ok((!piece.is_empty()).then_some((piece, (file, left, path))))
        })
        .boxed())
    }
}

async fn read_piece(file: &mut File, left: u64) -> std::io::Result<Bytes> {
    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
    let mut piece = BytesMut::with_capacity(wanted);
    while piece.len() < wanted {
        let room = (wanted - piece.len()) as u64;
        if (&mut *file).take(room).read_buf(&mut piece).await? == 0 {
            break;
        }
    }
    Ok(piece.freeze())
}

/// The size of a plain file; `None` when there is none. A link or a folder is an error.
pub(crate) async fn plain_size(path: &Path) -> Result<Option<u64>, RemoteError> {
    match tokio::fs::symlink_metadata(path).await {
        Ok(found) if found.is_file() => Ok(Some(found.len())),
        Ok(_) => {
            let cause = std::io::Error::other("it is not a plain file; links are not followed");
            Err(RemoteError::file("read", path, cause))
        }
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(RemoteError::file("read", path, error)),
    }
}

fn is_absence(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    [NotFound, NotADirectory].contains(&error.kind())
}

/// Reads a plain file whole, up to a limit; `None` when there is none.
pub(crate) async fn read_plain(
    path: &Path,
    bytes_max: usize,
) -> Result<Option<Bytes>, RemoteError> {
    let Some(size) = plain_size(path).await? else {
        return Ok(None);
    };
    if size > bytes_max as u64 {
        return Err(RemoteError::TooLarge {
            what: path.display().to_string(),
            max: bytes_max as u64,
        });
    }
    let span = FileSpan { path: path.to_owned(), offset: 0, size };
    let stream = span.stream().await?;
    let what = path.display().to_string();
    crate::content::read_whole(stream, bytes_max, &what).await.map(Some)
}

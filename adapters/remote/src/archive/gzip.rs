//! Unpacks a gzip archive into a plain file, within a ratio: a small file never fills the disk.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use tempfile::TempPath;

use super::wrong;
use crate::error::RemoteError;

/// How many bytes one packed byte may become. Source: DESIGN §12; gzip itself reaches 1 030.
pub const UNPACK_RATIO_MAX: u64 = 200;
/// A small archive may exceed the ratio up to here: an empty image of zeros is no bomb.
const ALWAYS_ALLOWED_BYTES: u64 = 1 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const PIECE_BYTES: usize = 256 << 10;

/// Unpacks the file into `temp` when it is gzip; `None` when it is not.
pub(super) fn unpack_if_gzip(file: &Path, temp: &Path) -> Result<Option<TempPath>, RemoteError> {
    let failed = |cause| RemoteError::file("read", file, cause);
    let mut packed = File::open(file).map_err(failed)?;
    let mut magic = Vec::new();
    (&mut packed).take(2).read_to_end(&mut magic).map_err(failed)?;
    if magic != GZIP_MAGIC {
        return Ok(None);
    }
    packed.seek(SeekFrom::Start(0)).map_err(failed)?;
    let packed_bytes = packed.metadata().map_err(failed)?.len();
    let max = packed_bytes.saturating_mul(UNPACK_RATIO_MAX).max(ALWAYS_ALLOWED_BYTES);
    let failed_to_write = |cause| RemoteError::file("write", temp, cause);
    let unpacked = tempfile::NamedTempFile::new_in(temp).map_err(failed_to_write)?;
    let mut from = MultiGzDecoder::new(BufReader::new(packed));
    let mut to = BufWriter::new(unpacked);
    let mut piece = vec![0; PIECE_BYTES];
    let mut total = 0_u64;
    loop {
        let read = from.read(&mut piece).map_err(|cause| {
            wrong(file, format!("it is truncated or damaged after {total} unpacked bytes: {cause}"))
        })?;
        if read == 0 {
            break;
        }
        total += read as u64;
        if total > max {
            return Err(wrong(
                file,
                format!("it unpacks to more than {UNPACK_RATIO_MAX} times its size"),
            ));
        }
        to.write_all(&piece[..read]).map_err(failed_to_write)?;
    }
    let unpacked = to.into_inner().map_err(|error| failed_to_write(error.into_error()))?;
    Ok(Some(unpacked.into_temp_path()))
}

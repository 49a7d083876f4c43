//! Byte ranges: of chunks that come up, of blobs that go down, and of an upload's progress.
//!
//! ```text
//! Content-Range: 0-1023        a chunk, without a unit
//! Range: bytes=1024-           part of a blob
//! Range: 0-1023                what an upload has
//! ```
//! Source: OCI distribution-spec 1.1, "Pushing a blob in chunks"; RFC 9110, section 14.

/// The first and last byte of a chunk, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRange {
    /// Its first byte.
    pub first: u64,
    /// Its last byte; never before the first.
    pub last: u64,
}

/// The header is no range of a chunk; answered 416.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`Content-Range: {text}` is not the range of a chunk, such as `0-1023`", text = text.escape_debug())]
pub struct ChunkRangeError {
    text: String,
}

impl ChunkRange {
    /// Reads `a-b`.
    ///
    /// # Errors
    /// Anything else, also `bytes=a-b`: the specification has no unit here.
    pub fn read(text: &str) -> Result<Self, ChunkRangeError> {
        let range = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (number(first)?, number(last)?);
            // One past the last byte must be a number too.
            (first <= last && last < u64::MAX).then_some(Self { first, last })
        });
        range.ok_or_else(|| ChunkRangeError { text: text.chars().take(64).collect() })
    }

    /// The chunk's length in bytes.
    #[must_use]
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }
}

impl std::fmt::Display for ChunkRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Digits only: no sign, no blank.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// The `Range` header that tells how much of an upload has come.
///
/// Nothing and one byte are both `0-0`: the specification has no form for nothing.
#[must_use]
pub fn upload_progress(received: u64) -> String {
    format!("0-{}", received.saturating_sub(1))
}

/// Reads that header, with or without `bytes=`: the number of bytes that have come.
///
/// `None` where it does not tell: for `0-0`, which is nothing or one byte, and for anything odd.
#[must_use]
pub fn read_upload_progress(text: &str) -> Option<u64> {
    let bare = text.trim();
    let bare = bare.strip_prefix("bytes=").unwrap_or(bare);
    let last = number(bare.strip_prefix("0-")?)?;
    if last == 0 { None } else { last.checked_add(1) }
}

/// What of a blob is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobPart {
    /// All of it, 200.
    Whole,
    /// From the first to the last byte, both included; 206.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// No byte of it; 416 with `Content-Range: bytes */length`.
    Unsatisfiable,
}

impl BlobPart {
    /// Reads a `Range` header for a blob of that length.
    ///
    /// One range is served; several are answered with the whole, as is a unit that is not `bytes`.
    /// An empty blob has no part that could be wrong to ask for from its start.
    #[must_use]
    pub fn read(header: Option<&str>, length: u64) -> Self {
        let ranges = header.and_then(|text| {
            let (unit, ranges) = text.split_once('=')?;
            unit.trim().eq_ignore_ascii_case("bytes").then_some(ranges)
        });
        match ranges {
            None => Self::Whole,
            Some(several) if several.contains(',') => Self::Whole,
            Some(one) => read_one(one.trim(), length),
        }
    }

    /// The `Content-Range` of the answer; none where all is answered.
    #[must_use]
    pub fn content_range(self, length: u64) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Part { first, last } => Some(format!("bytes {first}-{last}/{length}")),
            Self::Unsatisfiable => Some(format!("bytes */{length}")),
        }
    }
}

fn read_one(range: &str, length: u64) -> BlobPart {
    let is_written = range.split_once('-').is_some_and(|(first, last)| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        digits(first) && digits(last) && !(first.is_empty() && last.is_empty())
    });
    let Some((first, last)) = range.split_once('-').filter(|_| is_written) else {
        return BlobPart::Unsatisfiable;
    };
    // A number that is too large for the machine is beyond any end.
    let large = |text: &str| number(text).unwrap_or(u64::MAX);
    if first.is_empty() {
        return match large(last) {
            0 => BlobPart::Unsatisfiable,
            _ if length == 0 => BlobPart::Whole,
            count => BlobPart::Part { first: length.saturating_sub(count), last: length - 1 },
        };
    }
    let first = large(first);
    let last = if last.is_empty() { u64::MAX } else { large(last) };
    if first > last {
        return BlobPart::Unsatisfiable;
    }
    // Some clients send `bytes=0-` with every request. Source: Go `net/http`, `serveContent`.
    if length == 0 && first == 0 {
        return BlobPart::Whole;
    }
    if first >= length {
        return BlobPart::Unsatisfiable;
    }
    BlobPart::Part { first, last: last.min(length - 1) }
}

/// Reads the `Content-Range` of a 206: first, last and, where it is said, the length of the whole.
#[must_use]
pub fn read_content_range(text: &str) -> Option<(ChunkRange, Option<u64>)> {
    let rest = text.trim().strip_prefix("bytes ")?;
    let (range, length) = rest.split_once('/')?;
    let range = ChunkRange::read(range).ok()?;
    let length = match length {
        "*" => None,
        digits => Some(number(digits).filter(|length| range.last < *length)?),
    };
    Some((range, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_s_range_has_two_numbers_and_no_unit() {
        let range = ChunkRange::read("5-9").unwrap();
        assert_eq!((range.first, range.last, range.length()), (5, 9, 5));
        assert_eq!(ChunkRange::read("0-0").unwrap().length(), 1);
        for bad in [
            "",
            "-",
            "5-",
            "-5",
            "9-5",
            "bytes=0-5",
            "0-5/6",
            " 0-5",
            "+0-5",
            "0-18446744073709551615",
            "0-99999999999999999999",
            "a-b",
            "0-1-2",
        ] {
            assert!(ChunkRange::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn progress_is_the_last_byte() {
        for (received, text) in [(0, "0-0"), (1, "0-0"), (2, "0-1"), (1024, "0-1023")] {
            assert_eq!(upload_progress(received), text);
        }
        assert_eq!(read_upload_progress("0-1023"), Some(1024));
        assert_eq!(read_upload_progress("bytes=0-1023"), Some(1024));
        for unclear in ["0-0", "", "1-5", "0-", "0-18446744073709551615", "x"] {
            assert_eq!(read_upload_progress(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn parts_of_a_blob_of_ten_bytes() {
        use BlobPart::{Part, Unsatisfiable, Whole};
        let part = |first, last| Part { first, last };
        for (header, expected) in [
            (None, Whole),
            (Some("bytes=0-4"), part(0, 4)),
            (Some("bytes=3-3"), part(3, 3)),
            (Some("bytes=5-"), part(5, 9)),
            (Some("bytes=0-"), part(0, 9)),
            (Some("bytes=-3"), part(7, 9)),
            (Some("bytes=-99"), part(0, 9)),
            (Some("bytes=5-99"), part(5, 9)),
            (Some("bytes=5-99999999999999999999999"), part(5, 9)),
            (Some("BYTES=1-2"), part(1, 2)),
            (Some("bytes= 1-2 "), part(1, 2)),
            (Some("bytes=10-"), Unsatisfiable),
            (Some("bytes=10-20"), Unsatisfiable),
            (Some("bytes=99999999999999999999999-"), Unsatisfiable),
            (Some("bytes=5-0"), Unsatisfiable),
            (Some("bytes=-0"), Unsatisfiable),
            (Some("bytes="), Unsatisfiable),
            (Some("bytes=-"), Unsatisfiable),
            (Some("bytes=a-b"), Unsatisfiable),
            (Some("bytes=1"), Unsatisfiable),
            (Some("items=0-4"), Whole),
            (Some("nonsense"), Whole),
            (Some("bytes=0-1,3-4"), Whole),
        ] {
            assert_eq!(BlobPart::read(header, 10), expected, "{header:?}");
        }
    }

    #[test]
    fn an_empty_blob_is_whole_from_its_start() {
        for (header, expected) in [
            ("bytes=0-", BlobPart::Whole),
            ("bytes=0-5", BlobPart::Whole),
            ("bytes=-5", BlobPart::Whole),
            ("bytes=1-", BlobPart::Unsatisfiable),
        ] {
            assert_eq!(BlobPart::read(Some(header), 0), expected, "{header}");
        }
    }

    #[test]
    fn the_answer_s_content_range_reads_back() {
        let part = BlobPart::Part { first: 2, last: 5 };
        assert_eq!(part.content_range(10).as_deref(), Some("bytes 2-5/10"));
        assert_eq!(BlobPart::Unsatisfiable.content_range(10).as_deref(), Some("bytes */10"));
        let range = ChunkRange { first: 2, last: 5 };
        assert_eq!(read_content_range("bytes 2-5/10"), Some((range, Some(10))));
        assert_eq!(read_content_range("bytes 2-5/*"), Some((range, None)));
        for bad in ["", "bytes 2-5", "bytes */10", "bytes 2-5/5", "2-5/10"] {
            assert_eq!(read_content_range(bad), None, "{bad}");
        }
    }
}

//! The name of an upload that is under way.
//!
//! ```text
//! 0f8fad5b-d9cb-469f-a165-70867728950e
//! ```
//! All of an upload's state is found by this one path segment; nothing of it stands in a query.

use std::fmt;
use std::str::FromStr;

/// 128 bits that nobody can guess, printed as a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(u128);

/// The text is no upload's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an upload is named by a lower-case UUID")]
pub struct UploadIdError;

impl UploadId {
    /// An id from randomness; version and variant bits are set as RFC 9562 asks for version 4.
    #[must_use]
    pub fn new(randomness: u128) -> Self {
        let version = (randomness & !(0xf << 76)) | (4 << 76);
        Self((version & !(0b11 << 62)) | (0b10 << 62))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(text: &str) -> Result<Self, UploadIdError> {
        let is_placed = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if !is_placed {
            return Err(UploadIdError);
        }
        let hex: String = text.chars().filter(|c| *c != '-').collect();
        u128::from_str_radix(&hex, 16).map(Self).map_err(|_| UploadIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_4_uuid_and_reads_back() {
        // Source of the form: RFC 9562, section 5.4: the third group starts with 4, the fourth with 8 to b.
        assert_eq!(UploadId::new(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(UploadId::new(0).to_string(), "00000000-0000-4000-8000-000000000000");
        let id = UploadId::new(7);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in [
            "",
            "00000000-0000-4000-8000-00000000000",
            "00000000-0000-4000-8000-0000000000000",
            "00000000-0000-4000-8000-00000000000G",
            "00000000-0000-4000-8000-00000000000A",
            "000000000000-4000-8000-000000000000-",
            "..",
        ] {
            assert!(bad.parse::<UploadId>().is_err(), "{bad}");
        }
    }
}

//! Identities that are unlike all others, in half their length: hex digits as bytes.
//!
//! ```text
//! 0f4a3c1e-…-9d2b            16 bytes           containerd://<64 hex digits>   32 bytes           else: the text
//! ```

use crate::database::DatabaseError;
use record::claim::Reported;
use rusqlite::types::{Value, ValueRef};

/// Where a UUID has its dashes. Source: RFC 9562, section 4.
const DASHES: [usize; 4] = [8, 13, 18, 23];
const CONTAINERD: &str = "containerd://";

/// Packs a pod's uid, or the name of a container.
pub(super) fn pack(text: &str) -> Value {
    let id = text.strip_prefix(CONTAINERD).filter(|hex| hex.len() == 64).and_then(bytes);
    match id.or_else(|| uuid(text)) {
        Some(bytes) => Value::Blob(bytes),
        None => Value::Text(text.to_owned()),
    }
}

/// Reads what [`pack`] wrote.
pub(super) fn unpack(value: ValueRef<'_>) -> Result<Reported, DatabaseError> {
    let wrong = || DatabaseError::unreadable("an identity", "it is neither text nor packed");
    let text = match value {
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).map_err(|_| wrong())?,
        ValueRef::Blob(bytes) if bytes.len() == 16 => {
            let mut text = hex(bytes);
            DASHES.iter().for_each(|at| text.insert(*at, '-'));
            text
        }
        ValueRef::Blob(bytes) if bytes.len() == 32 => format!("{CONTAINERD}{}", hex(bytes)),
        ValueRef::Blob(_) | ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            return Err(wrong());
        }
    };
    Reported::try_from(text).map_err(|_| wrong())
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let is_uuid = text.len() == 36 && text.is_ascii();
    let has_dashes = || DASHES.iter().all(|at| text.as_bytes()[*at] == b'-');
    let digits = || text.chars().filter(|c| *c != '-').collect::<String>();
    (is_uuid && has_dashes()).then(digits).filter(|hex| hex.len() == 32).and_then(|hex| bytes(&hex))
}

/// Lower-case digits only: another spelling would come back as this one.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digit(&pair[0])? << 4 | digit(&pair[1])?)).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2 + 16), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_come_back_as_they_were_written() {
        let long = "0123456789abcdef".repeat(4);
        for (text, length) in [
            ("0f4a3c1e-0b2d-4c5e-8f90-a1b2c3d4e5f6", Some(16)),
            (format!("containerd://{long}").as_str(), Some(32)),
            // Another spelling, runtime or length is kept word for word.
            ("0F4A3C1E-0b2d-4c5e-8f90-a1b2c3d4e5f6", None),
            ("0f4a3c1e-0b2d-4c5e-8f90a1b2c3d4e5f6-", None),
            (format!("containerd://{}", long.to_uppercase()).as_str(), None),
            (format!("cri-o://{long}").as_str(), None),
            (long.as_str(), None),
            ("", None),
            ("pod-1", None),
        ] {
            let packed = pack(text);
            let is_packed = if let Value::Blob(bytes) = &packed { Some(bytes.len()) } else { None };
            assert_eq!(is_packed, length, "{text}");
            assert_eq!(unpack(ValueRef::from(&packed)).unwrap().as_str(), text);
        }
        assert!(unpack(ValueRef::Blob(b"short")).is_err());
        assert!(unpack(ValueRef::Integer(1)).is_err());
    }
}

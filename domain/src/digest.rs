//! The hash that names some content, and the check that content still has it.
//!
//! ```text
//! sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855   the empty content
//! ```
//! Does not read content from anywhere: bytes come in, a digest comes out.

use sha2::{Digest as _, Sha256, Sha512};
use std::fmt;
use std::str::FromStr;

/// The hash that names some content, written `sha256:` and 64, or `sha512:` and 128, lower-case hex digits.
///
/// Source: OCI image-spec 1.1, descriptor.md, "Digests".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Bytes); // private field: `FromStr` and hashing are the only doors

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Bytes {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

/// A hash function that a digest may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, what every registry uses.
    Sha256,
    /// SHA-512, allowed by the specification.
    Sha512,
}

impl Algorithm {
    /// The word before the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// The ways in which a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no colon.
    #[error("a digest is written `algorithm:hex`, found no `:`")]
    NoColon,
    /// The algorithm is none of ours; in a workload file this is a finding.
    #[error("digest algorithm `{algorithm}` is not supported, only sha256 and sha512 are")]
    Algorithm {
        /// The word before the colon, cut at 32 characters.
        algorithm: String,
    },
    /// Too few or too many digits.
    #[error("a {algorithm} digest has {expected} hex digits, found {found}")]
    Length {
        /// The algorithm that was named.
        algorithm: &'static str,
        /// Its number of digits.
        expected: usize,
        /// The number of digits that were there.
        found: usize,
    },
    /// A character that is no lower-case hex digit.
    #[error("a digest has lower-case hex digits only, found `{found}`", found = found.escape_debug())]
    NotHex {
        /// The first such character.
        found: char,
    },
}

/// Content that is not what its digest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("content has digest {actual}, expected {expected}")]
pub struct DigestMismatch {
    /// The digest under which the content was asked for or sent.
    pub expected: Digest,
    /// The digest of what came.
    pub actual: Digest,
}

impl Digest {
    /// Hashes some bytes with SHA-256.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Self {
        Self(Bytes::Sha256(Sha256::digest(bytes).into()))
    }

    /// Hashes some bytes with the given algorithm.
    #[must_use]
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut digester = Digester::new(algorithm);
        digester.update(bytes);
        digester.finish()
    }

    /// The hash function that this digest names.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Bytes::Sha256(_) => Algorithm::Sha256,
            Bytes::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The digits after the colon, lower-case.
    #[must_use]
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bytes = self.as_bytes();
        let mut hex = String::with_capacity(bytes.len() * 2);
        // Not by a format for each byte: a push prints some twenty digests, and that was a tenth of its work.
        for byte in bytes {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 0x0f)]));
        }
        hex
    }

    /// The raw hash: 32 bytes of SHA-256 or 64 of SHA-512.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Sha256(bytes) => bytes,
            Bytes::Sha512(bytes) => bytes,
        }
    }

    /// The algorithm and the first 12 digits, for people: never for a comparison.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}:{}", self.algorithm().name(), &self.hex()[..12])
    }

    /// Checks that these bytes are the content that this digest names.
    ///
    /// # Errors
    /// Says both digests when they differ.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), DigestMismatch> {
        self.expect(Self::of(self.algorithm(), bytes))
    }

    /// Checks a digest that was computed while content streamed by.
    ///
    /// # Errors
    /// Says both digests when they differ.
    pub fn expect(&self, actual: Digest) -> Result<(), DigestMismatch> {
        if *self == actual { Ok(()) } else { Err(DigestMismatch { expected: *self, actual }) }
    }
}

/// Hashes content that comes in pieces.
#[derive(Clone)]
pub struct Digester(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Digester {
    /// Starts with no content.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Adds the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hash) => hash.update(bytes),
            State::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Sha256(hash) => Bytes::Sha256(hash.finalize().into()),
            State::Sha512(hash) => Bytes::Sha512(hash.finalize().into()),
        })
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (name, hex) = text.split_once(':').ok_or(DigestError::NoColon)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            other => {
                let algorithm = other.chars().take(32).collect();
                return Err(DigestError::Algorithm { algorithm });
            }
        };
        if let Some(found) = hex.chars().find(|c| !matches!(c, '0'..='9' | 'a'..='f')) {
            return Err(DigestError::NotHex { found });
        }
        if hex.len() != algorithm.hex_len() {
            let (expected, found) = (algorithm.hex_len(), hex.len());
            return Err(DigestError::Length { algorithm: algorithm.name(), expected, found });
        }
        Ok(Self(match algorithm {
            Algorithm::Sha256 => Bytes::Sha256(bytes_of(hex)),
            Algorithm::Sha512 => Bytes::Sha512(bytes_of(hex)),
        }))
    }
}

/// Reads `2 * N` digits, which the caller has checked.
fn bytes_of<const N: usize>(hex: &str) -> [u8; N] {
    let digits = hex.as_bytes();
    std::array::from_fn(|i| nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]))
}

fn nibble(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm().name())?;
        f.write_str(":")?;
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::text::serde_as_text!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    // Source: FIPS 180-4 example values for the empty message.
    const EMPTY_256: &str =
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const EMPTY_512: &str = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                             47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

    #[test]
    fn empty_content_has_the_published_digests() {
        assert_eq!(Digest::sha256(b"").to_string(), EMPTY_256);
        assert_eq!(Digest::of(Algorithm::Sha512, b"").to_string(), EMPTY_512);
    }

    #[test]
    fn each_wrong_text_is_named() {
        let long = format!("{EMPTY_256}0");
        let cases = [
            ("", DigestError::NoColon),
            ("sha256", DigestError::NoColon),
            (
                "md5:d41d8cd98f00b204e9800998ecf8427e",
                DigestError::Algorithm { algorithm: "md5".into() },
            ),
            ("SHA256:00", DigestError::Algorithm { algorithm: "SHA256".into() }),
            ("sha256:", DigestError::Length { algorithm: "sha256", expected: 64, found: 0 }),
            (&long, DigestError::Length { algorithm: "sha256", expected: 64, found: 65 }),
            (
                &EMPTY_256[..70],
                DigestError::Length { algorithm: "sha256", expected: 64, found: 63 },
            ),
            ("sha256:E3", DigestError::NotHex { found: 'E' }),
            ("sha256:é", DigestError::NotHex { found: 'é' }),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Digest>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn changed_content_is_not_verified() {
        let digest: Digest = EMPTY_256.parse().unwrap();
        assert_eq!(digest.verify(b""), Ok(()));
        let mismatch = digest.verify(b"x").unwrap_err();
        assert_eq!(mismatch.expected, digest);
        assert_eq!(mismatch.actual, Digest::sha256(b"x"));
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut digester = Digester::new(Algorithm::Sha512);
        digester.update(b"ab");
        digester.update(b"c");
        assert_eq!(digester.finish(), Digest::of(Algorithm::Sha512, b"abc"));
    }
}

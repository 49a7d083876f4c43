//! Any name as a part of a tag, never merging two names into one.
//!
//! ```text
//! feature-1            -> feature-1
//! feature/1            -> feature-1-h<12 hex of its sha256>
//! x-h0123456789ab      -> hashed too: it looks like the result of hashing
//! ```
//! A change that loses something adds a hash of the whole name; other tools map `a/b` and `a-b` to one
//! tag, and the second push overwrites the first.

use domain::Digest;
use domain::tag::is_tag_byte;

/// Hex digits of the hash that a lossy change adds.
///
/// 48 bits: among 10 000 branches two agree with a chance of 2 in 10 million; an agreement that somebody
/// worked for is still refused by the registry, whose tags are create-only.
pub const HASH_DIGITS: usize = 12;
/// `-h` and the digits.
const SUFFIX_LEN: usize = HASH_DIGITS + 2;
/// The least room for a name: one character and the hash.
pub const LIMIT_MIN: usize = SUFFIX_LEN + 1;

/// Writes a name so that it may start or continue a tag, in at most `limit` characters.
///
/// The same name gives the same text; two names give two texts, up to [`HASH_DIGITS`]. A `limit` below
/// [`LIMIT_MIN`] counts as that.
#[must_use]
pub fn sanitise(name: &str, limit: usize) -> String {
    let limit = limit.max(LIMIT_MIN);
    if name.len() <= limit && fits_as_it_is(name) {
        return name.to_owned();
    }
    let mut kept = String::with_capacity(limit);
    for byte in name.bytes() {
        if kept.len() == limit - SUFFIX_LEN {
            break;
        }
        match (is_tag_byte(byte), kept.chars().last()) {
            (true, Some(_)) => kept.push(char::from(byte)),
            (true, None) if !matches!(byte, b'.' | b'-') => kept.push(char::from(byte)),
            (false, Some(last)) if last != '-' => kept.push('-'),
            (true | false, _) => {}
        }
    }
    let kept = kept.trim_end_matches(['-', '.']);
    let start = if kept.is_empty() { "x" } else { kept };
    let hex = Digest::sha256(name.as_bytes()).hex();
    format!("{start}-h{}", &hex[..HASH_DIGITS])
}

fn fits_as_it_is(name: &str) -> bool {
    name.bytes().all(is_tag_byte)
        && !name.is_empty()
        && !name.starts_with(['.', '-'])
        && !ends_in_hash(name)
}

/// A name that ends like a hashed one is hashed as well, or somebody could write the other's result.
fn ends_in_hash(name: &str) -> bool {
    let Some(at) = name.len().checked_sub(SUFFIX_LEN) else {
        return false;
    };
    let tail = &name.as_bytes()[at..];
    let is_hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    tail.starts_with(b"-h") && tail[2..].iter().all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fits_is_kept() {
        for name in ["main", "feature-1", "v1.4.2", "_x", "A..b", "x-habc"] {
            assert_eq!(sanitise(name, 128), name);
        }
    }

    #[test]
    fn a_slash_and_a_hyphen_make_two_tags() {
        assert_eq!(sanitise("a-b", 128), "a-b");
        // printf a/b | sha256sum
        assert_eq!(sanitise("a/b", 128), "a-b-hc14cddc033f6");
        let forged = sanitise("a/b", 128);
        assert_ne!(sanitise(&forged, 128), forged);
    }

    #[test]
    fn the_first_character_may_start_a_tag() {
        for name in [".hidden", "-x", "--", "日本", "", "/a", "…a"] {
            let text = sanitise(name, 128);
            assert!(text.parse::<domain::Tag>().is_ok(), "{name}: {text}");
        }
        assert_ne!(sanitise(".x", 128), sanitise("-x", 128));
        assert_ne!(sanitise("日", 128), sanitise("本", 128));
    }

    #[test]
    fn the_limit_holds_with_the_hash() {
        let long = "a".repeat(128);
        assert_eq!(sanitise(&long, 128), long);
        let longer = "a".repeat(129);
        assert_eq!(sanitise(&longer, 128).len(), 128);
        assert_ne!(sanitise(&longer, 128), sanitise(&"a".repeat(130), 128));
        assert_eq!(sanitise("ab/cd", 15).len(), 15);
        assert_eq!(sanitise("ab/cd", 0).len(), 15);
    }
}

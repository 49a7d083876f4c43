//! Bodies for fuzzers: plain functions that read a stranger's text and check what must hold.
//!
//! The tests run each for a while on made-up input; `cargo fuzz` runs them on demand.

use crate::{Digest, ImageRef, Pattern, Repository, SourceRef, Tag, Timestamp};
use std::fmt::Display;
use std::str::FromStr;

/// Parsing what was printed gives the same value back.
fn round_trip<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let printed = value.to_string();
        assert!(
            printed.parse::<T>().ok().as_ref() == Some(&value),
            "{text:?} printed as {printed:?}"
        );
    }
}

/// Every value of this crate, from any text.
///
/// # Panics
/// When an invariant breaks, which is what a fuzzer looks for.
pub fn values(text: &str) {
    round_trip::<Digest>(text);
    round_trip::<Tag>(text);
    round_trip::<Repository>(text);
    round_trip::<SourceRef>(text);
    round_trip::<Timestamp>(text);
    round_trip::<Pattern>(text);
    if let Ok(reference) = text.parse::<ImageRef>() {
        let parts = crate::RefParts::split(text);
        assert_eq!(reference.tag().is_some(), parts.tag.is_some(), "{text:?}");
        assert_eq!(reference.digest().is_some(), parts.digest.is_some(), "{text:?}");
        let again: ImageRef =
            reference.to_string().parse().expect("what was printed is a reference");
        assert_eq!(again, reference, "{text:?}");
    }
}

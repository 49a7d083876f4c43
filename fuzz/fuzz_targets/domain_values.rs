//! Digests, tags, repositories, refs, times, patterns and image references, from any text.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| domain::fuzz::values(text));

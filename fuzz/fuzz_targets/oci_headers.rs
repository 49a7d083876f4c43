//! Challenges, locations, ranges, links and retry times, from any text.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| oci::fuzz::headers(text));

//! Any bytes as an event: refused, or of one spelling.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| record::fuzz::event(bytes));

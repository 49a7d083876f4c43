//! Any text as a tag scheme, and as every name that a scheme takes over.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| tagging::fuzz::schemes(text));

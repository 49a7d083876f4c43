//! Manifests, configurations, layouts and archives, from any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oci::fuzz::documents(bytes));

//! Any text as the variables of a CI: no pull request, git tag or unknown event gets an environment.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| tagging::fuzz::variables(text));

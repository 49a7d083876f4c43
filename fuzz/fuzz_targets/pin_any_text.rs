//! Any text as Kubernetes YAML, Kustomize, Compose and Dockerfile: found, pinned, proved, unpinned.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| pin::fuzz::any_text(text));

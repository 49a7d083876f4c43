//! A name for a finding that stays the same while lines move: file, kind, way inside the file, image, and which of them.
//!
//! ```text
//! deploy/api.yaml · no-tag · spec.template.spec.containers[0].image · shop/api · 0  ->  3f0c…(32 hex digits)
//! ```
//! Without the tag: a finding about `shop/api` does not become another one by the next release.

use domain::Digest;
use flows::files::Checked;
use pin::name_of;
use std::collections::HashMap;

/// How many hex digits of the hash are used.
const DIGITS: usize = 32;

/// Gives names; two findings of one run never have the same.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    seen: HashMap<String, usize>,
}

impl Fingerprints {
    pub(super) fn of(&mut self, one: &Checked, id: &str) -> String {
        let image = name_of(&one.reference);
        let key = [one.path.as_str(), id, &one.place, image].join("\0");
        let number = self.seen.entry(key.clone()).or_default();
        let text = format!("{key}\0{number}");
        *number += 1;
        let digest = Digest::sha256(text.as_bytes()).to_string();
        digest.trim_start_matches("sha256:").chars().take(DIGITS).collect()
    }
}

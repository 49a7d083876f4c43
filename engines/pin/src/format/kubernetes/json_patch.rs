//! Patches as lists of operations, which have no object around them.
//!
//! ```yaml
//! - op: replace
//!   path: /spec/template/spec/containers/0/image
//!   value: shop/api:1.4
//! ```
//! Source: RFC 6902, "JavaScript Object Notation (JSON) Patch"; kustomize docs, "patches".

use super::{IsImage, looks_like_reference, pair};
use crate::collector::Collector;
use crate::site::{Certainty, Context, Found, Opaque};
use crate::yaml::{Kind, NodeId, Tree};

/// Whether a text begins as a list of operations does.
pub(super) fn is_like_one(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.find(|line| !line.starts_with('#') && *line != "---");
    first.is_some_and(|line| line.starts_with("- ") || line.starts_with('[') || line == "-")
        && text.contains("mage")
}

/// Whether a root is a list of operations.
pub(super) fn is_one(tree: &Tree<'_>, root: NodeId) -> bool {
    matches!(tree.node(root).kind, Kind::Sequence(_))
        && tree.children(root).next().is_some_and(|first| {
            tree.get(first, "op").is_some() && tree.get(first, "path").is_some()
        })
}

/// Adds what the operations write.
pub(super) fn collect(collector: &mut Collector<'_, '_>, root: NodeId) {
    let tree = collector.tree;
    for operation in tree.children(root) {
        let says = |key| tree.text_of(operation, key).unwrap_or_default();
        // `test` looks, `remove` takes away.
        if !matches!(says("op").as_ref(), "add" | "replace") || collector.is_full() {
            continue;
        }
        let Some(value) = tree.get(operation, "value") else { continue };
        let path = says("path");
        let is_data = path.split('/').any(|key| super::DATA_KEYS.contains(&key));
        if is_data {
            continue;
        }
        let mut keys = path.rsplit('/');
        match (keys.next().unwrap_or_default(), keys.next().unwrap_or_default()) {
            ("image", _) | ("reference", "image") => {
                add(collector, value, Certainty::Certain);
                if let Some(mapping) = tree.resolve(value) {
                    pair(collector, mapping, context(), IsImage::Surely);
                }
            }
            ("tag" | "repository" | "digest", above) if above.ends_with("mage") => {
                if let Some(site) = collector.add(value, context(), Certainty::Likely) {
                    site.found = Found::Opaque(Opaque::Part);
                }
            }
            (key, _) if key.ends_with("Image") && looks_like_reference(tree, value) => {
                add(collector, value, Certainty::Likely);
            }
            _ => below(collector, value),
        }
    }
}

/// A container, a list of them or more: whatever is called an image in it.
fn below(collector: &mut Collector<'_, '_>, value: NodeId) {
    let tree = collector.tree;
    let Some(value) = tree.resolve(value) else { return };
    for at in value..tree.node(value).next {
        let key = tree.node(at).slot.key;
        if key != NodeId::MAX && at != value && tree.is(key, "image") {
            add(collector, at, Certainty::Certain);
        }
    }
}

fn add(collector: &mut Collector<'_, '_>, value: NodeId, certainty: Certainty) {
    collector.add(value, context(), certainty);
}

fn context() -> Context {
    Context { kind: Some("patch".to_owned()), ..Context::default() }
}

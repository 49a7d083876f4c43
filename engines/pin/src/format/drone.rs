//! Drone: the images of steps, services and clones, as lists or, before version 1, as mappings.
//!
//! ```text
//! kind: pipeline⏎steps: [{name: build, image: golang:1.22}]        pipeline: {build: {image: golang:1.22}}
//! ```
//! A pipeline of `type: exec` runs on the host and names none. `${DRONE_TAG}` is opaque.
//! Source: Drone docs, "Docker pipelines"; drone-yaml, `legacy`.

use super::pipeline::{context, entries, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::{Certainty, Purpose};

/// What runs in images, and what one such is called. Woodpecker comes from Drone and has the same.
const HOLDERS: [(&str, &str); 4] =
    [("clone", "clone"), ("steps", "step"), ("pipeline", "step"), ("services", "service")];

pub(super) const SPEC: Spec = Spec {
    format: Format::Drone,
    name: "drone",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.is_yaml() && matches!(name.stem(), ".drone" | "drone");
    is_one.then_some("it is called like a Drone pipeline")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let is_one = look.has_root("kind")
        && !look.has_root("apiVersion")
        && look.has_word("kind: pipeline")
        && look.roots().has_any(&["steps", "services"]);
    is_one.then_some("it has `kind: pipeline` and no `apiVersion`")
}

/// Adds the images of all documents.
pub(super) fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        for (key, kind) in HOLDERS {
            for one in entries(tree, *root, key) {
                if collector.is_full() {
                    return;
                }
                if let Some(image) = tree.get(one, "image") {
                    let context = context(kind, name(tree, one, &["name"]));
                    collector.add(image, context, Certainty::Certain);
                }
            }
        }
    }
}

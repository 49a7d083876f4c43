//! `skaffold.yaml`: what it builds, from what, and what its tests and actions run in.
//!
//! ```yaml
//! build:
//!   artifacts:
//!   - image: shop/api                                        # what is made
//!     buildpacks: {builder: "gcr.io/buildpacks/builder:v1"}  # what it is made from
//! ```
//! Source: skaffold docs, "skaffold.yaml" (v4beta): build.artifacts, test, verify, customActions, profiles.

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::{Certainty, Context, Found, Purpose};
use crate::yaml::{NodeId, Tree};

pub(super) const SPEC: Spec = Spec {
    format: Format::Skaffold,
    name: "skaffold",
    purpose: Purpose::Base,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

/// Builders and what they take: the way below an artifact.
const BASES: [&[&str]; 6] = [
    &["buildpacks", "builder"],
    &["buildpacks", "runImage"],
    &["jib", "fromImage"],
    &["ko", "fromImage"],
    &["kaniko", "image"],
    &["kaniko", "initImage"],
];

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    (name.is_yaml() && name.stem() == "skaffold").then_some("it is called like a file of skaffold")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    (look.has_root("apiVersion") && look.text.contains("apiVersion: skaffold/"))
        .then_some("it has `apiVersion: skaffold/`")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        section(collector, *root);
        for profile in entries(tree, *root, "profiles") {
            section(collector, profile);
        }
    }
}

/// The whole file, or one profile of it.
fn section(collector: &mut Collector<'_, '_>, section: NodeId) {
    let tree = collector.tree;
    let build = tree.get(section, "build");
    for artifact in build.into_iter().flat_map(|build| entries(tree, build, "artifacts")) {
        if collector.is_full() {
            return;
        }
        let name = tree.text_of(artifact, "image").map(std::borrow::Cow::into_owned);
        built(collector, artifact, "image");
        for way in BASES {
            let value = way.iter().try_fold(artifact, |at, key| tree.get(at, key));
            if let Some(value) = value {
                add(collector, value, name.clone(), purpose_of(way));
            }
        }
    }
    for test in entries(tree, section, "test") {
        built(collector, test, "image");
    }
    for verify in entries(tree, section, "verify") {
        let container = tree.get(verify, "container");
        run(collector, container.into_iter());
    }
    for action in entries(tree, section, "customActions") {
        run(collector, entries(tree, action, "containers").into_iter());
    }
}

/// The program that builds runs as a step; what it takes becomes a part of the image.
fn purpose_of(way: &[&str]) -> Purpose {
    if way.first() == Some(&"kaniko") { Purpose::Pipeline } else { Purpose::Base }
}

fn run(collector: &mut Collector<'_, '_>, containers: impl Iterator<Item = NodeId>) {
    let tree = collector.tree;
    for container in containers {
        let name = tree.text_of(container, "name").map(std::borrow::Cow::into_owned);
        if let Some(image) = tree.get(container, "image") {
            add(collector, image, name, Purpose::Pipeline);
        }
    }
}

fn add(collector: &mut Collector<'_, '_>, value: NodeId, name: Option<String>, purpose: Purpose) {
    let otherwise = std::mem::replace(&mut collector.purpose, purpose);
    let context = Context { kind: Some("skaffold".to_owned()), workload: None, container: name };
    collector.add(value, context, Certainty::Certain);
    collector.purpose = otherwise;
}

/// What is made here, or was by another entry.
fn built(collector: &mut Collector<'_, '_>, holder: NodeId, key: &str) {
    let Some(image) = collector.tree.get(holder, key) else { return };
    let context = Context { kind: Some("skaffold".to_owned()), ..Context::default() };
    if let Some(site) = collector.add(image, context, Certainty::Certain) {
        site.found = Found::BuildTarget;
    }
}

/// The entries of a list, aliases followed.
fn entries(tree: &Tree<'_>, holder: NodeId, key: &str) -> Vec<NodeId> {
    let list = tree.get(holder, key).and_then(|list| tree.resolve(list));
    let entries = list.into_iter().flat_map(|list| tree.children(list));
    entries.filter_map(|entry| tree.resolve(entry)).collect()
}

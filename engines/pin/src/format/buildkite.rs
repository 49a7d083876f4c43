//! Buildkite: images of the docker plugin, of the kubernetes plugin's pods, and of steps.
//!
//! ```text
//! plugins: [{docker#v5.13.0: {image: golang:1.22}}]      image: golang:1.22      {{matrix}} is opaque
//! ```
//! Other plugins' keys are not read: the docker-compose plugin takes its images from the Compose file.
//! Source: docker-buildkite-plugin, README, `image`; Buildkite docs, "Command step", container image attributes;
//! "Kubernetes PodSpec".

use super::pipeline::{children, context, entries, is_below, keyed};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::{Certainty, Context, Purpose};
use crate::yaml::{Kind, NodeId};

/// Groups inside groups at most; Buildkite allows none.
const GROUPS_MAX: usize = 4;

pub(super) const SPEC: Spec = Spec {
    format: Format::Buildkite,
    name: "buildkite",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_read = name.is_yaml() || name.extension() == "json";
    let is_pipeline = name.stem() == "pipeline" || name.stem().starts_with("pipeline.");
    let is_one = name.stem() == "buildkite" || (is_pipeline && name.is_below(".buildkite"));
    (is_read && is_one).then_some("it is called like a Buildkite pipeline")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if look.is_root_object() || !look.has_root("steps") {
        return None;
    }
    if look.name.is_below(".buildkite") {
        return Some("it stands in Buildkite's folder");
    }
    let has_commands = look.has_any_word(&["command:", "commands:", "plugins:"]);
    let is_one = look.roots().has_list(&["steps"])
        && has_commands
        && look.has_any_word(&["- wait", "plugins:", "- block:", "agents:"]);
    is_one.then_some("it has steps as Buildkite has them")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        // A file may be the list of steps itself.
        match tree.node(*root).kind {
            Kind::Sequence(_) => add_steps(collector, &children(tree, *root), GROUPS_MAX),
            Kind::Mapping(_) => add_step(collector, *root, GROUPS_MAX),
            Kind::Scalar(_) | Kind::Alias | Kind::Empty => {}
        }
    }
    add_pods(collector);
}

fn add_steps(collector: &mut Collector<'_, '_>, steps: &[NodeId], depth: usize) {
    for step in steps {
        if collector.is_full() {
            return;
        }
        add_step(collector, *step, depth);
    }
}

/// Adds the images of a step, of a group, or of the file.
fn add_step(collector: &mut Collector<'_, '_>, step: NodeId, depth: usize) {
    let tree = collector.tree;
    let label = ["label", "name", "group", "key"].iter().find_map(|key| tree.text_of(step, key));
    let context = context("step", label.map(Into::into));
    if let Some(image) = tree.get(step, "image") {
        collector.add(image, context.clone(), Certainty::Certain);
    }
    for plugin in entries(tree, step, "plugins") {
        // A list of mappings with one key each, or one mapping.
        add_plugin(collector, plugin, &context);
        for inner in tree.resolve(plugin).map(|id| children(tree, id)).unwrap_or_default() {
            add_plugin(collector, inner, &context);
        }
    }
    if depth > 0 {
        add_steps(collector, &entries(tree, step, "steps"), depth - 1);
    }
}

fn add_plugin(collector: &mut Collector<'_, '_>, plugin: NodeId, context: &Context) {
    let tree = collector.tree;
    if tree.key(plugin).is_some_and(|key| is_docker(&key))
        && let Some(image) = tree.get(plugin, "image")
    {
        collector.add(image, context.clone(), Certainty::Certain);
    }
}

/// Whether a plugin's name is the docker plugin's, at any version and place.
fn is_docker(plugin: &str) -> bool {
    let name = plugin.split('#').next().unwrap_or_default();
    let name = name.strip_suffix(".git").unwrap_or(name);
    matches!(name.rsplit('/').next(), Some("docker" | "docker-buildkite-plugin"))
}

/// What the kubernetes plugin's pods, their patches and sidecars name.
fn add_pods(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for (id, key) in keyed(tree) {
        let is_list =
            ["containers", "initContainers", "sidecars"].iter().any(|list| tree.is(key, list));
        if !is_list || collector.is_full() || !is_below(tree, id, &["kubernetes"]) {
            continue;
        }
        for container in tree.resolve(id).map(|list| children(tree, list)).unwrap_or_default() {
            if let Some(image) = tree.get(container, "image") {
                let context = context("step", tree.text_of(container, "name").map(Into::into));
                collector.add(image, context, Certainty::Certain);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_docker_plugin_is_the_docker_plugin() {
        for plugin in [
            "docker",
            "docker#v5.13.0",
            "buildkite-plugins/docker#v5",
            "https://github.com/buildkite-plugins/docker-buildkite-plugin.git#v5.13.0",
            "ssh://git@github.com/x/docker-buildkite-plugin",
        ] {
            assert!(is_docker(plugin), "{plugin}");
        }
        for plugin in ["docker-compose#v5.5.0", "docker-login#v3", "x#docker", "", "my-docker#v1"] {
            assert!(!is_docker(plugin), "{plugin}");
        }
    }
}

//! CircleCI: `docker[].image` of jobs and executors, also of orbs that stand in the file.
//!
//! ```text
//! jobs.*.docker[].image   executors.*.docker[].image   << parameters.x >> is opaque
//! ```
//! `machine.image` is a virtual machine's, of no registry. An orb that is not packed has one executor or job in a file.
//! Source: CircleCI docs, "Configuration reference", `docker` and `machine`; "Orb authoring", unpacked orbs.

use super::pipeline::{context, entries, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::{Certainty, Context, Purpose};
use crate::yaml::NodeId;

/// Orbs inside orbs at most.
const ORBS_MAX: usize = 4;

pub(super) const SPEC: Spec = Spec {
    format: Format::Circleci,
    name: "circleci",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.is_yaml() && name.stem() == "config" && name.is_below(".circleci");
    is_one.then_some("it stands in CircleCI's folder")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if look.is_root_object() {
        return None;
    }
    if look.name.is_yaml() && look.name.is_below(".circleci") {
        return Some("it stands in CircleCI's folder");
    }
    let has_jobs = look.has_root("version") && look.roots().has_any(&["jobs", "executors", "orbs"]);
    if has_jobs && look.has_any_word(&["docker:", "machine:", "executor:", "macos:"]) {
        return Some("it has `version:` and jobs as CircleCI has them");
    }
    let is_part = ["executors", "jobs"].iter().any(|folder| look.name.is_below(folder));
    (is_part && look.has_root("docker")).then_some("it is an executor or a job of an orb")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        add_docker(collector, *root, &context("executor", None));
        add_all(collector, *root, ORBS_MAX);
    }
}

fn add_all(collector: &mut Collector<'_, '_>, holder: NodeId, depth: usize) {
    let tree = collector.tree;
    for (key, kind) in [("executors", "executor"), ("jobs", "job")] {
        for one in entries(tree, holder, key) {
            if collector.is_full() {
                return;
            }
            add_docker(collector, one, &context(kind, name(tree, one, &[])));
        }
    }
    if depth > 0 {
        for orb in entries(tree, holder, "orbs") {
            add_all(collector, orb, depth - 1);
        }
    }
}

fn add_docker(collector: &mut Collector<'_, '_>, holder: NodeId, context: &Context) {
    let tree = collector.tree;
    for container in entries(tree, holder, "docker") {
        if let Some(image) = tree.get(container, "image") {
            collector.add(image, context.clone(), Certainty::Certain);
        }
    }
}

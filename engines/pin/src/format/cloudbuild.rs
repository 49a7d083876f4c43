//! Google Cloud Build: the image that each step runs in, which is its `name`.
//!
//! ```text
//! steps: [{name: gcr.io/cloud-builders/docker, args: [build, …]}]      $_TAG is opaque
//! ```
//! `images` is what the build makes and pushes: not taken from a registry.
//! Source: Cloud Build docs, "Build configuration file schema", `steps.name`, `images`, `substitutions`.

use super::pipeline::{context, entries};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::{Certainty, Purpose};
use memchr::memmem;

pub(super) const SPEC: Spec = Spec {
    format: Format::CloudBuild,
    name: "cloud-build",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    (name.is_yaml() && is_called(name)).then_some("it is called like a Cloud Build file")
}

/// `cloudbuild`, with more before or behind it: `cloudbuild-prod`, `api.cloudbuild`.
fn is_called(name: &Name<'_>) -> bool {
    let rest = name.stem().strip_prefix("cloudbuild");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
        || name
            .stem()
            .strip_suffix("cloudbuild")
            .is_some_and(|rest| rest.ends_with(['.', '-', '_']))
}

/// Whether a JSON text has a list of steps: descriptions of the service's API are called like its files.
fn has_steps(text: &str) -> bool {
    let key = "\"steps\"";
    memmem::find_iter(text.as_bytes(), key).any(|at| {
        let behind = text.get(at + key.len()..).unwrap_or_default().trim_start();
        behind.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('['))
    })
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if look.name.extension() == "json" {
        let is_one = is_called(&look.name) && has_steps(look.text);
        return is_one.then_some("it is called like a Cloud Build file and has `steps`");
    }
    let has_steps =
        look.roots().has_list(&["steps"]) && look.has_word("- name:") && !look.is_root_object();
    let is_one = has_steps
        && !look.has_key("image")
        && (look.has_word("gcr.io/cloud-builders")
            || look.roots().has_any(&["substitutions", "availableSecrets"]));
    is_one.then_some("it has steps as Cloud Build has them")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        for step in entries(tree, *root, "steps") {
            if collector.is_full() {
                return;
            }
            if let Some(image) = tree.get(step, "name") {
                let context = context("step", tree.text_of(step, "id").map(Into::into));
                collector.add(image, context, Certainty::Certain);
            }
        }
    }
}

//! Azure Pipelines: the containers of jobs, of services and of `resources`.
//!
//! ```text
//! resources: {containers: [{container: pg, image: postgres:16}]}
//! container: ubuntu:24.04      services: {db: pg}       `pg` is an alias, no image
//! ```
//! Read wherever they stand, since `${{ if … }}:` may stand above. A word without tag, host or digest that this
//! file does not declare may be an image or another file's alias: it is reported, not touched.
//! Source: Azure Pipelines YAML schema, `jobs.job.container`, `resources.containers.container`, service containers.

use super::pipeline::{children, context, image, is_below, keyed, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::{Found, Opaque, Purpose};
use crate::yaml::{NodeId, Tree};
use domain::ImageRef;
use std::collections::HashSet;

/// What a pipeline, or a template of one, has a list of; or what it is of another kind by.
const LISTS: [&str; 3] = ["steps", "jobs", "stages"];
const OTHER_ROOTS: [&str; 2] = ["extends", "resources"];
/// What only Azure's steps, jobs and pools say.
const WORDS: [&str; 12] = [
    "vmImage",
    "- task:",
    "- script:",
    "- bash:",
    "- pwsh:",
    "- powershell:",
    "- checkout:",
    "- template:",
    "- job:",
    "- deployment:",
    "- stage:",
    "- publish:",
];
/// Below these keys `container` is somebody else's word.
const OTHERS: [&str; 7] =
    ["inputs", "parameters", "variables", "env", "steps", "resources", "target"];

pub(super) const SPEC: Spec = Spec {
    format: Format::AzurePipelines,
    name: "azure-pipelines",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let stem = name.stem();
    let is_one = stem.starts_with("azure-pipeline") || stem.ends_with("azure-pipelines");
    (name.is_yaml() && is_one).then_some("it is called like an Azure pipeline")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let roots = look.roots();
    if roots.is_object() || !(roots.has_list(&LISTS) || roots.has_any(&OTHER_ROOTS)) {
        return None;
    }
    look.has_any_word(&WORDS).then_some("it has steps, jobs or stages as Azure Pipelines has them")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    let mut aliases = HashSet::new();
    for (id, key) in keyed(tree) {
        if tree.is(key, "containers") && is_below(tree, id, &["resources"]) {
            let all = tree.resolve(id).map(|list| children(tree, list)).unwrap_or_default();
            for one in all {
                let called = tree.text_of(one, "container").map(std::borrow::Cow::into_owned);
                if let Some(own) = tree.get(one, "image") {
                    image(collector, own, "image", context("resource", called.clone()));
                }
                aliases.extend(called);
            }
        }
    }
    for (id, key) in keyed(tree) {
        if collector.is_full() {
            return;
        }
        let is_service = tree.is(key, "services");
        if !(is_service || tree.is(key, "container")) || is_below(tree, id, &OTHERS) {
            continue;
        }
        if is_service {
            let all = tree.resolve(id).map(|services| children(tree, services));
            for service in all.unwrap_or_default() {
                add(collector, service, &aliases, "service", service);
            }
        } else if let Some(job) = tree.parent(id) {
            add(collector, id, &aliases, "job", job);
        }
    }
}

/// Adds what a job or a service runs in, unless it is the alias of a resource.
fn add(
    collector: &mut Collector<'_, '_>,
    value: NodeId,
    aliases: &HashSet<String>,
    kind: &str,
    holder: NodeId,
) {
    let tree = collector.tree;
    if is_word(tree, value).is_some_and(|word| aliases.contains(&word)) {
        return;
    }
    let called = match kind {
        "service" => name(tree, holder, &[]),
        _ => ["job", "deployment"].iter().find_map(|key| tree.text_of(holder, key)).map(Into::into),
    };
    let is_word = is_word(tree, value).is_some();
    if let Some(site) = image(collector, value, "image", context(kind, called))
        && is_word
        && matches!(site.found, Found::Image(ImageRef::Bare(_)))
        && !site.text.contains('/')
    {
        site.found = Found::Opaque(Opaque::Variable);
    }
}

/// The text of a value that is no mapping.
fn is_word(tree: &Tree<'_>, value: NodeId) -> Option<String> {
    let own = tree.resolve(value)?;
    let is_text = matches!(tree.node(own).kind, crate::yaml::Kind::Scalar(_));
    is_text.then(|| tree.value(own).trim().to_owned())
}

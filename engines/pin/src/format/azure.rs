//! Azure Pipelines: the containers of jobs, of services and of `resources`.
//!
//! ```text
//! resources: {containers: [{container: pg, image: postgres:16}]}
//! container: ubuntu:24.04      services: {db: pg}       `pg` is an alias, no image
//! container: $[ variables['x'] ]   -> the values of x in strategy.matrix
//! ```
//! Read wherever they stand, since `${{ if … }}:` may stand above. A word without tag, host or digest that this
//! file does not declare may be an image or another file's alias: it is reported, not touched.
//! Source: Azure Pipelines YAML schema, `jobs.job.container`, `resources.containers.container`, service containers.

use super::pipeline::{children, context, image, is_below, keyed, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::gather::quote;
use crate::site::{Found, Opaque, Purpose, Shape};
use crate::yaml::{NodeId, Tree};
use domain::ImageRef;
use memchr::memmem;
use std::collections::HashSet;

/// What a pipeline, or a template of one, has a list of; or what it is of another kind by.
const LISTS: [&str; 3] = ["steps", "jobs", "stages"];
const OTHER_ROOTS: [&str; 2] = ["extends", "resources"];
/// What only Azure's steps, jobs and pools say.
const WORDS: [&str; 11] = [
    "vmImage",
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
    let is_one = look.has_any_word(&WORDS) || has_task(look.text);
    is_one.then_some("it has steps, jobs or stages as Azure Pipelines has them")
}

/// Whether a step is a task with its version, `- task: Docker@2`: Concourse has tasks too.
fn has_task(text: &str) -> bool {
    let word = "- task:";
    memmem::find_iter(text.as_bytes(), word).any(|at| {
        let behind = text.get(at + word.len()..).unwrap_or_default();
        behind.split(['\n', '\r']).next().is_some_and(|line| line.contains('@'))
    })
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
            add_container(collector, id, &aliases, job);
        }
    }
}

/// Adds a job's container; where a matrix writes it, the values of the matrix.
fn add_container(
    collector: &mut Collector<'_, '_>,
    id: NodeId,
    aliases: &HashSet<String>,
    job: NodeId,
) {
    let tree = collector.tree;
    let text = is_word(tree, id).unwrap_or_default();
    let values = in_matrix(tree, job, &text);
    if values.is_empty() {
        add(collector, id, aliases, "job", job);
        return;
    }
    let is_compared = variable(&text).is_some_and(|name| is_compared(tree, job, name));
    for value in values {
        add(collector, value, aliases, "job", job);
        let site = collector.use_again(value, id);
        // A digest in it would make the comparison false: a person decides on both.
        if let Some(site) = site.filter(|_| is_compared) {
            site.shape = Shape::Seen(quote(tree.text, &site.span));
        }
    }
}

/// Whether a job asks somewhere whether a variable equals something: `eq(variables['x'], 'a:1')`.
///
/// Source: Azure Pipelines docs, "Expressions", functions; a shell has `[ "$(x)" = a:1 ]`.
fn is_compared(tree: &Tree<'_>, job: NodeId, name: &str) -> bool {
    let text = tree.resolve(job).map_or("", |job| tree.raw(job));
    // Looked through for each container: somebody may write very many into one job.
    tree.spend(text.len() / 8);
    let after =
        |end: usize| text.get(end..).unwrap_or_default().trim_start_matches(['"', '\'', ' ']);
    let is_argument = |word: &str| {
        memmem::find_iter(text.as_bytes(), word).any(|at| {
            after(at + word.len()).starts_with(',') || text[..at].trim_end().ends_with(',')
        })
    };
    let macro_of = format!("$({name})");
    is_argument(&format!("variables['{name}']"))
        || is_argument(&format!("variables.{name}"))
        || memmem::find_iter(text.as_bytes(), &macro_of)
            .any(|at| ["=", "!="].iter().any(|sign| after(at + macro_of.len()).starts_with(sign)))
}

/// What the matrix of a job says of `$[ variables['x'] ]`.
///
/// Source: Azure Pipelines docs, "Define container jobs", multiple jobs.
fn in_matrix(tree: &Tree<'_>, job: NodeId, text: &str) -> Vec<NodeId> {
    let matrix = tree.get(job, "strategy").and_then(|strategy| tree.get(strategy, "matrix"));
    let (Some(variable), Some(matrix)) = (variable(text), matrix) else {
        return Vec::new();
    };
    let all = tree.resolve(matrix).map(|matrix| children(tree, matrix)).unwrap_or_default();
    all.into_iter().filter_map(|leg| tree.get(leg, variable)).collect()
}

/// The name in `$[ variables['x'] ]` or `$[variables.x]`, where nothing stands beside it.
fn variable(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("$[")?.strip_suffix(']')?.trim().strip_prefix("variables")?;
    let name = match inner.strip_prefix("['") {
        Some(quoted) => quoted.strip_suffix("']")?,
        None => inner.strip_prefix('.')?,
    };
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    is_name.then_some(name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_variable_alone_is_one() {
        assert_eq!(variable("$[ variables['a.b'] ]"), Some("a.b"));
        assert_eq!(variable("$[variables.image]"), Some("image"));
        for other in [
            "$[ variables ]",
            "$[ variables[''] ]",
            "$[ variables['a'] || 'b' ]",
            "x:$[ variables['a'] ]",
            "$[ variables['a'] ]-x",
            "$(image)",
            "${{ variables.image }}",
        ] {
            assert_eq!(variable(other), None, "{other}");
        }
    }
}

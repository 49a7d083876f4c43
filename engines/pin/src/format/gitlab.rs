//! GitLab CI: `image` and `services` of all jobs, of the defaults and of the file.
//!
//! ```text
//! image: ruby:3.3        services: [postgres:16, {name: redis:7, alias: cache}]
//! .hidden: {image: {name: ruby:3.3}}
//! ```
//! Not read: what `include` brings, which is another file; `!reference`, which is another place of this one.
//! Source: GitLab docs, "CI/CD YAML syntax reference", `image`, `services`, `!reference`.

use super::pipeline::{context, entries, image, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::roots;
use crate::site::Purpose;
use crate::yaml::{Kind, NodeId, Tree};

/// Keys of the file that are no jobs. Source: GitLab docs, "CI/CD YAML syntax reference", keywords.
const GLOBAL: [&str; 12] = [
    "image",
    "services",
    "stages",
    "variables",
    "workflow",
    "include",
    "spec",
    "cache",
    "before_script",
    "after_script",
    "types",
    "inputs",
];

pub(super) const SPEC: Spec = Spec {
    format: Format::GitlabCi,
    name: "gitlab-ci",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.is_yaml() && name.stem().ends_with(".gitlab-ci");
    is_one.then_some("it is called like a GitLab CI file")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if look.is_root_object() {
        return None;
    }
    let is_in_folder = look.name.is_below(".gitlab/ci") || look.name.is_below(".gitlab-ci");
    if look.name.is_yaml() && is_in_folder {
        return Some("it stands in GitLab's folder");
    }
    let has_jobs = look.has_word("script:") && has_job(look);
    has_jobs.then_some("it has jobs with `script:`, as GitLab CI has them")
}

/// Whether a key at the root has `script` directly below it, and the file has more that only GitLab says.
fn has_job(look: &Look<'_>) -> bool {
    let (mut is_below_root, mut indent) = (false, None);
    let (mut has_script, mut has_stage) = (false, false);
    for line in look.text.split(['\n', '\r']) {
        let inner = line.trim_start_matches(' ');
        let column = line.len() - inner.len();
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        if column == 0 {
            (is_below_root, indent) = (roots::key(line).is_some() && line.ends_with(':'), None);
        } else if is_below_root && column == *indent.get_or_insert(column) {
            has_script |= inner.starts_with("script:");
            has_stage |= inner.starts_with("stage:") || inner.starts_with("extends:");
        }
    }
    has_script && (has_stage || look.roots().has_hidden() || look.has_root("stages"))
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        add(collector, *root, Some("default"));
        if !matches!(tree.node(*root).kind, Kind::Mapping(_)) {
            continue;
        }
        for job in tree.children(*root) {
            if collector.is_full() {
                return;
            }
            let is_job = tree.key(job).is_none_or(|key| !GLOBAL.contains(&key.as_ref()));
            if is_job && tree.resolve(job).is_some_and(|id| !is_referred(tree, id)) {
                add(collector, job, None);
            }
        }
    }
}

/// Adds the image and the services of a job, or of what has them for all jobs.
fn add(collector: &mut Collector<'_, '_>, holder: NodeId, called: Option<&str>) {
    let tree = collector.tree;
    let called = called.map(str::to_owned).or_else(|| name(tree, holder, &[]));
    if let Some(own) = tree.get(holder, "image") {
        image(collector, own, "name", context("job", called.clone()));
    }
    let services = tree.get(holder, "services").and_then(|id| tree.resolve(id));
    if services.is_none_or(|id| is_referred(tree, id)) {
        return;
    }
    for service in entries(tree, holder, "services") {
        let called = name(tree, service, &["alias"]).or_else(|| called.clone());
        image(collector, service, "name", context("service", called));
    }
}

/// Whether `!reference` stands before a list, whose words then name a place.
fn is_referred(tree: &Tree<'_>, id: NodeId) -> bool {
    let node = tree.node(id);
    let before = tree.text.get(..node.raw.range().start).unwrap_or_default();
    matches!(node.kind, Kind::Sequence(_)) && before.trim_end().ends_with("!reference")
}

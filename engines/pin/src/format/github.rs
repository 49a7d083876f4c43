//! Workflows and actions of GitHub, and of Gitea and Forgejo, which read the same.
//!
//! ```text
//! jobs.*.container   jobs.*.services.*.image   steps[].uses: docker://…   runs.image: docker://…
//! container: ${{ matrix.image }}   -> the values of strategy.matrix.image
//! ```
//! Not read: what other actions and workflows make of their inputs. Scripts are seen, not edited.
//! Source: GitHub docs, "Workflow syntax" and "Metadata syntax".

mod compared;
mod matrix;

use super::pipeline::{context, docker, entries, image, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::gather::quote;
use crate::site::{Context, Purpose, Shape, Site};
use crate::yaml::{Kind, NodeId};
use matrix::Matrix;

/// Where workflows stand, each with what reads them there.
const FOLDERS: [&str; 3] = [".github/workflows", ".gitea/workflows", ".forgejo/workflows"];

pub(super) const SPEC: Spec = Spec {
    format: Format::Github,
    name: "github",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.is_yaml() && FOLDERS.iter().any(|folder| name.is_below(folder));
    is_one.then_some("it stands in a folder of workflows")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if look.is_root_object() {
        return None;
    }
    if look.has_root("jobs") && look.has_root("on") {
        return Some("it has `on:` and `jobs:` at its root");
    }
    (look.has_root("runs") && look.has_key("using")).then_some("it has `runs:` with `using:`")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    let mut left = matrix::ENTRIES_MAX;
    for root in &tree.roots {
        for job in entries(tree, *root, "jobs") {
            if collector.is_full() {
                return;
            }
            add_job(collector, job, &mut left);
        }
        if let Some(runs) = tree.get(*root, "runs") {
            let context = context("action", name(tree, *root, &["name"]));
            // A path is the Dockerfile from which the action is built.
            if let Some(image) = tree.get(runs, "image") {
                docker(collector, image, context.clone());
            }
            add_steps(collector, runs, &context);
        }
    }
}

fn add_job(collector: &mut Collector<'_, '_>, job: NodeId, left: &mut usize) {
    let tree = collector.tree;
    let job_context = context("job", name(tree, job, &[]));
    let matrix = Matrix::of(tree, job);
    if let Some(container) = tree.get(job, "container") {
        add_image(collector, container, &matrix, &job_context, left);
    }
    for service in entries(tree, job, "services") {
        let context = context("service", name(tree, service, &[]));
        add_image(collector, service, &matrix, &context, left);
    }
    add_steps(collector, job, &job_context);
}

fn add_steps(collector: &mut Collector<'_, '_>, holder: NodeId, context: &Context) {
    let tree = collector.tree;
    for step in entries(tree, holder, "steps") {
        if let Some(uses) = tree.get(step, "uses") {
            docker(collector, uses, context.clone());
        }
    }
}

/// Adds a text or a mapping's `image`; where a matrix writes it, the values of the matrix.
fn add_image(
    collector: &mut Collector<'_, '_>,
    value: NodeId,
    matrix: &Matrix<'_>,
    context: &Context,
    left: &mut usize,
) {
    let tree = collector.tree;
    let Some(own) = tree.resolve(value) else { return };
    let used = match tree.node(own).kind {
        Kind::Mapping(_) => tree.get(own, "image"),
        Kind::Scalar(_) => Some(value),
        Kind::Sequence(_) | Kind::Alias | Kind::Empty => None,
    };
    let Some(used) = used else { return };
    let text = tree.resolve(used).map(|node| tree.value(node)).unwrap_or_default();
    // An empty name runs the job without a container. Source: actions/runner, JobContainer.
    if text.trim().is_empty() {
        return;
    }
    let found = matrix.values(&text, left);
    for value in &found.values {
        let site = add_value(collector, *value, used, context);
        // A digest in it would make the comparison false: a person decides on both.
        if let Some(site) = site.filter(|_| found.is_compared) {
            site.shape = Shape::Seen(quote(tree.text, &site.span));
        }
    }
    if !found.is_whole {
        image(collector, used, "image", context.clone());
    }
}

/// A value of a matrix is an image, or what `container` may be too: a mapping with one.
fn add_value<'c>(
    collector: &'c mut Collector<'_, '_>,
    value: NodeId,
    by: NodeId,
    context: &Context,
) -> Option<&'c mut Site> {
    let tree = collector.tree;
    let own = tree.resolve(value)?;
    let value = match tree.node(own).kind {
        Kind::Mapping(_) => tree.get(own, "image"),
        Kind::Scalar(_) => Some(value),
        Kind::Sequence(_) | Kind::Alias | Kind::Empty => None,
    };
    let is_empty =
        |id: &NodeId| tree.resolve(*id).is_none_or(|id| tree.value(id).trim().is_empty());
    collector.add_used(value.filter(|id| !is_empty(id))?, by, context.clone())
}

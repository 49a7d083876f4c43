//! Objects of kinds that are known: by the shipped list, or by the definitions of the same tree.
//!
//! ```text
//! apiVersion: postgresql.cnpg.io/v1, kind: Cluster  ->  spec.imageName is an image, surely
//! apiVersion: image.toolkit.fluxcd.io/v1, kind: ImageRepository  ->  spec.image is none to run
//! ```
//! Goes before the search for keys called `image`, which leaves alone what was found or passed here.

use super::super::helm_values;
use super::known::{KNOWN, PIPELINES};
use super::{kustomize, object_context};
use crate::collector::{Collector, read_reference};
use crate::knowledge::Holds;
use crate::parts::{self, Joined, Spelling};
use crate::site::{Certainty, Form, Found, Opaque, Purpose, Room};
use crate::yaml::{Kind, NodeId, Tree};

/// Nodes that one path may lead to in one object at most.
const FOUND_MAX: usize = 10_000;

/// The keys beside a base image. Source: prometheus-operator, pkg/operator/image.go, BuildImagePath.
const BASE: Spelling<'static> = Spelling {
    name: "baseImage",
    registry: &[],
    tag: &["tag", "version"],
    digest: &[("sha", Form::Hex)],
};

/// What an object's images are for.
pub(super) fn purpose(api: &str, otherwise: Purpose) -> Purpose {
    let group = api.split_once('/').map_or("", |(group, _)| group);
    if PIPELINES.contains(&group) { Purpose::Pipeline } else { otherwise }
}

/// Adds what is known of an object's kind.
pub(super) fn add(collector: &mut Collector<'_, '_>, object: NodeId) {
    let (tree, knowledge) = (collector.tree, collector.knowledge);
    let (Some(api), Some(kind)) =
        (tree.text_of(object, "apiVersion"), tree.text_of(object, "kind"))
    else {
        return;
    };
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let otherwise = collector.purpose;
    collector.purpose = purpose(&api, otherwise);
    let shipped = KNOWN.iter().filter(|known| {
        is_group(known.group, group) && known.kinds.iter().any(|one| *one == "*" || *one == kind)
    });
    for known in shipped {
        at_path(collector, object, known.path, known.holds);
    }
    for (path, holds) in knowledge.of(group, &kind) {
        at_path(collector, object, path, *holds);
    }
    collector.purpose = otherwise;
}

fn is_group(pattern: &str, group: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => group.ends_with(end),
        None => pattern == group,
    }
}

fn at_path(collector: &mut Collector<'_, '_>, object: NodeId, path: &str, holds: Holds) {
    let steps: Vec<Step<'_>> = steps(path);
    let mut found = Vec::new();
    walk(collector.tree, object, &steps, &mut found);
    for id in found {
        if collector.is_full() {
            return;
        }
        // Of two lines for one value the first counts.
        if !collector.knows(id) {
            add_one(collector, object, id, holds);
        }
    }
}

fn add_one(collector: &mut Collector<'_, '_>, object: NodeId, id: NodeId, holds: Holds) {
    let tree = collector.tree;
    let context = object_context(tree, object, id);
    match holds {
        Holds::Image => {
            collector.add(id, context, Certainty::Certain);
        }
        Holds::Nothing => collector.pass(id),
        Holds::Values => helm_values::below(collector, id),
        Holds::Built => {
            if let Some(site) = collector.add(id, context, Certainty::Certain) {
                site.found = Found::BuildTarget;
            }
        }
        Holds::Part => {
            if let Some(site) = collector.add(id, context, Certainty::Certain) {
                // A name with a path is whole: `hub` is not put before it.
                let is_whole = site.text.contains('/');
                site.found =
                    if is_whole { read_reference(&site.text) } else { Found::Opaque(Opaque::Part) };
            }
        }
        Holds::Named => {
            let is_image = tree
                .parent(id)
                .and_then(|from| tree.text_of(from, "kind"))
                .is_some_and(|kind| kind == "DockerImage");
            if is_image {
                collector.add(id, context, Certainty::Certain);
            }
        }
        Holds::Kustomize => {
            if let Some(holder) = tree.parent(id) {
                kustomize::collect(collector, holder);
            }
        }
        Holds::Base => base(collector, id, context),
        Holds::Parts => {
            if let Some(mapping) = tree.resolve(id) {
                super::pair(collector, mapping, context, super::IsImage::Surely);
            }
        }
    }
}

/// `baseImage` with `sha`, `tag` or `version` beside it; an `image` beside it takes its place.
fn base(collector: &mut Collector<'_, '_>, id: NodeId, context: crate::site::Context) {
    let tree = collector.tree;
    let Some(holder) = tree.parent(id) else { return };
    let is_replaced = tree.text_of(holder, "image").is_some_and(|image| !image.trim().is_empty());
    let Some(mut fields) = parts::read(collector, holder, &BASE).filter(|_| !is_replaced) else {
        collector.pass(id);
        return;
    };
    // With a tag of its own the name is whole.
    if fields.name.value.rsplit('/').next().is_some_and(|last| last.contains([':', '@'])) {
        collector.add(id, context, Certainty::Certain);
        return;
    }
    fields.room = Room::Key("sha", Form::Hex);
    let text = fields.joined();
    let found = match fields.is() {
        // The version is the operator's.
        Joined::Bare => Found::Opaque(Opaque::Part),
        Joined::Fixed => parts::found(&text),
    };
    collector.pass(id);
    collector.add_fields(holder, fields, text, found, context);
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'p> {
    Key(&'p str),
    AnyKey,
    /// Keys with this end.
    Ending(&'p str),
    Entries,
    Deep,
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut all = Vec::new();
    for part in path.split('.') {
        let key = part.trim_end_matches("[]");
        all.push(match key {
            "**" => Step::Deep,
            "*" => Step::AnyKey,
            key => key.strip_prefix('*').map_or(Step::Key(key), Step::Ending),
        });
        all.extend(std::iter::repeat_n(Step::Entries, (part.len() - key.len()) / 2));
    }
    all
}

/// Adds the nodes below `id` to which the steps lead.
fn walk(tree: &Tree<'_>, id: NodeId, steps: &[Step<'_>], found: &mut Vec<NodeId>) {
    if found.len() >= FOUND_MAX {
        return;
    }
    let Some((first, rest)) = steps.split_first() else {
        found.push(id);
        return;
    };
    let Some(node) = tree.resolve(id) else { return };
    let is_mapping = matches!(tree.node(node).kind, Kind::Mapping(_));
    match first {
        Step::Key(key) => {
            if let Some(child) = tree.get(node, key) {
                walk(tree, child, rest, found);
            }
        }
        Step::Entries if is_mapping => {}
        Step::AnyKey if !is_mapping => {}
        Step::AnyKey | Step::Entries => {
            for child in tree.children(node) {
                walk(tree, child, rest, found);
            }
        }
        Step::Ending(end) => {
            for child in tree.children(node) {
                if tree.key(child).is_some_and(|key| key.ends_with(end)) {
                    walk(tree, child, rest, found);
                }
            }
        }
        Step::Deep => deep(tree, node, rest, found),
    }
}

/// Everything below a node at which the steps begin; aliases are not followed twice.
fn deep(tree: &Tree<'_>, node: NodeId, steps: &[Step<'_>], found: &mut Vec<NodeId>) {
    // `**` comes once in a path, and its first step tells most nodes apart.
    let (Some(Step::Key(key)), end) = (steps.first(), tree.node(node).next) else {
        for at in node..tree.node(node).next {
            if matches!(tree.node(at).kind, Kind::Mapping(_)) {
                walk(tree, at, steps, found);
            }
        }
        return;
    };
    for at in node..end {
        let own = tree.node(at).slot.key;
        if own != NodeId::MAX && tree.is(own, key) {
            walk(tree, at, &steps[1..], found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_steps() {
        assert_eq!(
            steps("spec.a[][].*.**.b"),
            [
                Step::Key("spec"),
                Step::Key("a"),
                Step::Entries,
                Step::Entries,
                Step::AnyKey,
                Step::Deep,
                Step::Key("b")
            ]
        );
        assert_eq!(steps("**.*Image"), [Step::Deep, Step::Ending("Image")]);
    }

    #[test]
    fn a_group_may_have_any_beginning() {
        assert!(is_group("*.gcp.upbound.io", "compute.gcp.upbound.io"));
        assert!(!is_group("*.gcp.upbound.io", "gcp.upbound.io"));
        assert!(is_group("*", "") && is_group("keda.sh", "keda.sh"));
        assert!(!is_group("keda.sh", "x.keda.sh"));
    }
}

//! A kustomization's `images:`, where name, tag and digest are keys of their own.
//!
//! ```yaml
//! images:
//! - name: shop/api
//!   newTag: 20260317-143958-uat
//!   digest: sha256:9f…
//! ```
//! Source: kustomize, `api/types/image.go`; both newTag and digest are rendered since kustomize #5664.

use super::{Reader, Spec, kubernetes};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::inside::Inner;
use crate::place::opaque;
use crate::site::{Certainty, Context, Fields, FieldsKind, Form, Found, Opaque, Purpose, Room};
use crate::yaml::{self, Kind, NodeId, Tree};
use domain::{ImageRef, Repository};
use memchr::memmem;

pub(super) const SPEC: Spec = Spec {
    format: Format::Kustomize,
    name: "kustomize",
    purpose: Purpose::Workload,
    reader: Reader::Yaml(kubernetes::collect_kustomize),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.file == "kustomization" || (name.is_yaml() && name.stem() == "kustomization");
    is_one.then_some("it is called like a kustomization")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    (look.is_object() && memmem::find(look.text.as_bytes(), b"kustomize.config.k8s.io").is_some())
        .then_some("it has `apiVersion: kustomize.config.k8s.io`")
}

/// Adds the entries of one kustomization.
pub(crate) fn collect(collector: &mut Collector<'_, '_>, root: NodeId) {
    let tree = collector.tree;
    let Some(images) = tree.get(root, "images").and_then(|id| tree.resolve(id)) else {
        return;
    };
    if !matches!(tree.node(images).kind, Kind::Sequence(_)) {
        return;
    }
    for entry in tree.children(images) {
        let Some(entry) = tree.resolve(entry) else {
            continue;
        };
        if let Some(name) = collector.field(entry, "name") {
            let fields = Fields {
                kind: FieldsKind::Kustomize,
                name,
                other: collector.field(entry, "newName"),
                tag: collector.field(entry, "newTag"),
                digest: collector.field(entry, "digest"),
                layout: collector.layout(entry),
                room: Room::Key("digest", Form::Whole),
            };
            let text = joined(&fields);
            let found = read(&fields, &text);
            let context = Context {
                kind: Some("Kustomization".to_owned()),
                workload: None,
                container: Some(fields.name.value.clone()),
            };
            collector.add_fields(entry, fields, text, found, context);
        }
    }
}

/// Adds what the patches and charts of one kustomization say.
///
/// Source: kustomize docs, "patches", "patchesStrategicMerge", "patchesJson6902", "helmCharts".
pub(crate) fn collect_more(collector: &mut Collector<'_, '_>, root: NodeId) {
    for key in ["patches", "patchesJson6902"] {
        for patch in entries(collector.tree, root, key) {
            if let Some(text) = collector.tree.get(patch, "patch") {
                inline(collector, text);
            }
        }
    }
    for patch in entries(collector.tree, root, "patchesStrategicMerge") {
        inline(collector, patch);
    }
    for chart in entries(collector.tree, root, "helmCharts") {
        if let Some(values) = collector.tree.get(chart, "valuesInline") {
            super::helm_values::below(collector, values);
        }
    }
}

fn entries(tree: &Tree<'_>, root: NodeId, key: &str) -> Vec<NodeId> {
    let list = tree.get(root, key).and_then(|list| tree.resolve(list));
    list.into_iter().flat_map(|list| tree.children(list)).collect()
}

/// A patch as text: objects, or a list of operations. A path of a file has no line's end.
fn inline(collector: &mut Collector<'_, '_>, value: NodeId) {
    let tree = collector.tree;
    let Some(node) = tree.resolve(value) else { return };
    let is_text = matches!(tree.node(node).kind, Kind::Scalar(_));
    if !is_text || !tree.raw(node).contains(['\n', '\r', '{', '[']) || collector.knows(node) {
        return;
    }
    let opened = Inner::of(tree, node).and_then(|inner| {
        let found = {
            let text = yaml::scan(&inner.text).ok()?;
            let mut own = Collector::new(&text, collector.purpose, collector.knowledge);
            kubernetes::collect_objects(&mut own);
            own.finish()
        };
        Some((inner, found))
    });
    match opened {
        Some((inner, found)) if !found.is_empty() => collector.add_inside(node, &inner, found),
        // It may name an image all the same.
        Some(_) | None
            if tree.value(node).contains("mage:") || tree.value(node).contains("/image") =>
        {
            let context = Context { kind: Some("patch".to_owned()), ..Context::default() };
            if let Some(site) = collector.add(node, context, Certainty::Likely) {
                site.found = Found::Opaque(Opaque::Broken);
                site.text = "a patch".to_owned();
            }
        }
        Some(_) | None => {}
    }
}

/// What the entry renders: `newName:newTag@digest`.
fn joined(fields: &Fields) -> String {
    let mut text = fields
        .other
        .as_ref()
        .filter(|name| !name.value.is_empty())
        .unwrap_or(&fields.name)
        .value
        .clone();
    for (joint, field) in [(':', &fields.tag), ('@', &fields.digest)] {
        if let Some(field) = field.as_ref().filter(|field| !field.value.is_empty()) {
            text.push(joint);
            text.push_str(&field.value);
        }
    }
    text
}

fn read(fields: &Fields, text: &str) -> Found {
    let is_unset = |field: &Option<crate::site::Field>| {
        field.as_ref().is_none_or(|field| field.value.is_empty())
    };
    if let Some(why) = opaque(text) {
        return Found::Opaque(why);
    }
    if is_unset(&fields.tag) && is_unset(&fields.digest) {
        return match text.parse::<Repository>() {
            Ok(repository) => Found::Inherits(repository),
            Err(error) => Found::Malformed(error.into()),
        };
    }
    match text.parse::<ImageRef>() {
        Ok(reference) => Found::Image(reference),
        Err(error) => Found::Malformed(error),
    }
}

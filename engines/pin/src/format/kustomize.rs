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
use crate::place::opaque;
use crate::site::{Context, Fields, FieldsKind, Form, Found, Purpose, Room};
use crate::yaml::{Kind, NodeId};
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

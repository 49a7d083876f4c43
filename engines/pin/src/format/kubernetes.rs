//! Kubernetes objects, at any depth: also in lists, in several documents and in kinds that we do not know.
//!
//! ```text
//! containers[].image   volumes[].image.reference   agentImage: …   image: {repository, tag}
//! ```
//! Not read: what stands in ConfigMaps, Secrets, schemas, labels, annotations, and text inside blocks.

use super::{Reader, Spec, kustomize};
use crate::classify::{Format, Look};
use crate::collector::Collector;
use crate::place::opaque;
use crate::site::{Certainty, Context, Fields, FieldsKind, Found, PullPolicy, Purpose, Written};
use crate::yaml::{Kind, NodeId, Style, Tree};
use domain::ImageRef;

/// Kinds whose content is data for people or programs, not something to run.
const DATA_KINDS: [&str; 4] = ["ConfigMap", "Secret", "CustomResourceDefinition", "APIService"];
/// Keys below which nothing names an image to run.
const DATA_KEYS: [&str; 8] = [
    "labels",
    "annotations",
    "matchLabels",
    "selector",
    "nodeSelector",
    "status",
    "env",
    "managedFields",
];

pub(super) const SPEC: Spec = Spec {
    format: Format::Kubernetes,
    name: "kubernetes",
    purpose: Purpose::Workload,
    reader: Reader::Yaml(collect_objects),
    by_name: super::no_name,
    by_content,
};

/// Source: a workload file of Kubernetes has both keys.
fn by_content(look: &Look<'_>) -> Option<&'static str> {
    look.is_object().then_some("it has `apiVersion` and `kind`")
}

fn collect_objects(collector: &mut Collector<'_, '_>) {
    collect(collector, Format::Kubernetes);
}

/// The same of a file that is called like a kustomization.
pub(super) fn collect_kustomize(collector: &mut Collector<'_, '_>) {
    collect(collector, Format::Kustomize);
}

/// Adds the sites of all documents; one that is a kustomization is read as such.
fn collect(collector: &mut Collector<'_, '_>, format: Format) {
    let tree = collector.tree;
    let mut kinds = Vec::with_capacity(tree.roots.len());
    for root in &tree.roots {
        let is_kustomization = is_kustomization(tree, *root, format);
        if is_kustomization {
            kustomize::collect(collector, *root);
        }
        kinds.push(is_kustomization);
    }
    for at in 0..tree.nodes.len() {
        let id = NodeId::try_from(at).unwrap_or(NodeId::MAX);
        let is_kustomization = kinds.get(tree.node(id).document as usize) == Some(&true);
        if is_kustomization || collector.is_full() {
            continue;
        }
        visit(collector, id);
    }
}

fn is_kustomization(tree: &Tree<'_>, root: NodeId, format: Format) -> bool {
    let api = tree.text_of(root, "apiVersion");
    match api {
        Some(api) => api.starts_with("kustomize.config.k8s.io"),
        // A kustomization may leave out both; its file's name says what it is.
        None => format == Format::Kustomize,
    }
}

fn visit(collector: &mut Collector<'_, '_>, id: NodeId) {
    let tree = collector.tree;
    let key = tree.node(id).slot.key;
    if key == NodeId::MAX {
        return;
    }
    // Every key of the file comes by here: its last byte speaks against most of them.
    let raw_key = tree.raw(key).trim_end_matches(['"', '\'', '\n', '\r', ' ']);
    if !raw_key.ends_with(['e', 'y']) && tree.node(key).kind == Kind::Scalar(Style::Plain) {
        return;
    }
    let is_image = tree.is(key, "image");
    let is_reference = !is_image && tree.is(key, "reference") && is_volume_image(tree, id);
    let is_like = !is_image && raw_key.ends_with("Image");
    let is_repository = !is_image && tree.is(key, "repository");
    if !(is_image || is_reference || is_like || is_repository) {
        return;
    }
    let Some(context) = context(tree, id) else {
        return;
    };
    if is_repository {
        pair(collector, id, context);
    } else if is_image || is_reference {
        let pull = pull_policy(tree, id);
        if let Some(site) = collector.add(id, context, Certainty::Certain) {
            site.pull = site.pull.or(pull);
        }
    } else if is_like_key(tree, key) && looks_like_reference(tree, id) {
        collector.add(id, context, Certainty::Likely);
    }
}

/// `volumes[].image.reference`: an image as a volume. Source: Kubernetes 1.31, ImageVolumeSource.
fn is_volume_image(tree: &Tree<'_>, id: NodeId) -> bool {
    tree.parent(id).and_then(|image| tree.key(image)).is_some_and(|key| key == "image")
}

/// What stands beside the image. Source: Kubernetes API, Container and ImageVolumeSource.
fn pull_policy(tree: &Tree<'_>, image: NodeId) -> Option<PullPolicy> {
    let holder = tree.parent(image)?;
    let written =
        tree.text_of(holder, "imagePullPolicy").or_else(|| tree.text_of(holder, "pullPolicy"))?;
    PullPolicy::read(written.as_ref())
}

fn is_like_key(tree: &Tree<'_>, key: NodeId) -> bool {
    tree.value(key)
        .strip_suffix("Image")
        .is_some_and(|stem| stem.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

/// In a key that we do not know, only a name with a tag, a digest or a host counts: `image` types are words too.
fn looks_like_reference(tree: &Tree<'_>, id: NodeId) -> bool {
    let Some(node) = tree.resolve(id) else {
        return false;
    };
    if !matches!(tree.node(node).kind, Kind::Scalar(_)) {
        return false;
    }
    let value = tree.value(node);
    let value = value.trim();
    !value.contains("://")
        && value.contains([':', '/', '@'])
        && (opaque(value).is_some() || value.parse::<ImageRef>().is_ok())
}

/// `{repository: shop/api, tag: "1"}`, with `registry` and `digest` where they stand.
fn pair(collector: &mut Collector<'_, '_>, id: NodeId, context: Context) {
    let Some(mapping) = collector.tree.parent(id) else {
        return;
    };
    let (tag, digest) = (collector.field(mapping, "tag"), collector.field(mapping, "digest"));
    let is_image =
        collector.tree.key(mapping).is_some_and(|key| key == "image" || key.ends_with("Image"));
    // Without a tag, only a key that says `image` tells it from a repository of charts or code.
    if tag.is_none() && digest.is_none() && !is_image {
        return;
    }
    let Some(name) = collector.field(mapping, "repository") else {
        return;
    };
    // `repository: null` leaves the name to somebody else.
    if name.value.is_empty() && matches!(name.written, Written::Plain | Written::Elsewhere) {
        return;
    }
    let fields = Fields {
        kind: FieldsKind::Pair,
        name,
        other: collector.field(mapping, "registry"),
        tag,
        digest,
        layout: collector.layout(mapping),
    };
    let text = joined(&fields);
    let found = match opaque(&text) {
        Some(why) => Found::Opaque(why),
        None => match text.parse::<ImageRef>() {
            Ok(reference) => Found::Image(reference),
            // A repository of something else: a chart's URL, a folder.
            Err(_) if !is_image => return,
            Err(error) => Found::Malformed(error),
        },
    };
    collector.add_fields(mapping, fields, text, found, context);
}

fn joined(fields: &Fields) -> String {
    let mut text = String::new();
    if let Some(registry) = fields.other.as_ref().filter(|field| !field.value.is_empty()) {
        text.push_str(&registry.value);
        text.push('/');
    }
    text.push_str(&fields.name.value);
    for (joint, field) in [(':', &fields.tag), ('@', &fields.digest)] {
        if let Some(field) = field.as_ref().filter(|field| !field.value.is_empty()) {
            text.push(joint);
            text.push_str(&field.value);
        }
    }
    text
}

/// The object around a node and the container's name; nothing where it is no object or only data.
fn context(tree: &Tree<'_>, id: NodeId) -> Option<Context> {
    let mut object = None;
    for ancestor in tree.ancestors(id).skip(1) {
        let is_object = matches!(tree.node(ancestor).kind, Kind::Mapping(_))
            && tree.own(ancestor, "apiVersion").is_some()
            && tree.own(ancestor, "kind").is_some();
        if is_object {
            object = Some(ancestor);
            break;
        }
        if DATA_KEYS.iter().any(|data| {
            let key = tree.node(ancestor).slot.key;
            key != NodeId::MAX && tree.is(key, data)
        }) {
            return None;
        }
    }
    let object = object?;
    let kind = tree.text_of(object, "kind")?;
    if DATA_KINDS.contains(&kind.as_ref()) {
        return None;
    }
    let workload = tree
        .get(object, "metadata")
        .and_then(|metadata| {
            tree.text_of(metadata, "name").or_else(|| tree.text_of(metadata, "generateName"))
        })
        .map(std::borrow::Cow::into_owned);
    let container = tree
        .parent(id)
        .filter(|holder| *holder != object)
        .and_then(|holder| tree.text_of(holder, "name"))
        .map(std::borrow::Cow::into_owned);
    Some(Context { kind: Some(kind.into_owned()), workload, container })
}

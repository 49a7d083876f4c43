//! Kubernetes objects, at any depth: also in lists, in several documents and in kinds that we do not know.
//!
//! ```text
//! containers[].image   volumes[].image.reference   agentImage: …   image: {repository, tag}
//! ```
//! Not read: what stands in ConfigMaps, Secrets, schemas, labels, annotations, and text inside blocks.

mod custom;
mod exempt;
mod json_patch;
mod known;

use super::{Reader, Spec, kustomize};
use crate::classify::{Format, Look};
use crate::collector::Collector;
use crate::parts;
use crate::place::opaque;
use crate::site::{Certainty, Context, Found, PullPolicy, Purpose};
use crate::yaml::{Kind, NodeId, Style, Tree};
use domain::ImageRef;
use std::collections::HashSet;

/// Kinds whose content is data for people or programs, not something to run.
const DATA_KINDS: [&str; 4] = ["ConfigMap", "Secret", "CustomResourceDefinition", "APIService"];
/// Keys below which nothing names an image to run.
pub(super) const DATA_KEYS: [&str; 8] = [
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
    let is_patch =
        || json_patch::is_like_one(look.text) && look.has_key("op") && look.has_key("path");
    match look.is_object() {
        true => Some("it has `apiVersion` and `kind`"),
        false => is_patch().then_some("it is a list of `op` and `path`, as a patch of kustomize"),
    }
}

pub(super) fn collect_objects(collector: &mut Collector<'_, '_>) {
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
            kustomize::collect_more(collector, *root);
        } else if json_patch::is_one(tree, *root) {
            json_patch::collect(collector, *root);
        }
        kinds.push(is_kustomization);
    }
    let mut objects = Objects::of(collector);
    for at in 0..tree.nodes.len() {
        let id = NodeId::try_from(at).unwrap_or(NodeId::MAX);
        let is_kustomization = kinds.get(tree.node(id).document as usize) == Some(&true);
        if is_kustomization || collector.is_full() {
            continue;
        }
        visit(collector, &mut objects, id);
    }
    exempt::mark(collector);
}

fn is_kustomization(tree: &Tree<'_>, root: NodeId, format: Format) -> bool {
    let api = tree.text_of(root, "apiVersion");
    match api {
        Some(api) => api.starts_with("kustomize.config.k8s.io"),
        // A kustomization may leave out both; its file's name says what it is.
        None => format == Format::Kustomize,
    }
}

/// The objects of a text of which everything that is known was added.
struct Objects {
    seen: HashSet<NodeId>,
}

impl Objects {
    /// Those of the documents, and of lists of them.
    fn of(collector: &mut Collector<'_, '_>) -> Self {
        let tree = collector.tree;
        let mut all = Self { seen: HashSet::new() };
        for root in &tree.roots {
            all.meet(collector, *root);
            let items = tree.get(*root, "items").and_then(|items| tree.resolve(items));
            for item in items.into_iter().flat_map(|items| tree.children(items)) {
                if let Some(item) = tree.resolve(item) {
                    all.meet(collector, item);
                }
            }
        }
        all
    }

    fn meet(&mut self, collector: &mut Collector<'_, '_>, object: NodeId) {
        if is_object(collector.tree, object) && self.seen.insert(object) {
            custom::add(collector, object);
        }
    }
}

fn visit(collector: &mut Collector<'_, '_>, objects: &mut Objects, id: NodeId) {
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
    let Some((object, context)) = context(tree, id) else {
        return;
    };
    objects.meet(collector, object);
    let otherwise = collector.purpose;
    let api = tree.text_of(object, "apiVersion").unwrap_or_default();
    collector.purpose = custom::purpose(&api, otherwise);
    if is_image && parent_key(tree, id).is_some_and(|key| key == "rbd") {
        // The image of a Ceph pool. Source: Kubernetes API reference, RBDVolumeSource.
    } else if is_repository {
        if let Some(mapping) = tree.parent(id) {
            pair(collector, mapping, context, is_called_image(tree, mapping));
        }
    } else if is_image || is_reference {
        let pull = pull_policy(tree, id);
        if let Some(site) = collector.add(id, context, Certainty::Certain) {
            site.pull = site.pull.or(pull);
            // ko builds the Go package of that path. Source: ko docs, "Kubernetes Integration".
            if site.text.starts_with("ko://") {
                site.found = Found::BuildTarget;
            }
        }
    } else if is_like_key(tree, key) && looks_like_reference(tree, id) {
        collector.add(id, context, Certainty::Likely);
    }
    collector.purpose = otherwise;
}

/// `volumes[].image.reference`: an image as a volume. Source: Kubernetes 1.31, ImageVolumeSource.
fn is_volume_image(tree: &Tree<'_>, id: NodeId) -> bool {
    parent_key(tree, id).is_some_and(|key| key == "image")
}

/// The key of the mapping around a node.
fn parent_key<'t>(tree: &Tree<'t>, id: NodeId) -> Option<std::borrow::Cow<'t, str>> {
    tree.parent(id).and_then(|parent| tree.key(parent))
}

/// What stands beside the image. Source: Kubernetes API, Container and ImageVolumeSource.
fn pull_policy(tree: &Tree<'_>, image: NodeId) -> Option<PullPolicy> {
    let holder = tree.parent(image)?;
    let written =
        tree.text_of(holder, "imagePullPolicy").or_else(|| tree.text_of(holder, "pullPolicy"))?;
    PullPolicy::read(written.as_ref())
}

pub(super) fn is_like_key(tree: &Tree<'_>, key: NodeId) -> bool {
    tree.value(key)
        .strip_suffix("Image")
        .is_some_and(|stem| stem.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

/// In a key that we do not know, only a name with a tag, a digest or a host counts: `image` types are words too.
pub(super) fn looks_like_reference(tree: &Tree<'_>, id: NodeId) -> bool {
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

/// Whether a mapping with a `repository` is known to be an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsImage {
    Surely,
    Perhaps,
}

pub(super) fn is_called_image(tree: &Tree<'_>, mapping: NodeId) -> IsImage {
    match tree.key(mapping) {
        Some(key) if key == "image" || key.ends_with("Image") => IsImage::Surely,
        Some(_) | None => IsImage::Perhaps,
    }
}

/// `{repository: shop/api, tag: "1"}`, with `registry` and `digest` where they stand.
pub(super) fn pair(
    collector: &mut Collector<'_, '_>,
    mapping: NodeId,
    context: Context,
    is_image: IsImage,
) {
    let Some(fields) = parts::read(collector, mapping, &parts::USUAL) else {
        return;
    };
    // Without a tag, only a key that says `image` tells it from a repository of charts or code.
    if fields.tag.is_none() && fields.digest.is_none() && is_image == IsImage::Perhaps {
        return;
    }
    let text = fields.joined();
    let found = parts::found(&text);
    // A repository of something else: a chart's URL, a folder.
    if matches!(found, Found::Malformed(_)) && is_image == IsImage::Perhaps {
        return;
    }
    collector.add_fields(mapping, fields, text, found, context);
}

fn is_object(tree: &Tree<'_>, id: NodeId) -> bool {
    matches!(tree.node(id).kind, Kind::Mapping(_))
        && tree.own(id, "apiVersion").is_some()
        && tree.own(id, "kind").is_some()
}

/// The object around a node and whose image it is; nothing where it is no object or only data.
fn context(tree: &Tree<'_>, id: NodeId) -> Option<(NodeId, Context)> {
    let mut object = None;
    for ancestor in tree.ancestors(id).skip(1) {
        if is_object(tree, ancestor) {
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
    Some((object, object_context(tree, object, id)))
}

/// The object's kind and name, and the container's.
fn object_context(tree: &Tree<'_>, object: NodeId, id: NodeId) -> Context {
    let owned = |text: std::borrow::Cow<'_, str>| text.into_owned();
    let workload = tree.get(object, "metadata").and_then(|metadata| {
        tree.text_of(metadata, "name").or_else(|| tree.text_of(metadata, "generateName"))
    });
    let container = tree
        .parent(id)
        .filter(|holder| *holder != object)
        .and_then(|holder| tree.text_of(holder, "name"));
    Context {
        kind: tree.text_of(object, "kind").map(owned),
        workload: workload.map(owned),
        container: container.map(owned),
    }
}

//! The values of a Helm chart: references in keys, in the spellings that charts have, and whole ones.
//!
//! ```text
//! image: {registry: docker.io, repository: shop/api, tag: "1.4", digest: ""}     imageRepository: …, imageTag: …
//! image: {name: shop/api, version: "1"}       image: shop/api, tag: "1"           agentImage: shop/agent:2
//! ```
//! Where a digest goes is for the chart's templates to say ([`crate::helm`]). An empty tag is the chart's appVersion.
//! Source: Helm docs, "Values Files"; the charts of bitnami, Grafana, prometheus-community and ingress-nginx.

use super::kubernetes::{DATA_KEYS, IsImage, is_called_image, is_like_key, looks_like_reference};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::helm::{DIGEST_KEYS, Usage};
use crate::parts::{self, Joined, Spelling};
use crate::site::{Certainty, Context, Form, Found, NoRoom, Opaque, Purpose, Room};
use crate::yaml::{Kind, NodeId, Tree};

pub(super) const SPEC: Spec = Spec {
    format: Format::HelmValues,
    name: "helm-values",
    purpose: Purpose::Workload,
    reader: Reader::Yaml(collect_values),
    by_name: super::no_name,
    by_content,
};

/// Ends of keys that together are one reference, behind a prefix that they share.
const ENDS: [&str; 2] = ["ImageRepository", "imageRepository"];

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if !look.name.is_yaml() || (look.has_root("apiVersion") && look.has_root("kind")) {
        return None;
    }
    // `mage` ends `image` and `agentImage` alike.
    let keys = ["mage", "images", "mageTag", "mageRepository", "repository"];
    if is_called_values(&look.name) && keys.iter().any(|key| look.has_key(key)) {
        return Some("it is called like the values of a chart, and has images");
    }
    let is_usual = ["repository", "tag", "pullPolicy", "image"].iter().all(|key| look.has_key(key));
    is_usual.then_some(
        "it has `repository` and `tag` beside a `pullPolicy`, as the values of charts do",
    )
}

/// `values.yaml`, `values-prod.yaml`, `prod.values.yaml`, `values/prod.yaml`.
fn is_called_values(name: &Name<'_>) -> bool {
    let stem = name.stem();
    let marks = ['-', '.', '_'];
    stem == "values"
        || stem.strip_prefix("values").is_some_and(|rest| rest.starts_with(marks))
        || stem.strip_suffix("values").is_some_and(|rest| rest.ends_with(marks))
        || name.path.rsplit(['/', '\\']).nth(1) == Some("values")
}

fn collect_values(collector: &mut Collector<'_, '_>) {
    for root in collector.tree.roots.clone() {
        below(collector, root);
    }
}

/// Adds what stands below a node that holds values.
pub(super) fn below(collector: &mut Collector<'_, '_>, root: NodeId) {
    let tree = collector.tree;
    let Some(root) = tree.resolve(root) else { return };
    let global = tree
        .get(root, "global")
        .and_then(|global| tree.text_of(global, "imageRegistry"))
        .filter(|registry| !registry.is_empty())
        .map(std::borrow::Cow::into_owned);
    let values = Values { root, global, depth: tree.path(root).len() };
    for id in root..tree.node(root).next {
        if collector.is_full() {
            return;
        }
        let key = tree.node(id).slot.key;
        if key == NodeId::MAX {
            continue;
        }
        // What ends otherwise is neither an image nor a repository.
        let raw = tree.raw(key).trim_end_matches(['"', '\'', ' ']);
        if !(raw.ends_with("mage") || raw.ends_with("epository") || raw == "tag")
            || values.is_data(tree, id)
        {
            continue;
        }
        values.visit(collector, id, key);
    }
}

/// The values of one chart.
struct Values {
    root: NodeId,
    /// Takes the place of every registry. Source: bitnami/common, `common.images.image`.
    global: Option<String>,
    /// How much of a path leads to the values.
    depth: usize,
}

impl Values {
    fn is_data(&self, tree: &Tree<'_>, id: NodeId) -> bool {
        tree.ancestors(id).take_while(|at| *at != self.root).any(|at| {
            let key = tree.node(at).slot.key;
            key != NodeId::MAX && DATA_KEYS.iter().any(|data| tree.is(key, data))
        })
    }

    fn visit(&self, collector: &mut Collector<'_, '_>, id: NodeId, key: NodeId) {
        let tree = collector.tree;
        let Some(holder) = tree.parent(id) else { return };
        let name = tree.value(key);
        if name == "repository" {
            self.usual(collector, holder);
        } else if let Some(prefix) = ENDS.iter().find_map(|end| name.strip_suffix(end)) {
            self.prefixed(collector, (holder, id), &name, prefix);
        } else if name == "tag" {
            self.tag_alone(collector, holder, id);
        } else if name == "image" || is_like_key(tree, key) {
            let Some(node) = tree.resolve(id) else { return };
            match tree.node(node).kind {
                Kind::Mapping(_) => self.named(collector, node),
                Kind::Scalar(_) => self.scalar(collector, holder, id, &name),
                Kind::Sequence(_) | Kind::Alias | Kind::Empty => {}
            }
        }
    }

    /// `{registry, repository, tag, digest}`.
    fn usual(&self, collector: &mut Collector<'_, '_>, holder: NodeId) {
        let is_image = called(collector.tree, holder);
        let tags: &[&str] = match is_image {
            IsImage::Surely => &["tag", "imageTag", "version"],
            IsImage::Perhaps => &["tag", "imageTag"],
        };
        let spelling =
            Spelling { name: "repository", registry: &["registry"], tag: tags, digest: &[] };
        self.keys(collector, (holder, holder), &spelling, &DIGEST_KEYS, is_image);
    }

    /// `image: {name, tag}`, `image: {registry, image, version}`.
    fn named(&self, collector: &mut Collector<'_, '_>, mapping: NodeId) {
        let tree = collector.tree;
        if tree.own(mapping, "repository").is_some() {
            return;
        }
        let Some(name) = ["name", "image"].into_iter().find(|key| tree.own(mapping, key).is_some())
        else {
            return;
        };
        let spelling = Spelling {
            name,
            registry: &["registry", "repo"],
            tag: &["tag", "version", "imageTag"],
            digest: &[],
        };
        self.keys(collector, (mapping, mapping), &spelling, &DIGEST_KEYS, IsImage::Surely);
    }

    /// `imageRepository`, `imageTag`; `agentImageRepository`, `agentImageTag`.
    fn prefixed(
        &self,
        collector: &mut Collector<'_, '_>,
        (holder, id): (NodeId, NodeId),
        name: &str,
        prefix: &str,
    ) {
        let image = &name[prefix.len()..name.len() - "Repository".len()];
        let key = |end: &str| format!("{prefix}{image}{end}");
        let (registry, tag, digest) = (key("Registry"), key("Tag"), key("Digest"));
        let spelling = Spelling { name, registry: &[&registry], tag: &[&tag], digest: &[] };
        self.keys(collector, (holder, id), &spelling, &[(&digest, Form::Whole)], IsImage::Surely);
    }

    /// `image: shop/api` with a tag beside it, or in one piece.
    fn scalar(&self, collector: &mut Collector<'_, '_>, holder: NodeId, id: NodeId, name: &str) {
        let tree = collector.tree;
        // `image` inside `image` is a part of it.
        if name == "image"
            && called(tree, holder) == IsImage::Surely
            && tree.own(holder, "repository").is_none()
        {
            return;
        }
        let own = format!("{name}Tag");
        let tags = if name == "image" { vec!["tag", "imageTag"] } else { vec![own.as_str()] };
        if tags.iter().any(|tag| tree.own(holder, tag).is_some())
            && tree.own(holder, "repository").is_none()
        {
            let digest = format!("{name}Digest");
            let spelling = Spelling {
                name,
                registry: &["registry", "imageRegistry"],
                tag: &tags,
                digest: &[],
            };
            self.keys(
                collector,
                (holder, id),
                &spelling,
                &[("digest", Form::Whole), (&digest, Form::Whole)],
                IsImage::Surely,
            );
            return;
        }
        if name != "image" && !looks_like_reference(tree, id) {
            return;
        }
        let is_whole =
            collector.knowledge.chart().is_some_and(|chart| chart.is_whole(&self.path(tree, id)));
        let context = context(tree, holder);
        if let Some(site) = collector.add(id, context, Certainty::Likely)
            && matches!(site.found, Found::Image(domain::ImageRef::Bare(_)))
            && !is_whole
        {
            // The templates may put a tag behind it.
            site.found = Found::Opaque(Opaque::Part);
        }
    }

    /// A tag for a name that the chart's own values have.
    fn tag_alone(&self, collector: &mut Collector<'_, '_>, holder: NodeId, id: NodeId) {
        let tree = collector.tree;
        let has_name =
            ["repository", "name", "image"].iter().any(|key| tree.own(holder, key).is_some());
        if called(tree, holder) == IsImage::Surely && !has_name {
            let context = context(tree, holder);
            if let Some(site) = collector.add(id, context, Certainty::Likely) {
                site.found = Found::Opaque(Opaque::Part);
            }
        }
    }

    /// Adds what the keys of `holder` make up, in the name of `id`: a mapping may hold several references.
    fn keys(
        &self,
        collector: &mut Collector<'_, '_>,
        (holder, id): (NodeId, NodeId),
        spelling: &Spelling<'_>,
        digests: &[(&str, Form)],
        is_image: IsImage,
    ) {
        let tree = collector.tree;
        let path = self.path(tree, holder);
        let below =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let chart = collector.knowledge.chart();
        let read_by_chart = |chart: &Usage| {
            digests.iter().find_map(|(key, _)| Some((*key, chart.digest_form(&below(key))?)))
        };
        let consumed = chart.and_then(read_by_chart);
        let known: Vec<(&str, Form)> = match (chart, consumed) {
            (_, Some(consumed)) => vec![consumed],
            (Some(_), None) => Vec::new(),
            (None, None) => digests.to_vec(),
        };
        let Some(mut fields) =
            parts::read(collector, holder, &Spelling { digest: &known, ..*spelling })
        else {
            return;
        };
        if is_image == IsImage::Perhaps && fields.tag.is_none() && fields.digest.is_none() {
            return;
        }
        fields.room = match (consumed, &fields.digest, chart) {
            (Some((key, form)), None, _) => DIGEST_KEYS
                .iter()
                .find(|(known, _)| *known == key)
                .map_or(Room::Nowhere(NoRoom::Unused), |(key, _)| Room::Key(key, form)),
            (Some((_, form)), Some(_), _) => Room::Key("digest", form),
            (None, Some(_), _) => fields.room,
            (None, None, Some(chart)) => {
                let tag = spelling.tag.iter().find(|tag| tree.own(holder, tag).is_some());
                chart.tag_room(&below(tag.copied().unwrap_or("tag")))
            }
            (None, None, None) => Room::Nowhere(NoRoom::NoTemplates),
        };
        let global = self.global.as_deref().filter(|_| fields.other.is_some());
        let own = fields.other.as_ref().map(|registry| registry.value.as_str());
        let text = fields.joined_from(global.or(own));
        let found = match (fields.is(), &fields.tag, parts::found(&text)) {
            (_, _, Found::Malformed(_)) if is_image == IsImage::Perhaps => return,
            (Joined::Bare, Some(_), _) => Found::Opaque(Opaque::AppVersion),
            (Joined::Bare, None, Found::Image(domain::ImageRef::Bare(_))) => {
                Found::Opaque(Opaque::Part)
            }
            (Joined::Bare | Joined::Fixed, _, found) => found,
        };
        let context = context(tree, holder);
        collector.add_fields(id, fields, text, found, context);
    }

    /// The path below `.Values`, with entries of lists as keys.
    fn path(&self, tree: &Tree<'_>, id: NodeId) -> String {
        let path = tree.path(id);
        let own = path.get(self.depth..).unwrap_or_default().trim_start_matches('.');
        own.replace('[', ".").replace(']', "")
    }
}

/// Whether a mapping is called like an image, or stands among `images`.
fn called(tree: &Tree<'_>, mapping: NodeId) -> IsImage {
    let above = tree.parent(mapping).and_then(|parent| tree.key(parent));
    match above {
        Some(above) if above == "images" => IsImage::Surely,
        Some(_) | None => is_called_image(tree, mapping),
    }
}

/// The nearest key that says whose image it is.
fn context(tree: &Tree<'_>, mapping: NodeId) -> Context {
    let keys = tree.ancestors(mapping).filter_map(|at| tree.key(at));
    let mut owners = keys.filter(|key| key != "image");
    Context {
        kind: None,
        workload: None,
        container: owners.next().map(std::borrow::Cow::into_owned),
    }
}

//! What the formats of pipelines share: an image as text or under a key, and whose it is.
//!
//! ```text
//! image: ruby:3.3      image: {name: ruby:3.3}      uses: docker://ruby:3.3
//! ```

use crate::collector::Collector;
use crate::site::{Certainty, Context, Site};
use crate::yaml::{Kind, NodeId, Tree};

/// What stands before an image where something else could stand.
pub(super) const DOCKER: &str = "docker://";

/// Whose image it is: of a `kind` of thing in a pipeline, called `name`.
pub(super) fn context(kind: &str, name: Option<String>) -> Context {
    Context { kind: Some(kind.to_owned()), workload: None, container: name }
}

/// Adds an image that is a text, or a mapping with the text under `key`.
pub(super) fn image<'c>(
    collector: &'c mut Collector<'_, '_>,
    value: NodeId,
    key: &str,
    context: Context,
) -> Option<&'c mut Site> {
    let tree = collector.tree;
    let own = tree.resolve(value)?;
    let value = match tree.node(own).kind {
        Kind::Mapping(_) => tree.get(own, key)?,
        Kind::Scalar(_) | Kind::Sequence(_) | Kind::Alias | Kind::Empty => value,
    };
    collector.add(value, context, Certainty::Certain)
}

/// Adds what stands behind `docker://`, and nothing where that is not said.
pub(super) fn docker(collector: &mut Collector<'_, '_>, value: NodeId, context: Context) {
    collector.add_behind(DOCKER, value, context, Certainty::Certain);
}

/// The values of the list or mapping under a key, aliases and merge keys followed to it.
pub(super) fn entries(tree: &Tree<'_>, mapping: NodeId, key: &str) -> Vec<NodeId> {
    match tree.get(mapping, key).and_then(|id| tree.resolve(id)) {
        Some(found) => children(tree, found),
        None => Vec::new(),
    }
}

/// The values of a list or mapping, aliases among them not followed; none any more when lookups gave up.
pub(super) fn children(tree: &Tree<'_>, id: NodeId) -> Vec<NodeId> {
    if tree.is_exhausted() {
        return Vec::new();
    }
    let all: Vec<NodeId> = match tree.node(id).kind {
        Kind::Mapping(_) | Kind::Sequence(_) => tree.children(id).collect(),
        Kind::Scalar(_) | Kind::Alias | Kind::Empty => Vec::new(),
    };
    tree.spend(all.len());
    all
}

/// What a value is called: by its key in a mapping, by one of its own keys in a list.
pub(super) fn name(tree: &Tree<'_>, id: NodeId, keys: &[&str]) -> Option<String> {
    let own = || keys.iter().find_map(|key| tree.text_of(id, key));
    tree.key(id).or_else(own).map(std::borrow::Cow::into_owned)
}

/// Whether a value hangs below one of these keys.
pub(super) fn is_below(tree: &Tree<'_>, id: NodeId, keys: &[&str]) -> bool {
    let above = tree.ancestors(id).skip(1);
    above.filter_map(|ancestor| tree.key(ancestor)).any(|key| keys.contains(&key.as_ref()))
}

/// Each value of the text with its key's node, in order.
pub(super) fn keyed<'a>(tree: &'a Tree<'_>) -> impl Iterator<Item = (NodeId, NodeId)> + 'a {
    let ids = (0..tree.nodes.len()).filter_map(|at| NodeId::try_from(at).ok());
    ids.filter_map(|id| {
        Some(tree.node(id).slot.key).filter(|key| *key != NodeId::MAX).map(|key| (id, key))
    })
}

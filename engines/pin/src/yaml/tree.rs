//! The flat tree: nodes in the order in which they begin, each with its parent and the end of its subtree.
//!
//! ```text
//! 0 Mapping  next 3
//! 1   Key    `image`
//! 2   Scalar `nginx`   parent 0, key 1
//! ```
//! Looks a value up through aliases and merge keys; never copies one.

use super::value;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;

/// A node's place in the tree.
pub(crate) type NodeId = u32;
/// No node.
pub(crate) const NONE: NodeId = u32::MAX;
/// Merge keys lead to so many mappings at most, for one lookup.
const MERGES_MAX: usize = 64;
/// Keys compared in all lookups of one text at most: about a quarter of a second.
const STEPS_MAX: usize = 50_000_000;

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Block,
    Flow,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    /// Begins with `{{` or `{%`: a template's, not YAML's.
    Template,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mapping(Layout),
    Sequence(Layout),
    Scalar(Style),
    Alias,
    Empty,
}

/// A half-open span of bytes; half the size of a `Range<usize>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Texts are bounded far below 4 GiB, so no offset is cut.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: cut(start), end: cut(end) }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Where a node hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The collection, or [`NONE`] for a document's root.
    pub(crate) parent: NodeId,
    /// The key, for a value in a mapping.
    pub(crate) key: NodeId,
    /// Its place among its siblings.
    pub(crate) index: u32,
}

impl Slot {
    pub(crate) const ROOT: Self = Self { parent: NONE, key: NONE, index: 0 };
}

/// One node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Quotes and block head included; anchor and tag not.
    pub(crate) raw: Span,
    /// The anchor's name without `&`; empty where there is none.
    pub(crate) anchor: Span,
    pub(crate) slot: Slot,
    /// The first node after this one's subtree.
    pub(crate) next: NodeId,
    /// From 0.
    pub(crate) document: u32,
    /// A block scalar's content indentation; an alias's target; else the column of the node's first byte.
    pub(crate) column: u32,
}

/// All nodes of a text.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    pub(crate) text: &'t str,
    pub(crate) nodes: Vec<Node>,
    /// Nodes with an anchor, in order.
    pub(crate) anchors: Vec<NodeId>,
    /// The root of each document.
    pub(crate) roots: Vec<NodeId>,
    /// A template's line or value was met: other readers cannot judge this text.
    pub(crate) is_templated: bool,
    /// Keys compared so far.
    pub(super) steps: Cell<usize>,
}

impl<'t> Tree<'t> {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The bytes of a node as written.
    pub(crate) fn raw(&self, id: NodeId) -> &'t str {
        self.text.get(self.node(id).raw.range()).unwrap_or_default()
    }

    /// A scalar's value; the source text for anything else.
    pub(crate) fn value(&self, id: NodeId) -> Cow<'t, str> {
        let node = self.node(id);
        match node.kind {
            Kind::Scalar(style) => value::decode(self.raw(id), style, node.column as usize),
            Kind::Alias | Kind::Mapping(_) | Kind::Sequence(_) => Cow::Borrowed(self.raw(id)),
            Kind::Empty => Cow::Borrowed(""),
        }
    }

    /// Whether a node is the scalar with this value.
    pub(crate) fn is(&self, id: NodeId, text: &str) -> bool {
        match self.node(id).kind {
            // Most keys are plain: no decoding for them.
            Kind::Scalar(Style::Plain) => self.raw(id) == text,
            Kind::Scalar(_) => self.value(id) == text,
            Kind::Alias | Kind::Mapping(_) | Kind::Sequence(_) | Kind::Empty => false,
        }
    }

    /// The node that an alias stands for, or the node itself; nothing for an unknown alias.
    pub(crate) fn resolve(&self, id: NodeId) -> Option<NodeId> {
        let node = self.node(id);
        if node.kind != Kind::Alias {
            return Some(id);
        }
        // Written by `link_aliases`, which has seen every anchor before this place.
        (node.column != NONE).then_some(node.column)
    }

    /// Writes into every alias which node it stands for: the last anchor of that name before it.
    pub(super) fn link_aliases(&mut self) {
        let mut known: HashMap<&str, NodeId> = HashMap::with_capacity(self.anchors.len());
        let mut document = 0;
        for at in 0..self.nodes.len() {
            let node = self.nodes[at];
            if node.document != document {
                document = node.document;
                known.clear();
            }
            if node.kind == Kind::Alias {
                let name = self.text.get(node.raw.range()).and_then(|raw| raw.strip_prefix('*'));
                let target = name.and_then(|name| known.get(name)).copied();
                self.nodes[at].column = target.unwrap_or(NONE);
            } else if let (false, Some(name)) =
                (node.anchor.is_empty(), self.text.get(node.anchor.range()))
            {
                known.insert(name, NodeId::try_from(at).unwrap_or(NONE));
            }
        }
    }

    /// The values of a mapping or sequence, in order, keys left out.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let is_mapping = matches!(self.node(id).kind, Kind::Mapping(_));
        let end = match self.node(id).kind {
            Kind::Mapping(_) | Kind::Sequence(_) => self.node(id).next,
            Kind::Scalar(_) | Kind::Alias | Kind::Empty => id + 1,
        };
        let mut at = id + 1;
        std::iter::from_fn(move || {
            while at < end {
                let child = at;
                at = self.node(child).next;
                if !is_mapping || self.node(child).slot.key != NONE {
                    return Some(child);
                }
            }
            None
        })
    }

    /// The value under a key that the mapping itself writes; the last one where it is written twice.
    pub(crate) fn own(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        if !matches!(self.node(mapping).kind, Kind::Mapping(_)) {
            return None;
        }
        let mut found = None;
        for child in self.children(mapping) {
            // Lookups among very many keys, repeated very often, are somebody's attack.
            self.spend(1);
            if self.is_exhausted() {
                return None;
            }
            if self.is(self.node(child).slot.key, key) {
                found = Some(child);
            }
        }
        found
    }

    /// The value under a key, also through merge keys (`<<`); an alias in it is not followed.
    pub(crate) fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        self.get_merged(mapping, key, &mut Vec::new())
    }

    fn get_merged(&self, mapping: NodeId, key: &str, seen: &mut Vec<NodeId>) -> Option<NodeId> {
        let mapping = self.resolve(mapping)?;
        if let Some(found) = self.own(mapping, key) {
            return Some(found);
        }
        // Each mapping is asked once, so that merges of merges cost no more than their number.
        if seen.contains(&mapping) || seen.len() >= MERGES_MAX {
            return None;
        }
        seen.push(mapping);
        let merged = self.resolve(self.own(mapping, "<<")?)?;
        match self.node(merged).kind {
            Kind::Mapping(_) => self.get_merged(merged, key, seen),
            // The first of several wins. Source: YAML 1.1, "Merge Key Language-Independent Type".
            Kind::Sequence(_) => {
                self.children(merged).find_map(|source| self.get_merged(source, key, seen))
            }
            Kind::Scalar(_) | Kind::Alias | Kind::Empty => None,
        }
    }

    /// Counts so many keys or entries as looked at: through aliases, few bytes lead to very many.
    pub(crate) fn spend(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// Whether lookups gave up, so that what they answered is not to be trusted.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps.get() > STEPS_MAX
    }

    /// The value of the scalar under a key, aliases followed.
    pub(crate) fn text_of(&self, mapping: NodeId, key: &str) -> Option<Cow<'t, str>> {
        let found = self.resolve(self.get(mapping, key)?)?;
        matches!(self.node(found).kind, Kind::Scalar(_)).then(|| self.value(found))
    }

    /// The key above a node, where it hangs in a mapping.
    pub(crate) fn key(&self, id: NodeId) -> Option<Cow<'t, str>> {
        let key = self.node(id).slot.key;
        (key != NONE).then(|| self.value(key))
    }

    /// The collection that holds a node.
    pub(crate) fn parent(&self, id: NodeId) -> Option<NodeId> {
        let parent = self.node(id).slot.parent;
        (parent != NONE).then_some(parent)
    }

    /// The node and all above it, innermost first.
    pub(crate) fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(id), |at| self.parent(*at))
    }

    /// The way from the root for people: `spec.containers[0].image`.
    pub(crate) fn path(&self, id: NodeId) -> String {
        let mut steps: Vec<NodeId> = self.ancestors(id).collect();
        steps.pop(); // the root has no name
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match self.key(step) {
                Some(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&key);
                }
                None => {
                    path.push('[');
                    path.push_str(&self.node(step).slot.index.to_string());
                    path.push(']');
                }
            }
        }
        path
    }
}

//! A text as a line of marks: what must stay the same across an edit, and between two readers.
//!
//! ```text
//! a: [b]   ->   Document  Open(Mapping)  Scalar a  Open(Sequence)  Scalar b  Close  Close
//! ```

use super::tree::{Kind, NodeId, Tree};
use std::borrow::Cow;
use std::ops::Range;

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Document,
    Mapping,
    Sequence,
    Close,
    Scalar,
    Alias,
}

/// One step through a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark<'t> {
    pub(crate) shape: Shape,
    /// What it says; empty for structure.
    pub(crate) value: Cow<'t, str>,
    /// Its bytes; for a block of text they begin at its head.
    pub(crate) span: Range<usize>,
    /// Whether both readers must see the same bytes: for words on a line and quotes they must.
    pub(crate) is_exact: bool,
    /// Whether an anchor stands before it.
    pub(crate) is_anchored: bool,
}

/// The marks of our own reading.
pub(crate) fn marks<'t>(tree: &Tree<'t>) -> Vec<Mark<'t>> {
    let mut all = Vec::with_capacity(tree.nodes.len() * 2);
    let mut open: Vec<NodeId> = Vec::new();
    let close = |at: usize| structure(Shape::Close, at..at);
    for (at, node) in tree.nodes.iter().enumerate() {
        let id = NodeId::try_from(at).unwrap_or(NodeId::MAX);
        while open.last().is_some_and(|top| tree.node(*top).next <= id) {
            open.pop();
            all.push(close(node.raw.range().start));
        }
        if tree.parent(id).is_none() {
            all.push(structure(Shape::Document, node.raw.range()));
        }
        let shape = match node.kind {
            Kind::Mapping(_) => Shape::Mapping,
            Kind::Sequence(_) => Shape::Sequence,
            Kind::Scalar(_) | Kind::Empty => Shape::Scalar,
            Kind::Alias => Shape::Alias,
        };
        let is_collection = matches!(shape, Shape::Mapping | Shape::Sequence);
        all.push(Mark {
            shape,
            value: if is_collection { Cow::Borrowed("") } else { tree.value(id) },
            span: node.raw.range(),
            is_exact: is_exact(node.kind),
            is_anchored: !node.anchor.is_empty(),
        });
        if is_collection {
            open.push(id);
        }
    }
    all.extend(open.iter().map(|_| close(tree.text.len())));
    all
}

fn is_exact(kind: Kind) -> bool {
    use super::tree::Style;
    match kind {
        Kind::Scalar(style) => match style {
            Style::Plain | Style::Single | Style::Double => true,
            Style::Literal | Style::Folded | Style::Template => false,
        },
        Kind::Alias => true,
        Kind::Mapping(_) | Kind::Sequence(_) | Kind::Empty => false,
    }
}

pub(super) fn structure(shape: Shape, span: Range<usize>) -> Mark<'static> {
    Mark { shape, value: Cow::Borrowed(""), span, is_exact: false, is_anchored: false }
}

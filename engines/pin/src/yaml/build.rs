//! Hanging what was read into the tree.

use super::lexer::{Atom, Lexer, Properties};
use super::tree::{Kind, NONE, Node, NodeId, Slot, Span};
use super::{ANCHORS_MAX, Broken, DEPTH_MAX, What};

impl Lexer<'_> {
    /// Hangs a node into the tree.
    pub(super) fn push(
        &mut self,
        kind: Kind,
        raw: Span,
        slot: Slot,
        properties: Properties,
    ) -> Result<NodeId, Broken> {
        let id = u32::try_from(self.tree.nodes.len()).unwrap_or(NONE);
        let column = u32::try_from(self.column()).unwrap_or(0);
        self.tree.nodes.push(Node {
            kind,
            raw,
            anchor: properties.anchor,
            slot,
            next: id + 1,
            document: self.document,
            column,
        });
        if !properties.anchor.is_empty() {
            if self.tree.anchors.len() >= ANCHORS_MAX {
                return self.fail(What::Anchors);
            }
            self.tree.anchors.push(id);
        }
        if slot.parent == NONE {
            self.tree.roots.push(id);
        }
        Ok(id)
    }

    pub(super) fn push_atom(
        &mut self,
        atom: Atom,
        slot: Slot,
        properties: Properties,
    ) -> Result<NodeId, Broken> {
        let id = self.push(atom.kind, atom.raw, slot, properties)?;
        self.tree.nodes[id as usize].column = atom.column;
        Ok(id)
    }

    pub(super) fn push_empty(
        &mut self,
        slot: Slot,
        properties: Properties,
    ) -> Result<NodeId, Broken> {
        self.push(Kind::Empty, Span::new(self.at, self.at), slot, properties)
    }

    /// Opens a collection: everything until [`Self::close`] is inside.
    pub(super) fn open(
        &mut self,
        kind: Kind,
        slot: Slot,
        properties: Properties,
    ) -> Result<NodeId, Broken> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail(What::Depth);
        }
        self.push(kind, Span::new(self.at, self.at), slot, properties)
    }

    pub(super) fn close(&mut self, id: NodeId) {
        self.depth -= 1;
        let end = Span::new(self.at, self.at).end;
        let next = u32::try_from(self.tree.nodes.len()).unwrap_or(NONE);
        let node = &mut self.tree.nodes[id as usize];
        node.raw.end = end;
        node.next = next;
    }

    /// Puts a mapping around the subtree that begins at `first`, which becomes its first key.
    pub(super) fn wrap(&mut self, first: NodeId, layout: super::Layout) -> Result<NodeId, Broken> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail(What::Depth);
        }
        let key = self.tree.nodes[first as usize];
        for node in &mut self.tree.nodes[first as usize..] {
            node.next += 1;
            for id in [&mut node.slot.parent, &mut node.slot.key] {
                if *id != NONE && *id >= first {
                    *id += 1;
                }
            }
        }
        for anchor in &mut self.tree.anchors {
            if *anchor >= first {
                *anchor += 1;
            }
        }
        self.tree.nodes.insert(
            first as usize,
            Node { kind: Kind::Mapping(layout), anchor: Span::default(), ..key },
        );
        self.tree.nodes[first as usize + 1].slot = Slot { parent: first, key: NONE, index: 0 };
        Ok(first)
    }
}

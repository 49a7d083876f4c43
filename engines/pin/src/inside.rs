//! YAML that stands as text in a block of another YAML, byte by byte.
//!
//! ```text
//! patch: |-                              apiVersion: apps/v1
//!   apiVersion: apps/v1          ->      kind: Deployment       and for each byte of it, where it stands in the file
//!   kind: Deployment
//! ```
//! Only `|` blocks: in them each line is a line of the text, behind the indentation.

use crate::place::line_end;
use crate::yaml::{Kind, NodeId, Style, Tree};
use std::ops::Range;

/// The text of a block, and where its lines stand in the file.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) text: String,
    /// The bytes of the block, its head included.
    pub(crate) block: Range<usize>,
    /// Where each line begins: in the text, and in the file.
    lines: Vec<(usize, usize)>,
}

impl Inner {
    /// Opens a `|` block; nothing for any other node.
    pub(crate) fn of(tree: &Tree<'_>, node: NodeId) -> Option<Self> {
        let kind = tree.node(node).kind;
        if kind != Kind::Scalar(Style::Literal) {
            return None;
        }
        let (block, indent) = (tree.node(node).raw.range(), tree.node(node).column as usize);
        let text = tree.value(node).into_owned();
        let mut lines = Vec::new();
        let mut at = line_end(tree.text, block.start);
        let mut written = 0;
        while at < block.end {
            at += if tree.text[at..].starts_with("\r\n") { 2 } else { 1 };
            let end = line_end(tree.text, at.min(tree.text.len())).min(block.end);
            let line = tree.text.get(at..end)?;
            let blanks = line.bytes().take(indent).take_while(|byte| *byte == b' ').count();
            lines.push((written, at + blanks));
            written += line.len() - blanks + 1;
            at = end;
        }
        Some(Self { text, block, lines })
    }

    /// Where bytes of the text stand in the file; nothing where they go over a line's end.
    pub(crate) fn outer(&self, file: &str, inner: &Range<usize>) -> Option<Range<usize>> {
        let line = self.lines.partition_point(|(start, _)| *start <= inner.start).checked_sub(1)?;
        let (start, at) = self.lines[line];
        let from = at + (inner.start - start);
        let outer = from..from + inner.len();
        // The proof that the lines were counted as they are.
        let wanted = self.text.get(inner.clone())?;
        let is_same = file.get(outer.clone())? == wanted && !wanted.contains('\n');
        (is_same && outer.end <= self.block.end).then_some(outer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn each_byte_is_found_where_it_stands() {
        let cases = [
            "a:\n  b: |-\n    x: 1\n\n      y: image\n    z: ü\nc: d\n",
            "a:\r\n  b: |\r\n    x: 1\r\n\r\n      y: image\r\n    z: ü\r\nc: d\r\n",
            "a:\n- b: |2+ # note\n    x: 1\n    y: image\n\n",
        ];
        for text in cases {
            let tree = yaml::scan(text).unwrap();
            let node = (0..tree.nodes.len()).map(|at| NodeId::try_from(at).unwrap());
            let inner = node.filter_map(|node| Inner::of(&tree, node)).next().unwrap();
            let at = inner.text.find("image").unwrap();
            let outer = inner.outer(text, &(at..at + 5)).unwrap();
            assert_eq!((&text[outer.clone()], outer.start), ("image", text.find("image").unwrap()));
            let line = inner.text.find('\n').unwrap();
            assert_eq!(inner.outer(text, &(line - 1..line + 3)), None, "{text:?}");
        }
        let folded = "a: >-\n  image: x\n";
        let tree = yaml::scan(folded).unwrap();
        assert!((0..3).all(|node| Inner::of(&tree, node).is_none()));
    }
}

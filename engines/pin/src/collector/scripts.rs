//! The shell scripts inside of pipelines: what their commands are given is seen, never edited.
//!
//! ```text
//! - run: |
//!     kubectl set image deploy/api api=shop/api:1.4     -> jobs.x.steps[0].run: kubectl set image
//! ```
//! The bytes of the file are read as the script: indentation says nothing to a shell. A script in quotes with escapes
//! is not read.

use super::Collector;
use crate::gather::Gatherer;
use crate::shell::{Breaks, see_script};
use crate::yaml::{Kind, NodeId, Style};
use std::ops::Range;

impl Collector<'_, '_> {
    /// Looks at every text below these keys, in a list or alone.
    pub(crate) fn see_scripts(&mut self, keys: &[&str]) {
        if keys.is_empty() {
            return;
        }
        let tree = self.tree;
        let mut all = Gatherer::new(tree.text);
        for at in 0..tree.nodes.len() {
            let Ok(id) = NodeId::try_from(at) else {
                return;
            };
            if self.is_full() || all.is_full() {
                break;
            }
            if tree.key(id).is_some_and(|key| keys.contains(&key.as_ref())) {
                self.see_texts(&mut all, id);
            }
        }
        self.sites.extend(all.finish());
    }

    fn see_texts(&self, all: &mut Gatherer<'_>, id: NodeId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match self.tree.node(id).kind {
                Kind::Sequence(_) => open.extend(self.tree.children(id)),
                Kind::Scalar(style) => {
                    if let Some((part, breaks)) = self.script(id, style) {
                        see_script(all, self.tree.text, part, breaks, &self.tree.path(id));
                    }
                }
                Kind::Mapping(_) | Kind::Alias | Kind::Empty => {}
            }
        }
    }

    /// The bytes of a script, and what its lines are.
    fn script(&self, id: NodeId, style: Style) -> Option<(Range<usize>, Breaks)> {
        let raw = self.tree.node(id).raw.range();
        let written = self.tree.raw(id);
        let body = |breaks| {
            let head = written.find(['\n', '\r'])?;
            Some((raw.start + head..raw.end, breaks))
        };
        match style {
            Style::Literal => body(Breaks::End),
            Style::Folded => body(Breaks::Blank),
            Style::Plain => Some((raw.clone(), Breaks::Blank)),
            Style::Single | Style::Double if !written.contains(['\\']) => {
                let inner = raw.start + 1..raw.end.saturating_sub(1).max(raw.start + 1);
                (!self.tree.text.get(inner.clone())?.contains("''"))
                    .then_some((inner, Breaks::Blank))
            }
            Style::Single | Style::Double | Style::Template => None,
        }
    }
}

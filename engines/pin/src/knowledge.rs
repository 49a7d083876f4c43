//! What is known beside a text: where objects of custom kinds have their images, and how a chart uses its values.
//!
//! ```text
//! example.com Agent  spec.agent.runtime  ->  an image        (read from a CustomResourceDefinition of the same tree)
//! ```
//! Whoever walks a tree gathers it; a scan without it knows the formats and the shipped kinds alone.

use crate::helm::Usage;
use std::collections::BTreeMap;

/// Paths that are kept of one tree at most.
pub const PATHS_MAX: usize = 10_000;

/// A place in objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownPath {
    /// Of the `apiVersion`, without the version.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// From the object: `spec.steps[].image`; `*` is any key.
    pub path: String,
    /// What stands there.
    pub holds: Holds,
}

/// What stands at a known place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// A reference.
    Image,
    /// A mapping of repository, tag and digest.
    Parts,
    /// A base image with tag, version or the hex digits of a digest in keys beside it.
    Base,
    /// The name of what a build makes.
    Built,
    /// A part of one or several names that a program joins.
    Part,
    /// A name, where the key `kind` beside it says `DockerImage`.
    Named,
    /// A list like that of a kustomization.
    Kustomize,
    /// Values of a Helm chart.
    Values,
    /// No container image, whatever its key is called.
    Nothing,
}

/// What is known beside a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    by_kind: BTreeMap<(String, String), Vec<(String, Holds)>>,
    paths: usize,
    chart: Option<Usage>,
}

impl Knowledge {
    /// Adds what the definitions of a tree say; what is above [`PATHS_MAX`] is not kept.
    pub fn learn(&mut self, paths: impl IntoIterator<Item = KnownPath>) {
        for known in paths {
            let own = self.by_kind.entry((known.group, known.kind)).or_default();
            let entry = (known.path, known.holds);
            if self.paths < PATHS_MAX && !own.contains(&entry) {
                own.push(entry);
                self.paths += 1;
            }
        }
    }

    /// The same, for the values of a chart whose templates were read.
    #[must_use]
    pub fn with_chart(chart: Usage) -> Self {
        Self { chart: Some(chart), ..Self::default() }
    }

    /// How the chart uses the values that are read.
    pub(crate) fn chart(&self) -> Option<&Usage> {
        self.chart.as_ref()
    }

    /// Whether no kind is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths == 0
    }

    /// Whether any kind of a group is known.
    #[must_use]
    pub fn has_group(&self, group: &str) -> bool {
        self.by_kind.keys().any(|(own, _)| own == group)
    }

    /// Whether a text may hold an object of a kind that is known: both its names stand in it.
    #[must_use]
    pub fn may_know(&self, text: &str) -> bool {
        let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
        self.by_kind.keys().any(|(group, kind)| has(kind) && has(group))
    }

    /// The paths of one kind.
    pub(crate) fn of(&self, group: &str, kind: &str) -> &[(String, Holds)] {
        if self.by_kind.is_empty() {
            return &[];
        }
        self.by_kind.get(&(group.to_owned(), kind.to_owned())).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(path: String) -> KnownPath {
        KnownPath { group: "g.example.com".into(), kind: "K".into(), path, holds: Holds::Image }
    }

    #[test]
    fn so_many_paths_are_kept_and_no_more() {
        let mut all = Knowledge::default();
        all.learn((0..PATHS_MAX).map(|at| known(format!("spec.p{at}"))));
        assert_eq!(all.of("g.example.com", "K").len(), PATHS_MAX);
        all.learn([known("spec.more".to_owned())]);
        assert_eq!(all.of("g.example.com", "K").len(), PATHS_MAX);
    }

    #[test]
    fn a_text_without_the_names_of_a_kind_is_not_looked_at_again() {
        let mut all = Knowledge::default();
        assert!(!all.may_know("apiVersion: g.example.com/v1\nkind: K\n"));
        all.learn([known("spec.a".to_owned())]);
        assert!(all.may_know("apiVersion: g.example.com/v1\nkind: K\n"));
        assert!(!all.may_know("apiVersion: g.example.com/v1\nkind: Other\n"));
    }
}

//! The values that `${{ matrix.… }}` stands for.
//!
//! ```text
//! matrix: {image: [a:1, b:2], include: [{image: c:3}]}     ${{ matrix.image }} -> a:1, b:2, c:3
//! ```
//! An expression with anything beside the variable leads nowhere; so does a matrix that another job makes.
//! Values below `exclude` are led to as well: they must go on being equal to those they take away. Where the job
//! compares the variable with something, that is told: `if: matrix.image == 'a:1'`.

use super::compared::{compared, parts};
use crate::yaml::{Kind, NodeId, Tree};
use std::cell::OnceCell;
use std::collections::HashSet;

/// The most entries of matrices that are looked at in one text, for each use again.
///
/// Source: GitHub makes at most 256 jobs of one matrix; this is sixteen such.
pub(super) const ENTRIES_MAX: usize = 4_096;

/// The matrix of a job.
pub(super) struct Matrix<'t> {
    tree: &'t Tree<'t>,
    job: NodeId,
    node: Option<NodeId>,
    /// The variables that the job compares; found when first asked for.
    compared: OnceCell<HashSet<Vec<&'t str>>>,
}

/// What an expression leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) values: Vec<NodeId>,
    /// Whether there can be no other.
    pub(super) is_whole: bool,
    /// Whether the job asks somewhere whether it equals something.
    pub(super) is_compared: bool,
}

impl<'t> Matrix<'t> {
    pub(super) fn of(tree: &'t Tree<'t>, job: NodeId) -> Self {
        let matrix = tree.get(job, "strategy").and_then(|strategy| tree.get(strategy, "matrix"));
        let node = matrix.and_then(|id| tree.resolve(id));
        Self { tree, job, node, compared: OnceCell::new() }
    }

    /// The values of `${{ matrix.a.b }}`; none where the text is anything else.
    pub(super) fn values(&self, text: &str, left: &mut usize) -> Values {
        let (Some(matrix), Some(path)) = (self.node, variable(text)) else {
            return Values::default();
        };
        if !matches!(self.tree.node(matrix).kind, Kind::Mapping(_)) {
            return Values::default();
        }
        let all = self.compared.get_or_init(|| {
            compared(self.tree.resolve(self.job).map_or("", |job| self.tree.raw(job)))
        });
        let is_compared = all.contains(&path);
        let mut found = Values { values: Vec::new(), is_whole: true, is_compared };
        if let Some(own) = self.tree.get(matrix, path[0]) {
            self.each(own, &path[1..], &mut found, left);
        }
        for key in ["include", "exclude"] {
            if let Some(list) = self.tree.get(matrix, key) {
                self.each(list, &path, &mut found, left);
            }
        }
        found.is_whole &= !found.values.is_empty();
        found
    }

    /// Follows the path from each entry of a list.
    fn each(&self, list: NodeId, path: &[&str], found: &mut Values, left: &mut usize) {
        let tree = self.tree;
        let Some(list) = tree.resolve(list) else { return };
        match tree.node(list).kind {
            Kind::Sequence(_) => {
                for entry in tree.children(list) {
                    if *left == 0 {
                        found.is_whole = false;
                        return;
                    }
                    *left -= 1;
                    let mut value = Some(entry);
                    for part in path {
                        value = value.and_then(|value| tree.get(value, part));
                    }
                    found.values.extend(value);
                }
            }
            // An expression makes the list.
            Kind::Scalar(_) | Kind::Mapping(_) | Kind::Alias => found.is_whole = false,
            Kind::Empty => {}
        }
    }
}

/// The parts behind `matrix` in `${{ matrix.a['b'] }}`.
fn variable(text: &str) -> Option<Vec<&str>> {
    let inner = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let (path, behind) = parts(inner.strip_prefix("matrix")?)?;
    behind.is_empty().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_variable_of_the_matrix_alone_is_one() {
        assert_eq!(variable("${{ matrix.image }}"), Some(vec!["image"]));
        assert_eq!(variable(" ${{matrix.a-b['c d'].e_1}} "), Some(vec!["a-b", "c d", "e_1"]));
        for other in [
            "${{ matrix }}",
            "${{ matrix. }}",
            "${{ matrix.a || 'b' }}",
            "node:${{ matrix.a }}",
            "${{ matrix.a }}-x",
            "${{ matrix.a }}${{ matrix.b }}",
            "${{ matrixes.a }}",
            "${{ env.matrix.a }}",
            "${{ matrix[0] }}",
            "${{ matrix['a''b'] }}",
            "matrix.a",
        ] {
            assert_eq!(variable(other), None, "{other}");
        }
    }

    #[test]
    fn so_many_entries_are_looked_at_and_no_more() {
        let list = |n: usize| format!("strategy: {{matrix: {{a: [{}]}}}}\n", "x, ".repeat(n));
        for (n, left, values, is_whole) in [(3, 3, 3, true), (4, 3, 3, false)] {
            let text = list(n);
            let tree = crate::yaml::scan(&text).expect("it is YAML");
            let mut rest = left;
            let found = Matrix::of(&tree, tree.roots[0]).values("${{ matrix.a }}", &mut rest);
            assert_eq!((found.values.len(), found.is_whole, rest), (values, is_whole, 0));
        }
    }
}

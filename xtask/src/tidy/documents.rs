//! The map stays a map (ARCHITECTURE.md has 200 lines), and decisions are numbered without a gap.

use super::tree::{Finding, Tree, name};

const MAP: &str = "ARCHITECTURE.md";
const MAP_LINES_MAX: usize = 200;
const DECISIONS: &str = "docs/decisions/";

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let map_lines = tree.text(MAP).map_or(0, |text| text.lines().count());
    if map_lines > MAP_LINES_MAX {
        let message = format!("{map_lines} lines, the limit is {MAP_LINES_MAX}: keep it a map");
        findings.push(Finding::new(MAP, MAP_LINES_MAX + 1, message));
    }
    let decisions = tree.texts().filter(|(path, _)| {
        path.starts_with(DECISIONS) && path.ends_with(".md") && name(path) != "README.md"
    });
    for (index, (path, _)) in decisions.enumerate() {
        let expected = format!("{:04}-", index + 1);
        if !name(path).starts_with(&expected) {
            let message =
                format!("the next decision is numbered `{expected}`: no gap, no number twice");
            findings.push(Finding::new(path, 1, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maps_limit_is_at_and_one_above() {
        let found = |lines| findings(&Tree::planted(&[(MAP, &"a\n".repeat(lines))])).len();
        assert_eq!((found(200), found(201)), (0, 1));
    }

    #[test]
    fn a_gap_and_a_double_are_found() {
        let gap =
            Tree::planted(&[("docs/decisions/0001-a.md", ""), ("docs/decisions/0003-b.md", "")]);
        assert_eq!(findings(&gap).len(), 1);
        let double =
            Tree::planted(&[("docs/decisions/0001-a.md", ""), ("docs/decisions/0001-b.md", "")]);
        assert_eq!(findings(&double).len(), 1);
        let good =
            Tree::planted(&[("docs/decisions/0001-a.md", ""), ("docs/decisions/README.md", "")]);
        assert!(findings(&good).is_empty());
    }
}

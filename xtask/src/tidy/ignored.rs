//! No ignored test: one that cannot run says so and is counted (`testbed::skip`), one that is
//! wrong is repaired or removed.

use super::tree::{Finding, Tree};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let ignored = tree.rust().flat_map(|(path, source)| {
        source.lines().filter(|(_, line)| is_ignore(line)).map(move |(number, _)| {
            Finding::new(
                path,
                number,
                "an ignored test: `testbed::skip` counts one that cannot run",
            )
        })
    });
    ignored.collect()
}

fn is_ignore(line: &str) -> bool {
    let line: String = line.split_whitespace().collect();
    ["#[ignore]", "#[ignore=", ",ignore)]", ",ignore="].iter().any(|form| line.contains(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found_and_a_comment_is_not() {
        let text = "#[ignore]\n#[ ignore = \"slow\" ]\n#[cfg_attr(windows, ignore)]\n\
                    // #[ignore]\nlet ignore = 1;\n";
        let tree = Tree::planted(&[("a/src/a.rs", text)]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| finding.line).collect();
        assert_eq!(found, [1, 2, 3]);
    }
}

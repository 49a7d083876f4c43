//! No name of one machine or one network in the tree: a path of somebody's checkout, or a host of
//! a package registry. Both work where they were written and nowhere else.

use super::tree::{Finding, Tree};

/// In two parts each, so that this file is not its own finding.
const NAMES: [(&str, &str); 12] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("proxy.go", "lang.org"),
    ("sum.go", "lang.org"),
    ("static.cra", "tes.io"),
    ("index.cra", "tes.io"),
    ("registry.npm", "js.org"),
    ("files.python", "hosted.org"),
    ("py", "pi.org"),
    ("repo.maven.ap", "ache.org"),
    ("repo1.ma", "ven.org"),
    ("deb.deb", "ian.org"),
];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let names: Vec<String> = NAMES.iter().map(|(start, end)| format!("{start}{end}")).collect();
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (index, line) in text.lines().enumerate() {
            for name in names.iter().filter(|name| holds(line, name)) {
                let message = format!("`{name}` is a name of one machine or network");
                findings.push(Finding::new(path, index + 1, message));
            }
        }
    }
    findings
}

/// A path counts where it begins: `docs/work/` is another one.
fn holds(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !name.starts_with('/')
            || before.is_none_or(|letter| !letter.is_alphanumeric() && !"._-/~}$)".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_path_and_host_are_found() {
        let text =
            format!("a\ncd {}\nsee {}\n", ["/wo", "rk/x"].concat(), ["py", "pi.org"].concat());
        let tree = Tree::planted(&[("README.md", &text)]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| finding.line).collect();
        assert_eq!(found, [2, 3]);
    }

    #[test]
    fn a_longer_path_that_ends_alike_is_not() {
        for start in ["docs", "${HOME}", "~", "target-"] {
            let text = format!("{start}{}", ["/wo", "rk/x"].concat());
            assert!(findings(&Tree::planted(&[("a.md", &text)])).is_empty(), "{start}");
        }
    }
}

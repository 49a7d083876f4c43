//! Every crate keeps the workspace's lints: a crate without them is a crate without laws.

use super::tree::{Finding, Tree};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.texts().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let bad = manifests.filter(|(_, text)| is_crate(text) && !inherits(text));
    let message = "the crate does not inherit the lints: add `[lints]` `workspace = true`";
    bad.map(|(path, _)| Finding::new(path, 1, message)).collect()
}

fn is_crate(manifest: &str) -> bool {
    manifest.lines().any(|line| line.trim() == "[package]")
}

fn inherits(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.find(|line| !line.is_empty()) == Some("workspace = true")
        || manifest.lines().any(|line| line.trim() == "lints.workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let tree = Tree::planted(&[
            ("a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n[lints.rust]\nunsafe_code = \"allow\"\n"),
            ("c/Cargo.toml", "[package]\nname = \"c\"\n"),
        ]);
        let found: Vec<_> = findings(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["b/Cargo.toml", "c/Cargo.toml"]);
    }
}

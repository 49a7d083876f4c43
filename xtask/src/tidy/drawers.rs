//! No drawer modules: a name that says nothing collects everything.

use super::tree::{Finding, Tree};

const DRAWERS: [&str; 8] =
    ["utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let by_path = tree.rust().filter_map(|(path, _)| {
        let mut parts = path.trim_end_matches(".rs").split('/');
        let drawer = parts.find(|part| DRAWERS.contains(part))?;
        Some(Finding::new(path, 1, message(drawer)))
    });
    let inline = tree.rust().flat_map(|(path, source)| {
        source.lines().filter_map(move |(number, line)| {
            let (_, after) = line.split_once("mod ")?;
            let name = after.strip_suffix('{')?.trim();
            DRAWERS.contains(&name).then(|| Finding::new(path, number, message(name)))
        })
    });
    by_path.chain(inline).collect()
}

fn message(drawer: &str) -> String {
    format!("`{drawer}` is a drawer: name the module after what it holds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawers_are_found_as_files_folders_and_modules() {
        let tree = Tree::planted(&[
            ("a/src/utils.rs", ""),
            ("a/src/common/b.rs", ""),
            ("a/src/c.rs", "fn f() {}\nmod helpers {\n}\n// mod util {\n"),
            ("a/src/community.rs", ""),
        ]);
        let found: Vec<_> =
            findings(&tree).iter().map(|f| format!("{}:{}", f.path, f.line)).collect();
        assert_eq!(found, ["a/src/common/b.rs:1", "a/src/utils.rs:1", "a/src/c.rs:2"]);
    }
}

//! Every listed mutation still has its line: `cargo xtask mutate` breaks what is there, not what was.

use super::tree::{Finding, Tree, name};
use crate::mutate::list;

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let lists = tree.texts().filter(|(path, _)| path.starts_with(list::FOLDER));
    let lists = lists.filter(|(path, _)| name(path).ends_with(".toml"));
    lists.flat_map(|(path, text)| of_list(tree, path, text)).collect()
}

fn of_list(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let mutations = match list::parse(text) {
        Ok(mutations) => mutations,
        Err(error) => return vec![Finding::new(path, 1, error.to_string().replace('\n', " "))],
    };
    let stale = mutations.iter().filter_map(|mutation| {
        let line = list::line_of(text, mutation);
        let Some(file) = tree.text(&mutation.file) else {
            return Some(Finding::new(path, line, format!("{} is not there", mutation.file)));
        };
        let error = mutation.applied_to(file).err()?;
        Some(Finding::new(path, line, format!("{}: {error}", mutation.file)))
    });
    stale.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\n[[mutation]]\nlaw = 2\nbreaks = \"b\"\nfile = \"a.rs\"\n\
                        find = \"if same {\"\nreplace = \"if true {\"\npackage = \"domain\"\n";

    fn found(text: &str) -> Vec<String> {
        let tree = Tree::planted(&[("xtask/mutations/a.toml", LIST), ("a.rs", text)]);
        findings(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_that_is_gone_or_there_twice_is_found() {
        assert!(found("  if same {\n").is_empty());
        let gone = "xtask/mutations/a.toml:6: a.rs: the line occurs 0 times, not once";
        assert_eq!(found("if other {\n"), [gone]);
        assert_eq!(found("if same {\nif same {\n").len(), 1);
    }
}

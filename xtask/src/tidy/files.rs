//! No forgotten file: each Rust file is reached by a `mod` line, and each crate's public tests are
//! one program, `tests/all/main.rs`, because linking is what two cores do worst.

use std::collections::BTreeSet;

use super::tree::{Finding, Tree, folder, name};

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut reached = BTreeSet::new();
    for (path, _) in tree.rust().filter(|(path, _)| is_start(path)) {
        reach(tree, path, &mut reached);
    }
    for (path, _) in tree.rust() {
        if is_own_test_program(path) {
            let message = "one test program a crate: make it a module of tests/all/main.rs";
            findings.push(Finding::new(path, 1, message));
        } else if belongs_to_a_crate(path) && !reached.contains(path) {
            findings.push(Finding::new(
                path,
                1,
                "no `mod` line reaches this file: it is not built",
            ));
        }
    }
    findings
}

/// Where a crate begins.
fn is_start(path: &str) -> bool {
    path.ends_with("/src/lib.rs")
        || path.ends_with("/src/main.rs")
        || path.ends_with("/tests/all/main.rs")
        || name(folder(path)) == "bin" && path.contains("/src/")
        || path.ends_with("/build.rs")
        || belongs_to_benches_or_examples(path)
}

fn belongs_to_a_crate(path: &str) -> bool {
    path.contains("/src/") || path.contains("/tests/")
}

/// Cargo finds these by their folder.
fn belongs_to_benches_or_examples(path: &str) -> bool {
    matches!(name(folder(path)), "benches" | "examples" | "fuzz_targets")
}

/// `CRATE/tests/x.rs` is a program of its own to cargo.
fn is_own_test_program(path: &str) -> bool {
    name(folder(path)) == "tests" && !path.contains("/src/") && !path.contains("/tests/all/")
}

fn reach<'a>(tree: &'a Tree, path: &'a str, reached: &mut BTreeSet<&'a str>) {
    if !reached.insert(path) {
        return;
    }
    let candidates = modules(tree, path);
    for (found, _) in tree.rust() {
        if candidates.contains(found) {
            reach(tree, found, reached);
        }
    }
}

/// The files that the `mod` lines of a file may mean.
fn modules(tree: &Tree, path: &str) -> BTreeSet<String> {
    let (Some(source), Some(text)) = (tree.rust_file(path), tree.text(path)) else {
        return BTreeSet::new();
    };
    let here = folder(path);
    let stem = name(path).trim_end_matches(".rs");
    let below = match stem {
        "lib" | "main" | "mod" => here.to_owned(),
        _ if is_start(path) => here.to_owned(),
        _ => format!("{here}/{stem}"),
    };
    let mut files = BTreeSet::new();
    for (number, line) in source.lines() {
        if let Some(module) = declared(line) {
            files.insert(format!("{below}/{module}.rs"));
            files.insert(format!("{below}/{module}/mod.rs"));
        }
        // The literal is blank in the source, so it is read from the text.
        if line.contains("#[path =") {
            let literal = text.lines().nth(number - 1).and_then(|raw| raw.split('"').nth(1));
            files.extend(literal.map(|file| resolved(here, file)));
        }
    }
    files
}

/// The name in `mod name;`, whatever stands before it.
fn declared(line: &str) -> Option<&str> {
    let at = super::source::words(line, "mod").next()?;
    let (module, _) = line[at + "mod".len()..].split_once(';')?;
    let module = module.trim();
    (!module.contains('{')).then(|| module.trim_start_matches("r#"))
}

/// `../a.rs` seen from `x/y` is `x/a.rs`.
fn resolved(here: &str, file: &str) -> String {
    let mut parts: Vec<_> = here.split('/').collect();
    for part in file.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        findings(&Tree::planted(files)).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_file_without_a_mod_line_is_found() {
        let files = [
            ("a/src/lib.rs", "pub mod one;\nmod two;"),
            ("a/src/one.rs", "mod deep;"),
            ("a/src/one/deep.rs", ""),
            ("a/src/two/mod.rs", ""),
            ("a/src/three.rs", ""),
            ("a/tests/all/main.rs", "// mod lost;\nmod kept;"),
            ("a/tests/all/kept.rs", ""),
            ("a/tests/all/lost.rs", ""),
        ];
        assert_eq!(found(&files), ["a/src/three.rs", "a/tests/all/lost.rs"]);
    }

    #[test]
    fn a_second_test_program_is_found() {
        let files = [("a/tests/all/main.rs", ""), ("a/tests/other.rs", "")];
        assert_eq!(found(&files), ["a/tests/other.rs"]);
    }

    #[test]
    fn a_path_attribute_reaches_its_file() {
        let files = [
            ("a/src/lib.rs", "#[path = \"../shared/x.rs\"]\nmod x;"),
            ("a/shared/x.rs", ""),
            ("a/src/bin/tool.rs", "mod part;"),
            ("a/src/bin/part.rs", ""),
        ];
        assert!(found(&files).is_empty());
        assert_eq!(resolved("a/src", "../b/./c.rs"), "a/b/c.rs");
    }
}

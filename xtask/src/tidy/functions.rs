//! A function fits one screen: 70 lines from `fn` to its closing brace.

use super::source::Source;
use super::tree::{Finding, Tree};

const LINES_MAX: usize = 70;

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let long = tree.rust().flat_map(|(path, source)| {
        functions(source).filter(|function| function.lines > LINES_MAX).map(move |function| {
            let Function { name, first, lines } = function;
            let message = format!("`{name}` has {lines} lines, the limit is {LINES_MAX}");
            Finding::new(path, first, message)
        })
    });
    long.collect()
}

struct Function<'a> {
    name: &'a str,
    /// The line of its `fn`.
    first: usize,
    lines: usize,
}

/// Every `fn NAME` with a body; a `fn(…)` type has no name, a trait's method no body.
fn functions(source: &Source) -> impl Iterator<Item = Function<'_>> {
    source.words("fn").filter_map(|at| {
        let text = source.text();
        let after = text[at + "fn".len()..].trim_start();
        let is_name = |letter: char| letter == '_' || letter == '#' || letter.is_alphanumeric();
        let name = &after[..after.find(|letter| !is_name(letter))?];
        if name.is_empty() {
            return None;
        }
        let end = body_end(text, at)?;
        let (first, last) = (source.line_of(at), source.line_of(end));
        Some(Function { name, first, lines: last - first + 1 })
    })
}

/// Where the body of the function at `at` closes; none if a `;` comes before it opens.
fn body_end(text: &str, at: usize) -> Option<usize> {
    let mut brackets = 0_usize;
    let mut braces = 0_usize;
    for (index, letter) in text[at..].char_indices() {
        match letter {
            // `[u8; 32]` in the signature is no end of it.
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 && brackets == 0 => return Some(at + index),
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let tree = Tree::planted(&[("domain/src/a.rs", text)]);
        findings(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_limit_is_at_and_one_above() {
        let function =
            |lines: usize| format!("\nfn long() {{\n{}}}\n", "    a();\n".repeat(lines - 2));
        assert!(found(&function(70)).is_empty());
        let one_above = "domain/src/a.rs:2: `long` has 71 lines, the limit is 70";
        assert_eq!(found(&function(71)), [one_above]);
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        let body = "    let a = '{'; let b = \"{\"; // {\n".repeat(10);
        let next = "fn b() {\n}\n".repeat(60);
        assert!(
            found(&format!("fn a<const N: usize>(x: [u8; 32]) {{\n{body}}}\n{next}")).is_empty()
        );
    }

    #[test]
    fn a_function_without_a_body_or_a_name_has_no_length() {
        let lines = "\n".repeat(80);
        assert!(found(&format!("trait T {{ fn a(&self); {lines} }}")).is_empty());
        assert!(found(&format!("type F = fn(u8) -> u8;{lines}struct S {{}}")).is_empty());
    }
}

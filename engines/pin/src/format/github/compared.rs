//! Variables of a matrix that a job compares with something.
//!
//! ```text
//! if: matrix.image == 'debian:12'      [ "${{ matrix.image }}" = debian:12 ]      contains(fromJSON('[…]'), matrix.image)
//! ```
//! A value that was pinned would no longer be equal. What a script does with a variable of its own is not followed.
//! Source: GitHub docs, "Evaluate expressions in workflows and actions", operators and `contains`.

use memchr::memmem;
use std::collections::HashSet;

/// The parts of `matrix.a.b.c` that are followed.
const PARTS_MAX: usize = 8;

/// The variables that a text compares, each as the parts behind `matrix`.
pub(super) fn compared(text: &str) -> HashSet<Vec<&str>> {
    let places = memmem::find_iter(text.as_bytes(), b"matrix");
    places.filter_map(|at| compared_at(text, at)).collect()
}

/// The variable that begins here, where it is compared.
fn compared_at(text: &str, at: usize) -> Option<Vec<&str>> {
    let (path, behind) = parts(text.get(at..)?.strip_prefix("matrix")?)?;
    let (before, behind) = (text.get(..at)?.trim_end_matches([' ', '\t']), skip_blanks(behind));
    let begins = |text: &str, signs: &[&str]| signs.iter().any(|sign| text.starts_with(sign));
    let ends = |text: &str, signs: &[&str]| signs.iter().any(|sign| text.ends_with(sign));
    if begins(behind, &["==", "!="]) || ends(before, &["==", "!="]) {
        return Some(path);
    }
    // The last of several arguments: what `contains` looks for.
    if before.ends_with(',') && behind.starts_with(')') {
        return Some(path);
    }
    // In a shell: `[ a = b ]`, `case a in`.
    let right = behind.strip_prefix("}}").unwrap_or_default().trim_start_matches(['"', '\'']);
    let left = before.strip_suffix("${{").unwrap_or_default().trim_end_matches(['"', '\'', ' ']);
    let is_shell = begins(skip_blanks(right), &["=", "!=", "in\n", "in\r", "in "])
        || ends(left, &[" =", "==", "!="]);
    is_shell.then_some(path)
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// The parts of `.a['b']` at the beginning of a text, and what follows.
pub(super) fn parts(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut rest, mut path) = (text, Vec::new());
    while path.len() < PARTS_MAX {
        let (part, behind) = match (rest.strip_prefix("['"), rest.strip_prefix('.')) {
            (Some(quoted), _) => {
                let line = &quoted[..quoted.find(['\n', '\r']).unwrap_or(quoted.len())];
                let end = line.find("']")?;
                (&quoted[..end], &quoted[end + 2..])
            }
            (None, Some(name)) => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                name.split_at(name.find(|c| !is_part(c)).unwrap_or(name.len()))
            }
            (None, None) => break,
        };
        if part.is_empty() || part.contains('\'') {
            return None;
        }
        path.push(part);
        rest = behind;
    }
    (!path.is_empty()).then_some((path, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_parts_are_followed_and_no_more() {
        let text = |n: usize| ".a".repeat(n);
        let found = |n| parts(&text(n)).map(|(path, rest)| (path.len(), rest.len()));
        assert_eq!(found(PARTS_MAX), Some((PARTS_MAX, 0)));
        assert_eq!(found(PARTS_MAX + 1), Some((PARTS_MAX, 2)));
    }

    #[test]
    fn a_comparison_is_found_on_both_sides_and_in_shells() {
        for text in [
            "if: matrix.a == 'x:1'",
            "if: ${{ 'x:1' != matrix.a }}",
            "if: contains(fromJSON('[]'), matrix.a )",
            "[ \"${{ matrix.a }}\" = x:1 ]",
            "[[ ${{matrix.a}} != x:1 ]]",
            "[ x:1 = '${{ matrix.a }}' ]",
            "[ x:1 == ${{ matrix['a'] }} ]",
            "case \"${{ matrix.a }}\" in\n",
        ] {
            assert!(compared(text).contains(&vec!["a"]), "{text}");
        }
        for text in [
            "container: ${{ matrix.a }}",
            "IMAGE=${{ matrix.a }}",
            "docker run ${{ matrix.a }} inside",
            "contains(matrix.a, 'x')",
            "startsWith( matrix.a, 'x' )",
            "name: a ${{ matrix.a }} b",
            "matrix",
            "matrix == 1",
        ] {
            assert!(compared(text).is_empty(), "{text}");
        }
    }
}

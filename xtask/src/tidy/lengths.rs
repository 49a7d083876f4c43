//! A file is one idea: 400 lines before its tests; a file of a `tests` folder has 600.

use super::tree::{Finding, Tree};

const CODE_LINES_MAX: usize = 400;
const TEST_LINES_MAX: usize = 600;

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let long = tree.rust().filter_map(|(path, source)| {
        let (lines, limit) = if is_test(path) {
            (source.text().lines().count(), TEST_LINES_MAX)
        } else {
            (source.before_tests().lines().count(), CODE_LINES_MAX)
        };
        let message = format!("{lines} lines, the limit is {limit}: split it by idea");
        (lines > limit).then(|| Finding::new(path, limit + 1, message))
    });
    long.collect()
}

/// Files of tests only: `tests/` of a crate, and all of `e2e`.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.starts_with("e2e/") || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(path: &str, lines: usize, after: &str) -> bool {
        let text = format!("{}{after}", "//\n".repeat(lines));
        !findings(&Tree::planted(&[(path, &text)])).is_empty()
    }

    #[test]
    fn the_limits_are_at_and_one_above() {
        for (path, limit) in [("domain/src/a.rs", 400), ("domain/tests/all/a.rs", 600)] {
            assert!(!is_found(path, limit, ""), "{path}");
            assert!(is_found(path, limit + 1, ""), "{path}");
        }
    }

    #[test]
    fn unit_tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}", "//\n".repeat(500));
        assert!(!is_found("domain/src/a.rs", 400, &tests));
    }
}

//! What a Dockerfile's comments ask other tools to pass over, where that is the tag of a base image.
//!
//! ```text
//! # hadolint ignore=DL3006,DL3007        above an instruction
//! # hadolint global ignore=DL3007        anywhere
//! # checkov:skip=CKV_DOCKER_7:why        anywhere
//! ```
//! Source: hadolint, `Hadolint/Pragma.hs`, DL3006 (no tag), DL3007 (`latest`); Checkov, CKV_DOCKER_7 (neither).

use crate::marker::{About, checkov_rules};
use crate::place::line_end;
use crate::site::{Found, Marker};
use domain::ImageRef;
use std::collections::HashMap;
use std::ops::Range;

/// What is asked of the whole file, and of single instructions.
#[derive(Debug, Default)]
pub(super) struct Pragmas<'t> {
    /// By the start of the line below the comment.
    below: HashMap<usize, Vec<&'t str>>,
    everywhere: Vec<&'t str>,
    is_skipped: bool,
}

impl<'t> Pragmas<'t> {
    /// Reads the comments that stand between instructions.
    pub(super) fn of(text: &'t str, comments: &[Range<usize>]) -> Self {
        let mut all = Self::default();
        for comment in comments {
            let inner = text.get(comment.clone()).unwrap_or_default().trim_start_matches('#');
            all.is_skipped |= checkov_rules(inner).any(|rule| rule == "CKV_DOCKER_7");
            let Some(told) = inner.trim().strip_prefix("hadolint").filter(|told| is_apart(told))
            else {
                continue;
            };
            match told.trim_start().strip_prefix("global").filter(|told| is_apart(told)) {
                Some(told) => all.everywhere.extend(rules(told)),
                None => {
                    let end = line_end(text, comment.end);
                    let wide = text[end..].starts_with("\r\n");
                    all.below.insert(end + if wide { 2 } else { 1 }, rules(told));
                }
            }
        }
        all
    }

    /// Whether a base image is to be passed over, of an instruction whose line starts at a byte.
    pub(super) fn marker(&self, line_start: usize, found: &Found) -> Option<Marker> {
        if !About::Loose.covers(found) {
            return None;
        }
        let is_bare = matches!(found, Found::Image(ImageRef::Bare(_)));
        let rule = if is_bare { "DL3006" } else { "DL3007" };
        let own = self.below.get(&line_start).is_some_and(|rules| rules.contains(&rule));
        if own || self.everywhere.contains(&rule) {
            return Some(Marker::Hadolint);
        }
        self.is_skipped.then_some(Marker::Checkov)
    }
}

fn is_apart(rest: &str) -> bool {
    rest.starts_with([' ', '\t'])
}

/// The rules of `ignore = DL3006 , DL3007 # why`; none where anything else stands there.
fn rules(told: &str) -> Vec<&str> {
    let list = told.trim_start().strip_prefix("ignore").map(str::trim_start);
    let Some(list) = list.and_then(|list| list.strip_prefix('=')) else {
        return Vec::new();
    };
    let list = list.split('#').next().unwrap_or_default();
    list.split(',').map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use crate::site::Marker;

    /// The markers of a Dockerfile's sites, in order.
    fn markers(text: &str) -> Vec<Option<Marker>> {
        super::super::sites(text).into_iter().map(|site| site.marker).collect()
    }

    #[test]
    fn hadolint_is_heard_of_the_instruction_below_and_about_what_its_rule_finds() {
        const H: Option<Marker> = Some(Marker::Hadolint);
        let cases = [
            ("# hadolint ignore=DL3006\nFROM a\nFROM b\n", vec![H, None]),
            ("#hadolint  ignore = DL3008 , DL3007 # why\r\nFROM a:latest\r\n", vec![H]),
            ("# hadolint ignore=DL3006\nFROM a:latest\n", vec![None]),
            ("# hadolint ignore=DL3006,DL3007\nFROM a:1\n", vec![None]),
            ("# hadolint ignore=DL3006\n\nFROM a\n", vec![None]),
            ("FROM a\n# hadolint global ignore=DL3006\nFROM b\nFROM c:latest\n", vec![H, H, None]),
            ("# hadolint ignore=DL3006\nARG X=a\nFROM $X\n", vec![None]),
            ("ARG X=a\n# hadolint ignore=DL3006\nFROM $X\n", vec![H]),
            ("# hadolintignore=DL3006\nFROM a\n", vec![None]),
            ("FROM a:1\nRUN <<E\n# hadolint global ignore=DL3006\nE\nFROM b\n", vec![None, None]),
            ("FROM a:1\n# hadolint ignore=DL3006\nCOPY --from=b / /\n", vec![None, None]),
        ];
        for (text, expected) in cases {
            assert_eq!(markers(text), expected, "{text:?}");
        }
    }

    #[test]
    fn checkov_is_heard_wherever_the_comment_stands() {
        let text = "FROM a\nFROM b:latest\nFROM c:1\n# checkov:skip=CKV_DOCKER_7: tests only\n";
        const C: Option<Marker> = Some(Marker::Checkov);
        assert_eq!(markers(text), [C, C, None]);
        assert_eq!(markers("FROM a\n# checkov:skip=CKV_DOCKER_2\n"), [None]);
    }
}

//! The answer of `check` as annotations of GitHub Actions.
//!
//! ```text
//! ::error file=compose.yaml,line=1,col=25,title=no-tag::`shop/api` has no tag: it can move
//! ```
//! Source: actions/toolkit, packages/core/src/command.ts: what is escaped in data and in properties.

use crate::output::plain;
use flows::files::{Answer, Report};
use pin::Severity;
use std::fmt::Write as _;

/// A command for each finding, and for each file that could not be read.
pub(super) fn lines(report: &Report) -> String {
    let mut text = String::new();
    for one in &report.listed {
        let Answer::Finding(finding) = &one.answer else {
            continue;
        };
        let word = match finding.severity {
            Severity::Fails => "error",
            Severity::Noted => "notice",
        };
        let _ = writeln!(
            text,
            "::{word} file={},line={},col={},title={}::{}",
            property(&one.path),
            one.line,
            one.column,
            property(finding.kind.id()),
            data(&finding.message)
        );
    }
    for one in &report.silent {
        let (path, why) = (property(&one.path), data(&one.why));
        let _ = writeln!(
            text,
            "::warning file={path},line={},col={},title=unreachable::could not be asked for: {why}",
            one.line, one.column
        );
    }
    for unread in &report.unread {
        let (path, why) = (property(&unread.shown), data(&unread.why.to_string()));
        let _ = writeln!(text, "::warning file={path},title=unread::could not be read: {why}");
    }
    text
}

fn data(text: &str) -> String {
    plain(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_neither_end_its_property_nor_begin_a_command() {
        assert_eq!(property("a,line=9::b%0A\n::error"), "a%2Cline=9%3A%3Ab%250A\\n%3A%3Aerror");
        assert_eq!(data("50% of a:b"), "50%25 of a:b");
    }
}

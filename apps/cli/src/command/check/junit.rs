//! The answer of `check` as JUnit XML: a suite for each file with a finding, a test case for each place.
//!
//! ```text
//! <testsuite name="deploy/api.yaml" tests="1" failures="1" …><testcase classname="…" name="no-tag 9:16 shop/api"><failure …
//! ```
//! Source: the Jenkins xUnit plugin's junit-10.xsd, which GitLab, Azure Pipelines and Jenkins read. A noted finding
//! is a case that was skipped, with its message; a file that could not be read is an error.

use crate::output::plain;
use flows::files::{Answer, Checked, Report};
use pin::{Finding, Severity};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One case of a suite.
enum Case<'a> {
    Place { one: &'a Checked, finding: &'a Finding },
    Unread { why: String },
}

/// The whole document.
pub(super) fn document(report: &Report) -> String {
    let mut suites: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
    for one in &report.listed {
        if let Answer::Finding(finding) = &one.answer {
            suites.entry(&one.path).or_default().push(Case::Place { one, finding });
        }
    }
    for unread in &report.unread {
        let why = unread.why.to_string();
        suites.entry(&unread.shown).or_default().push(Case::Unread { why });
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let all = || suites.values().flatten();
    let (tests, failures, errors) =
        (all().count(), all().filter(fails).count(), all().filter(is_error).count());
    let _ = writeln!(
        text,
        "<testsuites name=\"indelible check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    );
    for (path, cases) in &suites {
        suite(&mut text, path, cases);
    }
    text.push_str("</testsuites>\n");
    text
}

fn fails(case: &&Case<'_>) -> bool {
    matches!(case, Case::Place { finding, .. } if finding.severity == Severity::Fails)
}

fn is_error(case: &&Case<'_>) -> bool {
    matches!(case, Case::Unread { .. })
}

fn suite(text: &mut String, path: &str, cases: &[Case<'_>]) {
    let path = escaped(path);
    let (failures, errors) =
        (cases.iter().filter(fails).count(), cases.iter().filter(is_error).count());
    let (tests, skipped) = (cases.len(), cases.len() - failures - errors);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
    );
    for case in cases {
        match case {
            Case::Place { one, finding } => place(text, &path, one, finding),
            Case::Unread { why } => {
                let why = escaped(why);
                let _ = writeln!(
                    text,
                    "    <testcase classname=\"{path}\" name=\"unread\"><error message=\"{why}\" type=\"unread\"/></testcase>"
                );
            }
        }
    }
    text.push_str("  </testsuite>\n");
}

fn place(text: &mut String, path: &str, one: &Checked, finding: &Finding) {
    let id = finding.kind.id();
    let name = escaped(&format!("{id} {}:{} {}", one.line, one.column, one.reference));
    let message = escaped(&finding.message);
    let inside = match finding.severity {
        Severity::Fails => format!(
            "<failure message=\"{message}\" type=\"{id}\">{path}:{}:{}: {message}</failure>",
            one.line, one.column
        ),
        Severity::Noted => format!("<skipped message=\"{message}\"/>"),
    };
    let _ =
        writeln!(text, "    <testcase classname=\"{path}\" name=\"{name}\">{inside}</testcase>");
}

/// Text for an attribute or an element. Source: XML 1.0, 2.2 and 2.4: control characters cannot be written at all.
fn escaped(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_neither_end_its_attribute_nor_hold_what_xml_cannot() {
        assert_eq!(escaped("a\"<b>&\u{0}\u{ffff}"), "a&quot;&lt;b&gt;&amp;\\u{0}\u{fffd}");
    }
}

//! One line for each place; with `--all` also the source line and a caret, as compilers do.
//!
//! ```text
//! deploy/api.yaml:9:16: `shop/api` has no tag: it can move
//!   |
//! 9 |         image: shop/api
//!   |                ^^^^^^^^ no-tag
//! ```

use crate::output::plain;
use flows::files::{Answer, Checked, Report, Snippet};
use std::fmt::Write as _;

/// Every place with what is said of it.
pub(super) fn all(report: &Report) -> String {
    let mut text = String::new();
    for one in &report.listed {
        if let Some(said) = said(one) {
            line(&mut text, one, &said);
            if let (Some(snippet), Some(id)) = (&one.snippet, id(one)) {
                source(&mut text, one.line, snippet, id);
            }
        }
    }
    text
}

/// The places of some findings.
pub(super) fn few<'a>(findings: impl Iterator<Item = &'a Checked>) -> String {
    let mut text = String::new();
    for one in findings {
        if let Some(said) = said(one) {
            line(&mut text, one, &said);
        }
    }
    text
}

fn line(text: &mut String, one: &Checked, said: &str) {
    let _ = writeln!(text, "{}:{}:{}: {}", plain(&one.path), one.line, one.column, plain(said));
}

/// A good place needs no look at its line.
fn id(one: &Checked) -> Option<&'static str> {
    match &one.answer {
        Answer::Finding(finding) => Some(finding.kind.id()),
        Answer::Unknown(_) => Some(pin::FindingKind::Unresolved.id()),
        Answer::Known(_)
        | Answer::Pinned
        | Answer::Locked(_)
        | Answer::Accepted
        | Answer::NotRequired
        | Answer::Replaced
        | Answer::Ignored(_) => None,
    }
}

fn source(text: &mut String, number: usize, snippet: &Snippet, id: &str) {
    let number = number.to_string();
    let margin = " ".repeat(number.len());
    // Each character counts one column here, so that the caret stands below the reference.
    let shown: String = snippet.text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect();
    let (before, carets) = (" ".repeat(snippet.before), "^".repeat(snippet.width.max(1)));
    let _ = writeln!(text, "{margin} |\n{number} | {shown}\n{margin} | {before}{carets} {id}");
}

/// Tabs and what could move the cursor become one blank.
fn is_shown(c: char) -> bool {
    !c.is_control() && plain(c.encode_utf8(&mut [0; 4])).chars().count() == 1
}

/// What is said of one place; nothing of what the baseline knows.
fn said(one: &Checked) -> Option<String> {
    let reference = &one.reference;
    Some(match &one.answer {
        Answer::Known(_) => return None,
        Answer::Finding(finding) => match &one.environment {
            Some(environment) if finding.kind.is_mended_by_a_pin() => {
                format!("{} ({environment} asks for a {})", finding.message, one.level)
            }
            Some(_) | None => finding.message.clone(),
        },
        Answer::Pinned => format!("`{reference}` is pinned"),
        Answer::Locked(by) => format!("`{reference}` cannot move: {}", by.by()),
        Answer::Accepted => format!("`{reference}` is as strict as is asked for: {}", one.level),
        Answer::Replaced => {
            format!("`{reference}` is replaced by every kustomization that builds from this file")
        }
        Answer::NotRequired => format!("`{reference}` is pulled from no registry"),
        Answer::Ignored(_) => format!("`{reference}` is passed over: a comment asks for it"),
        Answer::Unknown(_) => {
            format!(
                "`{reference}` could not be told: a variable, a template or several lines write it"
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_reference_whatever_stands_before_it() {
        let snippet = Snippet { text: "\timage:\u{1b} a/b".to_owned(), before: 9, width: 3 };
        let mut text = String::new();
        source(&mut text, 12, &snippet, "no-tag");
        assert_eq!(text, "   |\n12 |  image:  a/b\n   |          ^^^ no-tag\n");
    }
}

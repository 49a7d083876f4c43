//! The answer of `check` for people: a line for each finding, then the numbers, then the next command.

use crate::command::pin::next::count;
use crate::output::plain;
use flows::files::{Answer, Checked, Report};
use std::fmt::Write as _;

/// What is listed: places first, then what could not be read.
pub(super) fn lines(report: &Report) -> String {
    let mut text = String::new();
    for one in &report.listed {
        if let Some(said) = said(one) {
            let path = plain(&one.path);
            let _ = writeln!(text, "{path}:{}:{}: {}", one.line, one.column, plain(&said));
        }
    }
    for unread in &report.unread {
        let (path, why) = (plain(&unread.shown), plain(&unread.why.to_string()));
        let _ = writeln!(text, "{path}: could not be read: {why}");
    }
    text
}

/// What is said of one place; nothing of what the baseline knows.
fn said(one: &Checked) -> Option<String> {
    let reference = &one.reference;
    Some(match &one.answer {
        Answer::Known(_) => return None,
        Answer::Finding(finding) => match &one.environment {
            Some(environment) => {
                format!("{} ({environment} asks for a {})", finding.message, one.level)
            }
            None => finding.message.clone(),
        },
        Answer::Pinned => format!("`{reference}` is pinned"),
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

/// The numbers and the next command.
pub(super) fn ending(report: &Report, next: Option<&str>) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "{}, {}, {} pinned",
        count(counts.files, "file"),
        count(counts.references, "reference"),
        counts.pinned
    );
    let others = [
        (counts.known, "known"),
        (counts.ignored, "passed over by a comment"),
        (counts.unknown, "could not be told"),
        (counts.unread, "unread"),
    ];
    for (number, what) in others {
        if number > 0 {
            let _ = write!(text, ", {number} {what}");
        }
    }
    if counts.templated > 0 {
        let templates = count(counts.templated, "template");
        let _ = write!(text, "; of {templates} only the plain lines were read");
    }
    text.push('\n');
    if let Some(next) = next {
        let _ = writeln!(text, "next: {next}");
    }
    text
}

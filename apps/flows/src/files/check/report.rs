//! The answer of a check: rows in the order of files and lines, numbers, and what could not be read.

use super::checked::{Answer, Checked, Counts};
use crate::files::baseline::Baseline;
use crate::files::online::{Online, Silent};
use crate::files::walk::Unread;
use pin::Severity;

/// The result of a check.
#[derive(Debug)]
pub struct Report {
    /// What was asked to be listed, in the order of files and lines.
    pub listed: Vec<Checked>,
    /// How many of each.
    pub counts: Counts,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// What could not be asked.
    pub silent: Vec<Silent>,
    /// Named files that are no workload files.
    pub passed_over: Vec<String>,
}

impl Report {
    /// Adds what registries said.
    pub(super) fn add(&mut self, online: Online) {
        for one in &online.rows {
            match one.finding().map(|finding| finding.severity) {
                Some(Severity::Fails) => self.counts.findings += 1,
                Some(Severity::Noted) => self.counts.noted += 1,
                None => {}
            }
        }
        self.listed.extend(online.rows);
        // Stable: what the file says of a place stands before what others say.
        self.listed.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        self.silent = online.silent;
    }

    /// Marks what the baseline knows: it is counted apart and fails nothing.
    pub(super) fn compare(&mut self, mut baseline: Baseline) {
        for one in &mut self.listed {
            if let Answer::Finding(finding) = &one.answer
                && baseline.take(&one.path, finding.kind.id(), &one.reference)
            {
                match finding.severity {
                    Severity::Fails => self.counts.findings -= 1,
                    Severity::Noted => self.counts.noted -= 1,
                }
                self.counts.known += 1;
                one.answer = Answer::Known(finding.clone());
            }
        }
    }

    /// Whether `indelible pin` could mend any of the findings.
    #[must_use]
    pub fn can_be_pinned(&self) -> bool {
        self.counts.accepted > 0 || self.to_pin().next().is_some()
    }

    /// The findings that `indelible pin` could mend.
    pub fn to_pin(&self) -> impl Iterator<Item = &Checked> {
        self.listed.iter().filter(|one| match &one.answer {
            Answer::Finding(finding) => finding.kind.is_mended_by_a_pin(),
            Answer::Known(_)
            | Answer::Pinned
            | Answer::Locked(_)
            | Answer::Accepted
            | Answer::NotRequired
            | Answer::Replaced
            | Answer::Ignored(_)
            | Answer::Unknown(_) => false,
        })
    }

    /// The findings that fail.
    pub fn failing(&self) -> impl Iterator<Item = &Checked> {
        self.listed.iter().filter(|one| {
            matches!(&one.answer, Answer::Finding(finding) if finding.severity == Severity::Fails)
        })
    }
}

//! The answer of `check` as a Code Quality report of GitLab.
//!
//! ```text
//! [{"description":"…","check_name":"no-tag","fingerprint":"3f0c…","severity":"major","location":{"path":"…","lines":{"begin":9}}}]
//! ```
//! Source: GitLab docs, "Code Quality", "Code Quality report format". A path begins without `./`, as GitLab asks.

use super::fingerprint::Fingerprints;
use crate::output::plain;
use flows::files::{Answer, Checked, Report};
use pin::{Finding, Severity};
use serde::Serialize;

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The whole report: what the baseline knows is not in it.
pub(super) fn document(report: &Report) -> String {
    let mut fingerprints = Fingerprints::default();
    let found = report.listed.iter().filter_map(|one| issue(one, &mut fingerprints));
    let unread = report.unread.iter().map(|unread| Issue {
        description: plain(&format!("could not be read: {}", unread.why)),
        check_name: "unread",
        fingerprint: hash(&unread.shown),
        severity: "major",
        location: Location { path: &unread.shown, lines: Lines { begin: 1 } },
    });
    let issues: Vec<Issue<'_>> = found.chain(unread).collect();
    let mut text = serde_json::to_string_pretty(&issues).expect("plain data is always JSON");
    text.push('\n');
    text
}

fn issue<'a>(one: &'a Checked, fingerprints: &mut Fingerprints) -> Option<Issue<'a>> {
    let Answer::Finding(Finding { kind, severity, message }) = &one.answer else {
        return None;
    };
    Some(Issue {
        description: plain(message),
        check_name: kind.id(),
        fingerprint: fingerprints.of(one, kind.id()),
        severity: match severity {
            Severity::Fails => "major",
            Severity::Noted => "info",
        },
        location: Location { path: &one.path, lines: Lines { begin: one.line } },
    })
}

fn hash(path: &str) -> String {
    let digest = domain::Digest::sha256(format!("unread\0{path}").as_bytes()).to_string();
    digest.trim_start_matches("sha256:").chars().take(32).collect()
}

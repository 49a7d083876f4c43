//! The answer of `check` as SARIF 2.1.0, with fixes where the lock knows the digest.
//!
//! ```text
//! {"version":"2.1.0","runs":[{"tool":…,"results":[{"ruleId":"no-tag","level":"error",…,"fixes":[…]}]}]}
//! ```
//! Source: OASIS SARIF 2.1.0, errata 01. A rule's help is its section of docs/findings.md: a `helpUri` has to be
//! absolute (3.49.12), and where this copy of the documents lies on the web is nobody's to say.

use super::fingerprint::Fingerprints;
use crate::output::plain;
use flows::files::{Answer, Checked, Replacement, Report};
use pin::{Finding, FindingKind, Purpose, Severity};
use serde_json::{Value, json};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the fingerprint, with the version of how it is made.
const FINGERPRINT: &str = "indelible/v1";
const FINDINGS: &str = include_str!("../../../../../docs/findings.md");
/// Where the document of the rules lies in the repository.
const FINDINGS_PATH: &str = "docs/findings.md";

/// The whole log.
pub(super) fn document(report: &Report) -> String {
    let mut fingerprints = Fingerprints::default();
    let results = report.listed.iter().filter_map(|one| result(one, &mut fingerprints));
    let results: Vec<Value> = results.collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "indelible",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": FindingKind::all().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder in which the check ran"}}},
            "invocations": [{
                "executionSuccessful": report.unread.is_empty() && report.silent.is_empty(),
                "toolExecutionNotifications": notifications(report),
            }],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("plain data is always JSON");
    text.push('\n');
    text
}

fn rule(kind: FindingKind) -> Value {
    let id = kind.id();
    let help = section(id);
    json!({
        "id": id,
        "shortDescription": {"text": kind.title()},
        "help": {
            "text": help,
            "markdown": format!("[{id}]({FINDINGS_PATH}#{id}): {help}"),
        },
        "defaultConfiguration": {"level": level(kind.severity(Purpose::Workload))},
    })
}

/// What the document says below a heading.
fn section(id: &str) -> &'static str {
    let heading = format!("\n## {id}\n");
    let rest = FINDINGS.split_once(&heading).map_or("", |(_, rest)| rest);
    rest.split("\n## ").next().unwrap_or_default().trim()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Fails => "error",
        Severity::Noted => "note",
    }
}

fn result(one: &Checked, fingerprints: &mut Fingerprints) -> Option<Value> {
    let (kind, severity, message, is_known) = match &one.answer {
        Answer::Finding(Finding { kind, severity, message }) => {
            (*kind, *severity, message.clone(), false)
        }
        Answer::Known(Finding { kind, severity, message }) => {
            (*kind, *severity, message.clone(), true)
        }
        Answer::Unknown(_) => {
            let message = format!(
                "`{}` could not be told: a variable or a template writes it",
                one.reference
            );
            (FindingKind::Unresolved, Severity::Noted, message, false)
        }
        Answer::Pinned
        | Answer::Locked(_)
        | Answer::Accepted
        | Answer::NotRequired
        | Answer::Replaced
        | Answer::Ignored(_) => return None,
    };
    let index = FindingKind::all().position(|one| one == kind);
    let mut result = json!({
        "ruleId": kind.id(),
        "ruleIndex": index,
        "level": level(severity),
        "message": {"text": plain(&message)},
        "locations": [location(one)],
        "partialFingerprints": {FINGERPRINT: fingerprints.of(one, kind.id())},
    });
    if is_known {
        let why = "the baseline knows it";
        result["suppressions"] = json!([{"kind": "external", "justification": why}]);
    }
    if !one.fix.is_empty() {
        result["fixes"] = json!([fix(one)]);
    }
    Some(result)
}

fn location(one: &Checked) -> Value {
    let end = one.column + one.reference.chars().count();
    // Split fields and folded text are longer or shorter than what stands on the line: then only the start is told.
    let is_whole = !one.place.is_empty() && one.fix.iter().all(|fix| fix.start.0 == one.line);
    let mut region = json!({"startLine": one.line, "startColumn": one.column});
    if is_whole {
        region["endColumn"] = json!(end);
    }
    json!({"physicalLocation": {
        "artifactLocation": artifact(&one.path),
        "region": region,
    }})
}

fn artifact(path: &str) -> Value {
    if path.starts_with('/') {
        return json!({"uri": format!("file://{}", uri(path))});
    }
    json!({"uri": uri(path), "uriBaseId": "%SRCROOT%"})
}

/// A path as a relative reference. Source: RFC 3986: unreserved characters and `/` stay; a first `a:b/` would be a scheme.
fn uri(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn fix(one: &Checked) -> Value {
    let replacement = |fix: &Replacement| {
        json!({
            "deletedRegion": {
                "startLine": fix.start.0, "startColumn": fix.start.1,
                "endLine": fix.end.0, "endColumn": fix.end.1,
            },
            "insertedContent": {"text": fix.text},
        })
    };
    json!({
        "description": {"text": "Pin the digest that images.lock knows"},
        "artifactChanges": [{
            "artifactLocation": artifact(&one.path),
            "replacements": one.fix.iter().map(replacement).collect::<Vec<_>>(),
        }],
    })
}

fn notifications(report: &Report) -> Vec<Value> {
    let unread = report.unread.iter().map(|unread| {
        json!({
            "level": "error",
            "message": {"text": format!("could not be read: {}", plain(&unread.why.to_string()))},
            "locations": [{"physicalLocation": {"artifactLocation": artifact(&unread.shown)}}],
        })
    });
    let silent = report.silent.iter().map(|silent| {
        json!({
            "level": "error",
            "message": {"text": plain(&format!("`{}` could not be asked about: {}", silent.reference, silent.why))},
        })
    });
    unread.chain(silent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(
            uri("deploy/gr\u{f6}\u{df}e a:b%.yaml"),
            "deploy/gr%C3%B6%C3%9Fe%20a%3Ab%25.yaml"
        );
    }

    #[test]
    fn each_rule_has_its_section_as_help() {
        assert!(FindingKind::all().all(|kind| section(kind.id()).contains("To do:")));
        assert!(section("no-tag").starts_with("Fails. Neither tag nor digest"));
    }
}

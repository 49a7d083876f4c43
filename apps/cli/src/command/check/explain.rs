//! `check --explain FILE`: what a file was read as and why, who says what it must name, and what became of each place.
//!
//! ```text
//! deploy/api.yaml
//!   read as   kubernetes: it has `apiVersion` and `kind`
//!   level     digest: prod asks for it
//!   ignore    no pattern of the settings fits
//! deploy/api.yaml:9:16: `shop/api` has no tag: it can move
//! ```

use super::{places, wire};
use crate::output::{Output, plain};
use flows::files::Explanation;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

#[derive(Serialize)]
struct Document<'a> {
    path: &'a str,
    format: Option<&'static str>,
    why: Option<&'static str>,
    level: String,
    environment: Option<&'a str>,
    ignore: Option<&'a str>,
    ignored: bool,
    #[serde(flatten)]
    report: wire::Document<'a>,
}

/// Prints it, as JSON or for people.
pub(super) fn print(output: Output, path: &Path, explanation: &Explanation) {
    let shown = path.to_string_lossy();
    let document = Document {
        path: &shown,
        format: explanation.recognised.map(|found| found.format.name()),
        why: explanation.recognised.map(|found| found.why),
        level: explanation.level.to_string(),
        environment: explanation.environment.as_ref().map(domain::EnvironmentName::as_str),
        ignore: explanation.ignore.as_deref(),
        ignored: explanation.report.counts.ignored_files > 0,
        report: wire::document(&explanation.report, None),
    };
    output.data("check --explain", &document, || lines(&document, explanation));
}

fn lines(document: &Document<'_>, explanation: &Explanation) -> String {
    let read = match (document.format, document.why) {
        (Some(format), Some(why)) => format!("{format}: {why}"),
        (Some(_) | None, _) => {
            "no workload file: neither its name nor its content speaks for one".to_owned()
        }
    };
    let level = match document.environment {
        Some(environment) => format!("{}: {environment} asks for it", document.level),
        None => format!("{}: it is below no environment's folder", document.level),
    };
    let passing = match (document.ignore, document.ignored) {
        (Some(pattern), true) => format!("`{pattern}` passes over it"),
        (Some(pattern), false) => format!("`{pattern}` says to look at it"),
        (None, _) => "no pattern of the settings fits".to_owned(),
    };
    let mut text = format!("{}\n", plain(document.path));
    for (what, said) in [("read as", read), ("level", level), ("ignore", passing)] {
        let _ = writeln!(text, "  {what:<8}  {}", plain(&said));
    }
    for unread in &explanation.report.unread {
        let _ = writeln!(text, "  could not be read: {}", plain(&unread.why.to_string()));
    }
    text.push_str(&places::all(&explanation.report));
    text
}

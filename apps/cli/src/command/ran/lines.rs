//! What ran, as CSV: a line for each row of the JSON, for each time that was watched, and for each gap.
//!
//! ```text
//! row=decided  what a deploy brought      row=seen  a container run
//! row=known    a time that was watched    row=gap   a time of which nothing is known
//! ```

use crate::output::csv_field;
use flows::ask::{Coverage, Covered};
use record::{Answer, Gap};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// The columns; those of a version stay, new ones come behind them.
const COLUMNS: [&str; 28] = [
    "row",
    "environment",
    "image",
    "digest",
    "tag",
    "from",
    "until",
    "basis",
    "precision",
    "commit",
    "commits",
    "by",
    "proof",
    "how",
    "event",
    "cluster",
    "namespace",
    "workload",
    "pod",
    "container",
    "role",
    "node",
    "reference",
    "image_id",
    "restarts",
    "missed",
    "exit_code",
    "why",
];

/// All rows of an answer, what was watched, and the gaps.
pub(super) fn csv<T: Serialize>(answer: &Answer<T>, coverage: Option<&Coverage>) -> String {
    let mut text = format!("{}\n", COLUMNS.join(","));
    for item in &answer.items {
        let item = serde_json::to_value(item).expect("plain data with text keys is always JSON");
        let row = if item.get("pod").is_some() { "seen" } else { "decided" };
        let field = |name: &&str| match *name {
            "row" => row.to_owned(),
            name => item.get(name).map(plain).unwrap_or_default(),
        };
        line(&mut text, COLUMNS.iter().map(field));
    }
    for Covered { place, from, until } in coverage.into_iter().flat_map(|one| &one.known) {
        let field = |name: &&str| match *name {
            "row" => "known".to_owned(),
            "from" => from.to_string(),
            "until" => until.to_string(),
            "cluster" => place.clone(),
            "basis" => "observed".to_owned(),
            _ => String::new(),
        };
        line(&mut text, COLUMNS.iter().map(field));
    }
    for Gap { from, until, why } in &answer.gaps {
        let field = |name: &&str| match *name {
            "row" => "gap".to_owned(),
            "from" => from.map(|at| at.to_string()).unwrap_or_default(),
            "until" => until.map(|at| at.to_string()).unwrap_or_default(),
            "why" => why.clone(),
            _ => String::new(),
        };
        line(&mut text, COLUMNS.iter().map(field));
    }
    text
}

fn line(text: &mut String, fields: impl Iterator<Item = String>) {
    let fields: Vec<String> = fields.map(|field| csv_field(&field)).collect();
    let _ = writeln!(text, "{}", fields.join(","));
}

/// A member of a row in one field; lists are words.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

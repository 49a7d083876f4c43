//! Nomad: the images of a job's tasks whose driver runs containers.
//!
//! ```text
//! job "shop" { group "web" { task "api" { driver = "docker"  config { image = "shop/api:1.4" } } } }
//! ```
//! A job in JSON, as the API takes it, is read too. Source: Nomad docs, "task driver: Docker", "Podman"; "Jobs HTTP API".

use super::terraform::{is_json, marks};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer, Literal};
use crate::hcl::{self, Value};
use crate::jsonc;
use crate::scan::ScanError;
use crate::site::{Certainty, Context, Found, Opaque, Purpose, Site};
use std::collections::HashMap;

pub(super) const SPEC: Spec = Spec {
    format: Format::Nomad,
    name: "nomad",
    purpose: Purpose::Workload,
    reader: Reader::Marked { sites, marks },
    by_name,
    by_content,
};

/// The drivers whose `image` is a reference. Source: Nomad docs, "Task drivers"; nomad-driver-containerd's README.
const DRIVERS: [&str; 3] = ["docker", "podman", "containerd-driver"];

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let file = name.file.as_ref();
    (name.extension() == "nomad" || file.ends_with(".nomad.hcl") || file.ends_with(".nomad.json"))
        .then_some("it is called like a job of Nomad")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let is_head = |line: &str| {
        line.trim_start().strip_prefix("job").is_some_and(|rest| rest.trim_start().starts_with('"'))
    };
    (look.name.extension() == "hcl" && look.text.lines().any(is_head) && look.text.contains("task"))
        .then_some("it has a job with tasks")
}

/// An image, before it is known which driver takes it.
struct Candidate {
    task: String,
    literal: Literal,
    about: About,
    is_mixed: bool,
}

fn sites(text: &str) -> Result<Vec<Site>, ScanError> {
    let mut drivers: HashMap<String, String> = HashMap::new();
    let mut found: Vec<Candidate> = Vec::new();
    let mut leaf = |path: &[&str], value: Value| match (path, value) {
        ([task @ .., "driver" | "Driver"], Value::Text(literal)) => {
            drivers.insert(task.join("\0"), literal.value);
        }
        ([task @ .., "config" | "Config", "image"], Value::Text(literal)) => {
            found.push(candidate(task, literal, false));
        }
        ([task @ .., "config" | "Config", "image"], Value::Mixed(span)) => {
            found.push(candidate(task, Literal::word(text, span), true));
        }
        _ => {}
    };
    if is_json(text) {
        // Tasks of a list have no names on their way; `image` is a key of drivers that run containers.
        jsonc::walk(text, &mut |path, literal, _| {
            if !path.ends_with(&["Driver"]) {
                leaf(path, Value::Text(literal));
            }
        })?;
    } else {
        hcl::walk(text, &mut |path, one| leaf(path, one.value))?;
    }
    let mut all = Gatherer::new(text);
    for one in found {
        let driver = drivers.get(&one.task).map(String::as_str);
        if all.is_full() || driver.is_some_and(|driver| !DRIVERS.contains(&driver)) {
            continue;
        }
        if one.is_mixed {
            all.see(&one.literal, one.about).found = Found::Opaque(Opaque::Variable);
            continue;
        }
        // `[[ .image ]]` is filled in by Levant or Nomad Pack.
        let is_template = one.literal.value.contains("[[");
        let site = all.add(&one.literal, one.about);
        if is_template {
            site.found = Found::Opaque(Opaque::Template);
        }
    }
    Ok(all.finish())
}

fn candidate(task: &[&str], literal: Literal, is_mixed: bool) -> Candidate {
    let job = task.get(1).copied().filter(|_| task.first() == Some(&"job"));
    let about = About {
        path: format!("{}.config.image", task.join(".")),
        context: Context {
            kind: Some("job".to_owned()),
            workload: job.map(str::to_owned),
            container: task.last().map(|name| (*name).to_owned()),
        },
        certainty: Certainty::Certain,
        purpose: Purpose::Workload,
    };
    Candidate { task: task.join("\0"), literal, about, is_mixed }
}

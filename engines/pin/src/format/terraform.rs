//! Terraform and OpenTofu: attributes that are known to hold an image, and those that look like it.
//!
//! ```text
//! resource "docker_container" "web" { image = "shop/web:1.4" }     known: certain
//! variable "api_image" { default = "shop/api:1.4" }                called like one, and like a reference: likely
//! image = var.api_image                                            says nothing: no place
//! ```
//! `"${…}"` is opaque; a heredoc with an image in it is seen as such. `*.tf.json` is read as JSON.

mod table;

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer, Literal, is_like_a_reference};
use crate::hcl::{self, Leaf, Value};
use crate::jsonc;
use crate::place::opaque;
use crate::scan::ScanError;
use crate::site::{Certainty, Context, Found, Opaque, Purpose, Shape, Site, Takes};
use crate::yaml::Mark;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use table::{Use, is_image, is_machine, known};

pub(super) const SPEC: Spec = Spec {
    format: Format::Terraform,
    name: "terraform",
    purpose: Purpose::Workload,
    reader: Reader::Marked { sites, marks },
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let file = name.file.as_ref();
    let is_json = [".tf.json", ".tofu.json", ".tfvars.json"].iter().any(|end| file.ends_with(end));
    (is_json || matches!(name.extension(), "tf" | "tofu" | "tfvars") || file == "terragrunt.hcl")
        .then_some("it is called like a file of Terraform")
}

fn by_content(_: &Look<'_>) -> Option<&'static str> {
    None
}

pub(super) fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

pub(super) fn marks(text: &str) -> Result<Vec<Mark<'_>>, ScanError> {
    if is_json(text) { jsonc::marks(text) } else { hcl::marks(text) }
}

fn sites(text: &str) -> Result<Vec<Site>, ScanError> {
    let mut reader =
        Reading { text, all: Gatherer::new(text), built: HashSet::new(), charts: HashMap::new() };
    if is_json(text) {
        jsonc::walk(text, &mut |path, literal, owner| {
            reader.leaf(path, Leaf { value: Value::Text(literal), owner });
        })?;
    } else {
        hcl::walk(text, &mut |path, leaf| reader.leaf(path, leaf))?;
    }
    Ok(reader.finish())
}

/// A `set` of a chart: its `name` and its `value`.
type Chart = (Option<String>, Option<(Literal, About)>);

struct Reading<'t> {
    text: &'t str,
    all: Gatherer<'t>,
    /// The `docker_image`s that are built here.
    built: HashSet<String>,
    /// The `name` and the `value` of each `set` of a chart, by where it begins.
    charts: HashMap<usize, Chart>,
}

impl<'t> Reading<'t> {
    fn leaf(&mut self, path: &[&str], leaf: Leaf) {
        if self.all.is_full() {
            return;
        }
        match path {
            ["resource" | "data" | "ephemeral", kind, name, way @ ..] => {
                self.resource((path[0], kind, name), &way.join("."), path, leaf);
            }
            ["variable", name, "default"] if is_image(name) => self.likely(path, leaf),
            ["variable" | "output" | "provider" | "terraform" | "backend", ..] => {}
            [.., last] if is_image(last) => self.likely(path, leaf),
            _ => {}
        }
    }

    fn resource(&mut self, at: (&str, &str, &str), way: &str, path: &[&str], leaf: Leaf) {
        let (block, kind, name) = at;
        if kind == "docker_image" && way.starts_with("build.") {
            self.built.insert(name.to_owned());
        }
        if kind == "helm_release" && way == "set.name" {
            if let Value::Text(literal) = leaf.value {
                self.charts.entry(leaf.owner).or_default().0 = Some(literal.value);
            }
            return;
        }
        let about = About {
            path: path.join("."),
            context: Context {
                kind: Some(kind.to_owned()),
                workload: Some(name.to_owned()),
                container: None,
            },
            certainty: Certainty::Certain,
            purpose: Purpose::Workload,
        };
        match known(kind, way) {
            Some(Use::Target) if block == "data" => self.certain(about, leaf, Use::Edit),
            Some(Use::Chart) => {
                if let Value::Text(literal) = leaf.value {
                    self.charts.entry(leaf.owner).or_default().1 = Some((literal, about));
                }
            }
            Some(what) => self.certain(about, leaf, what),
            None if is_machine(kind) => {}
            None if path.last().is_some_and(|last| is_image(last)) => self.likely(path, leaf),
            None => {}
        }
    }

    fn certain(&mut self, about: About, leaf: Leaf, what: Use) {
        let literal = match leaf.value {
            Value::Text(literal) if what != Use::Embedded => literal,
            Value::Mixed(span) if what != Use::Embedded => {
                let literal = Literal::word(self.text, span);
                self.all.see(&literal, about).found = Found::Opaque(Opaque::Variable);
                return;
            }
            Value::Text(_) | Value::Mixed(_) => return,
            Value::Heredoc(body) => return self.embedded(&about, body),
        };
        // `aws/codebuild/standard:7.0` is an image of CodeBuild's own, `:shop.api.3` one of Lightsail's.
        if literal.value.starts_with("aws/codebuild/") || literal.value.starts_with(':') {
            return;
        }
        match what {
            Use::Edit | Use::Embedded | Use::Chart => {
                self.all.add(&literal, about);
            }
            Use::Pipeline => {
                self.all.add(&literal, About { purpose: Purpose::Pipeline, ..about });
            }
            Use::Target => self.all.add(&literal, about).found = Found::BuildTarget,
            Use::Either => {
                if let Shape::Seen(quote) = &mut self.all.see(&literal, about).shape {
                    quote.takes = Takes::Either;
                }
            }
        }
    }

    fn likely(&mut self, path: &[&str], leaf: Leaf) {
        let Value::Text(literal) = leaf.value else {
            return;
        };
        if !is_like_a_reference(&literal.value) {
            return;
        }
        self.all.add(
            &literal,
            About {
                path: path.join("."),
                context: Context::default(),
                certainty: Certainty::Likely,
                purpose: Purpose::Workload,
            },
        );
    }

    /// References in a text that another program reads.
    fn embedded(&mut self, about: &About, body: Range<usize>) {
        for span in embedded(self.text, body) {
            let literal = Literal::word(self.text, span);
            let why = opaque(&literal.value).unwrap_or(Opaque::Embedded);
            self.all.see(&literal, about.clone()).found = Found::Opaque(why);
        }
    }

    fn finish(mut self) -> Vec<Site> {
        let mut charts: Vec<_> = self.charts.into_values().collect();
        charts.sort_by_key(|(_, value)| value.as_ref().map(|(literal, _)| literal.token.start));
        for (name, value) in charts {
            let (Some(name), Some((literal, about))) = (name, value) else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let is_part = ["image.tag", "image.repository", "image.digest", "imagetag"]
                .iter()
                .any(|end| name.ends_with(end))
                || name == "tag";
            if is_part {
                let site = self.all.see(&literal, about);
                site.found = Found::Opaque(opaque(&literal.value).unwrap_or(Opaque::Part));
            } else if name.ends_with("image") && is_like_a_reference(&literal.value) {
                self.all.see(&literal, about).certainty = Certainty::Likely;
            }
        }
        let mut sites = self.all.finish();
        for site in &mut sites {
            let is_built = site.context.kind.as_deref() == Some("docker_image")
                && site.context.workload.as_ref().is_some_and(|name| self.built.contains(name));
            if is_built && matches!(site.found, Found::Image(_)) {
                site.found = Found::BuildTarget;
            }
        }
        sites
    }
}

/// The values of keys that are called like images, in YAML, JSON or HCL inside of a text.
fn embedded(text: &str, body: Range<usize>) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let within = text.get(body.clone()).unwrap_or_default();
    for found in memchr::memmem::find_iter(within.as_bytes(), b"mage") {
        let start = body.start + found + "mage".len();
        let rest = &text[start..body.end];
        let value = rest.trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
        let Some(value) = value.strip_prefix([':', '=']) else {
            continue;
        };
        let value = value.trim_start_matches([' ', '\t']).trim_start_matches(['"', '\'']);
        let at = start + rest.len() - value.len();
        let end = value.find(|c: char| c.is_whitespace() || "\"',;]".contains(c));
        let span = at..at + end.unwrap_or(value.len());
        if is_like_a_reference(&text[span.clone()]) {
            all.push(span);
        }
    }
    all
}

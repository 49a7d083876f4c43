//! Jsonnet and CUE, seen and never edited: strings whose key is called like an image.
//!
//! ```text
//! local image = 'shop/api:1.4';     _images+:: { web: 'shop/web:2' }     image: 'shop/x:' + version
//! container: image: *"shop/api:1.4" | string
//! ```
//! Both are programs: which value is used, and from where, only running them tells. Source: Jsonnet and CUE language
//! specifications.

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer, is_like_a_reference};
use crate::literals::{Pair, Syntax, pairs};
use crate::site::{Certainty, Context, Found, Opaque, Purpose, Site};

pub(super) const JSONNET: Spec = Spec {
    format: Format::Jsonnet,
    name: "jsonnet",
    purpose: Purpose::Workload,
    reader: Reader::Seen(jsonnet),
    by_name: |name: &Name<'_>| {
        matches!(name.extension(), "jsonnet" | "libsonnet").then_some("it is called like Jsonnet")
    },
    by_content: nothing,
};

pub(super) const CUE: Spec = Spec {
    format: Format::Cue,
    name: "cue",
    purpose: Purpose::Workload,
    reader: Reader::Seen(cue),
    by_name: |name: &Name<'_>| (name.extension() == "cue").then_some("it is called like CUE"),
    by_content: nothing,
};

fn nothing(_: &Look<'_>) -> Option<&'static str> {
    None
}

fn jsonnet(text: &str) -> Vec<Site> {
    sites(text, Syntax::Jsonnet)
}

fn cue(text: &str) -> Vec<Site> {
    sites(text, Syntax::Cue)
}

fn sites(text: &str, syntax: Syntax) -> Vec<Site> {
    let mut all = Gatherer::new(text);
    pairs(text, syntax, &mut |pair| {
        if !all.is_full() {
            add(&mut all, pair);
        }
    });
    all.finish()
}

fn add(all: &mut Gatherer<'_>, pair: Pair<'_>) {
    let is_named = pair.name.to_ascii_lowercase().ends_with("image");
    let is_listed = matches!(pair.within.trim_start_matches('_'), "images");
    if !is_named && !is_listed {
        return;
    }
    // The half of a name: `'shop/api:' + version`, `"shop/api:\(version)"`.
    let is_half = pair.is_part && pair.literal.value.contains(['/', ':']);
    if !is_half && !is_like_a_reference(&pair.literal.value) {
        return;
    }
    let about = About {
        path: format!("{}.{}", pair.within, pair.name).trim_start_matches('.').to_owned(),
        context: Context::default(),
        certainty: Certainty::Likely,
        purpose: Purpose::Workload,
    };
    let site = all.see(&pair.literal, about);
    if pair.is_part {
        site.found = Found::Opaque(Opaque::Variable);
    }
}

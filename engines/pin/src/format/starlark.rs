//! Starlark, seen and never edited: what Bazel pulls, what a Tiltfile builds and runs, and names that say image.
//!
//! ```text
//! oci.pull(name = "base", image = "docker.io/library/debian", tag = "12", digest = "sha256:…")    -> all three
//! docker_build("shop/api", ".")                                                                   -> what is made
//! local("docker run shop/x:1")                                                                    -> a script
//! ```
//! Source: rules_oci docs, `oci.pull`; rules_docker docs, `container_pull`; Tilt API reference.

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::read_reference;
use crate::gather::{About, Gatherer, Literal, is_like_a_reference};
use crate::literals::{Pair, Syntax, pairs};
use crate::shell::{Breaks, see_script};
use crate::site::{Certainty, Context, Found, Opaque, Purpose, Shape, Site, Takes};
use std::collections::BTreeMap;

pub(super) const SPEC: Spec = Spec {
    format: Format::Starlark,
    name: "starlark",
    purpose: Purpose::Base,
    reader: Reader::Seen(sites),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let own = name.path.rsplit(['/', '\\']).next().unwrap_or(name.path);
    // `build` in small letters is a script or a folder's neighbour more often than a package of Bazel.
    let is_one = matches!(
        own,
        "BUILD" | "BUILD.bazel" | "WORKSPACE" | "WORKSPACE.bazel" | "MODULE.bazel" | "Tiltfile"
    );
    (is_one || matches!(name.extension(), "bzl" | "star" | "bazel" | "tiltfile"))
        .then_some("it is called like a file of Starlark")
}

fn by_content(_: &Look<'_>) -> Option<&'static str> {
    None
}

/// The arguments of one pull.
#[derive(Default)]
struct Pull<'t> {
    registry: Option<&'t str>,
    name: Option<Literal>,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
    is_part: bool,
}

fn sites(text: &str) -> Vec<Site> {
    let mut all = Gatherer::new(text);
    let mut pulls: BTreeMap<usize, Pull<'_>> = BTreeMap::new();
    pairs(text, Syntax::Starlark, &mut |pair| {
        if all.is_full() {
            return;
        }
        let call = pair.within.rsplit('.').next().unwrap_or(pair.within);
        let is_pull = matches!(pair.within, "oci.pull" | "container.pull")
            || matches!(call, "oci_pull" | "container_pull");
        if is_pull {
            argument(text, pulls.entry(pair.owner).or_default(), &pair);
        } else if matches!(call, "docker_build" | "custom_build") {
            if pair.name == "ref" || (pair.name.is_empty() && pair.place == 0) {
                let target = about(call, Certainty::Certain, Purpose::Workload);
                all.see(&pair.literal, target).found = Found::BuildTarget;
            }
        } else if call == "local" && !pair.is_part {
            see_script(&mut all, text, pair.literal.inner, Breaks::End, "local");
        } else if pair.name.to_ascii_lowercase().ends_with("image") {
            named(&mut all, pair);
        }
    });
    for pull in pulls.into_values() {
        pulled(&mut all, pull);
    }
    all.finish()
}

fn about(path: &str, certainty: Certainty, purpose: Purpose) -> About {
    About { path: path.to_owned(), context: Context::default(), certainty, purpose }
}

fn argument<'t>(text: &'t str, pull: &mut Pull<'t>, pair: &Pair<'t>) {
    let value = text.get(pair.literal.inner.clone());
    match pair.name {
        "image" | "repository" => {
            pull.name = Some(pair.literal.clone());
            pull.is_part |= pair.is_part;
        }
        "registry" => pull.registry = value,
        "tag" => pull.tag = value,
        "digest" => pull.digest = value,
        _ => {}
    }
}

/// One reference from several arguments, shown where the name stands.
fn pulled(all: &mut Gatherer<'_>, pull: Pull<'_>) {
    let Some(literal) = pull.name else {
        return;
    };
    let mut text = pull.registry.map_or(String::new(), |registry| format!("{registry}/"));
    text.push_str(literal.value.trim_start_matches('/'));
    for (sign, part) in [(':', pull.tag), ('@', pull.digest)] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            text.push(sign);
            text.push_str(part);
        }
    }
    let site = all.see(&literal, about("pull", Certainty::Certain, Purpose::Base));
    if let Shape::Seen(quote) = &mut site.shape {
        quote.takes = Takes::Argument;
    }
    site.found = if pull.is_part { Found::Opaque(Opaque::Variable) } else { read_reference(&text) };
    site.text = text;
}

fn named(all: &mut Gatherer<'_>, pair: Pair<'_>) {
    let is_half = pair.is_part && pair.literal.value.contains(['/', ':']);
    if !is_half && !is_like_a_reference(&pair.literal.value) {
        return;
    }
    let site = all.see(&pair.literal, about(pair.name, Certainty::Likely, Purpose::Base));
    if pair.is_part {
        site.found = Found::Opaque(Opaque::Variable);
    }
}

//! Compose files: `services.*.image`, also through `x-` anchors and merge keys, and images as volumes.
//!
//! ```yaml
//! x-app: &app {image: shop/api:1}
//! services:
//!   api: {<<: *app}
//! ```
//! A service with `build:` names what it makes, not what it takes: reported, never pinned.

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::{Collector, read_reference};
use crate::site::{Certainty, Context, Found, PullPolicy, Purpose};
use crate::yaml::{Kind, NodeId};
use memchr::memmem;

pub(super) const SPEC: Spec = Spec {
    format: Format::Compose,
    name: "compose",
    purpose: Purpose::Workload,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let stem = name.stem();
    let is_one = ["docker-compose", "compose", "podman-compose"].iter().any(|word| {
        stem == *word
            || stem.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', '-', '_']))
            || stem.strip_suffix(word).is_some_and(|rest| rest.ends_with(['.', '-']))
    });
    (name.is_yaml() && is_one).then_some("it is called like a Compose file")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    // Other programs have a list of that name: Travis CI.
    let is_mapping = look.has_root("services") && !look.roots().has_list(&["services"]);
    (is_mapping && memmem::find(look.text.as_bytes(), b"image").is_some())
        .then_some("it has `services:` at its root")
}

/// Adds the images of all services.
fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        let services = tree.get(*root, "services").and_then(|id| tree.resolve(id));
        let Some(services) = services else { continue };
        if !matches!(tree.node(services).kind, Kind::Mapping(_)) {
            continue;
        }
        for service in tree.children(services) {
            if collector.is_full() {
                return;
            }
            add_service(collector, service);
        }
    }
}

fn add_service(collector: &mut Collector<'_, '_>, service: NodeId) {
    let tree = collector.tree;
    let Some(body) = tree.resolve(service) else {
        return;
    };
    let context = Context {
        kind: Some("service".to_owned()),
        workload: None,
        container: tree.key(service).map(std::borrow::Cow::into_owned),
    };
    if let Some(image) = tree.get(body, "image") {
        let is_built =
            tree.get(body, "build").is_some_and(|build| tree.node(build).kind != Kind::Empty);
        let is_new = !collector.knows(image);
        if let Some(site) = collector.add(image, context.clone(), Certainty::Certain) {
            // Several services may share one value: it is taken from a registry if one of them does.
            match (is_built, &site.found) {
                (true, _) if is_new => site.found = Found::BuildTarget,
                (false, Found::BuildTarget) => site.found = read_reference(&site.text),
                (true | false, _) => {}
            }
            let pull = tree.text_of(body, "pull_policy").and_then(|word| PullPolicy::read(&word));
            site.pull = site.pull.or(pull);
        }
    }
    let volumes = tree.get(body, "volumes").and_then(|id| tree.resolve(id));
    let Some(volumes) = volumes.filter(|id| matches!(tree.node(*id).kind, Kind::Sequence(_)))
    else {
        return;
    };
    for volume in tree.children(volumes) {
        if tree.text_of(volume, "type").is_some_and(|kind| kind == "image")
            && let Some(source) = tree.get(volume, "source")
        {
            collector.add(source, context.clone(), Certainty::Certain);
        }
    }
}

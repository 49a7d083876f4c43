//! Bitbucket Pipelines: the images of the file, of steps and services, and pipes that name an image.
//!
//! ```text
//! image: node:20      step: {image: {name: node:20}}      - pipe: docker://example/notify:1
//! ```
//! `pipe: atlassian/x:1.1.0` is a tag of a git repository, whose `pipe.yml` there names the image: none is named here.
//! Source: Bitbucket Cloud docs, "Docker image options", "Databases and service containers", "Write a pipe".

use super::pipeline::{context, docker, entries, image, keyed, name};
use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::collector::Collector;
use crate::site::Purpose;
use crate::yaml::NodeId;

pub(super) const SPEC: Spec = Spec {
    format: Format::Bitbucket,
    name: "bitbucket",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.is_yaml() && name.stem().ends_with("bitbucket-pipelines");
    is_one.then_some("it is called like a Bitbucket pipeline")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let is_one = look.has_root("pipelines") && look.has_word("- step:") && !look.is_root_object();
    is_one.then_some("it has `pipelines:` with steps")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for root in &tree.roots {
        if let Some(own) = tree.get(*root, "image") {
            image(collector, own, "name", context("default", None));
        }
        if let Some(definitions) = tree.get(*root, "definitions") {
            for service in entries(tree, definitions, "services") {
                if let Some(own) = tree.get(service, "image") {
                    image(collector, own, "name", context("service", name(tree, service, &[])));
                }
            }
        }
    }
    for (id, key) in keyed(tree) {
        if collector.is_full() {
            return;
        }
        if tree.is(key, "step") {
            add_step(collector, id);
        }
    }
}

fn add_step(collector: &mut Collector<'_, '_>, step: NodeId) {
    let tree = collector.tree;
    let context = context("step", tree.text_of(step, "name").map(Into::into));
    if let Some(own) = tree.get(step, "image") {
        image(collector, own, "name", context.clone());
    }
    for key in ["script", "after-script"] {
        for line in entries(tree, step, key) {
            if let Some(pipe) = tree.get(line, "pipe") {
                docker(collector, pipe, context.clone());
            }
        }
    }
}

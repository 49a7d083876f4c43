//! Playbooks and task files: the modules that run, pull or apply something with an image.
//!
//! ```yaml
//! - name: run the shop
//!   community.docker.docker_container:
//!     name: shop
//!     image: "shop/api:1.4"
//! ```
//! Source: Ansible docs, collections community.docker, containers.podman and kubernetes.core.

use super::kubernetes::{IsImage, is_called_image, pair};
use super::{Reader, Spec};
use crate::classify::{Format, Look};
use crate::collector::Collector;
use crate::parts::{self, Joined, Spelling};
use crate::site::{Certainty, Context, Found, NoRoom, Opaque, Purpose, Room};
use crate::yaml::{Kind, NodeId, Tree};
use memchr::memmem;

pub(super) const SPEC: Spec = Spec {
    format: Format::Ansible,
    name: "ansible",
    purpose: Purpose::Workload,
    reader: Reader::Yaml(collect),
    by_name: super::no_name,
    by_content,
};

/// What a module says of images; the last part of its name.
enum Module {
    /// `image:` is a reference.
    Runs,
    /// `name:`, with `tag:` beside it.
    Pulls,
    /// Objects of Kubernetes in `definition:`.
    Applies,
}

const MODULES: [(&str, Module); 13] = [
    ("docker_container", Module::Runs),
    ("docker_container_exec", Module::Runs),
    ("docker_swarm_service", Module::Runs),
    ("podman_container", Module::Runs),
    ("podman_containers", Module::Runs),
    ("docker_image", Module::Pulls),
    ("docker_image_pull", Module::Pulls),
    ("podman_image", Module::Pulls),
    ("docker_compose", Module::Applies),
    ("docker_compose_v2", Module::Applies),
    ("podman_play", Module::Applies),
    ("k8s", Module::Applies),
    ("k8s_definition", Module::Applies),
];

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if !look.name.is_yaml() && !look.name.is_nameless() || look.has_root("kind") {
        return None;
    }
    let bytes = look.text.as_bytes();
    let is_list = look.text.lines().any(|line| line.starts_with("- "));
    let has_module = MODULES.iter().any(|(name, _)| {
        memmem::find_iter(bytes, name.as_bytes()).any(|at| {
            let behind = &bytes[at + name.len()..];
            let before = at.checked_sub(1).map(|before| bytes[before]);
            behind.starts_with(b":") && matches!(before, Some(b' ' | b'.'))
        })
    });
    let is_task = ["hosts:", "tasks:", "name:", "become:", "when:", "register:"];
    (is_list && has_module && is_task.iter().any(|key| look.text.contains(key)))
        .then_some("it has tasks of Ansible's container modules")
}

fn collect(collector: &mut Collector<'_, '_>) {
    let tree = collector.tree;
    for at in 0..tree.nodes.len() {
        let id = NodeId::try_from(at).unwrap_or(NodeId::MAX);
        let key = tree.node(id).slot.key;
        if key == NodeId::MAX || collector.is_full() {
            continue;
        }
        let name = tree.raw(key).trim_matches(['"', '\'']);
        let name = name.rsplit('.').next().unwrap_or(name);
        let Some((_, module)) = MODULES.iter().find(|(module, _)| *module == name) else {
            continue;
        };
        task(collector, id, module);
    }
}

fn task(collector: &mut Collector<'_, '_>, id: NodeId, module: &Module) {
    let tree = collector.tree;
    let Some(body) = tree.resolve(id) else { return };
    let context = context(tree, id);
    if matches!(tree.node(body).kind, Kind::Scalar(_)) {
        // `docker_container: name=shop image=shop/api:1`
        let names_one = tree.value(body).split_whitespace().any(|word| word.starts_with("image="));
        if names_one && let Some(site) = collector.add(body, context, Certainty::Certain) {
            site.found = Found::Opaque(Opaque::Broken);
        }
        return;
    }
    match module {
        Module::Runs => {
            if let Some(image) = tree.get(body, "image") {
                collector.add(image, context.clone(), Certainty::Certain);
            }
            let list = tree.get(body, "containers").and_then(|list| tree.resolve(list));
            for one in list.into_iter().flat_map(|list| tree.children(list)) {
                if let Some(image) = tree.get(one, "image") {
                    collector.add(image, context.clone(), Certainty::Certain);
                }
            }
        }
        Module::Pulls => pulled(collector, body, context),
        Module::Applies => applied(collector, body, &context),
    }
}

/// An image by name and tag. Source: community.docker docs, docker_image: `source: build` makes it.
fn pulled(collector: &mut Collector<'_, '_>, body: NodeId, context: Context) {
    let tree = collector.tree;
    let says = |key| tree.text_of(body, key).unwrap_or_default();
    let is_built = says("source") == "build" || tree.get(body, "build").is_some();
    let spelling = Spelling { name: "name", registry: &[], tag: &["tag"], digest: &[] };
    let fields = parts::read(collector, body, &spelling);
    match fields.filter(|fields| fields.is() == Joined::Fixed) {
        Some(mut fields) => {
            fields.room = Room::Nowhere(NoRoom::Module);
            let text = fields.joined();
            let found = if is_built { Found::BuildTarget } else { parts::found(&text) };
            collector.add_fields(body, fields, text, found, context);
        }
        None => {
            if let Some(name) = tree.get(body, "name")
                && let Some(site) = collector.add(name, context, Certainty::Certain)
                && (is_built || says("source") == "local" || says("state") == "absent")
            {
                site.found = Found::BuildTarget;
            }
        }
    }
}

/// Every `image` of an inline definition; one from a file or a template stands there.
fn applied(collector: &mut Collector<'_, '_>, body: NodeId, context: &Context) {
    let tree = collector.tree;
    for key in ["definition", "resource_definition"] {
        let Some(root) = tree.get(body, key).and_then(|root| tree.resolve(root)) else { continue };
        for at in root..tree.node(root).next {
            let own = tree.node(at).slot.key;
            if own == NodeId::MAX {
                continue;
            }
            if tree.is(own, "image") {
                collector.add(at, context.clone(), Certainty::Likely);
            } else if tree.is(own, "repository")
                && let Some(holder) = tree.parent(at)
                && is_called_image(tree, holder) == IsImage::Surely
            {
                pair(collector, holder, context.clone(), IsImage::Surely);
            }
        }
        // Text of objects, as `lookup('template', …)` or a block.
        let is_text = matches!(tree.node(root).kind, Kind::Scalar(_));
        if is_text
            && tree.value(root).contains("image")
            && let Some(site) = collector.add(root, context.clone(), Certainty::Likely)
        {
            site.found = Found::Opaque(Opaque::Broken);
        }
    }
}

fn context(tree: &Tree<'_>, id: NodeId) -> Context {
    let task = tree.parent(id).and_then(|task| tree.text_of(task, "name"));
    let kind = tree.key(id).map(std::borrow::Cow::into_owned);
    Context { kind, workload: None, container: task.map(std::borrow::Cow::into_owned) }
}

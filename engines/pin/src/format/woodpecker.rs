//! Woodpecker: the images of steps, services and clones, as lists or mappings.
//!
//! ```text
//! steps: [{name: build, image: golang:1.22, commands: [make]}]      clone: {git: {image: woodpeckerci/plugin-git}}
//! ```
//! A plugin is an image too. Where an agent runs steps on its host, `image` is a shell, which no file says.
//! Source: Woodpecker docs, "Workflow syntax"; its JSON schema.

use super::{Reader, Spec, drone};
use crate::classify::{Format, Look, Name};
use crate::site::Purpose;

pub(super) const SPEC: Spec = Spec {
    format: Format::Woodpecker,
    name: "woodpecker",
    purpose: Purpose::Pipeline,
    reader: Reader::Yaml(drone::collect),
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    let is_one = name.is_yaml() && name.stem() == ".woodpecker";
    is_one.then_some("it is called like a Woodpecker workflow")
}

fn by_content(look: &Look<'_>) -> Option<&'static str> {
    if look.is_root_object() {
        return None;
    }
    if look.name.is_yaml() && look.name.is_below(".woodpecker") {
        return Some("it stands in Woodpecker's folder");
    }
    // Codefresh and Vela write their version, Harness an identifier.
    let is_other = look.has_root("version") || look.has_word("identifier:");
    let has_steps = look.roots().has_any(&["steps", "pipeline"]) && !is_other;
    let is_one =
        has_steps && look.has_key("image") && look.has_any_word(&["commands:", "settings:"]);
    is_one.then_some("it has steps with `image:` and `commands:`")
}

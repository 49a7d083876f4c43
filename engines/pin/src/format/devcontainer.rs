//! `devcontainer.json`: its `image`, and the features that are artifacts of a registry.
//!
//! ```text
//! "image": "mcr.microsoft.com/devcontainers/base:bookworm"       a place like any other
//! "features": {"ghcr.io/devcontainers/features/node:1": {}}      seen: a key, of which a lock file speaks too
//! ```
//! A feature takes a tag or a digest, never both: its tag would be lost to a pin, and another key of the file may
//! name it (`overrideFeatureInstallOrder`). Source: containers.dev, "devcontainer.json reference" and "Features
//! distribution"; devcontainers/cli, `getRef`.

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer};
use crate::jsonc;
use crate::scan::ScanError;
use crate::site::{Certainty, Context, Purpose, Shape, Site, Takes};
use jsonc_parser::ast::Value;

pub(super) const SPEC: Spec = Spec {
    format: Format::Devcontainer,
    name: "devcontainer",
    purpose: Purpose::Base,
    reader: Reader::Marked { sites, marks: jsonc::marks },
    by_name,
    by_content,
};

fn by_name(name: &Name<'_>) -> Option<&'static str> {
    matches!(name.file.as_ref(), "devcontainer.json" | ".devcontainer.json")
        .then_some("it is called like the settings of a development container")
}

fn by_content(_: &Look<'_>) -> Option<&'static str> {
    None
}

fn sites(text: &str) -> Result<Vec<Site>, ScanError> {
    let json = jsonc::read(text)?;
    let root = json.root.as_ref();
    let mut all = Gatherer::new(text);
    let about = |path: String| About {
        path,
        context: Context { kind: Some("devcontainer".to_owned()), ..Context::default() },
        certainty: Certainty::Certain,
        purpose: Purpose::Base,
    };
    for image in jsonc::values(root, "image").filter_map(Value::as_string_lit) {
        all.add(&json.literal(image), about("image".to_owned()));
    }
    let features = jsonc::values(root, "features").filter_map(Value::as_object);
    for feature in features.flat_map(|features| &features.properties) {
        let name = feature.name.as_str();
        if all.is_full() || !is_artifact(name) {
            continue;
        }
        let path = "features".to_owned();
        if let Shape::Seen(quote) = &mut all.see(&json.name(&feature.name), about(path)).shape {
            quote.takes = Takes::Either;
        }
    }
    Ok(all.finish())
}

/// Not a folder, an archive's address or one of the old short names.
fn is_artifact(name: &str) -> bool {
    let host = name.split_once('/').map(|(host, _)| host);
    !name.contains("://")
        && host.is_some_and(|host| {
            !host.starts_with('.') && (host.contains('.') || host.starts_with("localhost"))
        })
}

//! Quadlet: the units from which Podman makes services of systemd.
//!
//! ```text
//! api.container   [Container] Image=shop/api:1.4       a place
//! web.container   [Container] Image=web.build          another unit, which has a place of its own
//! web.build       [Build] ImageTag=localhost/web:dev   what it makes
//! ```
//! Source: podman-systemd.unit(5), podman-container.unit(5), podman-volume.unit(5), podman-image.unit(5),
//! podman-build.unit(5); systemd.syntax(7).

mod units;

use super::{Reader, Spec};
use crate::classify::{Format, Look, Name};
use crate::gather::{About, Gatherer, Literal};
use crate::place::opaque;
use crate::scan::ScanError;
use crate::site::{Certainty, Context, Found, Opaque, Purpose, Site};
use units::{Entry, entries, marks};

pub(super) const SPEC: Spec = Spec {
    format: Format::Quadlet,
    name: "quadlet",
    purpose: Purpose::Workload,
    reader: Reader::Marked { sites, marks },
    by_name,
    by_content,
};

/// The kinds of units that name images, and the sections in which they do.
const KINDS: [(&str, &str); 4] =
    [("container", "Container"), ("volume", "Volume"), ("image", "Image"), ("build", "Build")];

/// A drop-in `api.container.d/10-image.conf` too.
fn by_name(name: &Name<'_>) -> Option<&'static str> {
    if name.extension() == "container" {
        return Some("it is called like a container unit of Quadlet");
    }
    let folder = name.path.rsplit(['/', '\\']).nth(1).unwrap_or_default();
    let unit = folder.strip_suffix(".d").filter(|_| name.extension() == "conf")?;
    let kind = unit.rsplit_once('.').map_or(unit, |(_, kind)| kind);
    KINDS
        .iter()
        .any(|(own, _)| *own == kind)
        .then_some("it stands in the drop-in folder of a unit of Quadlet")
}

/// Other programs have files of these names: the section decides.
fn by_content(look: &Look<'_>) -> Option<&'static str> {
    let extension = look.name.extension();
    let (_, section) = KINDS.iter().find(|(kind, _)| *kind == extension)?;
    let is_head = |line: &str| {
        line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(section)
    };
    look.text
        .split(['\n', '\r'])
        .any(|line| is_head(line.trim()))
        .then_some("it has the section of a unit of Quadlet")
}

#[expect(clippy::unnecessary_wraps, reason = "other readers of this signature can refuse a text")]
fn sites(text: &str) -> Result<Vec<Site>, ScanError> {
    let mut all = Gatherer::new(text);
    for entry in entries(text) {
        if all.is_full() {
            break;
        }
        match (entry.section, entry.key) {
            ("Container" | "Volume" | "Image", "Image") => {
                add(&mut all, &entry, unquoted(&entry.value));
            }
            ("Build", "ImageTag") => {
                add(&mut all, &entry, unquoted(&entry.value)).found = Found::BuildTarget;
            }
            ("Container", "Mount") => {
                if let Some(source) = mounted(&entry.value) {
                    add(&mut all, &entry, source);
                }
            }
            _ => {}
        }
    }
    let mut sites = all.finish();
    sites.retain(|site| !is_unit(&site.text));
    Ok(sites)
}

fn add<'a>(all: &'a mut Gatherer<'_>, entry: &Entry<'_>, literal: Literal) -> &'a mut Site {
    let site = all.add(
        &literal,
        About {
            path: format!("{}.{}", entry.section, entry.key),
            context: Context {
                kind: Some(entry.section.to_ascii_lowercase()),
                ..Context::default()
            },
            certainty: Certainty::Certain,
            purpose: Purpose::Workload,
        },
    );
    // `%i` is the instance of a template unit. Source: systemd.unit(5), "Specifiers".
    if literal.value.contains('%') && opaque(&literal.value).is_none() {
        site.found = Found::Opaque(Opaque::Variable);
    }
    site
}

/// `Image=web.image` and `Image=web.build` name units.
fn is_unit(text: &str) -> bool {
    text.ends_with(".image") || text.ends_with(".build")
}

/// Podman takes double quotes off a value.
fn unquoted(value: &Literal) -> Literal {
    let mut all = value.clone();
    let bare = value.value.trim_matches('"');
    if bare.len() + 2 == value.value.len() && value.inner.len() == value.value.len() {
        all.inner = value.inner.start + 1..value.inner.end - 1;
        all.value = bare.to_owned();
        all.token = all.inner.clone();
    }
    all
}

/// The source in `Mount=type=image,source=shop/data:1,destination=/data`.
fn mounted(value: &Literal) -> Option<Literal> {
    let text = value.value.as_str();
    if value.inner.len() != text.len() || !text.split(',').any(|part| part == "type=image") {
        return None;
    }
    let mut at = value.inner.start;
    for part in text.split(',') {
        if let Some(source) = part.strip_prefix("source=").or_else(|| part.strip_prefix("src=")) {
            let span = at + part.len() - source.len()..at + part.len();
            return Some(Literal { token: span.clone(), inner: span, value: source.to_owned() });
        }
        at += part.len() + 1;
    }
    None
}

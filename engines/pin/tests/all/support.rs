//! What the tests say often.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is how a wrong fixture is told")]

use domain::{Digest, ImageRef, PinnedRef, Repository};
use pin::{Format, Found, Plan, Site, Style, apply, plan_pin, plan_set, scan};
use std::collections::BTreeMap;

/// The digest of all answers: 64 times the same digit, so that fixtures can be read.
pub(crate) const NINES: &str =
    "sha256:9999999999999999999999999999999999999999999999999999999999999999";
pub(crate) const ONES: &str =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";

pub(crate) fn sites(format: Format, text: &str) -> Vec<Site> {
    scan(format, text).unwrap_or_else(|error| panic!("{error}: {text:?}")).sites
}

/// `line:column word text` for each site: what a person would list by hand.
pub(crate) fn listed(format: Format, text: &str) -> Vec<String> {
    sites(format, text)
        .iter()
        .map(|site| format!("{}:{} {} {}", site.line, site.column, word(site), site.text))
        .collect()
}

/// What stands at a place.
pub(crate) fn word(site: &Site) -> &'static str {
    match &site.found {
        Found::Image(ImageRef::Bare(_)) => "bare",
        Found::Image(ImageRef::Tagged(_)) => "tag",
        Found::Image(ImageRef::Pinned(_)) => "pinned",
        Found::Opaque(_) => "opaque",
        Found::Malformed(_) => "malformed",
        Found::BuildTarget => "build",
        Found::Stage => "stage",
        Found::Scratch => "scratch",
        Found::Inherits(_) => "inherits",
    }
}

/// Every tag and bare name resolves to [`NINES`].
pub(crate) fn answers(sites: &[Site]) -> BTreeMap<ImageRef, Digest> {
    let mut all = BTreeMap::new();
    for site in sites {
        if let Found::Image(reference) = &site.found {
            all.insert(reference.clone(), NINES.parse().unwrap());
        }
    }
    all
}

pub(crate) fn pin_plan(format: Format, text: &str, style: Style) -> Plan {
    let found = scan(format, text).unwrap();
    plan_pin(&found, &answers(&found.sites), style)
}

pub(crate) fn pinned(format: Format, text: &str) -> String {
    let plan = pin_plan(format, text, Style::TagDigest);
    apply(format, text, &plan.edits).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub(crate) fn set_plan(format: Format, text: &str, repository: &str, to: &str) -> Plan {
    let repository: Repository = repository.parse().unwrap();
    let to: PinnedRef = to.parse().unwrap();
    plan_set(&scan(format, text).unwrap(), &repository, &to)
}

pub(crate) fn set(format: Format, text: &str, repository: &str, to: &str) -> String {
    let plan = set_plan(format, text, repository, to);
    apply(format, text, &plan.edits).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The lines that differ, `-old +new`; both texts must have as many lines.
pub(crate) fn changed(old: &str, new: &str) -> Vec<String> {
    assert_eq!(old.split('\n').count(), new.split('\n').count(), "{new}");
    old.split('\n')
        .zip(new.split('\n'))
        .filter(|(old, new)| old != new)
        .map(|(_, new)| new.replace(NINES, "@NINES").replace("@@", "@"))
        .collect()
}

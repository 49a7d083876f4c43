//! What the files of one environment say together: two tags or two digests of one image.
//!
//! ```text
//! apps/prod/api.yaml: shop/api:v1.4.2    apps/prod/job.yaml: shop/api:v1.4.3   ->  two-tags, at the rarer one
//! ```
//! Noted, since a canary and a migration job are meant to differ. Without an environment nothing is compared.

use super::checked::{Answer, Checked};
use crate::files::level::Required;
use crate::files::walk::FileText;
use domain::{Digest, EnvironmentName, Repository, Tag};
use pin::{Finding, FindingKind, Found, Purpose, Scan};
use std::collections::{BTreeMap, HashSet};

/// One name of an image in an environment's file, with its first place there.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) reference: String,
    repository: Repository,
    variant: Variant,
    /// Its row, should it turn out to be torn.
    row: Checked,
}

/// What may differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Variant {
    tag: Option<Tag>,
    digest: Option<Digest>,
}

/// What a file names, each name once; nothing outside of environments.
pub(super) fn named(file: &FileText<'_>, scan: &Scan, required: Required<'_>) -> Vec<Named> {
    let Some(environment) = required.environment else {
        return Vec::new();
    };
    let (mut seen, mut named) = (HashSet::new(), Vec::new());
    for site in &scan.sites {
        let Found::Image(reference) = &site.found else { continue };
        if site.purpose != Purpose::Workload || site.marker.is_some() {
            continue;
        }
        let variant =
            Variant { tag: reference.tag().cloned(), digest: reference.digest().copied() };
        let is_told = variant.tag.is_some() || variant.digest.is_some();
        if is_told && seen.insert((reference.repository(), variant.clone())) {
            let row = Checked {
                environment: Some(environment.clone()),
                ..Checked::of(file.shown, file.format, site, required.level)
            };
            let repository = reference.repository().clone();
            named.push(Named { reference: site.text.clone(), repository, variant, row });
        }
    }
    named
}

/// A row for each name of an image beside the one that most files of the environment have.
pub(super) fn two_tags(named: impl Iterator<Item = Named>) -> Vec<Checked> {
    let mut images: BTreeMap<(EnvironmentName, Repository), Vec<Named>> = BTreeMap::new();
    for one in named {
        if let Some(environment) = one.row.environment.clone() {
            images.entry((environment, one.repository.clone())).or_default().push(one);
        }
    }
    images.into_iter().flat_map(|((environment, _), all)| torn(&environment, all)).collect()
}

fn torn(environment: &EnvironmentName, all: Vec<Named>) -> Vec<Checked> {
    let mut variants: BTreeMap<Variant, Vec<Named>> = BTreeMap::new();
    for one in all {
        variants.entry(one.variant.clone()).or_default().push(one);
    }
    let mut variants: Vec<(Variant, Vec<Named>)> = variants.into_iter().collect();
    // The first is what most files have, of equals the one whose file comes first.
    variants.sort_by(|(_, a), (_, b)| {
        (b.len(), &a[0].row.path, a[0].row.line).cmp(&(a.len(), &b[0].row.path, b[0].row.line))
    });
    let mut variants = variants.into_iter();
    let Some((main, places)) = variants.next() else {
        return Vec::new();
    };
    let Some(Named { reference, row: first, .. }) = places.into_iter().next() else {
        return Vec::new();
    };
    let others = variants.filter(|(other, _)| differs(&main, other));
    let others = others.filter_map(|(_, places)| places.into_iter().next());
    others
        .map(|Named { mut row, .. }| {
            let (own, path, line) = (&row.reference, &first.path, first.line);
            let message =
                format!("`{own}`: {environment} also names `{reference}` ({path}:{line})");
            row.answer =
                Answer::Finding(Finding::new(FindingKind::TwoTags, Purpose::Workload, message));
            row
        })
        .collect()
}

/// Whether both cannot be one build: `v1` and `v1@sha256:9f…` may be.
fn differs(a: &Variant, b: &Variant) -> bool {
    let is_other_digest = matches!((&a.digest, &b.digest), (Some(a), Some(b)) if a != b);
    let is_same_digest = a.digest.is_some() && a.digest == b.digest;
    let is_other_tag = matches!((&a.tag, &b.tag), (Some(a), Some(b)) if a != b);
    is_other_digest || (is_other_tag && !is_same_digest)
}

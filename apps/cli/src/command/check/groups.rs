//! Findings put together by image, the worst image first.
//!
//! ```text
//! IMAGE          FINDING     NAMES      PLACES  FIRST
//! shop/checkout  no-tag                     14  deploy/checkout/api.yaml:21:16
//! ```
//! A tree with hundreds of findings has a few dozen images: that is what a person can read.

use flows::files::Checked;
use pin::{FindingKind, name_of};
use std::collections::{BTreeMap, BTreeSet};

/// Tags of one image that are named; of more, how many.
const TAGS_MAX: usize = 3;

/// The findings about one image.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// As the files write it, without tag and digest.
    pub(super) image: &'a str,
    /// The worst of its findings.
    pub(super) worst: FindingKind,
    /// How many places have one.
    pub(super) places: usize,
    /// The first of the worst.
    pub(super) first: &'a Checked,
    tags: BTreeSet<&'a str>,
}

/// The images of these findings, the worst first, then those with the most places.
pub(super) fn of<'a>(findings: impl Iterator<Item = &'a Checked>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for one in findings {
        let Some(finding) = one.finding() else { continue };
        let image = name_of(&one.reference);
        let group = groups.entry(image).or_insert_with(|| Group {
            image,
            worst: finding.kind,
            places: 0,
            first: one,
            tags: BTreeSet::new(),
        });
        group.places += 1;
        if finding.kind < group.worst {
            (group.worst, group.first) = (finding.kind, one);
        }
        group.tags.extend(tag_of(&one.reference, image));
    }
    let mut groups: Vec<Group<'_>> = groups.into_values().collect();
    groups.sort_by(|a, b| {
        (rank(a.worst), b.places, a.image).cmp(&(rank(b.worst), a.places, b.image))
    });
    groups
}

/// A name that can move is as bad in whatever way it does: then the number of places counts.
fn rank(kind: FindingKind) -> FindingKind {
    let moves = [FindingKind::NoTag, FindingKind::AliasTag, FindingKind::MovingTag];
    if moves.contains(&kind) { FindingKind::NoTag } else { kind }
}

/// What stands between the name and a digest.
fn tag_of<'a>(reference: &'a str, image: &str) -> Option<&'a str> {
    let tag = reference.get(image.len()..)?.strip_prefix(':')?;
    tag.split('@').next().filter(|tag| !tag.is_empty())
}

impl Group<'_> {
    /// Its tags, or how many there are beside the first.
    pub(super) fn tags(&self) -> String {
        let mut shown: Vec<&str> = self.tags.iter().take(TAGS_MAX).copied().collect();
        let more = format!("{} more", self.tags.len() - shown.len());
        if self.tags.len() > shown.len() {
            shown.push(&more);
        }
        shown.join(", ")
    }

    /// `node:20 (9)`: what a short list says of it.
    pub(super) fn short(&self) -> String {
        let mut text = self.image.to_owned();
        if let (Some(tag), 1) = (self.tags.first(), self.tags.len()) {
            text = format!("{text}:{tag}");
        }
        match self.places {
            1 => text,
            places => format!("{text} ({places})"),
        }
    }
}

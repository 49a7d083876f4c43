//! Findings in words, with the images, pods and places that they name, as many as a record keeps.
//!
//! ```text
//! two builds run in deployment/api: reg…/shop/api:1-uat (sha256:9f…, 2 pods) and sha256:3c… (1 pod)
//! ```

use super::super::findings::{Finding, Place};
use super::super::overview::Row;
use super::{ByPlace, Facts, Judged, Wrong};
use domain::{Digest, Repository, Tag};
use record::claim::{
    FOUND_IMAGES_MAX, FOUND_NAMED_MAX, FindingKind, FindingOpened, FoundImage, Reported,
};
use std::collections::BTreeSet;

/// A pod of a job is never started again from its name: what that names now changes nothing there.
fn runs_once(place: &Place) -> bool {
    place.owner.kind == "job"
}

impl Judged {
    /// Takes what a look at the rows has found.
    pub(super) fn take(&mut self, facts: &Facts<'_>, rows: &ByPlace<'_>, finding: Finding) {
        let name = |tag: &(Repository, Tag)| format!("{}:{}", tag.0, tag.1);
        let wrong = match finding {
            Finding::TwoBuilds { place, builds, references, .. } => {
                facts.two_builds(rows, place, &builds, &references)
            }
            Finding::SharedTag { tag, builds, .. } => facts.shared_tag(rows, &name(&tag), &builds),
            Finding::DigestGone { place, .. }
            | Finding::TagGone { place, .. }
            | Finding::TagMoved { place, .. }
            | Finding::Unpinned { place, .. }
                if runs_once(&place) =>
            {
                return;
            }
            Finding::DigestGone { place, repository, digest } => {
                let found = facts.found(rows, [&place], &[digest]);
                let says = format!(
                    "{repository} has {} no more: a pod of {} that moves to another node will not start",
                    digest.short(),
                    place.owner
                );
                Wrong::at(FindingKind::DigestGone, place, [digest], says)
                    .with(found, None, None)
                    .about(repository.to_string())
            }
            Finding::TagGone { place, tag } => {
                let says = format!(
                    "there is no {} any more: a new pod of {} will not start",
                    name(&tag),
                    place.owner
                );
                facts.of_name(rows, FindingKind::TagGone, place, says).about(name(&tag))
            }
            Finding::TagMoved { place, tag, running, now } => {
                let found = facts.found(rows, [&place], &[running]);
                let says = format!(
                    "{} names {} now, and {} runs {}: a restart changes what runs",
                    name(&tag),
                    now.short(),
                    place.owner,
                    running.short()
                );
                Wrong::at(FindingKind::TagMoved, place, [running, now], says)
                    .with(found, Some(name(&tag)), Some(now))
                    .about(name(&tag))
            }
            Finding::Unpinned { place, reference } => {
                let says = format!("{} names {reference}, which can move", place.owner);
                let wrong = facts.of_name(rows, FindingKind::Unpinned, place, says);
                let opened =
                    FindingOpened { reference: Some(Reported::of(&reference)), ..wrong.opened };
                Wrong { opened, ..wrong }.about(reference)
            }
        };
        self.wrong.push(wrong);
    }
}

impl Facts<'_> {
    fn two_builds(
        &self,
        rows: &ByPlace<'_>,
        place: Place,
        builds: &[(Digest, Vec<String>)],
        references: &BTreeSet<String>,
    ) -> Wrong {
        let digests: Vec<Digest> = builds.iter().map(|(digest, _)| *digest).collect();
        let found = self.found(rows, [&place], &digests);
        let (count, all) = (digests.len(), listed(found.iter().map(told)));
        let says = format!("{count} builds run in {}: {all}", place.owner);
        let reference = references.first().filter(|_| references.len() == 1).cloned();
        Wrong::at(FindingKind::TwoBuilds, place, digests, says).with(found, reference, None)
    }

    fn shared_tag(
        &self,
        rows: &ByPlace<'_>,
        tag: &str,
        builds: &[(Digest, BTreeSet<Place>)],
    ) -> Wrong {
        let digests: Vec<Digest> = builds.iter().map(|(digest, _)| *digest).collect();
        let places: BTreeSet<Place> =
            builds.iter().flat_map(|(_, places)| places.clone()).collect();
        let found = self.found(rows, &places, &digests);
        let (count, all) = (digests.len(), listed(found.iter().map(told_with_places)));
        let says = format!("workloads that name {tag} run {count} builds: {all}");
        Wrong::between(FindingKind::SharedTag, places, digests, says)
            .with(found, Some(tag.to_owned()), None)
            .about(tag.to_owned())
    }

    /// What is wrong with a name: whatever runs there is about it.
    fn of_name(&self, rows: &ByPlace<'_>, what: FindingKind, place: Place, says: String) -> Wrong {
        let own = rows.get(&place).into_iter().flatten();
        let digests: Vec<Digest> = own.flat_map(|row| row.digests()).collect();
        let found = self.found(rows, [&place], &digests);
        Wrong::at(what, place, digests, says).with(found, None, None)
    }

    /// The images with the pods that run them, at these places.
    pub(super) fn found<'a>(
        &self,
        rows: &ByPlace<'_>,
        places: impl IntoIterator<Item = &'a Place>,
        digests: &[Digest],
    ) -> Vec<FoundImage> {
        let places: BTreeSet<&Place> = places.into_iter().collect();
        let own: Vec<&Row> =
            places.iter().filter_map(|place| rows.get(*place)).flatten().copied().collect();
        let image = |digest: &Digest| {
            // Reported in several ways, it is one build all the same.
            let is_it = |one: &Digest| self.registered.is_same_build(one, digest) == Some(true);
            let (mut pods, mut at) = (BTreeSet::new(), BTreeSet::new());
            for row in &own {
                let bytes = row.bytes.iter();
                for (_, named) in
                    bytes.filter(|(bytes, _)| bytes.digest().is_some_and(|one| is_it(&one)))
                {
                    pods.extend(named.iter().map(|pod| (row.namespace.as_str(), pod.as_str())));
                    at.insert(format!("{}/{}", row.namespace, row.owner));
                }
            }
            let kept = pods.iter().take(FOUND_NAMED_MAX).map(|(_, pod)| Reported::of(pod));
            FoundImage {
                digest: *digest,
                build: self.name_of(digest).map(Reported::of),
                pods: kept.collect(),
                pods_total: u32::try_from(pods.len()).unwrap_or(u32::MAX),
                places: match places.len() {
                    1 => Vec::new(),
                    _ => at.iter().take(FOUND_NAMED_MAX).map(|at| Reported::of(at)).collect(),
                },
            }
        };
        let distinct: BTreeSet<&Digest> = digests.iter().collect();
        distinct.into_iter().take(FOUND_IMAGES_MAX).map(image).collect()
    }

    /// The name that the record has for some bytes.
    pub(super) fn name_of(&self, digest: &Digest) -> Option<&str> {
        let images = self.registered.builds_of(digest, None);
        let known = images.iter().chain([digest]).find_map(|image| self.builds.get(image)?.first());
        known.map(|build| build.name.as_str())
    }
}

impl Wrong {
    pub(super) fn at(
        what: FindingKind,
        place: Place,
        digests: impl IntoIterator<Item = Digest>,
        says: String,
    ) -> Self {
        Self::between(what, BTreeSet::from([place]), digests, says)
    }

    pub(super) fn between(
        what: FindingKind,
        places: BTreeSet<Place>,
        digests: impl IntoIterator<Item = Digest>,
        says: String,
    ) -> Self {
        let digests: BTreeSet<Digest> = digests.into_iter().take(FOUND_IMAGES_MAX).collect();
        let says = Reported::of(&says);
        let opened =
            FindingOpened { says, reference: None, found: Vec::new(), expected: None, by: None };
        Self { what, environment: None, places, digests, opened, about: String::new() }
    }

    pub(super) fn with(
        mut self,
        found: Vec<FoundImage>,
        reference: Option<String>,
        expected: Option<Digest>,
    ) -> Self {
        self.opened.found = found;
        self.opened.reference = reference.as_deref().map(Reported::of);
        self.opened.expected = expected;
        self
    }

    pub(super) fn about(mut self, about: String) -> Self {
        self.about = about;
        self
    }
}

/// `reg.example.com/shop/api:1-uat (sha256:9f…, 2 pods)`
pub(super) fn told(image: &FoundImage) -> String {
    let short = image.digest.short().to_string();
    let pods = match image.pods_total {
        1 => image.pods.first().map_or_else(|| "1 pod".to_owned(), |pod| format!("on {pod}")),
        many => format!("{many} pods"),
    };
    match &image.build {
        Some(build) => format!("{build} ({short}, {pods})"),
        None => format!("{short} ({pods})"),
    }
}

pub(super) fn told_with_places(image: &FoundImage) -> String {
    let places: Vec<&str> = image.places.iter().map(Reported::as_str).collect();
    format!("{} in {}", image.digest.short(), places.join(", "))
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" and ")
}

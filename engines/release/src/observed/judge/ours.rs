//! What is wrong by the record of an environment: not eligible, of no build of ours, or put there by somebody else.
//!
//! ```text
//! prod decided sha256:9f… at 14:40; deployment/api runs sha256:3c… since 15:02, and no deploy brought it
//!   ->  outside-change
//! ```
//! Only images of the settings are judged: a database beside them has no builds.

use super::super::findings::Place;
use super::super::overview::{Bytes, Row};
use super::{ByPlace, DEPLOY_LATE_MAX_MS, Facts, Judged, Ours, Wrong};
use domain::{Digest, ImageName, Timestamp};
use record::DeployFact;
use record::claim::{DeployKind, FindingKind, Outcome};
use std::collections::BTreeSet;

/// Judges each image of each environment.
pub(super) fn judge(facts: &Facts<'_>, rows: &ByPlace<'_>, now: Timestamp, judged: &mut Judged) {
    for (place, own) in rows {
        let Some(ours) = facts.environment_of(place) else { continue };
        for row in own {
            let Some(reference) = row.image() else { continue };
            let Some(image) = ours.images.get(reference.repository()) else { continue };
            let meant = reference.digest().copied();
            for bytes in row.bytes.keys() {
                if let Some(digest) = bytes.digest() {
                    let one = One { facts, rows, row, ours, image, place, bytes, digest, meant };
                    one.eligible(judged);
                    one.decided(now, judged);
                }
            }
        }
    }
}

/// Some bytes of an image of ours, at a place.
struct One<'a> {
    facts: &'a Facts<'a>,
    rows: &'a ByPlace<'a>,
    row: &'a Row,
    ours: &'a Ours,
    image: &'a ImageName,
    place: &'a Place,
    bytes: &'a Bytes,
    digest: Digest,
    meant: Option<Digest>,
}

impl One<'_> {
    /// Every image that the bytes are or are a part of, as far as is known; the meant one first.
    fn images(&self) -> Vec<Digest> {
        let mut images = self.facts.registered.builds_of(&self.digest, self.meant.as_ref());
        if !images.contains(&self.digest) {
            images.push(self.digest);
        }
        images
    }

    /// Whether it is known what the bytes are: only then can it be said what they are not.
    fn is_looked_into(&self) -> bool {
        match self.bytes {
            Bytes::Pulled(digest) => self.facts.registered.contents.contains_key(digest),
            // A configuration cannot be asked for: unknown where no image that we know has it.
            Bytes::Configured(_) => false,
            Bytes::Waiting(_) | Bytes::NotReported | Bytes::Unreadable(_) => false,
        }
    }

    fn eligible(&self, judged: &mut Judged) {
        let (state, images) = (&self.ours.state, self.images());
        if images.iter().any(|image| !state.eligible(image).is_empty()) || self.is_coming(&images) {
            return;
        }
        let built: BTreeSet<_> =
            images.iter().filter_map(|image| self.facts.builds.get(image)).flatten().collect();
        // Another tool brought it, and somebody noted that.
        let is_noted =
            images.iter().any(|image| state.landed(self.image).any(|one| one.claim.to == *image));
        if built.is_empty() && is_noted {
            return;
        }
        let (short, name, owner) = (self.digest.short(), state.name(), &self.place.owner);
        if !built.is_empty() {
            let environments: BTreeSet<String> = built
                .iter()
                .map(|build| {
                    build.environment.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string)
                })
                .collect();
            let environments = environments.into_iter().collect::<Vec<_>>().join(", ");
            let says = format!(
                "{owner} of {name} runs {short}, built for {environments}: it was neither built for {name}, nor promoted to it, nor allowed"
            );
            judged.wrong.push(self.wrong(FindingKind::NotEligible, says, None));
        } else if self.is_looked_into() {
            let says = format!("{owner} of {name} runs {short}, and the record has no build of it");
            judged.wrong.push(self.wrong(FindingKind::UnknownBuild, says, None));
        } else {
            self.unsure(judged, FindingKind::NotEligible);
            self.unsure(judged, FindingKind::UnknownBuild);
        }
    }

    /// Whether a promotion that has begun brings it: it was let in, and is eligible by right when that has landed.
    fn is_coming(&self, images: &[Digest]) -> bool {
        self.ours.state.attempted(self.image).is_some_and(|fact| {
            matches!(fact.claim.how, DeployKind::Promote { .. })
                && matches!(fact.claim.outcome, Outcome::Open { .. })
                && images.contains(&fact.claim.to)
        })
    }

    fn decided(&self, now: Timestamp, judged: &mut Judged) {
        let state = &self.ours.state;
        let (Some(current), Some(attempted)) =
            (state.current(self.image), state.attempted(self.image))
        else {
            return;
        };
        let same = |fact: &DeployFact| {
            self.facts.registered.compare(&self.digest, &fact.claim.to).is_same_build()
        };
        match (same(current), same(attempted)) {
            (Some(true), _) | (_, Some(true)) => return,
            (None, _) | (_, None) => return self.unsure(judged, FindingKind::OutsideChange),
            (Some(false), Some(false)) => {}
        }
        let Some(since) = self.facts.standing.since(self.place, &self.digest) else { return };
        // What was there before the deploy has not been replaced yet.
        if since <= attempted.at() {
            return;
        }
        let settled = since.plus_millis(DEPLOY_LATE_MAX_MS);
        if now < settled {
            judged.again_at(settled);
            return self.unsure(judged, FindingKind::OutsideChange);
        }
        let says = format!(
            "{} of {} runs {} since {since}, and no deploy brought it: {} decided {} at {}",
            self.place.owner,
            state.name(),
            self.digest.short(),
            current.stamp.actor,
            current.claim.to.short(),
            current.at()
        );
        judged.wrong.push(self.wrong(FindingKind::OutsideChange, says, Some(current.claim.to)));
    }

    fn wrong(&self, what: FindingKind, says: String, expected: Option<Digest>) -> Wrong {
        let found = self.facts.found(self.rows, [self.place], &[self.digest]);
        let digests = [self.digest].into_iter().chain(expected);
        Wrong::at(what, self.place.clone(), digests, says).with(
            found,
            Some(self.row.reference.clone()),
            expected,
        )
    }

    fn unsure(&self, judged: &mut Judged, what: FindingKind) {
        judged.unsure.insert((what, Some(self.place.clone())));
    }
}

//! From a digest to everything that is recorded about it, and back to its commit.
//!
//! ```text
//! sha256:9f…  image linux/amd64 · built from 1a2b3c… on develop · tags 20260317-143958-uat, uat
//!             uat 14:40 … · prod 16:02 … 17:15        git checkout 1a2b3c…
//! ```

use crate::claim::{BuildClaim, Claim, ImageClaim, TagChangeClaim};
use crate::event::{Sequenced, Stamp};
use domain::{CommitId, Digest};

/// What the record says about one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The digest that people use: an index's or an only manifest's.
    pub digest: Digest,
    /// The digest that was asked for, where it is a part of the image.
    pub asked: Digest,
    /// What the bytes say.
    pub image: Option<ImageClaim>,
    /// Builds, oldest first.
    pub builds: Vec<(Stamp, BuildClaim)>,
    /// Changes of tags that name or named it, oldest first.
    pub tag_changes: Vec<(Stamp, TagChangeClaim)>,
    /// Deploys that brought it somewhere, oldest first.
    pub deploys: Vec<crate::state::DeployFact>,
}

impl Trace {
    /// The commit to check out: the newest build's that names one.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitId> {
        self.builds
            .iter()
            .rev()
            .find_map(|(_, build)| build.source.as_ref())
            .map(|source| &source.commit)
    }

    /// Whether anything at all is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.image.is_none()
            && self.builds.is_empty()
            && self.tag_changes.is_empty()
            && self.deploys.is_empty()
    }
}

/// The image that a digest is, or is a part of: an index's manifest, or a configuration.
///
/// A manifest that stands in several indexes yields each of them, in the order of the record.
#[must_use]
pub fn images_of(events: &[Sequenced], asked: &Digest) -> Vec<Digest> {
    let mut found = Vec::new();
    for event in events {
        let Claim::Image(image) = &event.event.claim else {
            continue;
        };
        let is_part = image
            .platforms
            .iter()
            .any(|part| part.manifest == *asked || part.config == Some(*asked));
        if (image.digest == *asked || is_part) && !found.contains(&image.digest) {
            found.push(image.digest);
        }
    }
    // What is recorded under the digest itself comes first; without any image it stands for itself.
    found.sort_by_key(|digest| digest != asked);
    if found.is_empty() {
        found.push(*asked);
    }
    found
}

/// Gathers what the events say about one image; `events` may hold others too, oldest first.
#[must_use]
pub fn trace(events: &[Sequenced], digest: &Digest, asked: &Digest) -> Trace {
    let mut trace = Trace {
        digest: *digest,
        asked: *asked,
        image: None,
        builds: Vec::new(),
        tag_changes: Vec::new(),
        deploys: Vec::new(),
    };
    for Sequenced { seq, event } in events {
        let stamp = || event.stamp.clone();
        match &event.claim {
            Claim::Image(image) if image.digest == *digest => trace.image = Some(image.clone()),
            Claim::Build(build) if build.digest == *digest => {
                trace.builds.push((stamp(), build.clone()))
            }
            Claim::TagChange(change)
                if change.change.names() == Some(digest)
                    || change.change.named() == Some(digest) =>
            {
                trace.tag_changes.push((stamp(), change.clone()));
            }
            Claim::Deploy(deploy) if deploy.to == *digest => {
                trace.deploys.push(crate::state::DeployFact {
                    seq: *seq,
                    stamp: stamp(),
                    claim: deploy.clone(),
                });
            }
            Claim::Image(_)
            | Claim::Build(_)
            | Claim::TagChange(_)
            | Claim::Deploy(_)
            | Claim::Allow(_)
            | Claim::Block(_)
            | Claim::Hold(_)
            | Claim::Reservation(_)
            | Claim::Rule(_)
            | Claim::Unlock(_)
            | Claim::Token(_)
            | Claim::Note(_)
            | Claim::ContainerRun(_)
            | Claim::Watched(_)
            | Claim::Finding(_)
            | Claim::Imported(_) => {}
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{DeployKind, NamedBy};
    use crate::fuzz::story::Story;

    #[test]
    fn a_platform_manifest_leads_to_its_image_and_commit() {
        let mut story = Story::new();
        let index = story.build("api", "a", "uat");
        let (manifest, config) = (Digest::sha256(b"manifest"), Digest::sha256(b"config"));
        story.image(index, manifest, config);
        story.deploy("api", "uat", index, DeployKind::Deploy, NamedBy::Rule);
        for asked in [index, manifest, config] {
            assert_eq!(images_of(story.events(), &asked), [index]);
            let found = trace(story.events(), &index, &asked);
            assert_eq!(found.commit(), Some(&story.commit_of("a")));
            assert_eq!((found.builds.len(), found.deploys.len()), (1, 1));
        }
        let stranger = Digest::sha256(b"stranger");
        assert_eq!(images_of(story.events(), &stranger), [stranger]);
        assert!(trace(story.events(), &stranger, &stranger).is_empty());
    }
}

//! What the record knows of the names in one repository: this release's own, and those of others.
//!
//! ```text
//! reservation 20260317-143958-uat by github/17/1  ->  own for that run; taken for every other
//! ```
//! Reads events that were gathered, and asks nobody.

use ::record::Sequenced;
use ::record::claim::Claim;
use domain::{CommitId, Digest, EnvironmentName, Tag, Timestamp};
use std::collections::BTreeSet;

/// By what a release knows its own names again.
pub(super) struct Own<'a> {
    /// The release that reserves.
    pub(super) release: &'a str,
    /// The image, where it is known.
    pub(super) digest: Option<Digest>,
    /// Its commit.
    pub(super) commit: Option<&'a CommitId>,
    /// What it is for.
    pub(super) environment: Option<&'a EnvironmentName>,
}

/// The reservations and builds of one repository, oldest first.
pub(super) struct Past(pub(super) Vec<Sequenced>);

impl Past {
    /// The newest tag that fits, and that this release reserved or these bytes got from this commit.
    ///
    /// One run may build several images for one repository: what it reserved is no name of these bytes where
    /// others were built as that.
    pub(super) fn own(&self, own: &Own<'_>, fits: impl Fn(&Tag) -> bool) -> Option<Tag> {
        let reserved = |claim: &Claim| {
            let mine = claim.as_reservation().filter(|claim| claim.release == own.release)?;
            let is_free =
                !own.digest.is_some_and(|digest| self.is_of_other_bytes(digest, &mine.tag));
            (fits(&mine.tag) && is_free).then(|| mine.tag.clone())
        };
        let built = |claim: &Claim| {
            let build = claim.as_build().filter(|build| Some(build.digest) == own.digest)?;
            let commit = build.source.as_ref().map(|source| &source.commit);
            let is_same = commit == own.commit && build.environment.as_ref() == own.environment;
            build.tags.iter().find(|tag| is_same && fits(tag)).cloned()
        };
        let mut claims = self.0.iter().rev().map(|event| &event.event.claim);
        claims.find_map(|claim| reserved(claim).or_else(|| built(claim)))
    }

    fn is_of_other_bytes(&self, digest: Digest, tag: &Tag) -> bool {
        let builds = self.0.iter().filter_map(|event| event.event.claim.as_build());
        let mut others = builds.filter(|build| build.digest != digest);
        others.any(|build| build.tags.contains(tag))
    }

    /// Whether the record says that these bytes were built with this tag.
    pub(super) fn is_built(&self, digest: Digest, tag: &Tag) -> bool {
        let mut builds = self.0.iter().filter_map(|event| event.event.claim.as_build());
        builds.any(|build| build.digest == digest && build.tags.contains(tag))
    }

    /// When a tag was first reserved or built: the time of the release that it belongs to.
    pub(super) fn since(&self, tag: &Tag) -> Option<Timestamp> {
        let names = |claim: &Claim| {
            claim.as_reservation().is_some_and(|claim| claim.tag == *tag)
                || claim.as_build().is_some_and(|build| build.tags.contains(tag))
        };
        let first = self.0.iter().find(|event| names(&event.event.claim))?;
        Some(first.event.stamp.happened().to_second())
    }

    /// The tags that other releases reserved, and those of other bytes.
    pub(super) fn of_others(&self, own: &Own<'_>) -> BTreeSet<Tag> {
        let reserved = self.0.iter().filter_map(|event| event.event.claim.as_reservation());
        let others = reserved.filter(|claim| claim.release != own.release);
        let builds = self.0.iter().filter_map(|event| event.event.claim.as_build());
        let bytes = builds.filter(|build| own.digest.is_some_and(|own| build.digest != own));
        let built = bytes.flat_map(|build| &build.tags);
        others.map(|claim| &claim.tag).chain(built).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::{BuildClaim, PublishedBy, ReservationClaim};
    use ::record::event::{Event, Stamp};
    use domain::{Actor, EventId, Proof};

    fn past(claims: Vec<Claim>) -> Past {
        let stamped = claims.into_iter().zip(1_u32..).map(|(claim, seq)| {
            let at = Timestamp::from_millis(1_773_758_398_000 + i64::from(seq) * 1_500);
            let actor = Actor::new("ada", Proof::None).unwrap();
            let stamp = Stamp {
                id: EventId::new(at, u128::from(seq)),
                at,
                actor,
                cause: None,
                imported: None,
            };
            Sequenced { seq: seq.into(), event: Event { stamp, claim } }
        });
        Past(stamped.collect())
    }

    fn reserved(tag: &str, release: &str) -> Claim {
        Claim::Reservation(ReservationClaim {
            key: format!("reserve/{tag}").try_into().unwrap(),
            repository: "registry.example.com/shop/api".parse().unwrap(),
            tag: tag.parse().unwrap(),
            release: release.to_owned(),
        })
    }

    fn built(tag: &str, words: &str) -> Claim {
        Claim::Build(BuildClaim {
            key: format!("build/{tag}").try_into().unwrap(),
            digest: Digest::sha256(words.as_bytes()),
            repository: "registry.example.com/shop/api".parse().unwrap(),
            image: None,
            tags: vec![tag.parse().unwrap()],
            aliases: Vec::new(),
            environment: None,
            source: None,
            run: None,
            published_by: PublishedBy::Publish,
        })
    }

    fn own<'a>(release: &'a str, words: &str) -> Own<'a> {
        let digest = Some(Digest::sha256(words.as_bytes()));
        Own { release, digest, commit: None, environment: None }
    }

    #[test]
    fn a_release_finds_what_it_reserved_and_what_its_bytes_were_built_as() {
        let past = past(vec![reserved("1", "run/1"), reserved("2", "run/2"), built("2", "b")]);
        let found = |own: &Own<'_>| past.own(own, |_| true).map(|tag| tag.to_string());
        assert_eq!(found(&own("run/1", "new")).as_deref(), Some("1"));
        assert_eq!(found(&own("run/3", "b")).as_deref(), Some("2"));
        assert_eq!(found(&own("run/3", "new")), None);
        assert_eq!(past.own(&own("run/1", "new"), |tag| tag.as_str() == "2"), None);
    }

    #[test]
    fn a_second_image_of_a_run_does_not_get_the_name_of_the_first() {
        let past = past(vec![reserved("1", "run/1"), built("1", "tea"), reserved("2", "run/1")]);
        let found = |words| past.own(&own("run/1", words), |_| true).map(|tag| tag.to_string());
        // Nobody was built as 2 yet: it is still this run's.
        assert_eq!(found("coffee").as_deref(), Some("2"));
        let only = |tag: &Tag| tag.as_str() == "1";
        assert_eq!(past.own(&own("run/1", "coffee"), only), None);
        assert!(past.own(&own("run/1", "tea"), only).is_some(), "its own, run again");
        let taken = |words| past.of_others(&own("run/1", words)).contains(&"1".parse().unwrap());
        assert!(taken("coffee") && !taken("tea"));
    }

    #[test]
    fn a_tag_is_as_old_as_its_first_reservation_in_whole_seconds() {
        let past = past(vec![reserved("1", "run/1"), built("1", "a"), reserved("2", "run/2")]);
        let since = |tag: &str| past.since(&tag.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(since("1").as_deref(), Some("2026-03-17T14:39:59.000Z"));
        assert_eq!(since("3"), None);
        let others: Vec<_> =
            past.of_others(&Own { digest: None, ..own("run/1", "") }).into_iter().collect();
        assert_eq!(others, ["2".parse().unwrap()]);
    }
}

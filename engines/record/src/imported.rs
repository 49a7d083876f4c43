//! What somebody else kept of an environment, as intervals before what the record itself heard.
//!
//! ```text
//! A told 09:00 · B told 10:00 · deploy C recorded 12:00   ->  A [09:00, 10:00)  B [10:00, 12:00)  imported
//! ```
//! Facts of one place follow each other. A fact without a digest ends the one before it and is a gap: the bytes are
//! unknown. What the record heard itself stands before all of it.

use crate::answer::Gap;
use crate::claim::{
    DeployClaim, DeployKind, Grade, ImportedClaim, ImportedResult, Mode, NamedBy, Outcome, Reported,
};
use crate::event::Stamp;
use crate::state::{DeployFact, EnvironmentState};
use domain::{Actor, Digest, ImageName, Proof, Timestamp};
use std::collections::BTreeMap;

/// A fact that somebody else kept, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFact {
    /// Its place in the record.
    pub seq: u64,
    /// Who imported it, and when.
    pub stamp: Stamp,
    /// What was kept.
    pub claim: ImportedClaim,
}

impl ImportedFact {
    /// The fact in the form of a deploy; none where its bytes are unknown.
    #[must_use]
    pub fn as_deploy(&self) -> Option<DeployFact> {
        let claim = &self.claim;
        let to = self.known()?;
        // It happened when its keeper says, by whom the keeper names: whoever imported it did not do it.
        let by = claim.by.as_ref().map_or("not kept", Reported::as_str);
        let actor = Actor::new(by, Proof::None).or_else(|_| Actor::new("not kept", Proof::None));
        let first = Stamp {
            at: claim.from(),
            actor: actor.expect("a literal name fits"),
            imported: None,
            ..self.stamp.clone()
        };
        let stamp = Stamp { imported: Some(Box::new(first)), ..self.stamp.clone() };
        let deploy = DeployClaim {
            key: claim.key.clone(),
            environment: claim.environment.clone(),
            image: claim.image.clone(),
            repository: claim.repository.clone(),
            from: None,
            to,
            tag: claim.tag.clone(),
            how: DeployKind::Imported,
            named_by: NamedBy::Rule,
            mode: Mode::Other,
            grade: Grade::Imported,
            outcome: Outcome::Done,
            commit: claim.commit.clone(),
            places: vec![claim.place.to_string()],
            reason: format!("kept by {}: {}", claim.kept_by, claim.named).try_into().ok(),
            ticket: None,
        };
        Some(DeployFact { seq: self.seq, stamp, claim: deploy })
    }

    fn known(&self) -> Option<Digest> {
        match self.claim.result {
            ImportedResult::Told => self.claim.digest,
            ImportedResult::Failed | ImportedResult::Removed => None,
        }
    }

    fn names_the_same_tag(&self, other: &Self) -> bool {
        let (one, two) = (&self.claim, &other.claim);
        one.tag.is_some() && (&one.repository, &one.tag) == (&two.repository, &two.tag)
    }
}

/// One fact, and until when it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The fact that began it.
    pub fact: &'a ImportedFact,
    /// Until then, not included.
    pub until: Option<Timestamp>,
}

/// The facts of an environment before its own deploys, each with its end, the earliest first.
#[must_use]
pub fn kept(state: &EnvironmentState) -> Vec<Kept<'_>> {
    let mut places = BTreeMap::<(&ImageName, &str), Vec<&ImportedFact>>::new();
    for fact in state.imported() {
        let place = (&fact.claim.image, fact.claim.place.as_str());
        places.entry(place).or_default().push(fact);
    }
    let mut all = Vec::new();
    for ((image, _), mut facts) in places {
        facts.sort_by_key(|fact| (fact.claim.from(), fact.seq));
        let own = state
            .deploys()
            .iter()
            .find(|fact| fact.claim.image == *image && fact.claim.outcome == Outcome::Done);
        let own = own.map(DeployFact::at);
        facts.retain(|fact| own.is_none_or(|own| fact.claim.from() < own));
        let mut open: Option<Kept<'_>> = None;
        for fact in facts {
            match &open {
                Some(before) if goes_on(before.fact, fact) => {}
                Some(_) | None => {
                    let until = Some(fact.claim.from());
                    all.extend(
                        open.replace(Kept { fact, until: own })
                            .map(|before| Kept { until, ..before }),
                    );
                }
            }
        }
        all.extend(open);
    }
    // Two words about one moment: the later one knew more.
    all.retain(|kept| kept.until != Some(kept.fact.claim.from()));
    all.sort_by_key(|kept| (kept.fact.claim.from(), kept.fact.seq));
    all
}

/// The same bytes again go on; so does a tag of which only another keeper of the same place knew the digest.
fn goes_on(before: &ImportedFact, next: &ImportedFact) -> bool {
    match (before.known(), next.known()) {
        (Some(before), Some(next)) => before == next,
        (Some(_), None) => {
            next.claim.result == ImportedResult::Told && before.names_the_same_tag(next)
        }
        (None, Some(_) | None) => false,
    }
}

/// Where somebody kept that something ran, but not which bytes.
#[must_use]
pub fn unknown_bytes(state: &EnvironmentState) -> Vec<Gap> {
    // What was removed is known: it is not there.
    let is_unknown = |kept: &Kept<'_>| {
        let claim = &kept.fact.claim;
        kept.fact.known().is_none() && claim.result != ImportedResult::Removed
    };
    let unknown = kept(state).into_iter().filter(is_unknown);
    let gap = |kept: Kept<'_>| {
        let claim = &kept.fact.claim;
        let tag = claim.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let what = match claim.result {
            ImportedResult::Told => "its digest was not kept",
            ImportedResult::Failed => "it failed, and what ran then is not known",
            ImportedResult::Removed => "it is not named there any more",
        };
        let why = format!(
            "{} {}{tag} at {} ({} {}): {what}",
            claim.image, claim.repository, claim.place, claim.kept_by, claim.named
        );
        Gap { from: Some(claim.from()), until: kept.until, why }
    };
    unknown.map(gap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{Claim, Keeper, Moment};
    use crate::fuzz::story::Story;
    use crate::interval::intended_intervals;

    fn told(story: &mut Story, name: &str, at: &str, tag: &str, digest: Option<&str>, place: &str) {
        story.say(Claim::Imported(imported(name, at, tag, digest, place)));
    }

    fn imported(
        name: &str,
        at: &str,
        tag: &str,
        digest: Option<&str>,
        place: &str,
    ) -> ImportedClaim {
        let at = format!("2026-03-01T{at}:00Z").parse().unwrap();
        ImportedClaim {
            key: name.to_owned().try_into().unwrap(),
            environment: "prod".parse().unwrap(),
            image: "api".parse().unwrap(),
            repository: "registry.example.com/shop/api".parse().unwrap(),
            tag: tag.parse().ok(),
            digest: digest.map(|bytes| Digest::sha256(bytes.as_bytes())),
            began: Moment::Exact { at },
            kept_by: Keeper::ReplicaSet,
            named: Reported::of(name),
            place: Reported::of(place),
            by: None,
            commit: None,
            result: ImportedResult::Told,
        }
    }

    fn seen(story: &Story) -> Vec<(String, Option<String>, Digest)> {
        let clock = |at: Timestamp| at.to_string()[11..16].to_owned();
        let intervals = intended_intervals(&story.state("prod"));
        let of = |one: &crate::Interval| (clock(one.from), one.until.map(clock), one.digest);
        intervals.iter().map(of).collect()
    }

    #[test]
    fn facts_of_one_place_follow_each_other_whatever_their_order_in_the_record() {
        let mut story = Story::new();
        told(&mut story, "two", "10:00", "v2", Some("b"), "x");
        told(&mut story, "one", "09:00", "v1", Some("a"), "x");
        told(&mut story, "again", "11:00", "v2", Some("b"), "x");
        told(&mut story, "elsewhere", "09:30", "v1", Some("a"), "y");
        let (a, b) = (Digest::sha256(b"a"), Digest::sha256(b"b"));
        let ten = Some("10:00".to_owned());
        assert_eq!(
            seen(&story),
            [("09:00".into(), ten, a), ("09:30".into(), None, a), ("10:00".into(), None, b)]
        );
        let first = intended_intervals(&story.state("prod")).remove(0);
        assert_eq!(first.basis, crate::Basis::Imported);
        assert_eq!(first.began_by.stamp.who().name(), "not kept", "the importer did not do it");
    }

    #[test]
    fn bytes_that_nobody_kept_end_what_was_known_and_are_a_gap() {
        let mut story = Story::new();
        told(&mut story, "one", "09:00", "v1", Some("a"), "x");
        // Another keeper says the same without the digest: nothing changed.
        told(&mut story, "helm", "09:01", "v1", None, "x");
        told(&mut story, "two", "10:00", "v2", None, "x");
        told(&mut story, "three", "11:00", "v3", Some("c"), "x");
        let starts: Vec<_> =
            seen(&story).into_iter().map(|(from, until, _)| (from, until)).collect();
        let ten = Some("10:00".to_owned());
        assert_eq!(starts, [("09:00".into(), ten), ("11:00".into(), None)]);
        let gaps = unknown_bytes(&story.state("prod"));
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].from.unwrap().to_string(), "2026-03-01T10:00:00.000Z");
        assert_eq!(gaps[0].until.unwrap().to_string(), "2026-03-01T11:00:00.000Z");
        assert!(gaps[0].why.ends_with("its digest was not kept"), "{}", gaps[0].why);
    }

    #[test]
    fn what_was_removed_ends_what_was_there_and_is_no_gap() {
        let mut story = Story::new();
        told(&mut story, "one", "09:00", "v1", Some("a"), "x");
        let mut removed = imported("gone", "10:00", "", None, "x");
        removed.result = ImportedResult::Removed;
        story.say(Claim::Imported(removed));
        let ten = Some("10:00".to_owned());
        assert_eq!(seen(&story), [("09:00".into(), ten, Digest::sha256(b"a"))]);
        assert_eq!(unknown_bytes(&story.state("prod")), []);
    }

    #[test]
    fn what_the_record_heard_itself_stands_before_what_others_kept() {
        let mut story = Story::new();
        let own = story.build("api", "own", "prod");
        let deployed = story.next_time();
        story.deploy("api", "prod", own, DeployKind::Deploy, NamedBy::Rule);
        told(&mut story, "one", "09:00", "v1", Some("a"), "x");
        let state = story.state("prod");
        assert_eq!(state.current(&"api".parse().unwrap()).unwrap().claim.to, own);
        let intervals = intended_intervals(&state);
        assert_eq!(intervals.len(), 2);
        assert_eq!(
            (intervals[0].digest, intervals[0].until),
            (Digest::sha256(b"a"), Some(deployed))
        );
        assert_eq!(intervals[1].digest, own);
        let candidates = state.candidates(&"api".parse().unwrap());
        let grades: Vec<_> =
            candidates.iter().map(|one| (one.deploy.claim.to, one.grade)).collect();
        assert_eq!(grades[1], (Digest::sha256(b"a"), Grade::Imported));
        assert!(!candidates[1].eligible, "nobody built it for prod, promoted or allowed it");
    }
}

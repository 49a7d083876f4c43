//! The keys of deploys, and the ends that came too late to decide anything.
//!
//! ```text
//! A begins · B begins · B landed · A failed      ->  A's end is late: B is what was tried last, and what runs
//! ```
//! The beginning of a deploy takes the key that follows the newest one, and its end the key that follows that
//! beginning. Where somebody has begun in between, that key is theirs, and the end has one of its own.

use crate::claim::{ClaimKey, DeployClaim, Outcome};
use crate::state::DeployFact;
use domain::{Digest, EnvironmentName, EventId, ImageName};

/// Makes a key of a decision and of what it follows: two people who decide at once cannot both be next.
#[must_use]
pub fn key_after(what: &str, last: Option<EventId>) -> ClaimKey {
    let last = last.map_or_else(|| "start".to_owned(), |id| id.to_string());
    let hash = Digest::sha256(what.as_bytes()).hex();
    let kind = what.split('/').next().unwrap_or_default();
    ClaimKey::try_from(format!("{kind}/{}/after/{last}", &hash[..32]))
        .expect("words, hex and an id make a key")
}

/// The key of what follows an event of an image's deploys; none: of the first one.
#[must_use]
pub fn deploy_key(
    environment: &EnvironmentName,
    image: &ImageName,
    last: Option<EventId>,
) -> ClaimKey {
    key_after(&format!("deploy/{environment}/{image}"), last)
}

/// The key of an end whose own key somebody else has, who began meanwhile.
#[must_use]
pub fn late_end_key(own: &ClaimKey) -> ClaimKey {
    key_after(&format!("deploy/end/{own}"), None)
}

/// Whether a claim is the end of one of these beginnings, behind which another deploy has begun.
pub(crate) fn is_late_end(claim: &DeployClaim, before: &[DeployFact]) -> bool {
    // Every late end follows nothing; so nearly all claims are told without hashing.
    let may_be = claim.key.as_str().ends_with("/after/start");
    let is_begun_by = |begun: &DeployFact| {
        let own = || deploy_key(&claim.environment, &claim.image, Some(begun.stamp.id));
        begun.claim.image == claim.image
            && begun.claim.to == claim.to
            && matches!(begun.claim.outcome, Outcome::Open { .. })
            && claim.key == late_end_key(&own())
    };
    may_be && before.iter().rev().any(is_begun_by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{DeployKind, NamedBy, Text};
    use crate::fuzz::story::Story;

    fn failed() -> Outcome {
        Outcome::Failed { why: Text::try_from("overtaken".to_owned()).unwrap() }
    }

    #[test]
    fn a_deploy_that_was_overtaken_and_failed_late_is_not_what_was_tried_last() {
        let mut story = Story::new();
        let [a, b, c] = ["a", "b", "c"].map(|name| story.build("api", name, "prod"));
        let api: ImageName = "api".parse().unwrap();
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        let overtaken = story.begin("api", "prod", b, DeployKind::Deploy);
        let winner = story.begin("api", "prod", c, DeployKind::Deploy);
        story.end(winner, Outcome::Done);
        story.end(overtaken, failed());
        let state = story.state("prod");
        assert_eq!(state.current(&api).unwrap().claim.to, c);
        assert_eq!(state.attempted(&api).unwrap().claim.to, c);
        assert!(state.is_settled_on(&api, &c));
        assert_eq!(state.deploys().len(), 5, "it is history all the same");
    }

    #[test]
    fn before_the_winner_ends_the_winner_is_what_is_tried() {
        let mut story = Story::new();
        let [a, b] = ["a", "b"].map(|name| story.build("api", name, "prod"));
        let api: ImageName = "api".parse().unwrap();
        let overtaken = story.begin("api", "prod", a, DeployKind::Deploy);
        let winner = story.begin("api", "prod", b, DeployKind::Deploy);
        story.end(overtaken, failed());
        let state = story.state("prod");
        assert_eq!(state.attempted(&api).unwrap().stamp.id, winner);
        assert_eq!(state.newest(&api).unwrap().stamp.id, winner, "and its end follows it");
    }

    #[test]
    fn the_failure_of_a_deploy_that_nobody_overtook_is_what_was_tried_last() {
        let mut story = Story::new();
        let [a, b] = ["a", "b"].map(|name| story.build("api", name, "prod"));
        let api: ImageName = "api".parse().unwrap();
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        let begun = story.begin("api", "prod", b, DeployKind::Deploy);
        story.end(begun, failed());
        let state = story.state("prod");
        assert_eq!(state.attempted(&api).unwrap().claim.to, b);
        assert_eq!(state.current(&api).unwrap().claim.to, a);
    }

    #[test]
    fn a_build_that_is_tried_again_after_it_was_overtaken_is_tried_last() {
        let mut story = Story::new();
        let [a, b] = ["a", "b"].map(|name| story.build("api", name, "prod"));
        let api: ImageName = "api".parse().unwrap();
        let overtaken = story.begin("api", "prod", b, DeployKind::Deploy);
        let winner = story.begin("api", "prod", a, DeployKind::Deploy);
        story.end(winner, Outcome::Done);
        story.end(overtaken, failed());
        let again = story.begin("api", "prod", b, DeployKind::Deploy);
        assert_eq!(story.state("prod").attempted(&api).unwrap().stamp.id, again);
    }

    #[test]
    fn a_rollback_that_ends_late_does_not_condemn_again_what_a_person_has_named_since() {
        let mut story = Story::new();
        let [a, b] = ["a", "b"].map(|name| story.build("api", name, "prod"));
        let api: ImageName = "api".parse().unwrap();
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
        let back = DeployKind::Rollback { condemns: b, returns_to: None };
        let overtaken = story.begin("api", "prod", a, back);
        assert!(story.state("prod").condemned(&api, &b).is_some());
        story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Name);
        story.end(overtaken, failed());
        let state = story.state("prod");
        assert_eq!(state.condemned(&api, &b), None);
        assert_eq!(state.current(&api).unwrap().claim.to, b);
    }
}

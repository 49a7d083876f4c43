//! Events that move from one record to another: what may move, and when two records can be joined.
//!
//! ```text
//! git:    deploy A, deploy B            server: (nothing)      -> both land behind what is there
//! git:    deploy A, deploy B, hold C    server: deploy A, B    -> C lands: the git record goes on from the server's
//! git:    deploy A                      server: deploy X       -> A is behind: two histories of one environment
//! ```
//! The record that an event comes to stamps it itself; the first stamp goes along inside of that one. Order is by
//! sequence, so what decides about one environment lands only where it goes on from what was decided there.

use crate::claim::{Claim, Witness};
use crate::event::Event;
use crate::facet::Facet;
use domain::EventId;
use serde::{Deserialize, Serialize};

/// One event on its way, with its stamp in the record that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moving {
    /// The event.
    pub event: Event,
    /// What its order allows.
    pub expect: Expect,
}

/// What the order of two records allows for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// It may be added behind what is there.
    Either,
    /// It comes before something that is there: it is there too, or it cannot be put in any more.
    Known,
}

/// Whether events are taken over, or it is only told what would become of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// They are.
    Over,
    /// They are not; what would be new has its name in the record that it comes from.
    Look,
}

/// What became of an event in the record that it was moved to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "landed", deny_unknown_fields)]
pub enum Landed {
    /// It was added.
    New {
        /// Its name there.
        id: EventId,
    },
    /// The same claim was there.
    Known {
        /// The event that says it.
        id: EventId,
    },
    /// Another claim has its key.
    Other {
        /// The event that has it.
        id: EventId,
    },
    /// Another release has the tag that it reserves.
    Reserved {
        /// The event that reserved it.
        id: EventId,
    },
    /// Something newer about the same environment, repository or digest is there: it cannot be put before it.
    Behind,
    /// It is the registry's own: its tags, rules, unlocks and tokens stay with it.
    Stays,
}

/// What a claim decides about, where the order of two such claims matters.
#[must_use]
pub fn scope(claim: &Claim) -> Option<(Facet, String)> {
    match claim {
        Claim::Deploy(claim) => Some((Facet::Environment, claim.environment.to_string())),
        Claim::Allow(claim) => Some((Facet::Environment, claim.environment.to_string())),
        Claim::Hold(claim) => Some((Facet::Environment, claim.environment.to_string())),
        // The order of builds decides which one is older.
        Claim::Build(claim) => Some((Facet::Repository, claim.repository.to_string())),
        Claim::Block(claim) => Some((Facet::Digest, claim.digest.to_string())),
        Claim::TagChange(claim) => {
            let host = claim.registry.as_ref()?;
            Some((Facet::Repository, format!("{host}/{}", claim.repository)))
        }
        Claim::Image(_)
        | Claim::Reservation(_)
        | Claim::Rule(_)
        | Claim::Unlock(_)
        | Claim::Token(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Imported(_) => None,
    }
}

/// Whether a claim is a registry's word about itself: no other record may make it its own.
#[must_use]
pub fn stays(claim: &Claim) -> bool {
    match claim {
        Claim::TagChange(claim) => claim.registry.is_none() || claim.witness == Witness::Registry,
        Claim::Rule(_) | Claim::Unlock(_) | Claim::Token(_) => true,
        Claim::Image(_)
        | Claim::Build(_)
        | Claim::Deploy(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Reservation(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Imported(_) => false,
    }
}

/// The kinds whose claims have a scope of this facet.
#[must_use]
pub fn kinds_of(facet: Facet) -> Vec<crate::Kind> {
    use crate::Kind;
    match facet {
        Facet::Environment => vec![Kind::Deploy, Kind::Allow, Kind::Hold],
        Facet::Repository => vec![Kind::Build, Kind::TagChange],
        Facet::Digest => vec![Kind::Block],
        Facet::Image | Facet::Tag | Facet::Commit | Facet::Cluster | Facet::Namespace => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{
        ClaimKey, DeployKind, HoldState, NamedBy, NoteClaim, RuleClaim, TagChange, TagChangeClaim,
        Text,
    };
    use crate::fuzz::story::Story;
    use domain::{Digest, Rule, TagClass};

    fn key() -> ClaimKey {
        ClaimKey::try_from("k".to_owned()).unwrap()
    }

    fn tag_change(registry: Option<&str>, witness: Witness) -> Claim {
        Claim::TagChange(TagChangeClaim {
            key: key(),
            registry: registry.map(|host| host.parse().unwrap()),
            repository: "shop/api".parse().unwrap(),
            tag: "v1".parse().unwrap(),
            change: TagChange::Created { digest: Digest::sha256(b"x") },
            class: None,
            witness,
            reason: None,
        })
    }

    #[test]
    fn what_a_registry_says_of_itself_stays_there_and_all_else_moves() {
        assert!(stays(&tag_change(None, Witness::Registry)));
        assert!(stays(&tag_change(Some("r.example.com"), Witness::Registry)));
        assert!(!stays(&tag_change(Some("r.example.com"), Witness::Observer)));
        let rule = Rule {
            repositories: "**".parse().unwrap(),
            tags: "uat".parse().unwrap(),
            class: TagClass::Alias,
        };
        assert!(stays(&Claim::Rule(RuleClaim { key: key(), rule })));
        let text = Text::try_from("x".to_owned()).unwrap();
        let note = NoteClaim { key: key(), environment: None, about: None, text };
        assert!(!stays(&Claim::Note(note)));
    }

    #[test]
    fn each_scope_is_a_value_by_which_its_events_are_found() {
        let mut story = Story::new();
        let a = story.build("api", "a", "prod");
        story.hold("prod", None, HoldState::Held);
        story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
        for event in story.events() {
            let claim = &event.event.claim;
            let (facet, value) = scope(claim).expect("each of these decides something");
            assert!(crate::facets(&event.event).contains(&(facet, value)), "{claim:?}");
            assert!(kinds_of(facet).contains(&claim.kind()));
        }
        let change = tag_change(Some("r.example.com"), Witness::Observer);
        assert_eq!(scope(&change), Some((Facet::Repository, "r.example.com/shop/api".to_owned())));
    }
}

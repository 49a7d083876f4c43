//! Round trips of events, and any bytes as input.

use domain::{Digest, TagClass};
use proptest::prelude::*;
use record::claim::{
    Claim, ClaimKey, DeployKind, HoldState, NamedBy, Right, TagChange, TagChangeClaim, TokenClaim,
    TokenState, Witness,
};
use record::fuzz::story::Story;
use record::{Event, Facet, facets};

/// A record that holds every shape of claim that has alternatives.
fn full_story() -> Story {
    let mut story = Story::new();
    let key = |text: &str| ClaimKey::try_from(text.to_owned()).unwrap();
    let (a, b) = (story.build("api", "a", "uat"), story.build("api", "b", "prod"));
    story.image(a, b, b);
    let kinds = [
        DeployKind::Deploy,
        DeployKind::Promote { from: "uat".parse().unwrap() },
        DeployKind::PromotedByMerge {
            from: "uat".parse().unwrap(),
            verified: Some(a),
            commit: None,
        },
        DeployKind::Rollback { condemns: a, returns_to: None },
        DeployKind::Noted,
        DeployKind::Imported,
    ];
    for how in kinds {
        story.deploy("api", "prod", b, how, NamedBy::Rule);
    }
    story.fail("api", "prod", a);
    story.hold("prod", None, HoldState::Held);
    let changes = [
        TagChange::Created { digest: a },
        TagChange::Moved { from: a, to: b },
        TagChange::Deleted { last: b },
        TagChange::Restored { last: b, to: a },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        story.say(Claim::TagChange(TagChangeClaim {
            key: key(&format!("tag/{at}")),
            registry: None,
            repository: "shop/api".parse().unwrap(),
            tag: "uat".parse().unwrap(),
            change,
            class: Some(TagClass::Alias),
            witness: Witness::Registry,
            reason: None,
        }));
    }
    story.say(Claim::Token(TokenClaim {
        key: key("token"),
        name: "ci".to_owned(),
        rights: Right::ALL.to_vec(),
        repositories: "shop/**".parse().unwrap(),
        state: TokenState::Created,
    }));
    story
}

#[test]
fn every_claim_is_read_back_from_its_bytes() {
    for sequenced in full_story().events() {
        let bytes = sequenced.event.to_bytes().unwrap();
        assert_eq!(Event::read(&bytes).unwrap(), sequenced.event);
        record::fuzz::event(&bytes);
    }
}

#[test]
fn a_deploy_is_found_by_what_it_names() {
    let story = full_story();
    let deploy =
        story.events().iter().find(|e| matches!(&e.event.claim, Claim::Deploy(_))).unwrap();
    let found = facets(&deploy.event);
    let b = Digest::sha256(b"b").to_string();
    for (facet, value) in [
        (Facet::Environment, "prod"),
        (Facet::Image, "api"),
        (Facet::Digest, b.as_str()),
        (Facet::Repository, "shop/api"),
        (Facet::Repository, "registry.example.com/shop/api"),
    ] {
        assert!(found.contains(&(facet, value.to_owned())), "{facet:?} {value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        record::fuzz::event(&bytes);
    }

    #[test]
    fn a_changed_byte_is_an_event_of_its_own_or_refused(at in 0_usize..400, to in any::<u8>()) {
        let mut bytes = full_story().events()[0].event.to_bytes().unwrap();
        let at = at % bytes.len();
        bytes[at] = to;
        record::fuzz::event(&bytes);
    }
}

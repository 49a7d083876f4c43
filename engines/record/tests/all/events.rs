//! Round trips of events, and any bytes as input.

use domain::{Digest, TagClass};
use proptest::prelude::*;
use record::claim::{
    Claim, ClaimKey, DeployKind, HoldState, Moment, NamedBy, NodeInfo, Reported, Right, RunChange,
    TagChange, TagChangeClaim, TokenClaim, TokenState, WatchChange, Witness,
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
    let at = story.next_time();
    let run = story.run_began("api", at);
    story.run_says(run, RunChange::Doubted { since: at }, at);
    story.run_says(run, RunChange::Confirmed, at);
    let moments = [
        Moment::Exact { at },
        Moment::Bounded { after: Some(at), until: at },
        Moment::Unconfirmed { after: None, until: at },
    ];
    for ended in moments {
        let exit_code = Some(137);
        story.run_says(run, RunChange::Ended { ended, exit_code, deleted: Some(at) }, at);
    }
    let watch = story.watch_began(at);
    story.watch_says(watch, at, WatchChange::Alive);
    story.watch_says(watch, at, WatchChange::Ended { why: Reported::of("stopped") });
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

#[test]
fn a_container_run_is_found_by_cluster_namespace_and_digest_and_is_small() {
    let mut story = Story::new();
    let at = story.next_time();
    let run = story.run_began("api", at);
    let ended = Moment::Exact { at };
    story.run_says(run, RunChange::Ended { ended, exit_code: Some(0), deleted: None }, at);
    let [began, ended] = story.events() else { panic!("two events") };
    let digest = Digest::sha256(b"api").to_string();
    let found = facets(&began.event);
    for (facet, value) in [
        (Facet::Cluster, "cluster-1"),
        (Facet::Namespace, "cluster-1/shop"),
        (Facet::Digest, digest.as_str()),
    ] {
        assert!(found.contains(&(facet, value.to_owned())), "{facet:?} {value}");
    }
    let bytes = began.event.to_bytes().unwrap().len() + ended.event.to_bytes().unwrap().len();
    assert!(bytes < 2_000, "a run costs {bytes} bytes");
}

#[test]
fn a_run_of_a_version_that_knew_no_nodes_keeps_its_spelling_and_one_that_does_has_its_own() {
    let mut story = Story::new();
    let at = story.next_time();
    story.run_began("api", at);
    let mut event = story.events()[0].event.clone();
    let old = String::from_utf8(event.to_bytes().unwrap()).unwrap();
    assert!(!old.contains("node_info"), "{old}");
    assert_eq!(Event::read(old.as_bytes()).unwrap(), event);
    let Claim::ContainerRun(claim) = &mut event.claim else { panic!("a container run") };
    let RunChange::Began(began) = &mut claim.change else { panic!("a begin") };
    let (platform, runtime) = ("linux/arm64".parse().unwrap(), Reported::of("containerd://1.6.20"));
    began.node_info = Some(NodeInfo { platform, runtime });
    let new = event.to_bytes().unwrap();
    assert_eq!(Event::read(&new).unwrap(), event);
}

#[test]
fn a_finding_is_found_by_its_place_and_every_digest_also_when_it_closes() {
    let mut story = Story::new();
    let at = story.next_time();
    story.finding_opens("api", 1, at);
    story.finding_closes("api", 1, at);
    let digest = Digest::sha256(b"b").to_string();
    for event in story.events() {
        assert_eq!(Event::read(&event.event.to_bytes().unwrap()).unwrap(), event.event);
        let found = facets(&event.event);
        for (facet, value) in [
            (Facet::Cluster, "cluster-1"),
            (Facet::Namespace, "cluster-1/shop"),
            (Facet::Environment, "uat"),
            (Facet::Digest, digest.as_str()),
        ] {
            assert!(found.contains(&(facet, value.to_owned())), "{facet:?} {value}");
        }
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

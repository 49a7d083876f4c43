//! The record on a server: races, lost answers, rights, and servers that are not there.

use crate::opened::{key, keys, note, reservation};
use crate::served::{Lossy, Served};
use flows::record_http::HttpRecord;
use flows::seam::{Question, Record, RecordError, all};
use flows::{App, Explain as _, Options, Verdict};
use record::claim::{BuildClaim, Claim, Kind, NoteClaim, PublishedBy, Text};

fn words(error: &dyn std::error::Error) -> String {
    let source = error.source().map_or_else(String::new, words);
    format!("{error} {source}")
}

fn build(name: &str, repository: &str) -> Claim {
    Claim::Build(BuildClaim {
        key: key(name),
        digest: domain::Digest::sha256(repository.as_bytes()),
        repository: format!("registry.example.com/{repository}").parse().unwrap(),
        image: None,
        tags: Vec::new(),
        aliases: Vec::new(),
        environment: None,
        source: None,
        run: None,
        published_by: PublishedBy::Publish,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_runners_one_gets_a_tag_and_the_others_are_told_who() {
    let server = Served::start().await;
    let mut runners = Vec::new();
    for number in 0..16 {
        let record = server.record(None).await.unwrap();
        runners.push(tokio::spawn(async move {
            let release = format!("github/{number}");
            (release.clone(), record.append(vec![reservation(&release)]).await)
        }));
    }
    let (mut winners, mut named) = (Vec::new(), Vec::new());
    for runner in runners {
        match runner.await.unwrap() {
            (release, Ok(_)) => winners.push(release),
            (_, Err(RecordError::Reserved { release, repository, tag })) => {
                assert_eq!(repository, "registry.example.com/shop/api");
                assert_eq!(tag, "20260317-143958-uat");
                named.push(release);
            }
            (_, Err(error)) => panic!("{}", words(&error)),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(named, vec![winners[0].clone(); 15]);
    assert_eq!(keys(&server.record(None).await.unwrap()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_decisions_that_follow_the_same_one_is_recorded() {
    let server = Served::start().await;
    let mut deciders = Vec::new();
    for number in 0..8 {
        let record = server.record(None).await.unwrap();
        deciders.push(tokio::spawn(async move {
            let text = Text::try_from(format!("decision {number}")).unwrap();
            let claim = NoteClaim { key: key("after/1"), environment: None, about: None, text };
            record.append(vec![note(&format!("beside-{number}")), Claim::Note(claim)]).await
        }));
    }
    let (mut won, mut existing) = (Vec::new(), Vec::new());
    for decider in deciders {
        match decider.await.unwrap() {
            Ok(recorded) => won.push(recorded[1].id()),
            Err(RecordError::KeyTaken { kind: "note", existing: id, .. }) => existing.push(id),
            Err(error) => panic!("{}", words(&error)),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(existing, vec![won[0]; 7]);
    // All or none: what stood beside a refused decision is not there either.
    assert_eq!(keys(&server.record(None).await.unwrap()).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_answer_the_retry_finds_its_own_event() {
    let server = Served::start().await;
    let way = Lossy::before(&server, 2).await;
    let record = server.record_by(&way.address, None).await.unwrap();
    let recorded = record.append(vec![note("a"), note("b")]).await.unwrap();
    assert_eq!(way.left(), 0, "two answers were lost");
    assert!(recorded.iter().all(|one| !one.is_new), "the first of three made them");
    let events = all(&record, &Question::default()).await.unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.event.stamp.id).collect();
    assert_eq!(ids, [recorded[0].id(), recorded[1].id()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_answers_never_come_is_unknown_and_has_one_event() {
    let server = Served::start().await;
    let way = Lossy::before(&server, usize::MAX).await;
    let record = server.record_by(&way.address, None).await.unwrap();
    let refused = record.append(vec![note("a")]).await.unwrap_err();
    assert!(matches!(refused, RecordError::Unavailable { .. }), "{refused:?}");
    assert_eq!(refused.verdict(), Verdict::Unknown);
    assert_eq!(keys(&server.record(None).await.unwrap()).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_who_acts_and_what_it_may_not_is_said() {
    let server = Served::start().await;
    let token = server.token("ci-shop", &["claims"], "shop/**").await;
    let record = server.record(Some(&token)).await.unwrap();
    let proven = domain::Actor::new("ci-shop", domain::Proof::Token).unwrap();
    assert_eq!(*record.actor(), proven);
    let made = record.append(vec![build("b1", "shop/api")]).await.unwrap();
    assert_eq!(made[0].event.event.stamp.actor, *record.actor());
    let denied = record.append(vec![build("b2", "bank/api")]).await.unwrap_err();
    assert_eq!(denied.verdict(), Verdict::Refused);
    assert!(words(&denied).contains("lacks the right `claims` in bank/api"), "{}", words(&denied));
    assert!(denied.hint().unwrap().contains("INDELIBLE_TOKEN"));
    for wrong in [None, Some("ind_wrong")] {
        let Err(stranger) = server.record(wrong).await else { panic!("{wrong:?} came in") };
        assert!(matches!(stranger, RecordError::Denied { .. }), "{stranger:?}");
        assert!(words(&stranger).contains("401"), "{}", words(&stranger));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_tell_a_reader_nothing_of_what_it_may_not_read() {
    let server = Served::start().await;
    let bank = server.token("bank", &["claims"], "bank/**").await;
    let shop = server.token("shop", &["claims"], "shop/**").await;
    let (bank, shop) = (server.record(Some(&bank)).await, server.record(Some(&shop)).await);
    let (bank, shop) = (bank.unwrap(), shop.unwrap());
    for number in 0..5 {
        bank.append(vec![build(&format!("bank{number}"), "bank/api")]).await.unwrap();
        shop.append(vec![build(&format!("shop{number}"), "shop/api")]).await.unwrap();
    }
    let builds = all(&shop, &Question::of([Kind::Build])).await.unwrap();
    let seen: Vec<_> =
        builds.iter().map(|event| (event.seq, event.event.claim.key().to_string())).collect();
    let expected: Vec<_> = (1..=5).map(|seq| (seq, format!("shop{}", seq - 1))).collect();
    assert_eq!(seen, expected);
    // What it does not see is said, whether or not there is any.
    assert!(shop.left_out().unwrap().why.contains("`shop/**`"));
    let everything = server.token("auditor", &["pull"], "**").await;
    assert_eq!(server.record(Some(&everything)).await.unwrap().left_out(), None);
    let refused = shop.verify().await.unwrap_err();
    assert!(matches!(refused, RecordError::Denied { .. }), "{refused:?}");
    let behind = shop.events(&Question::of([Kind::Build]), Some(&builds[2])).await.unwrap();
    assert_eq!(behind, builds[3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_will_never_take_is_refused_and_is_no_outage() {
    let server = Served::start().await;
    let record = server.record(None).await.unwrap();
    // Nobody says by a claim what has a door of its own; a server that does not know a claim answers the same: 400.
    let unlock = Claim::Unlock(record::claim::UnlockClaim {
        key: key("u1"),
        repository: "shop/api".parse().unwrap(),
        tag: "uat".parse().unwrap(),
        reason: Text::try_from("why".to_owned()).unwrap(),
        until: "2026-03-17T15:00:00Z".parse().unwrap(),
    });
    let refused = record.append(vec![note("a"), unlock]).await.unwrap_err();
    assert!(matches!(refused, RecordError::Refused { .. }), "{refused:?}");
    assert_eq!(refused.verdict(), Verdict::Unknown);
    assert!(words(&refused).contains("400"), "{}", words(&refused));
    assert!(keys(&server.record(None).await.unwrap()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_unknown_and_not_empty() {
    let mut server = Served::start().await;
    let record = server.record(None).await.unwrap();
    record.append(vec![note("a")]).await.unwrap();
    server.stop().await;
    let refused = record.events(&Question::default(), None).await.unwrap_err();
    assert!(matches!(refused, RecordError::Unavailable { .. }), "{refused:?}");
    assert!(words(&refused).contains("cannot be reached"), "{}", words(&refused));
    assert!(record.exists().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_says_how_the_server_is_spoken_to() {
    let server = Served::start().await;
    for (address, hint) in [
        (format!("https://{}", server.address()), "write http://"),
        ("http://registry.example.com".to_owned(), "--plain-http registry.example.com"),
    ] {
        let options = Options { record: Some(address.clone()), ..Options::default() };
        let app = App::open(options, server.surroundings(None)).unwrap();
        let Err(refused) = app.record().await else { panic!("{address} was opened") };
        assert!(refused.hint().unwrap().contains(hint), "{address}: {:?}", refused.hint());
    }
    let options =
        Options { record: Some(format!("http://{}", server.address())), ..Options::default() };
    let app = App::open(options, server.surroundings(None)).unwrap();
    let place = app.record().await.unwrap().place();
    assert_eq!((place.kind, place.place), ("server", format!("http://{}", server.address())));
    let missing = app.record_to_read().await.err().expect("nothing is recorded yet");
    assert!(
        missing.to_string().starts_with("there is no record at http://127.0.0.1:"),
        "{missing}"
    );
}

/// Only the host of the record gets the token of the environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_host_stays_here() {
    let server = Served::start().await;
    let token = server.token("ci", &["claims"], "**").await;
    let mut surroundings = server.surroundings(Some(&token));
    surroundings
        .variables
        .insert("INDELIBLE_TOKEN_HOST".to_owned(), "registry.example.com".to_owned());
    let options =
        Options { record: Some(format!("http://{}", server.address())), ..Options::default() };
    let app = App::open(options, surroundings).unwrap();
    let Err(refused) = app.record().await else { panic!("it was sent") };
    assert!(words(&refused).contains("401"), "{}", words(&refused));
    let opened: HttpRecord = server.record(Some(&token)).await.unwrap();
    assert_eq!(opened.actor().name(), "ci");
}

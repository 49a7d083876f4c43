//! The record: appended once, found by what it is about, and verified.

use crate::shop::{START_MS, by};
use domain::Timestamp;
use record::claim::{NoteClaim, ReservationClaim, Text};
use record::fuzz::story::Story;
use record::{Claim, ClaimKey, Event, Facet, Kind};
use store::{
    AppendError, Database, InsertError, Inserted, Ledger, Order, PAGE_MAX, Problem, Query,
};

struct Kept {
    home: tempfile::TempDir,
    ledger: Ledger,
}

impl Kept {
    fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let database = Database::open(&home.path().join("record.db")).unwrap();
        Self { home, ledger: Ledger::new(database) }
    }

    async fn seqs(&self, query: Query) -> Vec<u64> {
        let events = self.ledger.events(query).await.unwrap();
        events.iter().map(|event| event.seq).collect()
    }
}

fn key(text: &str) -> ClaimKey {
    ClaimKey::try_from(text.to_owned()).unwrap()
}

fn note(name: &str, text: &str, environment: Option<&str>) -> Claim {
    Claim::Note(NoteClaim {
        key: key(name),
        environment: environment.map(|name| name.parse().unwrap()),
        about: None,
        text: Text::try_from(text.to_owned()).unwrap(),
    })
}

fn reservation(name: &str, release: &str) -> Claim {
    Claim::Reservation(ReservationClaim {
        key: key(name),
        repository: "r.example.com/shop/api".parse().unwrap(),
        tag: "20260317-143958-uat".parse().unwrap(),
        release: release.to_owned(),
    })
}

#[tokio::test]
async fn the_same_claim_again_is_no_event_and_another_under_its_key_is_refused() {
    let kept = Kept::open();
    let first = kept.ledger.append(vec![note("k", "a", None)], by("ada")).await.unwrap();
    let again = kept.ledger.append(vec![note("k", "a", None)], by("bob")).await.unwrap();
    assert_eq!((first[0].seq, first[0].is_new), (1, true));
    assert_eq!((again[0].id, again[0].at, again[0].is_new), (first[0].id, first[0].at, false));
    let error = kept.ledger.append(vec![note("k", "b", None)], by("ada")).await.unwrap_err();
    assert!(matches!(error, AppendError::KeyTaken { event, .. } if event == first[0].id));
    assert_eq!(kept.ledger.count(vec![]).await.unwrap(), 1);
    let found = kept.ledger.by_key(key("k")).await.unwrap().unwrap();
    assert_eq!(found.event.stamp.actor.name(), "ada");
    assert_eq!(kept.ledger.event(first[0].id).await.unwrap(), Some(found));
}

#[tokio::test]
async fn of_several_claims_all_are_appended_or_none() {
    let kept = Kept::open();
    kept.ledger.append(vec![note("k", "a", None)], by("ada")).await.unwrap();
    let both = vec![note("l", "x", None), note("k", "b", None)];
    assert!(kept.ledger.append(both, by("ada")).await.is_err());
    assert_eq!(kept.ledger.count(vec![]).await.unwrap(), 1);
    let seqs = kept.ledger.append(vec![note("l", "x", None)], by("ada")).await.unwrap();
    assert_eq!(seqs[0].seq, 2, "a refused append leaves no hole");
}

#[tokio::test]
async fn an_append_takes_256_claims_and_not_257() {
    let kept = Kept::open();
    let notes = |count: usize| (0..count).map(|at| note(&format!("k{at}"), "a", None)).collect();
    let error = kept.ledger.append(notes(257), by("ada")).await.unwrap_err();
    assert!(matches!(error, AppendError::TooMany { found: 257 }));
    assert_eq!(kept.ledger.append(notes(256), by("ada")).await.unwrap().len(), 256);
}

#[tokio::test]
async fn a_tag_is_reserved_for_one_release_which_may_ask_again() {
    let kept = Kept::open();
    let first = kept.ledger.append(vec![reservation("a", "run 1")], by("ci")).await.unwrap();
    let again = kept.ledger.append(vec![reservation("b", "run 1")], by("ci")).await.unwrap();
    assert_eq!((again[0].id, again[0].is_new), (first[0].id, false));
    let error = kept.ledger.append(vec![reservation("c", "run 2")], by("ci")).await.unwrap_err();
    assert!(matches!(&error, AppendError::Reserved { by, .. } if by.release == "run 1"));
    let tag = "20260317-143958-uat".parse().unwrap();
    let repository = "r.example.com/shop/api".parse().unwrap();
    let reserved = kept.ledger.reservation(repository, tag).await.unwrap().unwrap();
    assert_eq!((reserved.release.as_str(), reserved.event), ("run 1", first[0].id));
}

#[tokio::test]
async fn two_handles_of_one_file_reserve_a_tag_once() {
    let kept = Kept::open();
    let other = Ledger::new(Database::open(&kept.home.path().join("record.db")).unwrap());
    let race = |ledger: Ledger, name: &'static str, release: &'static str| {
        tokio::spawn(async move { ledger.append(vec![reservation(name, release)], by("ci")).await })
    };
    let (a, b) = (race(kept.ledger.clone(), "a", "run 1"), race(other, "b", "run 2"));
    let results = [a.await.unwrap(), b.await.unwrap()];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
}

/// Five events a second apart: notes on uat, prod, prod and nothing, and a reservation in third place.
async fn five() -> Kept {
    let kept = Kept::open();
    let claims = vec![
        note("1", "a", Some("uat")),
        note("2", "b", Some("prod")),
        reservation("3", "run 1"),
        note("4", "d", Some("prod")),
        note("5", "e", None),
    ];
    for (at, claim) in (0..).zip(claims) {
        let mut who = by("ada");
        who.now = second(at);
        kept.ledger.append(vec![claim], who).await.unwrap();
    }
    kept
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_millis(START_MS + at * 1_000)
}

fn about(facet: Facet, value: &str) -> (Facet, String) {
    (facet, value.to_owned())
}

#[tokio::test]
async fn events_are_found_by_what_they_are_about() {
    let kept = five().await;
    let (uat, prod) = (about(Facet::Environment, "uat"), about(Facet::Environment, "prod"));
    let repository = about(Facet::Repository, "shop/api");
    let tag = about(Facet::Tag, "20260317-143958-uat");
    let all = |facets: &[&(Facet, String)]| Query {
        all_of: facets.iter().map(|facet| (*facet).clone()).collect(),
        ..Query::default()
    };
    let any = |facets: &[&(Facet, String)]| Query {
        any_of: facets.iter().map(|facet| (*facet).clone()).collect(),
        ..Query::default()
    };
    let both = Query { any_of: vec![prod.clone()], ..all(&[&prod]) };
    let before = Query { before: Some(4), ..all(&[&prod]) };
    let cases = [
        (all(&[&prod]), vec![2, 4]),
        (before, vec![2]),
        (all(&[&prod, &uat]), vec![]),
        (all(&[&repository, &tag]), vec![3]),
        (any(&[&uat, &repository]), vec![1, 3]),
        (both, vec![2, 4]),
    ];
    for (query, expected) in cases {
        assert_eq!(kept.seqs(query.clone()).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn events_are_found_by_kind_sequence_and_time() {
    let kept = five().await;
    let q = Query::default;
    let newest = Query { order: Order::NewestFirst, limit: 2, ..q() };
    let reserved = Query { kinds: vec![Kind::Reservation], ..q() };
    let notes = Query { kinds: vec![Kind::Note, Kind::Deploy], after: Some(1), ..q() };
    let between = Query { from: Some(second(1)), until: Some(second(3)), ..q() };
    let cases = [
        (q(), vec![1, 2, 3, 4, 5]),
        (newest, vec![5, 4]),
        (reserved, vec![3]),
        (notes, vec![2, 4, 5]),
        (between, vec![2, 3]),
        (Query { limit: 0, ..q() }, vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(kept.seqs(query.clone()).await, expected, "{query:?}");
    }
    assert_eq!(kept.ledger.count(vec![Kind::Note]).await.unwrap(), 4);
    assert_eq!(kept.ledger.count(vec![]).await.unwrap(), 5);
}

#[tokio::test]
async fn a_page_has_1000_events_and_not_1001() {
    let kept = Kept::open();
    let events: Vec<Event> = (0..1_001)
        .map(|at| Event { stamp: by("ada").stamp(0), claim: note(&format!("k{at}"), "a", None) })
        .collect();
    kept.ledger.insert_events(events, None).await.unwrap();
    assert_eq!(kept.seqs(Query { limit: 1_001, ..Query::default() }).await.len(), PAGE_MAX);
    assert_eq!(kept.seqs(Query { after: Some(1_000), ..Query::default() }).await, [1_001]);
}

#[tokio::test]
async fn events_of_another_record_come_once_with_the_position_they_were_read_to() {
    let kept = Kept::open();
    let mut story = Story::new();
    story.build("api", "a", "uat");
    story.build("api", "b", "uat");
    let events: Vec<Event> = story.events().iter().map(|event| event.event.clone()).collect();
    let first = kept.ledger.insert_events(events[..1].to_vec(), Some("aaa".into())).await.unwrap();
    assert_eq!(first, Inserted { new: 1, known: 0 });
    let both = kept.ledger.insert_events(events.clone(), Some("bbb".into())).await.unwrap();
    assert_eq!(both, Inserted { new: events.len() - 1, known: 1 });
    assert_eq!(kept.ledger.tip().await.unwrap().as_deref(), Some("bbb"));
    assert_eq!(kept.ledger.events(Query::default()).await.unwrap(), story.events());
    let mut changed = events[0].clone();
    changed.claim = note("other", "x", None);
    let error = kept.ledger.insert_events(vec![changed], Some("ccc".into())).await.unwrap_err();
    assert!(matches!(error, InsertError::Changed { .. }), "{error}");
    assert_eq!(kept.ledger.tip().await.unwrap().as_deref(), Some("bbb"));
}

#[tokio::test]
async fn verification_names_what_was_tampered_with_and_rebuild_repairs_the_index() {
    let kept = Kept::open();
    let claims = vec![
        note("1", "a", Some("uat")),
        note("2", "b", Some("uat")),
        reservation("3", "run 1"),
        note("4", "d", None),
    ];
    kept.ledger.append(claims, by("ada")).await.unwrap();
    let good = kept.ledger.verify().await.unwrap();
    assert_eq!((good.events, good.problems), (4, vec![]));
    let tamper = |sql: &str| {
        let file = rusqlite::Connection::open(kept.home.path().join("record.db")).unwrap();
        file.execute_batch(sql).unwrap();
    };
    tamper("DELETE FROM event_facet WHERE seq = 1; DELETE FROM reservation;");
    let problems = kept.ledger.verify().await.unwrap().problems;
    assert_eq!(problems, [Problem::Facets { seq: 1 }, Problem::Decision { seq: 3 }]);
    kept.ledger.rebuild().await.unwrap();
    assert_eq!(kept.ledger.verify().await.unwrap().problems, []);
    // One of each note, and of the reservation its tag, its path, and its path with the host.
    tamper("INSERT INTO event_facet VALUES (1, 'prod', 2)");
    let problems = kept.ledger.verify().await.unwrap().problems;
    assert_eq!(problems, [Problem::Surplus { found: 6, expected: 5 }]);
    kept.ledger.rebuild().await.unwrap();
    tamper("UPDATE event SET body = CAST(replace(body, 'uat', 'dev') AS BLOB) WHERE seq = 2");
    let problems = kept.ledger.verify().await.unwrap().problems;
    assert!(matches!(problems.first(), Some(Problem::Event { seq: 2, .. })), "{problems:?}");
    tamper("DELETE FROM event WHERE seq = 2");
    let problems = kept.ledger.verify().await.unwrap().problems;
    assert!(problems.contains(&Problem::Missing { seq: 2 }), "{problems:?}");
}

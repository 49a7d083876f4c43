//! The suite that every record passes, one clause of the contract after the other.
//!
//! Plain functions over an empty record, called by the tests of each implementation.

use super::{Question, Record, RecordError, all, environment_state};
use ::record::claim::{
    Claim, ClaimKey, HoldClaim, HoldState, Kind, NoteClaim, ReservationClaim, RuleClaim, Text,
};
use ::record::claim::{Moment, RunChange};
use ::record::fuzz::story::Story;
use ::record::{
    Event, Expect, Facet, Landed, Moving, Run, RunQuestion, RunState, Sequenced, Span, Stamp, Take,
    runs, watched,
};
use domain::{Actor, Digest, EventId, Proof, Rule, TagClass, Timestamp};

/// Runs every clause, each over a record that `open` makes anew.
///
/// # Panics
/// When a clause does not hold.
pub async fn conformance<R, F>(open: impl Fn() -> F)
where
    R: Record,
    F: Future<Output = R>,
{
    nothing_is_in_an_empty_record(&open().await).await;
    a_question_begins_no_record_and_an_append_does(&open().await).await;
    what_is_appended_is_read_in_order(&open().await).await;
    a_retry_is_no_event(&open().await).await;
    another_claim_under_a_key_is_refused(&open().await).await;
    an_append_is_all_or_nothing(&open().await).await;
    a_tag_is_reserved_once(&open().await).await;
    questions_select_by_kind_and_value(&open().await).await;
    a_finding_is_said_once_and_found_by_its_place(&open().await).await;
    pages_join_without_a_gap(&open().await).await;
    too_many_claims_are_refused(&open().await).await;
    what_ran_is_answered_with_what_was_watched(&open().await).await;
    an_event_of_another_record_lands_once_with_its_first_stamp(&open().await).await;
    what_cannot_land_is_told_of_each_event(&open().await).await;
    a_look_at_an_import_writes_nothing(&open().await).await;
}

fn key(text: &str) -> ClaimKey {
    ClaimKey::try_from(text.to_owned()).expect("a short key")
}

fn note(name: &str, text: &str) -> Claim {
    let text = Text::try_from(text.to_owned()).expect("a short text");
    Claim::Note(NoteClaim { key: key(name), environment: "prod".parse().ok(), about: None, text })
}

fn hold(name: &str, environment: &str) -> Claim {
    Claim::Hold(HoldClaim {
        key: key(name),
        environment: environment.parse().expect("an environment"),
        image: None,
        state: HoldState::Held,
        reason: None,
    })
}

fn reservation(name: &str, tag: &str, release: &str) -> Claim {
    Claim::Reservation(ReservationClaim {
        key: key(name),
        repository: "registry.example.com/shop/api".parse().expect("a repository"),
        tag: tag.parse().expect("a tag"),
        release: release.to_owned(),
    })
}

async fn everything(record: &dyn Record) -> Vec<Sequenced> {
    all(record, &Question::default()).await.expect("a readable record")
}

async fn nothing_is_in_an_empty_record(record: &dyn Record) {
    assert_eq!(everything(record).await, []);
    assert_eq!(record.verify().await.expect("an empty record is whole").events, 0);
}

async fn a_question_begins_no_record_and_an_append_does(record: &dyn Record) {
    record.refresh().await.expect("looking is allowed");
    assert_eq!(everything(record).await, []);
    assert_eq!(record.verify().await.expect("an empty record is whole").events, 0);
    assert!(!record.exists().await.expect("an answer"), "a question made a record");
    record.append(vec![note("a", "x")]).await.expect("an append");
    assert!(record.exists().await.expect("an answer"));
}

async fn what_is_appended_is_read_in_order(record: &dyn Record) {
    for name in ["a", "b", "c"] {
        let recorded = record.append(vec![note(name, name)]).await.expect("an append");
        assert!(recorded[0].is_new);
        assert_eq!(recorded[0].event.event.stamp.actor, *record.actor());
    }
    let events = everything(record).await;
    let claims: Vec<_> = events.iter().map(|event| event.event.claim.clone()).collect();
    assert_eq!(claims, [note("a", "a"), note("b", "b"), note("c", "c")]);
    assert!(events.is_sorted_by(|a, b| a.seq < b.seq), "sequences rise");
    assert_eq!(record.verify().await.expect("a whole record").events, 3);
}

async fn a_retry_is_no_event(record: &dyn Record) {
    let first = record.append(vec![note("a", "x")]).await.expect("an append");
    let again = record.append(vec![note("a", "x")]).await.expect("a retry");
    assert!(!again[0].is_new);
    assert_eq!(again[0].id(), first[0].id());
    assert_eq!(everything(record).await.len(), 1);
}

async fn another_claim_under_a_key_is_refused(record: &dyn Record) {
    let first = record.append(vec![note("a", "x")]).await.expect("an append");
    match record.append(vec![note("a", "y")]).await {
        Err(RecordError::KeyTaken { existing, .. }) => assert_eq!(existing, first[0].id()),
        other => panic!("expected the key to be taken, got {other:?}"),
    }
}

async fn an_append_is_all_or_nothing(record: &dyn Record) {
    record.append(vec![note("a", "x")]).await.expect("an append");
    let refused = record.append(vec![note("b", "new"), note("a", "other")]).await;
    assert!(matches!(refused, Err(RecordError::KeyTaken { .. })), "{refused:?}");
    assert_eq!(everything(record).await.len(), 1);
}

async fn a_tag_is_reserved_once(record: &dyn Record) {
    record
        .append(vec![reservation("r1", "20260317-143958-uat", "github/1")])
        .await
        .expect("the first");
    match record.append(vec![reservation("r2", "20260317-143958-uat", "github/2")]).await {
        Err(RecordError::Reserved { release, .. }) => assert_eq!(release, "github/1"),
        other => panic!("expected the tag to be reserved, got {other:?}"),
    }
    record
        .append(vec![reservation("r3", "20260317-143959-uat", "github/2")])
        .await
        .expect("the next second");
}

async fn questions_select_by_kind_and_value(record: &dyn Record) {
    let claims = vec![hold("h1", "prod"), note("n", "x"), hold("h2", "uat")];
    record.append(claims).await.expect("an append");
    let count =
        async |question: Question| all(record, &question).await.expect("a readable record").len();
    assert_eq!(count(Question::of([Kind::Hold])).await, 2);
    assert_eq!(count(Question::of([Kind::Hold]).about(Facet::Environment, "prod")).await, 1);
    assert_eq!(count(Question::default().about(Facet::Environment, "prod")).await, 2);
    assert_eq!(count(Question::of([Kind::Deploy])).await, 0);
    let either = Question::of([Kind::Note]).about(Facet::Environment, "prod").or_of([Kind::Hold]);
    let kinds: Vec<_> = all(record, &either).await.expect("a readable record");
    let kinds: Vec<_> = kinds.iter().map(|event| event.event.claim.kind()).collect();
    assert_eq!(kinds, [Kind::Hold, Kind::Note, Kind::Hold], "one sequence of both");
    let prod = "prod".parse().expect("an environment");
    let state = environment_state(record, &prod).await.expect("a readable record");
    assert_eq!(state.holds().len(), 1);
}

async fn a_finding_is_said_once_and_found_by_its_place(record: &dyn Record) {
    let mut story = Story::new();
    let at = story.next_time();
    story.finding_opens("api", 1, at);
    story.finding_opens("api", 1, at.plus_millis(5_000));
    story.finding_closes("api", 1, at.plus_millis(60_000));
    let claims: Vec<Claim> = story.events().iter().map(|event| event.event.claim.clone()).collect();
    record.append(vec![claims[0].clone(), claims[2].clone()]).await.expect("an append");
    // A second watcher saw the same, a little later: it learns that somebody was first.
    let late = record.append(vec![claims[1].clone()]).await;
    assert!(matches!(late, Err(RecordError::KeyTaken { .. })), "{late:?}");
    let question = Question::of([Kind::Finding])
        .about(Facet::Cluster, "cluster-1")
        .about(Facet::Namespace, "cluster-1/shop")
        .about(Facet::Environment, "uat");
    let found = ::record::findings(&all(record, &question).await.expect("a readable record"));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].from, found[0].is_open()), (at, false));
}

async fn pages_join_without_a_gap(record: &dyn Record) {
    let many = 1_100;
    for start in (0..many).step_by(100) {
        let claims = (start..start + 100).map(|at| note(&format!("n{at}"), "x")).collect();
        record.append(claims).await.expect("an append");
    }
    let events = everything(record).await;
    let keys: Vec<_> = events.iter().map(|event| event.event.claim.key().to_string()).collect();
    let expected: Vec<_> = (0..many).map(|at| format!("n{at}")).collect();
    assert_eq!(keys, expected);
}

async fn too_many_claims_are_refused(record: &dyn Record) {
    let claims = |count: usize| (0..count).map(|at| note(&format!("n{at}"), "x")).collect();
    let refused = record.append(claims(257)).await;
    assert!(matches!(refused, Err(RecordError::Limit(_))), "{refused:?}");
    assert_eq!(everything(record).await.len(), 0);
    assert_eq!(record.append(claims(256)).await.expect("as many as fit").len(), 256);
}

fn at(text: &str) -> Timestamp {
    format!("2026-03-17T{text}:00Z").parse().expect("a literal time")
}

/// Two runs of one stretch that was watched: `api` from 14:40 to 15:00, and `web` from 14:50 on.
fn shop() -> Story {
    let mut story = Story::new();
    let watch = story.watch_began(at("14:30"));
    let api = story.run_began("api", at("14:40"));
    story.run_began("web", at("14:50"));
    let ended = RunChange::Ended {
        ended: Moment::Bounded { after: Some(at("14:58")), until: at("15:00") },
        exit_code: Some(137),
        deleted: None,
    };
    story.run_says(api, RunChange::Doubted { since: at("14:56") }, at("14:56"));
    story.run_says(api, RunChange::Confirmed, at("14:57"));
    story.run_says(api, ended, at("15:00"));
    story.watch_says(watch, at("15:02"), ::record::claim::WatchChange::Alive);
    story
}

async fn what_ran_is_answered_with_what_was_watched(record: &dyn Record) {
    let nothing = record.runs(&RunQuestion::default(), None).await.expect("an answer");
    assert_eq!((nothing.runs.len(), nothing.watched.len(), nothing.next), (0, 0, None));
    let story = shop();
    let claims = story.events().iter().map(|event| event.event.claim.clone()).collect();
    record.append(claims).await.expect("an append");
    let (ran, was_watched) = (runs(story.events()), watched(story.events()));
    let ask = async |question: RunQuestion| -> Vec<Run> {
        let page = record.runs(&question, None).await.expect("an answer");
        assert_eq!(page.watched, was_watched, "no answer without what was watched");
        assert_eq!(page.next, None);
        page.runs
    };
    let any = RunQuestion::default;
    assert_eq!(ask(any()).await, ran);
    assert_eq!(ask(RunQuestion { limit: 0, ..any() }).await, []);
    for (time, expected) in
        [("14:39", &ran[..0]), ("14:59", &ran[..]), ("15:00", &ran[1..]), ("16:00", &ran[1..])]
    {
        assert_eq!(ask(RunQuestion { when: Span::moment(at(time)), ..any() }).await, expected);
    }
    let open = RunQuestion { state: RunState::Open, ..any() };
    assert_eq!(ask(open).await, &ran[1..]);
    let digests = [Digest::sha256(b"api")].into();
    assert_eq!(ask(RunQuestion { digests, ..any() }).await, &ran[..1]);
    let ids = [ran[1].id].into();
    assert_eq!(ask(RunQuestion { ids, ..any() }).await, &ran[1..]);
    let workload = "deployment/web".parse().ok();
    assert_eq!(ask(RunQuestion { workload, ..any() }).await, &ran[1..]);
    let namespace = "shop-uat".parse().ok();
    assert_eq!(ask(RunQuestion { namespace, ..any() }).await, []);
    let first = record.runs(&RunQuestion { limit: 1, ..any() }, None).await.expect("a page");
    assert_eq!((first.runs.as_slice(), first.next), (&ran[..1], Some(ran[0].id)));
    let second = record.runs(&RunQuestion { limit: 1, ..any() }, first.next).await;
    let second = second.expect("a page");
    assert_eq!((second.runs.as_slice(), second.next), (&ran[1..], None));
}

/// An event as another record has it.
fn elsewhere(number: u128, claim: Claim) -> Moving {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let actor = Actor::new("grace", Proof::None).expect("a short name");
    let stamp = Stamp { id: EventId::new(at, number), at, actor, cause: None, imported: None };
    Moving { event: Event { stamp, claim }, expect: Expect::Either }
}

async fn an_event_of_another_record_lands_once_with_its_first_stamp(record: &dyn Record) {
    let moving = vec![elsewhere(1, note("a", "x")), elsewhere(2, hold("h", "prod"))];
    let landed = record.import(moving.clone(), None, Take::Over).await.expect("an import");
    let events = everything(record).await;
    let ids: Vec<_> = events.iter().map(|event| event.event.stamp.id).collect();
    assert_eq!(landed, [Landed::New { id: ids[0] }, Landed::New { id: ids[1] }]);
    let stamp = &events[1].event.stamp;
    assert_eq!((stamp.who().name(), stamp.actor.name()), ("grace", record.actor().name()));
    assert_eq!(stamp.imported.as_deref(), Some(&moving[1].event.stamp));
    assert_eq!(stamp.happened(), moving[1].event.stamp.at);
    let again = record.import(moving, None, Take::Over).await.expect("an import");
    assert_eq!(again, [Landed::Known { id: ids[0] }, Landed::Known { id: ids[1] }]);
    // Whoever says the same claim to this record finds it too.
    let said = record.append(vec![note("a", "x")]).await.expect("a claim that is there");
    assert_eq!((said[0].is_new, said[0].id()), (false, ids[0]));
    assert_eq!(record.verify().await.expect("a whole record").events, 2);
}

async fn what_cannot_land_is_told_of_each_event(record: &dyn Record) {
    let own = vec![
        note("a", "x"),
        reservation("r1", "20260317-143958-uat", "github/1"),
        hold("h1", "prod"),
    ];
    let own = record.append(own).await.expect("an append");
    let mut before = elsewhere(4, hold("h0", "prod"));
    before.expect = Expect::Known;
    let rule = RuleClaim {
        key: key("rule"),
        rule: Rule {
            repositories: "**".parse().expect("a pattern"),
            tags: "uat".parse().expect("a pattern"),
            class: TagClass::Alias,
        },
    };
    let moving = vec![
        elsewhere(1, note("a", "another text")),
        elsewhere(2, reservation("r2", "20260317-143958-uat", "github/2")),
        elsewhere(3, note("b", "x")),
        before,
        elsewhere(5, Claim::Rule(rule)),
        elsewhere(6, note("b", "another text")),
        // Nobody compared the orders since the hold was recorded.
        elsewhere(7, hold("h2", "prod")),
    ];
    let landed = record.import(moving, None, Take::Over).await.expect("an import");
    let events = everything(record).await;
    let id = |at: usize| events[at].event.stamp.id;
    let expected = [
        Landed::Other { id: own[0].id() },
        Landed::Reserved { id: own[1].id() },
        Landed::New { id: id(3) },
        Landed::Behind,
        Landed::Stays,
        Landed::Other { id: id(3) },
        Landed::Behind,
    ];
    assert_eq!(landed, expected);
    assert_eq!(events.len(), 4);
    let looked = Some(own[2].id());
    let moving = vec![elsewhere(8, hold("h2", "prod"))];
    let landed = record.import(moving, looked, Take::Over).await.expect("an import");
    assert!(matches!(landed[..], [Landed::New { .. }]), "{landed:?}");
}

async fn a_look_at_an_import_writes_nothing(record: &dyn Record) {
    let moving = vec![elsewhere(1, note("a", "x"))];
    let there = moving[0].event.stamp.id;
    let landed = record.import(moving, None, Take::Look).await.expect("a look");
    assert_eq!(landed, [Landed::New { id: there }]);
    assert!(!record.exists().await.expect("an answer"), "a look made a record");
}

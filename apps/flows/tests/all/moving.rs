//! Records that move: from git to a server and back, as lines, interrupted, and into records that went their own way.

use crate::opened::{Remote, key, local_in, note};
use crate::served::{Lossy, Served};
use flows::import::{LineError, MoveError, Moved, Source, export_lines, move_record};
use flows::record_local::LocalRecord;
use flows::seam::{Question, Record, RecordError, all, environment_state};
use record::claim::{Claim, DeployKind, HoldClaim, HoldState, NamedBy};
use record::fuzz::story::Story;
use record::{Landed, Sequenced, Take};

async fn moved(from: &dyn Record, into: &dyn Record) -> Moved {
    move_record(Source::Record(from), into, Take::Over).await.unwrap()
}

async fn claims(record: &dyn Record) -> Vec<Claim> {
    let events = all(record, &Question::default()).await.unwrap();
    events.into_iter().map(|event| event.event.claim).collect()
}

/// Who said what and when, by the first record that heard it.
async fn said(record: &dyn Record) -> Vec<(String, String, Claim)> {
    let events = all(record, &Question::default()).await.unwrap();
    let of = |event: Sequenced| {
        let stamp = event.event.stamp;
        (stamp.who().to_string(), stamp.happened().to_string(), event.event.claim)
    };
    events.into_iter().map(of).collect()
}

async fn lines(record: &dyn Record) -> String {
    let mut text = Vec::new();
    export_lines(record, &mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

fn source(text: &str) -> Source<'static> {
    Source::Lines(Box::new(std::io::Cursor::new(text.to_owned())))
}

/// A, then B, to prod; and a hold.
fn story() -> Vec<Claim> {
    let mut story = Story::new();
    let (a, b) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
    story.deploy("api", "prod", a, DeployKind::Deploy, NamedBy::Rule);
    story.deploy("api", "prod", b, DeployKind::Deploy, NamedBy::Rule);
    let mut claims: Vec<_> = story.events().iter().map(|event| event.event.claim.clone()).collect();
    claims.push(hold("h1", HoldState::Held));
    claims
}

fn hold(name: &str, state: HoldState) -> Claim {
    let environment = "prod".parse().unwrap();
    Claim::Hold(HoldClaim { key: key(name), environment, image: None, state, reason: None })
}

/// A record with so many notes.
async fn notes(folder: std::path::PathBuf, many: usize) -> LocalRecord {
    let local = local_in(folder);
    for start in (0..many).step_by(250) {
        let notes = (start..start + 250).map(|number| note(&format!("n{number}")));
        local.append(notes.collect()).await.unwrap();
    }
    local
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_events_go_to_a_server_by_a_way_that_loses_answers_and_twice_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let local = notes(folder.path().join("local"), 10_000).await;
    let server = Served::start().await;
    let way = Lossy::before(&server, 2).await;
    let on_server = server.record_by(&way.address, None).await.unwrap();
    let first = moved(&local, &on_server).await;
    assert_eq!((first.read, first.refused), (10_000, 0));
    assert_eq!(first.new + first.known, 10_000, "of a lost answer the retry finds its events");
    assert_eq!(said(&on_server).await, said(&local).await);
    let again = moved(&local, &on_server).await;
    assert_eq!((again.new, again.known), (0, 10_000));
    assert_eq!(on_server.verify().await.unwrap().events, 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_goes_to_git_and_from_there_to_a_server_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let local = notes(folder.path().join("local"), 1_000).await;
    let remote = Remote::new();
    let first = moved(&local, &remote.record("mover").await).await;
    assert_eq!((first.read, first.new, first.known, first.refused), (1_000, 1_000, 0, 0));
    // Another process, from git alone.
    let server = Served::start().await;
    let on_server = server.record(None).await.unwrap();
    let git = remote.record("somebody else").await;
    assert_eq!(moved(&git, &on_server).await.new, 1_000);
    assert_eq!(said(&on_server).await, said(&local).await);
    for (from, into) in [(&on_server as &dyn Record, &git as &dyn Record), (&git, &on_server)] {
        let again = moved(from, into).await;
        assert_eq!((again.new, again.known), (0, 1_000));
    }
    let back = moved(&on_server, &local).await;
    assert_eq!((back.new, back.known), (0, 1_000));
    assert_eq!(git.verify().await.unwrap().events, 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_break_off_leave_what_came_before_and_the_whole_file_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let local = notes(folder.path().join("local"), 1_000).await;
    let text = lines(&local).await;
    assert_eq!(text.lines().count(), 1_000);
    let server = Served::start().await;
    let into = server.record(None).await.unwrap();
    let half = &text[..text.len() / 2 + 7];
    let broken = move_record(source(half), &into, Take::Over).await.unwrap_err();
    assert!(matches!(broken, MoveError::Lines(LineError::NoEvent { .. })), "{broken:?}");
    let kept = claims(&into).await.len();
    assert_eq!(kept, 256, "whole pieces are there");
    let rest = move_record(source(&text), &into, Take::Over).await.unwrap();
    assert_eq!((rest.new, rest.known), (1_000 - 256, 256));
    assert_eq!(claims(&into).await, claims(&local).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_record_answers_as_the_first_one_and_goes_on_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let local = local_in(folder.path().join("local"));
    local.append(story()).await.unwrap();
    let server = Served::start().await;
    let on_server = server.record(None).await.unwrap();
    moved(&local, &on_server).await;
    let prod = "prod".parse().unwrap();
    let of = async |record: &dyn Record| environment_state(record, &prod).await.unwrap();
    let (before, after) = (of(&local).await, of(&on_server).await);
    let api = "api".parse().unwrap();
    let current = |state: &record::EnvironmentState| state.current(&api).unwrap().claim.clone();
    assert_eq!(current(&after), current(&before));
    assert_eq!(after.current(&api).unwrap().at(), before.current(&api).unwrap().at());
    assert!(after.held(&api).is_some());
    // The server goes on; then the first record learns of it.
    on_server.append(vec![hold("h2", HoldState::Resumed)]).await.unwrap();
    let back = moved(&on_server, &local).await;
    assert_eq!((back.new, back.known, back.refused), (1, 5, 0));
    assert!(of(&local).await.held(&api).is_none());
    let again = moved(&local, &on_server).await;
    assert_eq!((again.new, again.known, again.refused), (0, 6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_of_one_environment_are_not_mixed_and_each_event_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let local = local_in(folder.path().join("local"));
    local.append(story()).await.unwrap();
    let server = Served::start().await;
    let on_server = server.record(None).await.unwrap();
    on_server.append(vec![hold("own", HoldState::Held)]).await.unwrap();
    let mixed = moved(&local, &on_server).await;
    // Both builds are of a repository about which the server knew nothing.
    assert_eq!((mixed.read, mixed.new, mixed.refused), (5, 2, 3));
    assert!(mixed.problems.iter().all(|problem| problem.landed == Landed::Behind));
    let prod = "prod".parse().unwrap();
    let state = environment_state(&on_server, &prod).await.unwrap();
    assert!(state.deploys().is_empty() && state.holds().len() == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_of_all_moves_a_record_into_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let local = local_in(folder.path().join("local"));
    local.append(story()).await.unwrap();
    let server = Served::start().await;
    let claims_everywhere = server.token("ci", &["claims"], "**").await;
    let admin_of_some = server.token("shop", &["admin"], "shop/**").await;
    let admin = server.token("ops", &["admin"], "**").await;
    let into = server.record(Some(&claims_everywhere)).await.unwrap();
    let refused = move_record(Source::Record(&local), &into, Take::Over).await.unwrap_err();
    assert!(matches!(refused, MoveError::Record(RecordError::Denied { .. })), "{refused:?}");
    let into = server.record(Some(&admin_of_some)).await.unwrap();
    let refused = move_record(Source::Record(&local), &into, Take::Over).await.unwrap_err();
    assert!(matches!(refused, MoveError::Partial { .. }), "{refused:?}");
    let into = server.record(Some(&admin)).await.unwrap();
    let looked = move_record(Source::Record(&local), &into, Take::Look).await.unwrap();
    assert_eq!(looked.new, 5);
    assert_eq!(moved(&local, &into).await.new, 5);
    let events = all(&into, &Question::default()).await.unwrap();
    let own: Vec<_> = events.iter().filter(|event| event.event.stamp.is_imported()).collect();
    assert_eq!(own.len(), 5);
    assert!(own.iter().all(|event| event.event.stamp.actor.name() == "ops"));
    // The proof of a name is the weakest on its way.
    assert!(own.iter().all(|event| event.event.stamp.proof() == domain::Proof::None));
}

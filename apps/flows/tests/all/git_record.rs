//! What only a record on a git branch can meet: races of writers, lost caches, and hands that change history.

use crate::opened::{Remote, git_in, key, keys, note, reservation};
use flows::record_git::RECORD_BRANCH;
use flows::seam::{Question, Record, RecordError, all};
use record::claim::{Claim, NoteClaim, Text};

fn other_note(name: &str) -> Claim {
    Claim::Note(NoteClaim {
        key: key(name),
        environment: None,
        about: None,
        text: Text::try_from("somebody else's words".to_owned()).unwrap(),
    })
}

/// Everything that an error says, with its causes.
fn words(error: &RecordError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_with_an_empty_cache_sees_everything_in_the_same_order() {
    let remote = Remote::new();
    let ada = remote.record("ada").await;
    for name in ["a", "b", "c"] {
        ada.append(vec![note(name), note(&format!("{name}2"))]).await.unwrap();
    }
    // A branch has the files of one commit by path, and that of a reservation is behind those of events.
    ada.append(vec![reservation("github/1"), note("d")]).await.unwrap();
    let runner = remote.record("runner").await;
    let expected = keys(&ada).await;
    assert_eq!(expected.len(), 8);
    assert_eq!(keys(&runner).await, expected);
    assert_eq!(expected[6..], ["d", "reserve/github/1"]);
    assert_eq!(runner.verify().await.unwrap().events, 8);
    let events = all(&ada, &Question::default()).await.unwrap();
    assert_eq!(all(&runner, &Question::default()).await.unwrap(), events);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_that_race_for_a_reservation_one_has_it_and_the_other_is_told_who() {
    let remote = Remote::new();
    let (ada, bob) = (remote.record("ada").await, remote.record("bob").await);
    // Both caches show an empty branch: nothing but the push can tell them apart.
    assert_eq!(keys(&ada).await.len() + keys(&bob).await.len(), 0);
    let (of_ada, of_bob) = tokio::join!(
        ada.append(vec![reservation("github/1")]),
        bob.append(vec![reservation("github/2")]),
    );
    let (winner, lost) = match (of_ada, of_bob) {
        (Ok(_), Err(lost)) => ("github/1", lost),
        (Err(lost), Ok(_)) => ("github/2", lost),
        both => panic!("one must win: {both:?}"),
    };
    let RecordError::Reserved { release, tag, .. } = lost else {
        panic!("expected a reservation, got {lost:?}");
    };
    assert_eq!((release.as_str(), tag.as_str()), (winner, "20260317-143958-uat"));
    let runner = remote.record("runner").await;
    assert_eq!(keys(&runner).await, [format!("reserve/{winner}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_that_race_for_a_key_one_has_it_and_the_other_is_told_the_event() {
    let remote = Remote::new();
    let (ada, bob) = (remote.record("ada").await, remote.record("bob").await);
    let (of_ada, of_bob) = tokio::join!(
        ada.append(vec![note("deploy/prod/after/start")]),
        bob.append(vec![other_note("deploy/prod/after/start")]),
    );
    let (won, lost) = match (of_ada, of_bob) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        both => panic!("one must win: {both:?}"),
    };
    let RecordError::KeyTaken { existing, .. } = lost else {
        panic!("expected the key to be taken, got {lost:?}");
    };
    assert_eq!(existing, won[0].id());
    assert_eq!(keys(&remote.record("runner").await).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_lose_no_event_and_agree_on_the_order() {
    let remote = Remote::new();
    let mut writers = Vec::new();
    for writer in 0..4 {
        let record = remote.record(&format!("writer{writer}")).await;
        writers.push(tokio::spawn(async move {
            for at in 0..3 {
                record.append(vec![note(&format!("{writer}-{at}"))]).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let one = keys(&remote.record("one").await).await;
    assert_eq!(one.len(), 12);
    assert_eq!(keys(&remote.record("two").await).await, one);
    // A writer that was overtaken agrees as well, once it looks again.
    assert_eq!(keys(&remote.record("writer0").await).await, one);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_share_one_cache() {
    let remote = Remote::new();
    let (one, two) = (remote.record("ada").await, remote.record("ada").await);
    let (first, second) = tokio::join!(one.append(vec![note("a")]), two.append(vec![note("b")]));
    first.unwrap();
    second.unwrap();
    let mut found = keys(&remote.record("ada").await).await;
    assert_eq!(found, keys(&remote.record("runner").await).await);
    found.sort();
    assert_eq!(found, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_another_has_overtaken_in_a_shared_cache_is_no_tampering() {
    let remote = Remote::new();
    // The first push to land is answered late: meanwhile another process records, and shows the
    // cache a tip that stands on ours.
    remote.hook(
        "post-receive",
        "[ -e landed ] && exit 0; : > landed; i=0; \
         while [ ! -e go ] && [ $i -lt 1500 ]; do sleep 0.02; i=$((i+1)); done",
    );
    let (one, two) = (remote.record("ada").await, remote.record("ada").await);
    let first = tokio::spawn(async move { one.append(vec![note("a")]).await });
    let landed = remote.repository().join("landed");
    for _ in 0..1_500 {
        if landed.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(landed.exists(), "the first push lands within 30 s");
    two.append(vec![note("b")]).await.unwrap();
    std::fs::write(remote.repository().join("go"), "").unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(keys(&remote.record("ada").await).await, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_the_cache_may_be_deleted_at_any_time() {
    let remote = Remote::new();
    remote.record("ada").await.append(vec![note("a"), note("b")]).await.unwrap();
    let cache = remote.cache("ada");
    let parts: [&[&str]; 3] = [
        &["branch"],
        &["record.db", "record.db-wal", "record.db-shm"],
        &["branch", "record.db", "record.db-wal", "record.db-shm"],
    ];
    for (nth, part) in parts.iter().enumerate() {
        for name in *part {
            let path = cache.join(name);
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else if path.exists() {
                std::fs::remove_file(path).unwrap();
            }
        }
        let again = remote.record("ada").await;
        assert_eq!(keys(&again).await.len(), 2 + nth, "without {part:?}");
        again.append(vec![note(&format!("c{nth}"))]).await.unwrap();
        assert_eq!(again.verify().await.unwrap().events, 3 + nth as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_files_of_their_day_made_by_the_one_who_acts() {
    let remote = Remote::new();
    let ada = remote.record("ada").await;
    let recorded = ada.append(vec![note("a")]).await.unwrap();
    ada.append(vec![reservation("github/1")]).await.unwrap();
    let files = remote.git(&["ls-tree", "-r", "--name-only", RECORD_BRANCH]);
    let mut files = files.lines();
    assert_eq!(files.next().unwrap(), format!("events/2026/03/17/{}.json", recorded[0].id()));
    // printf 'registry.example.com/shop/api\0%s' 20260317-143958-uat | sha256sum
    assert_eq!(
        files.next().unwrap(),
        "reserve/6e8f11615ceb7005d6cce3f6789b1b7461ba2f21591c9d2f107c3a75de79f108.json"
    );
    assert_eq!(files.next(), None);
    let by = remote.git(&["log", "--format=%an <%ae>", RECORD_BRANCH]);
    assert_eq!(by, "ada <ada@example.com>\n".repeat(2));
    // No common past with the code.
    let roots = remote.git(&["rev-list", "--max-parents=0", RECORD_BRANCH]);
    assert_eq!(roots.lines().count(), 1);
}

/// Somebody changes the branch by hand; what `verify` says to the writer who saw it before, and to a new one.
async fn tampered(change: impl Fn(&std::path::Path, &str), push: &[&str]) -> [String; 2] {
    let remote = Remote::new();
    let ada = remote.record("ada").await;
    let recorded = ada.append(vec![note("a")]).await.unwrap();
    ada.append(vec![note("b")]).await.unwrap();
    let clone = remote.clone_of_the_branch();
    let event = format!("events/2026/03/17/{}.json", recorded[0].id());
    change(&clone, &event);
    git_in(&clone, push);
    let mut said = Vec::new();
    for writer in ["ada", "runner"] {
        let refused = remote.record(writer).await.verify().await;
        said.push(match refused {
            Err(error @ RecordError::Altered { .. }) => words(&error),
            other => panic!("expected it to be noticed, got {other:?}"),
        });
    }
    said.try_into().unwrap()
}

const PUSH: [&str; 3] = ["push", "--quiet", "origin"];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_event_is_refused_and_named() {
    let said = tampered(
        |clone, event| {
            let path = clone.join(event);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("note a", "note x")).unwrap();
            git_in(clone, &["commit", "--quiet", "--all", "-m", "nothing"]);
        },
        &PUSH,
    );
    for said in said.await {
        assert!(said.contains("events/2026/03/17/"), "{said}");
        assert!(said.contains("changed"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_event_is_refused_and_named() {
    let said = tampered(
        |clone, event| {
            git_in(clone, &["rm", "--quiet", event]);
            git_in(clone, &["commit", "--quiet", "-m", "nothing"]);
        },
        &PUSH,
    );
    for said in said.await {
        assert!(said.contains("events/2026/03/17/"), "{said}");
        assert!(said.contains("removed"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_under_another_name_is_refused() {
    let said = tampered(
        |clone, event| {
            let copy = "events/2026/03/17/01JQ3K8Z5T9V4W6X7Y8Z9A0B1C.json";
            std::fs::copy(clone.join(event), clone.join(copy)).unwrap();
            git_in(clone, &["add", "."]);
            git_in(clone, &["commit", "--quiet", "-m", "nothing"]);
        },
        &PUSH,
    );
    for said in said.await {
        assert!(said.contains("01JQ3K8Z5T9V4W6X7Y8Z9A0B1C"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_branch_is_refused_by_whoever_saw_it_before() {
    let remote = Remote::new();
    let ada = remote.record("ada").await;
    ada.append(vec![note("a")]).await.unwrap();
    ada.append(vec![note("b")]).await.unwrap();
    let clone = remote.clone_of_the_branch();
    git_in(&clone, &["reset", "--quiet", "--hard", "HEAD~1"]);
    git_in(&clone, &["push", "--quiet", "--force", "origin"]);
    let again = remote.record("ada").await;
    for refused in [
        again.verify().await.map(|_| ()),
        again.append(vec![note("c")]).await.map(|_| ()),
        again.events(&Question::default(), None).await.map(|_| ()),
    ] {
        match refused {
            Err(error @ RecordError::Altered { .. }) => {
                assert!(words(&error).contains("indelible/record"), "{error}");
            }
            other => panic!("expected it to be noticed, got {other:?}"),
        }
    }
    // Also when only the copy of the branch was lost in between.
    std::fs::remove_dir_all(remote.cache("ada").join("branch")).unwrap();
    let refused = remote.record("ada").await.verify().await;
    assert!(matches!(refused, Err(RecordError::Altered { .. })), "{refused:?}");
    // A gone branch is no empty record.
    remote.git(&["update-ref", "-d", &format!("refs/heads/{RECORD_BRANCH}")]);
    let refused = remote.record("ada").await.verify().await;
    assert!(matches!(refused, Err(RecordError::Altered { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_saw_a_rewritten_branch_is_told_its_tip_and_that_nothing_older_is_known() {
    let remote = Remote::new();
    let ada = remote.record("ada").await;
    ada.append(vec![note("a")]).await.unwrap();
    let older = remote.git(&["rev-parse", RECORD_BRANCH]).trim().to_owned();
    ada.append(vec![note("b")]).await.unwrap();
    let newer = remote.git(&["rev-parse", RECORD_BRANCH]).trim().to_owned();
    // Who saw the branch before says from which commit it goes on, whoever asked for events in between.
    let bob = remote.record("bob").await;
    bob.events(&Question::default(), None).await.unwrap();
    remote.record("ada").await.append(vec![note("c")]).await.unwrap();
    let bob = remote.record("bob").await;
    assert!(bob.exists().await.unwrap());
    let checked = bob.verify().await.unwrap();
    let branch = checked.branch.unwrap();
    assert_eq!(branch.seen_before.unwrap().as_str(), newer);
    assert_ne!(branch.tip.unwrap().as_str(), newer);

    let clone = remote.clone_of_the_branch();
    git_in(&clone, &["reset", "--quiet", "--hard", &older]);
    git_in(&clone, &["push", "--quiet", "--force", "origin"]);
    let checked = remote.record("runner").await.verify().await.unwrap();
    let branch = checked.branch.unwrap();
    assert_eq!((checked.events, branch.tip.unwrap().as_str()), (1, older.as_str()));
    assert_eq!(branch.seen_before, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_that_is_gone_is_unknown_and_not_empty() {
    let remote = Remote::new();
    remote.record("ada").await.append(vec![note("a")]).await.unwrap();
    let repository = remote.repository();
    std::fs::rename(&repository, repository.with_extension("away")).unwrap();
    // A new process must not answer from its copy as if it had asked.
    let again = remote.cache("ada");
    assert!(again.exists());
    let record = remote.record("ada").await;
    std::fs::remove_dir_all(&repository).unwrap();
    let refused = record.events(&Question::default(), None).await;
    match refused {
        Err(error @ RecordError::Unavailable { .. }) => {
            assert!(words(&error).contains("shop.git"), "{}", words(&error));
        }
        other => panic!("expected it to be unknown, got {other:?}"),
    }
}

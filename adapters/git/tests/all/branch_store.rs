//! The append-only branch: order, conflicts, races, and histories that were tampered with.

use crate::sandbox::{Sandbox, ann, branch, commit, file, message, quick, raw};
use git::{
    AlteredHow, Append, AppendError, Appended, BranchStore, Credential, GitError, NewFile, Retry,
    Tip,
};
use std::convert::Infallible;
use std::future::ready;

async fn put(store: &BranchStore, files: &[NewFile]) -> Result<Appended, AppendError<Infallible>> {
    let append = Append { files: files.to_vec(), message: message("record: one event") };
    store.append(&ann(0), quick(1), |_| ready(Ok(append.clone()))).await
}

async fn paths(store: &BranchStore, since: &Tip) -> Vec<String> {
    let tip = store.fetch().await.unwrap();
    let added = store.added_since(since, &tip).await.unwrap();
    added.into_iter().map(|file| file.path).collect()
}

#[tokio::test]
async fn the_first_append_makes_the_branch_on_an_empty_repository() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    assert_eq!(store.fetch().await.unwrap(), Tip::Absent);
    let appended = put(&store, &[file("events/2026/03/17/A.json", "{}")]).await.unwrap();
    let Appended::New { commit, refusals: 0 } = appended else { panic!("{appended:?}") };

    // A runner with an empty home sees the same.
    let other = sandbox.store(&remote, "another-cache");
    let tip = other.fetch().await.unwrap();
    assert_eq!(tip, Tip::At(commit.clone()));
    let added = other.added_since(&Tip::Absent, &tip).await.unwrap();
    assert_eq!(added.len(), 1);
    assert_eq!((&added[0].commit, added[0].bytes.as_slice()), (&commit, &b"{}"[..]));
    let bare = sandbox.at("record.git");
    let log = raw(&bare, &["log", "--format=%an <%ae> %at %s", "indelible/record"]);
    assert_eq!(log, "Ann <ann@example.com> 1773758398 record: one event");
    assert_eq!(raw(&bare, &["fsck", "--full", "--strict"]), "");
}

#[tokio::test]
async fn the_branch_has_no_past_in_common_with_the_code() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("shop.git", &[("README.md", "x")]).await;
    put(&sandbox.store(&remote, "cache"), &[file("events/A.json", "{}")]).await.unwrap();
    let listed =
        raw(&sandbox.at("shop.git"), &["ls-tree", "-r", "--name-only", "indelible/record"]);
    assert_eq!(listed, "events/A.json");
}

#[tokio::test]
async fn files_come_in_commit_order_then_by_path() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    put(&store, &[file("events/Z.json", "1"), file("events/Y.json", "2")]).await.unwrap();
    let seen = store.fetch().await.unwrap();
    put(&store, &[file("reserve/a.json", "3")]).await.unwrap();
    put(&store, &[file("events/A.json", "4")]).await.unwrap();
    assert_eq!(
        paths(&store, &Tip::Absent).await,
        ["events/Y.json", "events/Z.json", "reserve/a.json", "events/A.json"]
    );
    assert_eq!(paths(&store, &seen).await, ["reserve/a.json", "events/A.json"]);
    let tip = store.fetch().await.unwrap();
    assert!(store.added_since(&tip, &tip).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_path_twice_is_a_conflict_unless_the_bytes_are_the_same() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let (one, two) = (sandbox.store(&remote, "one"), sandbox.store(&remote, "two"));
    put(&one, &[file("reserve/9f.json", "ann")]).await.unwrap();
    let taken = put(&two, &[file("reserve/9f.json", "bob"), file("events/B.json", "{}")]).await;
    assert_eq!(
        taken.unwrap(),
        Appended::Taken { path: "reserve/9f.json".into(), bytes: b"ann".to_vec() }
    );
    let same = put(&two, &[file("reserve/9f.json", "ann")]).await.unwrap();
    assert!(matches!(same, Appended::Same { .. }), "{same:?}");
    assert_eq!(paths(&two, &Tip::Absent).await, ["reserve/9f.json"]);
}

#[tokio::test]
async fn a_path_is_taken_by_a_folder_and_is_never_a_pattern() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    let (below, literal) = (file("events/A/b.json", "{}"), file("events/*.json", "star"));
    put(&store, &[below, file("events/C.json", "{}"), file(":(top)events/D", "d")]).await.unwrap();
    let taken = put(&store, &[file("events/A", "{}")]).await.unwrap();
    assert_eq!(taken, Appended::Taken { path: "events/A".into(), bytes: Vec::new() });
    // As a pattern it would be taken by `C.json`.
    let appended = put(&store, &[literal]).await.unwrap();
    assert!(matches!(appended, Appended::New { .. }), "{appended:?}");
    let taken = put(&store, &[file(":(top)events/D", "other")]).await.unwrap();
    assert_eq!(taken, Appended::Taken { path: ":(top)events/D".into(), bytes: b"d".to_vec() });
}

#[derive(Debug, thiserror::Error, PartialEq)]
#[error("the environment is held")]
struct Held;

#[tokio::test]
async fn the_precondition_is_asked_again_on_the_new_tip() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let (slow, fast) = (sandbox.store(&remote, "slow"), sandbox.store(&remote, "fast"));
    let mut asked = 0;
    let refused = slow
        .append(&ann(0), quick(1), |tip| {
            asked += 1;
            let (first, fast, slow) = (asked == 1, fast.clone(), slow.clone());
            async move {
                let held = slow.added_since(&Tip::Absent, &tip).await.unwrap();
                if held.iter().any(|file| file.path == "events/hold.json") {
                    return Err(Held);
                }
                if first {
                    put(&fast, &[file("events/hold.json", "{}")]).await.unwrap();
                }
                let files = vec![file("events/deploy.json", "{}")];
                Ok(Append { files, message: message("deploy") })
            }
        })
        .await;
    assert!(matches!(refused, Err(AppendError::Decide(Held))), "{refused:?}");
    assert_eq!(asked, 2);
    assert_eq!(paths(&fast, &Tip::Absent).await, ["events/hold.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_writers_at_once_all_land() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let writers = (0..20_u64).map(|writer| {
        let store = sandbox.store(&remote, &format!("cache-{writer}"));
        tokio::spawn(async move {
            let files = vec![file(&format!("events/{writer:02}.json"), "{}")];
            let append = Append { files, message: message("one of twenty") };
            let decide = |_| ready(Ok::<_, Infallible>(append.clone()));
            store.append(&ann(0), Retry::seeded(writer), decide).await
        })
    });
    let mut most_refusals = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap().unwrap() {
            Appended::New { refusals, .. } => most_refusals = most_refusals.max(refusals),
            other @ (Appended::Same { .. } | Appended::Taken { .. }) => panic!("{other:?}"),
        }
    }
    println!("the unluckiest of twenty writers was refused {most_refusals} times");
    let verified = sandbox.store(&remote, "fresh").verify(&Tip::Absent).await.unwrap();
    assert_eq!(verified.files, 20);
    assert_eq!(raw(&sandbox.at("record.git"), &["rev-list", "--count", "indelible/record"]), "20");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_reserve_one_name_one_wins() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let writers = (0..8_u64).map(|writer| {
        // All in one cache folder: its lock is part of what is shown here.
        let store = sandbox.store(&remote, "cache");
        tokio::spawn(async move {
            let files = vec![file("reserve/9f.json", &format!("writer {writer}"))];
            let append = Append { files, message: message("reserve") };
            let decide = |_| ready(Ok::<_, Infallible>(append.clone()));
            store.append(&ann(0), Retry::seeded(writer), decide).await.unwrap()
        })
    });
    let mut winners = 0;
    let mut shown = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Appended::New { .. } => winners += 1,
            Appended::Taken { bytes, .. } => shown.push(bytes),
            other @ Appended::Same { .. } => panic!("{other:?}"),
        }
    }
    assert_eq!((winners, shown.len()), (1, 7));
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_server_that_refuses_each_push_is_named_after_the_last_try() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let script = "echo 'Gesch\u{fc}tzter Zweig: Authentication failed\u{1b}[31m' >&2; exit 1";
    sandbox.hook("record.git", "pre-receive", script);
    let store = sandbox.store(&remote, "cache");
    let refused = put(&store, &[file("events/A.json", "{}")]).await;
    let Err(AppendError::Git(GitError::PushRefused { tries: 3, said, branch, .. })) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(branch, "indelible/record");
    assert!(said.starts_with("Gesch\u{fc}tzter Zweig: Authentication failed[31m"), "{said}");
}

#[tokio::test]
async fn a_refusal_in_any_words_is_tried_again() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let once = sandbox.at("refused-once");
    let script = format!(
        "[ -e '{0}' ] && exit 0; : > '{0}'; echo '\u{441}\u{431}\u{43e}\u{439}' >&2; exit 1",
        once.display()
    );
    sandbox.hook("record.git", "update", &script);
    let appended = put(&sandbox.store(&remote, "cache"), &[file("events/A.json", "{}")]).await;
    assert!(matches!(appended, Ok(Appended::New { refusals: 1, .. })), "{appended:?}");
}

#[tokio::test]
async fn a_changed_or_removed_event_is_refused_with_commit_and_path() {
    for (how, args) in [
        (AlteredHow::Changed, ["commit", "-qam", "tidy up"]),
        (AlteredHow::Removed, ["commit", "-qam", "tidy up"]),
    ] {
        let sandbox = Sandbox::new().await;
        let remote = sandbox.bare("record.git").await;
        let store = sandbox.store(&remote, "cache");
        put(&store, &[file("events/A.json", "{}"), file("reserve/b.json", "{}")]).await.unwrap();
        let before = store.fetch().await.unwrap();
        assert_eq!(store.verify(&before).await.unwrap().files, 2);

        let work = sandbox.at("work");
        let bare = sandbox.at("record.git");
        let clone = ["clone", "-q", "-b", "indelible/record", bare.to_str().unwrap(), "work"];
        raw(sandbox.folder.path(), &clone);
        match how {
            AlteredHow::Changed => std::fs::write(work.join("events/A.json"), "[]").unwrap(),
            AlteredHow::Removed => std::fs::remove_file(work.join("events/A.json")).unwrap(),
            AlteredHow::NotAFile => unreachable!("not in the table above"),
        }
        raw(&work, &args);
        raw(&work, &["push", "-q"]);
        let culprit = raw(&work, &["rev-parse", "HEAD"]);

        for refused in [
            store.verify(&before).await.map(|_| ()),
            store.added_since(&before, &store.fetch().await.unwrap()).await.map(|_| ()),
        ] {
            match refused {
                Err(GitError::Altered { path, commit, how: found }) => {
                    assert_eq!((path.as_str(), commit.as_str()), ("events/A.json", &*culprit));
                    assert_eq!(found, how);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_rewritten_branch_is_refused() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    put(&store, &[file("events/A.json", "{}")]).await.unwrap();
    let before = store.fetch().await.unwrap();
    let bare = sandbox.at("record.git");
    raw(&bare, &["update-ref", "-d", "refs/heads/indelible/record"]);
    put(&sandbox.store(&remote, "other"), &[file("events/B.json", "{}")]).await.unwrap();
    let refused = store.verify(&before).await;
    assert!(matches!(refused, Err(GitError::Rewritten { .. })), "{refused:?}");
    let now = store.fetch().await.unwrap();
    let refused = store.added_since(&before, &now).await;
    assert!(matches!(refused, Err(GitError::Rewritten { .. })), "{refused:?}");
}

#[tokio::test]
async fn the_cache_may_be_deleted_or_damaged_at_any_time() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    put(&store, &[file("events/A.json", "{}")]).await.unwrap();
    std::fs::remove_dir_all(sandbox.at("cache")).unwrap();
    put(&store, &[file("events/B.json", "{}")]).await.unwrap();
    // All objects gone, while the ref still names them.
    std::fs::remove_dir_all(sandbox.at("cache/objects")).unwrap();
    std::fs::create_dir_all(sandbox.at("cache/objects")).unwrap();
    put(&store, &[file("events/C.json", "{}")]).await.unwrap();
    assert_eq!(
        paths(&store, &Tip::Absent).await,
        ["events/A.json", "events/B.json", "events/C.json"]
    );
}

#[tokio::test]
async fn ten_thousand_events_are_listed_whole() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    for part in 0..10 {
        let name = |n: u32| format!("events/2026/03/{part:02}/{n:04}.json");
        let files: Vec<_> = (0..1000).map(|n| file(&name(n), &format!("{part} {n}"))).collect();
        put(&store, &files).await.unwrap();
    }
    let tip = store.fetch().await.unwrap();
    let added = store.added_since(&Tip::Absent, &tip).await.unwrap();
    assert_eq!(added.len(), 10_000);
    assert_eq!(added[9_999].path, "events/2026/03/09/0999.json");
    assert_eq!(added[9_999].bytes, b"9 999");
}

#[tokio::test]
async fn an_append_has_a_most_of_files() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let files: Vec<_> = (0..1001).map(|n| file(&format!("events/{n}.json"), "")).collect();
    let refused = put(&sandbox.store(&remote, "cache"), &files).await;
    assert!(matches!(refused, Err(AppendError::Git(GitError::TooLarge { .. }))), "{refused:?}");
}

#[tokio::test]
async fn a_remote_that_is_not_there_is_named() {
    let sandbox = Sandbox::new().await;
    let missing = git::RemoteUrl::folder(&sandbox.at("nowhere.git")).unwrap();
    let refused = sandbox.store(&missing, "cache").fetch().await;
    assert!(matches!(refused, Err(GitError::NoSuchRepository { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_merge_into_the_branch_keeps_first_parent_order() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    put(&store, &[file("events/A.json", "{}")]).await.unwrap();
    let url = &remote;
    let work = sandbox.at("work");
    let of = branch("indelible/record");
    let ambient = Credential::Ambient;
    let scratch = git::Scratch::clone_of(&sandbox.git, url, &ambient, &of, &work).await.unwrap();
    scratch.branch(&branch("side")).await.unwrap();
    commit(&scratch, 1, "side", &[("events/0-side.json", "{}")]).await;
    scratch.switch(&of).await.unwrap();
    commit(&scratch, 2, "main", &[("events/1-main.json", "{}")]).await;
    let how = git::Merge::Commit;
    scratch.merge(&branch("side"), how, &ann(3), &message("merge")).await.unwrap();
    scratch.push(url, &ambient, &of).await.unwrap();
    assert_eq!(
        paths(&store, &Tip::Absent).await,
        ["events/A.json", "events/1-main.json", "events/0-side.json"]
    );
    assert_eq!(store.verify(&Tip::Absent).await.unwrap().files, 3);
}

#[tokio::test]
async fn a_file_has_a_largest_size() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let store = sandbox.store(&remote, "cache");
    let mut large = file("events/A.json", "");
    large.bytes = vec![b'x'; git::FILE_BYTES_MAX];
    assert!(matches!(put(&store, &[large.clone()]).await, Ok(Appended::New { .. })));
    assert_eq!(paths(&store, &Tip::Absent).await, ["events/A.json"]);
    large.bytes.push(b'x');
    let refused = put(&store, &[large]).await;
    assert!(matches!(refused, Err(AppendError::Git(GitError::TooLarge { .. }))), "{refused:?}");

    // A stranger's file is refused before it is read.
    let work = sandbox.at("work");
    let bare = sandbox.at("record.git").display().to_string();
    raw(sandbox.folder.path(), &["clone", "-q", "-b", "indelible/record", &bare, "work"]);
    std::fs::write(work.join("events/B.json"), vec![b'x'; git::FILE_BYTES_MAX + 1]).unwrap();
    raw(&work, &["add", "."]);
    raw(&work, &["commit", "-qm", "large"]);
    raw(&work, &["push", "-q"]);
    let tip = store.fetch().await.unwrap();
    let refused = store.added_since(&Tip::Absent, &tip).await;
    assert!(matches!(refused, Err(GitError::TooLarge { .. })), "{refused:?}");
}

//! What processes leave behind that were killed between two steps, and locks that cannot be had: nobody waits for them.

use crate::sandbox::{Sandbox, ann, branch, file, message, quick, raw};
use crate::write_back::{add_line, land};
use git::{Append, Appended, Landing, Proposed, Retry};
use std::convert::Infallible;
use std::future::ready;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Names the file that the child of a test holds.
const HOLD: &str = "INDELIBLE_TEST_HOLD";

/// The other process: takes a lock, says so, and holds it until it is killed. Nothing where no test started it.
#[test]
fn holds_a_file_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "the parent tells the path so")]
    let Some(path) = std::env::var_os(HOLD) else { return };
    let file = std::fs::File::create(path).unwrap();
    file.lock().unwrap();
    eprintln!("held");
    // Nobody writes to it: this ends with the parent.
    let _ended = std::io::stdin().lines().next();
}

/// Another process that holds a file by now.
fn holder(path: PathBuf) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "left_behind::holds_a_file_until_it_is_killed"])
        .env(HOLD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("held")), "the child ended");
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_waited_for_while_its_process_lives_and_free_when_that_is_killed() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let back = sandbox.write_back(&remote, "cache");
    let mut other = holder(sandbox.at("cache.turn"));
    let begun = Instant::now();
    let waits = tokio::spawn(async move { (land(&back, "a.yaml", "b").await, Instant::now()) });
    let store = sandbox.store(&remote, "record");
    let mut of_record = holder(sandbox.at("record.turn"));
    let appends = tokio::spawn(async move {
        let append = Append { files: vec![file("events/A.json", "{}")], message: message("one") };
        let decide = |_| ready(Ok::<_, Infallible>(append.clone()));
        (store.append(&ann(0), quick(1), decide).await, Instant::now())
    });
    // As long as it takes to land where nobody holds anything.
    land(&sandbox.write_back(&remote, "free"), "a.yaml", "free").await.unwrap();
    assert!(!waits.is_finished() && !appends.is_finished(), "neither waited");
    let killed = Instant::now();
    for child in [&mut other, &mut of_record] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (landed, at) = waits.await.unwrap();
    assert!(matches!(landed, Ok(Landing::Landed { .. })), "{landed:?}");
    let (appended, appended_at) = appends.await.unwrap();
    assert!(matches!(appended, Ok(Appended::New { .. })), "{appended:?}");
    assert!(at > killed && appended_at > killed, "it landed before its turn");
    assert!(begun.elapsed().as_secs() < 20, "the lock of a dead process was waited for");
}

#[tokio::test]
async fn a_turn_that_cannot_be_had_is_no_error() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    // No file can be opened there; a folder without the right to write says the same, but not to an administrator.
    std::fs::create_dir_all(sandbox.at("cache.turn")).unwrap();
    std::fs::create_dir_all(sandbox.at("record.turn")).unwrap();
    let landed = land(&sandbox.write_back(&remote, "cache"), "a.yaml", "b").await;
    assert!(matches!(landed, Ok(Landing::Landed { .. })), "{landed:?}");
    let append = Append { files: vec![file("events/A.json", "{}")], message: message("one") };
    let decide = |_| ready(Ok::<_, Infallible>(append.clone()));
    let appended = sandbox.store(&remote, "record").append(&ann(0), quick(1), decide).await;
    assert!(matches!(appended, Ok(Appended::New { .. })), "{appended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_appends_in_one_copy_take_turns_and_lose_no_race() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare("record.git").await;
    let writers = (0..20_u64).map(|writer| {
        // A value each, as twenty processes of one user have.
        let store = sandbox.store(&remote, "cache");
        tokio::spawn(async move {
            let files = vec![file(&format!("events/{writer:02}.json"), "{}")];
            let append = Append { files, message: message("one of twenty") };
            let decide = |_| ready(Ok::<_, Infallible>(append.clone()));
            store.append(&ann(0), Retry::seeded(writer), decide).await
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        let appended = writer.await.unwrap().unwrap();
        assert!(matches!(appended, Appended::New { refusals: 0, .. }), "{appended:?}");
    }
    assert_eq!(raw(&sandbox.at("record.git"), &["rev-list", "--count", "indelible/record"]), "20");
}

#[tokio::test]
async fn locks_of_a_killed_git_and_a_half_removed_copy_stop_nobody() {
    let sandbox = Sandbox::new().await;
    let remote = sandbox.bare_with("config.git", &[("a.yaml", "a\n")]).await;
    let back = sandbox.write_back(&remote, "cache");
    land(&back, "a.yaml", "first").await.unwrap();
    let onto = branch("deploy/prod/api");
    let left = ["refs/indelible/fetched.lock", "shallow.lock", "refs/indelible/proposed.lock"];
    for (nth, left) in left.into_iter().enumerate() {
        let line = format!("line-{nth}");
        let propose = async || {
            back.propose(&onto, &ann(7), quick(1), |tree| add_line(tree, "a.yaml", &line)).await
        };
        propose().await.unwrap();
        std::fs::write(sandbox.at("cache").join(left), "").unwrap();
        std::fs::create_dir_all(sandbox.at("cache.old/objects")).unwrap();
        let again = propose().await;
        assert!(matches!(again, Ok(Proposed::Same { .. })), "{left}: {again:?}");
        std::fs::write(sandbox.at("cache").join(left), "").unwrap();
        let landed = land(&back, "a.yaml", &line).await;
        assert!(matches!(landed, Ok(Landing::Landed { .. })), "{left}: {landed:?}");
    }
    assert_eq!(raw(&sandbox.at("config.git"), &["rev-list", "--count", "main"]), "5");
}

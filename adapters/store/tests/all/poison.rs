//! A failed write poisons the writer: nothing is taken until the file was opened again with success.
//!
//! The failure is real: the process may not make files larger than 1 MiB, so that the log cannot grow.

use crate::shop::{config, push_to, repository, tag};
use oci::ManifestRef;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use store::{BlobLimits, DataFolder, DatabaseError, PutError};

const FOLDER: &str = "STORE_TEST_LIMITED_FOLDER";

async fn push(folder: &DataFolder, at: u64) -> Result<(), PutError> {
    let word = format!("w{at}");
    folder.catalog().link_blob(repository(), config(&word).digest, 1).await?;
    push_to(&folder.catalog(), &word, &[&format!("v{at}")], |_| ()).await.map(drop)
}

/// The child's side: without its variable this is no child, and there is nothing to do.
#[tokio::test]
async fn the_child_writes_until_it_may_not() {
    let Some(path) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = DataFolder::open(Path::new(&path), BlobLimits::default()).unwrap();
    let mut kept = 0;
    let refused = loop {
        match push(&folder, kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, PutError::Database(DatabaseError::Unavailable { .. })),
        "{refused:?}"
    );
    let again = push(&folder, kept).await.unwrap_err();
    let PutError::Database(DatabaseError::Unavailable { why }) = again else { panic!("{again:?}") };
    assert!(why.starts_with("a write before it failed ("), "it was tried again: {why}");
    let last = ManifestRef::Tag(tag(&format!("v{}", kept - 1)));
    assert!(folder.catalog().manifest(&repository(), &last).await.unwrap().is_some());
    lift_the_limit();
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = push(&folder, kept).await {
        assert!(Instant::now() < deadline, "the writer never came back: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for at in 0..=kept {
        let reference = ManifestRef::Tag(tag(&format!("v{at}")));
        assert!(folder.catalog().manifest(&repository(), &reference).await.unwrap().is_some());
    }
    assert_eq!(folder.ledger().verify().await.unwrap().problems, []);
    assert_eq!(folder.ledger().count(vec![]).await.unwrap(), 2 * (kept + 1));
}

fn lift_the_limit() {
    let pid = std::process::id().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(lifted.unwrap().success());
}

#[test]
fn after_a_failed_write_nothing_is_taken_until_the_file_was_opened_again() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        let why = "prlimit (util-linux) is not installed";
        return testbed::skip("after_a_failed_write_nothing_is_taken", why);
    }
    let home = tempfile::tempdir().unwrap();
    // Without the trap the signal would end the child; ignored, the write fails instead.
    let script = "trap '' XFSZ; ulimit -S -f 2048; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["poison::the_child_writes_until_it_may_not", "--exact", "--nocapture"])
        .env(FOLDER, home.path().join("data"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let erred = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{erred}");
    assert!(said.contains("1 passed"), "{said}");
}

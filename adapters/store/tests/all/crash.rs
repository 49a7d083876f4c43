//! Process crash: a child pushes, is killed anywhere or dies between two steps; what it had been told
//! was done is there when the folder is opened again.

use crate::shop::{by, push_to, put, repository, tag};
use bytes::Bytes;
use domain::{Algorithm, Digest};
use oci::ManifestRef;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use store::{BlobLimits, DataFolder};

const FOLDER: &str = "STORE_TEST_FOLDER";
const FIRST: &str = "STORE_TEST_FIRST";
const DIES_AFTER: &str = "STORE_TEST_DIES_AFTER";
const STEPS: [&str; 5] = ["start", "append", "commit", "link", "put"];

/// The child's side: without its variables this is no child, and there is nothing to do.
#[tokio::test]
async fn the_child_pushes_until_it_dies() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let dies_after = std::env::var(DIES_AFTER).unwrap_or_default();
    let folder = DataFolder::open(Path::new(&folder), BlobLimits::default()).unwrap();
    for at in first.. {
        let dies = |step: &str| {
            // The third push dies, so that there is something to lose.
            if step == dies_after && at == first + 2 {
                std::process::abort();
            }
        };
        push(&folder, at, dies).await;
        let mut out = std::io::stdout().lock();
        writeln!(out, "\ndone {at}").and_then(|()| out.flush()).unwrap();
    }
}

/// One push with the steps of a client: a blob of its own, its membership, the manifest and its tag.
async fn push(folder: &DataFolder, at: u64, dies: impl Fn(&str)) {
    let word = format!("content {at}");
    let (blobs, digest) = (folder.blobs(), Digest::sha256(word.as_bytes()));
    let randomness = by("child").randomness ^ u128::from(at) << 100;
    let id = blobs.start(&repository(), Algorithm::Sha256, randomness).await.unwrap();
    dies("start");
    let mut writer = blobs.append(&repository(), id, None).await.unwrap();
    writer.write(Bytes::from(word.clone())).await.unwrap();
    writer.finish().await.unwrap();
    dies("append");
    let size = blobs.commit(&repository(), id, digest).await.unwrap();
    dies("commit");
    folder.catalog().link_blob(repository(), digest, size).await.unwrap();
    dies("link");
    let tags = [format!("v{at}")];
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let change = |put: &mut store::PutManifest| put.by.randomness = randomness;
    push_to(&folder.catalog(), &word, &tags, change).await.unwrap();
    dies("put");
}

fn child(folder: &Path, first: u64, dies_after: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["crash::the_child_pushes_until_it_dies", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .env(DIES_AFTER, dies_after)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The numbers of the pushes that the child was told are done.
fn done(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("done ").map(|number| number.parse().unwrap()))
}

/// Everything that was answered is there, whole, and nothing contradicts itself.
async fn holds(folder: &Path, told: &[u64]) {
    let folder = DataFolder::open(folder, BlobLimits::default()).unwrap();
    for at in told {
        let word = format!("content {at}");
        let reference = ManifestRef::Tag(tag(&format!("v{at}")));
        let found = folder.catalog().manifest(&repository(), &reference).await.unwrap();
        assert_eq!(found.map(|found| found.digest), Some(put(&word, &[]).digest), "v{at}");
        let blob = Digest::sha256(word.as_bytes());
        assert!(folder.blobs().verify(&blob).await.unwrap().is_some(), "blob of v{at}");
        let size = folder.catalog().blob(&repository(), &blob).await.unwrap();
        assert_eq!(size, Some(word.len() as u64));
        let tag = tag(&format!("v{at}"));
        let history = folder.catalog().tag_history(&repository(), &tag, None, 10).await.unwrap();
        assert_eq!(history.len(), 1, "v{at}");
    }
    let tags = folder.catalog().tags(&repository(), None, 100_000).await.unwrap().unwrap();
    for tag in tags {
        let reference = ManifestRef::Tag(tag.clone());
        let found = folder.catalog().manifest(&repository(), &reference).await.unwrap();
        assert!(found.is_some(), "{tag} leads nowhere");
    }
    assert_eq!(folder.ledger().verify().await.unwrap().problems, []);
}

#[tokio::test]
async fn killed_anywhere_nothing_that_was_answered_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let rounds = if testbed::long() { 200 } else { 12 };
    let mut told = Vec::new();
    for round in 0..rounds {
        let mut child = child(&folder, round * 1_000, "");
        let mut numbers = done(&mut child);
        // A few pushes, another number each round, then the kill meets whatever step is under way.
        told.extend(numbers.by_ref().take(3 + (round as usize * 7) % 11));
        child.kill().unwrap();
        child.wait().unwrap();
        told.extend(numbers);
        holds(&folder, &told).await;
    }
    assert!(told.len() >= 3 * rounds as usize);
}

#[tokio::test]
async fn dead_between_any_two_steps_nothing_that_was_answered_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data");
    let mut told = Vec::new();
    for (round, step) in (0..).zip(STEPS) {
        let mut child = child(&folder, round * 1_000, step);
        told.extend(done(&mut child));
        assert!(!child.wait().unwrap().success(), "{step}");
        assert_eq!(told.len(), 2 * (round as usize + 1), "{step}");
        holds(&folder, &told).await;
    }
}

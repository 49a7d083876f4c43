//! A full disk: a clear error, nothing half-written, and it goes on when there is space again.

use crate::shop::{push_to, repository, tag};
use bytes::Bytes;
use domain::{Algorithm, Digest};
use oci::ManifestRef;
use std::path::Path;
use std::process::Command;
use store::{BlobError, BlobLimits, DataFolder, DatabaseError, PutError};

/// A small disk of its own, taken away at the end.
struct Disk {
    at: tempfile::TempDir,
}

impl Disk {
    fn mount(size: &str) -> Result<Self, String> {
        let at = tempfile::tempdir().map_err(|error| error.to_string())?;
        mount(&format!("size={size}"), at.path())?;
        Ok(Self { at })
    }

    fn grow(&self, size: &str) {
        mount(&format!("remount,size={size}"), self.at.path()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _done = Command::new("umount").arg("--lazy").arg(self.at.path()).status();
    }
}

fn mount(options: &str, at: &Path) -> Result<(), String> {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "store-test"])
        .arg(at)
        .output()
        .map_err(|error| format!("mount is not there: {error}"))?;
    let said = String::from_utf8_lossy(&mounted.stderr);
    mounted.status.success().then_some(()).ok_or_else(|| format!("mount needs root: {said}"))
}

#[tokio::test]
async fn on_a_full_disk_a_write_is_refused_clearly_and_nothing_of_it_stays() {
    let disk = match Disk::mount("1m") {
        Ok(disk) => disk,
        Err(why) => return testbed::skip("on_a_full_disk_a_write_is_refused_clearly", why),
    };
    let data = disk.at.path().join("data");
    let folder = DataFolder::open(&data, BlobLimits::default()).unwrap();
    let catalog = folder.catalog();
    let mut kept = 0;
    let refused = loop {
        let word = format!("w{kept}");
        match try_push(&catalog, &word, &format!("v{kept}")).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 10_000, "a disk of 1 MiB never fills");
    };
    assert!(matches!(refused, PutError::Database(DatabaseError::Full)), "{refused:?}");
    assert!(refused.to_string().contains("no space is left"), "{refused}");
    let events = folder.ledger().count(vec![]).await.unwrap();
    assert_eq!(events, kept * 2, "an image and a tag change for each, and nothing of the last");
    assert_eq!(names(&catalog, kept).await, None);
    assert!(names(&catalog, kept - 1).await.is_some());
    disk.grow("8m");
    try_push(&catalog, &format!("w{kept}"), &format!("v{kept}")).await.unwrap();
    assert_eq!(folder.ledger().verify().await.unwrap().problems, []);
}

async fn try_push(catalog: &store::Catalog, word: &str, name: &str) -> Result<(), PutError> {
    let digest = crate::shop::config(word).digest;
    catalog.link_blob(repository(), digest, 1).await?;
    push_to(catalog, word, &[name], |_| ()).await.map(drop)
}

async fn names(catalog: &store::Catalog, at: u64) -> Option<Digest> {
    let reference = ManifestRef::Tag(tag(&format!("v{at}")));
    let found = catalog.manifest(&repository(), &reference).await.unwrap();
    found.map(|found| found.digest)
}

#[tokio::test]
async fn an_upload_that_meets_a_full_disk_ends_where_it_ended_before() {
    let disk = match Disk::mount("2m") {
        Ok(disk) => disk,
        Err(why) => return testbed::skip("an_upload_that_meets_a_full_disk_ends_where", why),
    };
    let folder = DataFolder::open(&disk.at.path().join("data"), BlobLimits::default()).unwrap();
    let blobs = folder.blobs();
    let id = blobs.start(&repository(), Algorithm::Sha256, 1).await.unwrap();
    let mut writer = blobs.append(&repository(), id, None).await.unwrap();
    let piece = Bytes::from(vec![7; 300_000]);
    let mut taken = 0;
    let refused = loop {
        match writer.write(piece.clone()).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100, "a disk of 2 MiB never fills");
    };
    assert!(matches!(refused, BlobError::Full), "{refused:?}");
    drop(writer);
    assert_eq!(blobs.offset(&repository(), id).await.unwrap(), taken * 300_000);
    disk.grow("8m");
    let digest = Digest::sha256(&vec![7; usize::try_from(taken).unwrap() * 300_000]);
    blobs.commit(&repository(), id, digest).await.unwrap();
    assert!(blobs.verify(&digest).await.unwrap().is_some());
}

#[tokio::test]
async fn a_folder_opens_on_a_full_disk_and_gives_what_is_there() {
    let disk = match Disk::mount("1m") {
        Ok(disk) => disk,
        Err(why) => return testbed::skip("a_folder_opens_on_a_full_disk", why),
    };
    let data = disk.at.path().join("data");
    let folder = DataFolder::open(&data, BlobLimits::default()).unwrap();
    folder.write_once("admin.token", b"secret").unwrap();
    try_push(&folder.catalog(), "a", "v0").await.unwrap();
    drop(folder);
    let filled = std::fs::write(disk.at.path().join("ballast"), vec![7; 2 << 20]);
    assert_eq!(filled.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    let folder = DataFolder::open(&data, BlobLimits::default()).unwrap();
    let there = folder.write_once("admin.token", b"other").unwrap();
    assert_eq!(there, store::WriteOnce::There(b"secret".to_vec()));
    assert!(folder.write_once("another", b"x").is_err());
    assert!(names(&folder.catalog(), 0).await.is_some());
}

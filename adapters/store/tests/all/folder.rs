//! The data folder: one holder, private files, what is made once.

use crate::shop::Shop;
use std::os::unix::fs::PermissionsExt;
use store::{BlobLimits, DataFolder, FolderError, OpenError, WriteOnce};

#[tokio::test]
async fn a_second_opening_is_told_the_folder_and_its_holder() {
    let shop = Shop::open();
    let path = shop.folder.path();
    let error = DataFolder::open(path, BlobLimits::default()).unwrap_err();
    let text = error.to_string();
    let pid = std::process::id();
    assert!(matches!(error, FolderError::Locked { pid: Some(found), .. } if found == pid));
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains(&format!("by process {pid}")), "{text}");
    // The refused opening changed nothing about the lock file.
    assert_eq!(std::fs::read_to_string(path.join("lock")).unwrap(), format!("{pid}\n"));
}

#[tokio::test]
async fn a_closed_folder_opens_again_with_what_it_had() {
    let shop = Shop::open();
    shop.push("a", &["v1"]).await.unwrap();
    let path = shop.folder.path().to_owned();
    let Shop { home: _home, folder, catalog, ledger } = shop;
    drop((folder, catalog, ledger));
    let folder = DataFolder::open(&path, BlobLimits::default()).unwrap();
    assert_eq!(folder.ledger().count(vec![]).await.unwrap(), 2);
    assert_eq!(folder.ledger().verify().await.unwrap().problems, []);
}

#[tokio::test]
async fn only_the_owner_enters_the_folder_and_reads_what_is_made_once() {
    let shop = Shop::open();
    let mode = |name: &str| {
        let path = shop.folder.path().join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(shop.folder.write_once("admin.token", b"secret").unwrap(), WriteOnce::Made);
    let there = shop.folder.write_once("admin.token", b"other").unwrap();
    assert_eq!(there, WriteOnce::There(b"secret".to_vec()));
    assert_eq!(format!("{there:?}"), "There(***)");
    assert_eq!((mode(""), mode("blobs"), mode("uploads")), (0o700, 0o700, 0o700));
    assert_eq!((mode("admin.token"), mode("lock")), (0o600, 0o600));
}

#[tokio::test]
async fn a_folder_of_a_newer_program_is_refused_and_left_alone() {
    let shop = Shop::open();
    let path = shop.folder.path().to_owned();
    let Shop { home: _home, folder, catalog, ledger } = shop;
    drop((folder, catalog, ledger));
    let file = rusqlite::Connection::open(path.join("indelible.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let error = DataFolder::open(&path, BlobLimits::default()).unwrap_err();
    assert!(matches!(&error, FolderError::Database(OpenError::Newer { found: 99, .. })), "{error}");
    assert!(error.to_string().contains("made by a newer version"), "{error}");
}

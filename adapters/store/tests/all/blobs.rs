//! Bytes on disk: uploads in pieces, across restarts, at their limits.

use crate::shop::repository;
use bytes::Bytes;
use domain::{Algorithm, Digest, RepositoryPath, Timestamp};
use oci::UploadId;
use std::path::Path;
use store::{BlobError, BlobLimits, Blobs, Removed};

fn open(home: &Path) -> Blobs {
    Blobs::open_folder(home, BlobLimits::default()).unwrap()
}

fn limited(home: &Path, blob_bytes_max: u64, uploads_max: usize) -> Blobs {
    Blobs::open_folder(home, BlobLimits { blob_bytes_max, uploads_max }).unwrap()
}

async fn start(blobs: &Blobs, randomness: u128) -> UploadId {
    blobs.start(&repository(), Algorithm::Sha256, randomness).await.unwrap()
}

async fn append(blobs: &Blobs, id: UploadId, text: &'static [u8]) -> u64 {
    let mut writer = blobs.append(&repository(), id, None).await.unwrap();
    writer.write(Bytes::from_static(text)).await.unwrap();
    writer.finish().await.unwrap()
}

async fn whole(blobs: &Blobs, digest: &Digest) -> Vec<u8> {
    let mut reader = blobs.open(digest).await.unwrap().unwrap();
    let mut all = Vec::new();
    while let Some(piece) = reader.next().await {
        all.extend_from_slice(&piece.unwrap());
    }
    all
}

#[tokio::test]
async fn an_upload_in_pieces_is_a_blob_under_its_digest() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let id = start(&blobs, 1).await;
    assert_eq!(append(&blobs, id, b"hel").await, 3);
    assert_eq!(append(&blobs, id, b"lo").await, 5);
    assert_eq!(blobs.offset(&repository(), id).await.unwrap(), 5);
    let digest = Digest::sha256(b"hello");
    assert_eq!(blobs.commit(&repository(), id, digest).await.unwrap(), 5);
    assert_eq!(whole(&blobs, &digest).await, b"hello");
    assert_eq!(blobs.verify(&digest).await.unwrap(), Some(5));
    let hex = digest.hex();
    let file = home.path().join("blobs/sha256").join(&hex[..2]).join(&hex);
    assert_eq!(std::fs::read(file).unwrap(), b"hello");
    assert_eq!(std::fs::read_dir(home.path().join("uploads")).unwrap().count(), 0);
    let gone = blobs.offset(&repository(), id).await.unwrap_err();
    assert!(matches!(gone, BlobError::UnknownUpload { .. }));
}

#[tokio::test]
async fn an_empty_upload_is_the_empty_blob() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let id = start(&blobs, 1).await;
    let digest = Digest::sha256(b"");
    assert_eq!(blobs.commit(&repository(), id, digest).await.unwrap(), 0);
    assert!(whole(&blobs, &digest).await.is_empty());
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_with_either_algorithm() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let home = tempfile::tempdir().unwrap();
        let blobs = open(home.path());
        let id = start(&blobs, 1).await;
        append(&blobs, id, b"hel").await;
        drop(blobs);
        let blobs = open(home.path());
        assert_eq!(blobs.offset(&repository(), id).await.unwrap(), 3);
        append(&blobs, id, b"lo").await;
        let digest = Digest::of(algorithm, b"hello");
        assert_eq!(blobs.commit(&repository(), id, digest).await.unwrap(), 5);
        assert_eq!(whole(&blobs, &digest).await, b"hello");
    }
}

#[tokio::test]
async fn an_upload_is_found_in_its_own_repository_only() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let id = start(&blobs, 1).await;
    let other: RepositoryPath = "other".parse().unwrap();
    for blobs in [blobs.clone(), open(home.path())] {
        let error = blobs.offset(&other, id).await.unwrap_err();
        assert!(matches!(error, BlobError::UnknownUpload { .. }));
        assert_eq!(blobs.offset(&repository(), id).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_chunk_out_of_order_says_where_the_upload_ends() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let id = start(&blobs, 1).await;
    append(&blobs, id, b"hello").await;
    let error = blobs.append(&repository(), id, Some(4)).await.unwrap_err();
    assert!(matches!(error, BlobError::Offset { offset: 5, start: 4 }), "{error}");
    drop(blobs.append(&repository(), id, Some(5)).await.unwrap());
}

#[tokio::test]
async fn content_that_is_not_its_digest_is_refused_and_the_upload_stays() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let id = start(&blobs, 1).await;
    append(&blobs, id, b"hello").await;
    let wrong = Digest::sha256(b"other");
    let error = blobs.commit(&repository(), id, wrong).await.unwrap_err();
    assert!(matches!(error, BlobError::Digest(_)), "{error}");
    assert!(blobs.open(&wrong).await.unwrap().is_none());
    blobs.commit(&repository(), id, Digest::sha256(b"hello")).await.unwrap();
    let error = blobs.write(wrong, Bytes::from_static(b"hello")).await.unwrap_err();
    assert!(matches!(error, BlobError::Digest(_)), "{error}");
    assert_eq!(std::fs::read_dir(home.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_blob_has_its_limit_of_bytes_and_not_one_more() {
    let home = tempfile::tempdir().unwrap();
    let blobs = limited(home.path(), 8, 4);
    let id = start(&blobs, 1).await;
    let mut writer = blobs.append(&repository(), id, None).await.unwrap();
    writer.write(Bytes::from_static(b"12345678")).await.unwrap();
    let error = writer.write(Bytes::from_static(b"9")).await.unwrap_err();
    assert!(matches!(error, BlobError::TooLarge { max: 8 }), "{error}");
    assert_eq!(writer.finish().await.unwrap(), 8);
}

#[tokio::test]
async fn uploads_have_a_limit_that_counts_those_of_before_and_frees_with_each_end() {
    let home = tempfile::tempdir().unwrap();
    let left_over = start(&limited(home.path(), 8, 2), 1).await;
    let blobs = limited(home.path(), 8, 2);
    let id = start(&blobs, 2).await;
    let refused = blobs.start(&repository(), Algorithm::Sha256, 3).await.unwrap_err();
    assert!(matches!(refused, BlobError::TooManyUploads { max: 2 }), "{refused}");
    blobs.cancel(&repository(), id).await.unwrap();
    let id = start(&blobs, 4).await;
    blobs.commit(&repository(), id, Digest::sha256(b"")).await.unwrap();
    blobs.cancel(&repository(), left_over).await.unwrap();
    start(&blobs, 5).await;
    start(&blobs, 6).await;
    assert!(blobs.start(&repository(), Algorithm::Sha256, 7).await.is_err());
}

#[tokio::test]
async fn old_uploads_are_swept_and_held_ones_stay() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let (old, held) = (start(&blobs, 1).await, start(&blobs, 2).await);
    std::fs::write(home.path().join("uploads/write-left"), "x").unwrap();
    let writer = blobs.append(&repository(), held, None).await.unwrap();
    assert_eq!(blobs.sweep_uploads(Timestamp::from_millis(0)).await.unwrap(), 0);
    let far = "9000-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(blobs.sweep_uploads(far).await.unwrap(), 2);
    assert!(blobs.offset(&repository(), old).await.is_err());
    writer.finish().await.unwrap();
    assert_eq!(blobs.offset(&repository(), held).await.unwrap(), 0);
}

#[tokio::test]
async fn a_range_is_read_exactly_also_across_pieces() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let bytes: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
    let digest = Digest::sha256(&bytes);
    blobs.write(digest, Bytes::from(bytes.clone())).await.unwrap();
    for range in [0..0, 0..1, 0..700_000, 262_143..262_145, 699_999..700_000, 5..900_000] {
        let mut reader = blobs.open(&digest).await.unwrap().unwrap().range(range.clone());
        assert_eq!(reader.size(), 700_000);
        let mut read = Vec::new();
        while let Some(piece) = reader.next().await {
            let piece = piece.unwrap();
            assert!(piece.len() <= 256 * 1024);
            read.extend_from_slice(&piece);
        }
        let (start, end) = (range.start as usize, range.end.min(700_000) as usize);
        assert!(read == bytes[start..end], "{range:?}");
    }
}

#[tokio::test]
async fn damage_is_seen_when_a_blob_is_verified_and_healed_by_another_upload() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let digest = Digest::sha256(b"hello");
    blobs.write(digest, Bytes::from_static(b"hello")).await.unwrap();
    let hex = digest.hex();
    std::fs::write(home.path().join("blobs/sha256").join(&hex[..2]).join(&hex), "hallo").unwrap();
    assert!(matches!(blobs.verify(&digest).await, Err(BlobError::Digest(_))));
    assert!(matches!(blobs.read(&digest, 5).await, Err(BlobError::Digest(_))));
    blobs.write(digest, Bytes::from_static(b"hello")).await.unwrap();
    assert_eq!(blobs.read(&digest, 5).await.unwrap().unwrap(), "hello");
    assert!(matches!(blobs.read(&digest, 4).await, Err(BlobError::TooLarge { max: 4 })));
    assert_eq!(blobs.remove(&digest).await.unwrap(), Removed::Gone);
    assert_eq!(blobs.remove(&digest).await.unwrap(), Removed::Absent);
    assert!(blobs.open(&digest).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_uploads_of_the_same_content_both_succeed() {
    let home = tempfile::tempdir().unwrap();
    let blobs = open(home.path());
    let digest = Digest::sha256(b"hello");
    let uploads: Vec<_> = (0..16_u128)
        .map(|randomness| {
            let blobs = blobs.clone();
            tokio::spawn(async move {
                let id = start(&blobs, randomness << 80).await;
                append(&blobs, id, b"hello").await;
                blobs.commit(&repository(), id, digest).await
            })
        })
        .collect();
    for upload in uploads {
        assert_eq!(upload.await.unwrap().unwrap(), 5);
    }
    assert_eq!(blobs.verify(&digest).await.unwrap(), Some(5));
}

//! Sending blobs: whole, in chunks, mounted, broken and begun again.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use domain::Digest;
use futures_util::StreamExt as _;
use remote::registry::BlobPut;
use remote::{BlobSource, RegistrySettings, RemoteError, UploadWay};

use crate::script::{Reply, Script, Seen, quick};

const UPLOAD: &str = "/v2/shop/api/blobs/uploads/u1?_state=s%3D1";

fn absent() -> Reply {
    Reply::error(404, "BLOB_UNKNOWN")
}

fn started() -> Reply {
    Reply::status(202).with("Location", UPLOAD)
}

fn digest() -> Digest {
    Digest::sha256(b"hello")
}

fn finish() -> String {
    format!("{UPLOAD}&digest={}", digest())
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_sent() {
    let script = Script::start(|_, _| Reply::status(200)).await;
    let source = BlobSource::bytes("hello");
    let put = script.repository().put_blob(&digest(), 5, &source, None).await.unwrap();
    assert_eq!((put, script.seen().len()), (BlobPut::Present, 1));
}

#[tokio::test]
async fn a_blob_is_sent_with_one_post_and_one_put() {
    let script = Script::start(|seen, _| match seen.method.as_str() {
        "HEAD" => absent(),
        "POST" => started(),
        _ => Reply::status(201),
    })
    .await;
    let source = BlobSource::bytes("hello");
    let put = script.repository().put_blob(&digest(), 5, &source, None).await.unwrap();
    assert_eq!(put, BlobPut::Sent);
    let seen = script.seen();
    assert!(seen[1].is("POST", "/v2/shop/api/blobs/uploads/"));
    assert!(seen[2].is("PUT", &finish()), "{}", seen[2].target);
    assert_eq!(
        (seen[2].body.as_slice(), seen[2].header("content-length")),
        (&b"hello"[..], Some("5"))
    );
}

#[tokio::test]
async fn a_blob_is_sent_in_chunks_where_told() {
    let script = Script::start(|seen, nth| match seen.method.as_str() {
        "HEAD" => absent(),
        "POST" => started(),
        "PATCH" => Reply::status(202).with("Location", format!("/u/{nth}")),
        _ => Reply::status(201),
    })
    .await;
    let settings =
        RegistrySettings { upload: UploadWay::Chunks(NonZeroU64::new(2).unwrap()), ..quick() };
    let source = BlobSource::bytes("hello");
    script.repository_with(settings).put_blob(&digest(), 5, &source, None).await.unwrap();
    let patches: Vec<(Option<String>, Vec<u8>)> = script
        .seen()
        .into_iter()
        .filter(|seen| seen.method == "PATCH")
        .map(|seen| (seen.header("content-range").map(str::to_owned), seen.body))
        .collect();
    let expected = [("0-1", "he"), ("2-3", "ll"), ("4-4", "o")];
    let expected = expected.map(|(range, body)| (Some(range.to_owned()), body.as_bytes().to_vec()));
    assert_eq!(patches, expected);
    let last = script.seen().pop().unwrap();
    assert!(
        last.is("PUT", &format!("/u/4?digest={}", digest())) && last.body.is_empty(),
        "{}",
        last.target
    );
}

/// A registry that fails the first PUT.
fn fails_once(failure: fn() -> Reply) -> impl Fn(&Seen, usize) -> Reply + Send + Sync {
    let puts = AtomicUsize::new(0);
    move |seen, _| match seen.method.as_str() {
        "HEAD" => absent(),
        "POST" => started(),
        _ if puts.fetch_add(1, Ordering::SeqCst) == 0 => failure(),
        _ => Reply::status(201),
    }
}

#[tokio::test]
async fn a_broken_upload_starts_over_when_its_source_can() {
    let failures: [fn() -> Reply; 4] = [
        || Reply::Nothing,
        || Reply::error(503, "UNAVAILABLE"),
        || Reply::error(429, "TOOMANYREQUESTS").with("Retry-After", 0),
        || Reply::error(404, "BLOB_UPLOAD_UNKNOWN"),
    ];
    for failure in failures {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = opened.clone();
        let again = BlobSource::restartable(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(futures_util::stream::iter([Ok(Bytes::from("hello"))]).boxed()) })
        });
        let script = Script::start(fails_once(failure)).await;
        let put = script.repository().put_blob(&digest(), 5, &again, None).await.unwrap();
        assert_eq!((put, opened.load(Ordering::SeqCst)), (BlobPut::Sent, 2));
        let stream = futures_util::stream::iter([Ok(Bytes::from("hello"))]).boxed();
        let script = Script::start(fails_once(failure)).await;
        let put = script.repository().put_blob(&digest(), 5, &BlobSource::once(stream), None).await;
        assert!(put.is_err(), "a stream that was read cannot be sent again");
    }
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    for status in [400, 403, 413, 416] {
        let script = Script::start(move |seen, _| match seen.method.as_str() {
            "HEAD" => absent(),
            "POST" => started(),
            _ => Reply::error(status, "DENIED"),
        })
        .await;
        let source = BlobSource::bytes("hello");
        assert!(script.repository().put_blob(&digest(), 5, &source, None).await.is_err());
        assert_eq!(script.count("PUT"), 1, "{status}");
    }
}

#[tokio::test]
async fn a_source_of_other_bytes_is_told_as_the_source_s_fault() {
    let script = Script::start(|seen, _| match seen.method.as_str() {
        "HEAD" => absent(),
        "POST" => started(),
        _ => Reply::status(201),
    })
    .await;
    let source = BlobSource::bytes("hallo");
    let put = script.repository().put_blob(&digest(), 5, &source, None).await;
    assert!(matches!(put, Err(RemoteError::DigestMismatch { .. })), "{put:?}");
    let source = BlobSource::bytes("hell");
    let put = script.repository().put_blob(&digest(), 5, &source, None).await;
    assert!(matches!(put, Err(RemoteError::SizeMismatch { .. })), "{put:?}");
}

#[tokio::test]
async fn a_mount_that_is_refused_becomes_an_upload() {
    for refusal in [202, 400, 403, 404, 405] {
        let script = Script::start(move |seen, _| match seen.method.as_str() {
            "HEAD" => absent(),
            "POST" if seen.target.contains("mount=") && refusal != 202 => {
                Reply::error(refusal, "DENIED")
            }
            "POST" => started(),
            "DELETE" => Reply::status(204),
            _ => Reply::status(201),
        })
        .await;
        let from = "shop/base".parse().unwrap();
        let source = BlobSource::bytes("hello");
        let put = script.repository().put_blob(&digest(), 5, &source, Some(&from)).await.unwrap();
        assert_eq!(put, BlobPut::Sent, "{refusal}");
        assert_eq!(script.count("DELETE"), usize::from(refusal == 202));
    }
    let script = Script::start(|seen, _| match seen.method.as_str() {
        "HEAD" => absent(),
        _ => Reply::status(201),
    })
    .await;
    let from = "shop/base".parse().unwrap();
    let source = BlobSource::bytes("hello");
    let put = script.repository().put_blob(&digest(), 5, &source, Some(&from)).await.unwrap();
    assert_eq!(put, BlobPut::Mounted);
    let mount = format!("/v2/shop/api/blobs/uploads/?mount={}&from=shop/base", digest());
    assert!(script.seen()[1].is("POST", &mount), "{}", script.seen()[1].target);
}

//! Reading from a registry that answers well, badly, late or not at all.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{Digest, Tag};
use oci::route::ManifestRef;
use remote::content::read_whole;
use remote::registry::Patience;
use remote::{RegistrySettings, RemoteError, TagAt};

use crate::images::{IMAGE, image};
use crate::script::{Reply, Script, Seen, quick};

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn by_tag(text: &str) -> ManifestRef {
    ManifestRef::Tag(tag(text))
}

fn head(digest: &Digest) -> Reply {
    Reply::status(200)
        .with("Docker-Content-Digest", digest)
        .with("Content-Type", IMAGE)
        .with("Content-Length", 7)
}

#[tokio::test]
async fn a_tag_is_resolved_by_one_head() {
    let digest = Digest::sha256(b"x");
    let script = Script::start(move |_, _| head(&digest)).await;
    let resolved = script.repository().resolve(&by_tag("1.4")).await.unwrap();
    assert_eq!((resolved.digest, resolved.size), (digest, Some(7)));
    assert_eq!(resolved.media_type, IMAGE);
    let seen = script.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].is("HEAD", "/v2/shop/api/manifests/1.4"));
    assert!(seen[0].header("accept").unwrap().contains("vnd.oci.image.index"));
}

#[tokio::test]
async fn a_head_without_a_digest_is_followed_by_a_get() {
    let image = image(b"layer");
    let (digest, bytes) = (image.manifest.digest, image.manifest.bytes.clone());
    for refusal in [200, 405, 400, 501] {
        let bytes = bytes.clone();
        let script = Script::start(move |seen, _| match seen.method.as_str() {
            "HEAD" => Reply::status(refusal),
            _ => Reply::status(200).with("Content-Type", IMAGE).body(bytes.clone()),
        })
        .await;
        let resolved = script.repository().resolve(&by_tag("1")).await.unwrap();
        assert_eq!((resolved.digest, script.count("GET")), (digest, 1), "{refusal}");
    }
}

#[tokio::test]
async fn a_page_is_no_manifest_although_it_has_a_digest() {
    for body in ["<h1>Log in</h1>", "{}", "[]", ""] {
        let script =
            Script::start(move |_, _| Reply::status(200).with("Content-Type", IMAGE).body(body))
                .await;
        let error = script.repository().resolve(&by_tag("1")).await.unwrap_err();
        let said = error.to_string();
        let expected = format!("registry {}: no manifest came for shop/api:1: ", script.host);
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[tokio::test]
async fn absent_is_only_what_the_registry_says_is_absent() {
    let script = Script::start(|_, _| Reply::error(404, "MANIFEST_UNKNOWN")).await;
    assert_eq!(script.repository().tag_at(&tag("1")).await.unwrap(), TagAt::Absent);
    let error = script.repository().manifest(&Digest::sha256(b"")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "registry {} answered 404 (MANIFEST_UNKNOWN): there is no shop/api@{}",
            script.host,
            Digest::sha256(b"")
        )
    );
    for unknown in [400, 401, 403, 429, 500, 503] {
        let script = Script::start(move |_, _| Reply::status(unknown)).await;
        let asked = script.repository().tag_at(&tag("1")).await;
        assert!(!asked.unwrap_err().is_not_found(), "{unknown}");
    }
    let page = |_: &_, _| {
        Reply::status(404).with("Content-Type", "text/html; charset=utf-8").body("<html>")
    };
    let script = Script::start(page).await;
    let asked = script.repository().tag_at(&tag("1")).await;
    assert!(matches!(asked, Err(RemoteError::Protocol { .. })));
}

#[tokio::test]
async fn each_refusal_has_its_error() {
    for (status, code, is_expected) in [
        (
            401,
            "UNAUTHORIZED",
            (|e| matches!(e, RemoteError::Unauthorized { .. })) as fn(&RemoteError) -> bool,
        ),
        (403, "DENIED", |e| matches!(e, RemoteError::Denied { .. })),
        (418, "UNKNOWN", |e| matches!(e, RemoteError::Refused { .. })),
        (429, "TOOMANYREQUESTS", |e| matches!(e, RemoteError::RateLimited { after: None, .. })),
        (502, "UNKNOWN", |e| matches!(e, RemoteError::Server { .. })),
    ] {
        let script = Script::start(move |_, _| Reply::error(status, code)).await;
        let error = script.repository().manifest(&Digest::sha256(b"")).await.unwrap_err();
        assert!(is_expected(&error), "{status}: {error:?}");
        let start = format!("registry {} answered {status} ({code})", script.host);
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[tokio::test]
async fn server_faults_and_broken_connections_are_tried_five_times_again() {
    for nothing in [false, true] {
        let fails_first = move |times: usize| {
            move |_: &_, nth: usize| match (nth < times, nothing) {
                (true, true) => Reply::Nothing,
                (true, false) => Reply::error(503, "UNAVAILABLE"),
                (false, _) => head(&Digest::sha256(b"x")),
            }
        };
        let script = Script::start(fails_first(5)).await;
        script.repository().resolve(&by_tag("1")).await.unwrap();
        let script = Script::start(fails_first(6)).await;
        let error = script.repository().resolve(&by_tag("1")).await.unwrap_err();
        let is_fault =
            matches!(error, RemoteError::Server { .. } | RemoteError::Unreachable { .. });
        assert!(is_fault && script.seen().len() >= 6, "{error:?}");
    }
}

#[tokio::test]
async fn a_retry_after_is_waited_for_up_to_120_seconds() {
    let script = Script::start(|_, nth| match nth {
        0 => Reply::error(429, "TOOMANYREQUESTS").with("Retry-After", 1),
        _ => head(&Digest::sha256(b"x")),
    })
    .await;
    let start = Instant::now();
    script.repository().resolve(&by_tag("1")).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    let script =
        Script::start(|_, _| Reply::error(429, "TOOMANYREQUESTS").with("Retry-After", 121)).await;
    let error = script.repository().manifest(&Digest::sha256(b"")).await.unwrap_err();
    assert_eq!(script.seen().len(), 1, "121 seconds are not waited");
    assert!(error.to_string().ends_with("asked too often, again in 121 s"), "{error}");
}

#[tokio::test]
async fn a_retry_after_that_is_a_date_is_waited_for_within_the_same_limit() {
    // RFC 9110's own example is long past: again at once.
    let script = Script::start(|_, nth| match nth {
        0 => Reply::error(429, "TOOMANYREQUESTS")
            .with("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
        _ => head(&Digest::sha256(b"x")),
    })
    .await;
    script.repository().resolve(&by_tag("1")).await.unwrap();
    assert_eq!(script.seen().len(), 2);
    for far in ["Thu, 06 Nov 2994 08:49:37 GMT", "31536000", "99999999999999999999999"] {
        let script = Script::start(move |_, _| {
            Reply::error(429, "TOOMANYREQUESTS").with("Retry-After", far)
        })
        .await;
        let error = script.repository().manifest(&Digest::sha256(b"")).await.unwrap_err();
        assert_eq!(script.seen().len(), 1, "{far} is told, and not waited for");
        assert!(matches!(error, RemoteError::RateLimited { after: Some(_), .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_cut_short_is_asked_for_again_and_never_believed() {
    let image = image(b"layer");
    let cut_first = |times: usize| {
        let manifest = image.manifest.bytes.clone();
        move |seen: &Seen, nth: usize| {
            let whole = match seen.target.contains("/tags/list") {
                true => Reply::status(200).body(r#"{"tags":["a","b"]}"#),
                false => Reply::status(200).with("Content-Type", IMAGE).body(manifest.clone()),
            };
            if nth < times { Reply::Short(Box::new(whole), 10) } else { whole }
        }
    };
    let script = Script::start(cut_first(5)).await;
    let found = script.repository().manifest(&image.manifest.digest).await.unwrap();
    assert_eq!((found, script.seen().len()), (image.manifest.clone(), 6));
    let script = Script::start(cut_first(1)).await;
    assert_eq!(script.repository().tags().await.unwrap().tags.len(), 2);
    let script = Script::start(cut_first(6)).await;
    let error = script.repository().manifest_by_tag(&tag("1")).await.unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("registry {} cannot be reached", script.host));
}

#[tokio::test]
async fn a_blob_that_always_breaks_off_is_given_up_after_five_more_tries() {
    let script = Script::start(|_, _| {
        Reply::Short(Box::new(Reply::status(200).body(vec![b'x'; 100_000])), 10)
    })
    .await;
    let digest = Digest::sha256(&vec![b'x'; 100_000]);
    let stream = script.repository().blob(&digest, Some(100_000)).await.unwrap();
    let error = read_whole(stream, 100_000, "blob").await.unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
    assert_eq!(script.seen().len(), 6);
}

#[tokio::test]
async fn a_storage_that_cannot_be_reached_is_named_beside_its_registry() {
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let storage = taken.local_addr().unwrap();
    let script = Script::start(move |_, _| {
        Reply::status(307).with("Location", format!("http://{storage}/x?signature=hunter2"))
    })
    .await;
    let error = script.repository().blob(&Digest::sha256(b""), None).await.err().unwrap();
    let expected = format!("registry {}, at {storage}, cannot be reached", script.host);
    assert_eq!(error.to_string(), expected);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_unreachable() {
    let script = Script::start(|_, _| Reply::Nothing).await;
    // A port that nobody listens on: bound, then let go.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nowhere = Script { host: free.to_string(), ..script };
    let error = nowhere.repository().resolve(&by_tag("1")).await.unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("registry {free} cannot be reached"));
}

#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let settings = RegistrySettings {
        patience: Patience { idle: Duration::from_millis(50), retries: 1, ..quick().patience },
        ..quick()
    };
    let script = Script::start(|_, _| Reply::Silence).await;
    let repository = script.repository_with(settings);
    let error = repository.resolve(&by_tag("1")).await.unwrap_err();
    assert!(matches!(error, RemoteError::Timeout { .. }), "{error:?}");
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test]
async fn a_manifest_of_other_bytes_is_refused() {
    let image = image(b"layer");
    let wrong = Digest::sha256(b"other");
    let bytes = image.manifest.bytes.clone();
    let script = Script::start(move |_, _| {
        Reply::status(200).with("Content-Type", IMAGE).body(bytes.clone())
    })
    .await;
    let repository = script.repository();
    assert_eq!(repository.manifest(&image.manifest.digest).await.unwrap(), image.manifest);
    let error = repository.manifest(&wrong).await.unwrap_err();
    assert!(matches!(error, RemoteError::DigestMismatch { .. }), "{error:?}");
    let bytes = image.manifest.bytes.clone();
    let lying = Script::start(move |_, _| {
        let reply = Reply::status(200).with("Content-Type", IMAGE).body(bytes.clone());
        reply.with("Docker-Content-Digest", wrong)
    })
    .await;
    let error = lying.repository().manifest_by_tag(&tag("1")).await.unwrap_err();
    assert!(matches!(error, RemoteError::DigestMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn a_manifest_has_16_mib_and_not_one_byte_more() {
    for (length, is_read) in [(16 << 20, true), ((16 << 20) + 1, false)] {
        let script = Script::start(move |_, _| Reply::status(200).body(vec![b' '; length])).await;
        let digest = Digest::sha256(&vec![b' '; length]);
        let asked = script.repository().manifest(&digest).await;
        assert_eq!(asked.is_ok(), is_read, "{length}");
        assert!(is_read || matches!(asked, Err(RemoteError::TooLarge { .. })));
    }
}

#[tokio::test]
async fn a_broken_blob_is_taken_up_where_it_broke() {
    let content: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = Digest::sha256(&content);
    let size = Some(content.len() as u64);
    for has_ranges in [true, false] {
        let whole = content.clone();
        let script = Script::start(move |seen, nth| match (nth, seen.header("range")) {
            (0, _) => Reply::Short(Box::new(Reply::status(200).body(whole.clone())), 70_000),
            (_, Some(range)) if has_ranges => {
                let from: usize =
                    range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
                assert!(from > 0 && from <= 70_000);
                let last = whole.len() - 1;
                Reply::status(206)
                    .with("Content-Range", format!("bytes {from}-{last}/{}", whole.len()))
                    .body(&whole[from..])
            }
            _ => Reply::status(200).body(whole.clone()),
        })
        .await;
        let stream = script.repository().blob(&digest, size).await.unwrap();
        let read = read_whole(stream, content.len(), "blob").await.unwrap();
        assert_eq!((read, script.seen().len()), (Bytes::from(content.clone()), 2));
    }
}

#[tokio::test]
async fn a_blob_of_other_bytes_or_size_ends_in_an_error() {
    let script = Script::start(|_, _| Reply::status(200).body("hello")).await;
    let repository = script.repository();
    let read = async |digest: &Digest, size| {
        let stream = repository.blob(digest, size).await.unwrap();
        read_whole(stream, 100, "blob").await
    };
    assert_eq!(read(&Digest::sha256(b"hello"), Some(5)).await.unwrap(), "hello");
    let wrong = read(&Digest::sha256(b"hallo"), Some(5)).await;
    assert!(matches!(wrong, Err(RemoteError::DigestMismatch { .. })));
    for size in [4, 6] {
        let wrong = read(&Digest::sha256(b"hello"), Some(size)).await;
        assert!(matches!(wrong, Err(RemoteError::SizeMismatch { .. })), "{size}");
    }
    assert!(repository.has_blob(&Digest::sha256(b"hello")).await.unwrap().is_some());
}

#[tokio::test]
async fn tags_are_listed_page_after_page_and_never_for_ever() {
    let page = |last: &str, tags: &str| {
        Reply::status(200)
            .with("Link", format!("</v2/shop/api/tags/list?n=1000&last={last}>; rel=\"next\""))
            .body(format!(r#"{{"name":"shop/api","tags":[{tags}]}}"#))
    };
    let script = Script::start(move |seen, _| match seen.target.as_str() {
        "/v2/shop/api/tags/list?n=1000" => page("b", r#""a","b""#),
        // Nothing new, and more behind it: all tags of this page were deleted meanwhile.
        "/v2/shop/api/tags/list?n=1000&last=b" => page("c", ""),
        "/v2/shop/api/tags/list?n=1000&last=c" => page("d", r#""b""#),
        _ => Reply::status(200).body(r#"{"name":"shop/api","tags":["d","not a tag"]}"#),
    })
    .await;
    let list = script.repository().tags().await.unwrap();
    let names: Vec<&str> = list.tags.iter().map(Tag::as_str).collect();
    assert_eq!((names, script.seen().len()), (vec!["a", "b", "d"], 4));
    // What leads to itself, or round and round, or on for ever, is not the whole list.
    for (pages, words) in [(1, "leads to itself"), (2, "leads to itself"), (2_000, "1000 pages")] {
        let script = Script::start(move |_, nth| page(&format!("x{}", nth % pages), "")).await;
        let refused = script.repository().tags().await;
        assert!(matches!(refused, Err(RemoteError::Protocol { .. })), "{pages}");
        assert!(refused.unwrap_err().to_string().contains(words), "{pages}");
    }
    let away = Script::start(|_, _| {
        Reply::status(200)
            .with("Link", "<https://other.example/x>; rel=\"next\"")
            .body(r#"{"tags":["a"]}"#)
    })
    .await;
    assert!(matches!(away.repository().tags().await, Err(RemoteError::Protocol { .. })));
}

#[tokio::test]
async fn referrers_are_asked_by_the_api_and_else_by_the_tag() {
    let image = image(b"layer");
    let list = crate::images::index(&[&image]);
    for has_api in [true, false] {
        let bytes = list.bytes.clone();
        let script = Script::start(move |seen, _| {
            let is_api = seen.target.contains("/referrers/");
            match is_api == has_api {
                true => Reply::status(200)
                    .with("Content-Type", crate::images::INDEX)
                    .body(bytes.clone()),
                false => Reply::error(404, "NAME_UNKNOWN"),
            }
        })
        .await;
        let found = script.repository().referrers(&Digest::sha256(b"s"), None).await.unwrap();
        assert_eq!((found.len(), found[0].digest), (1, image.manifest.digest), "{has_api}");
        let none = script.repository().referrers(&Digest::sha256(b"s"), Some("a/b")).await.unwrap();
        assert!(none.is_empty());
    }
    let script = Script::start(|_, _| Reply::error(404, "NAME_UNKNOWN")).await;
    assert!(script.repository().referrers(&Digest::sha256(b"s"), None).await.unwrap().is_empty());
    let script = Script::start(|_, _| Reply::status(500)).await;
    assert!(script.repository().referrers(&Digest::sha256(b"s"), None).await.is_err());
}

#[tokio::test]
async fn a_list_of_referrers_that_does_not_end_is_not_taken_for_the_whole() {
    let image = image(b"layer");
    let full = crate::images::index(&[&image]).bytes.clone();
    let empty = crate::images::index(&[]).bytes.clone();
    let page =
        |bytes: &[u8]| Reply::status(200).with("Content-Type", crate::images::INDEX).body(bytes);
    let next = |reply: Reply, to: &str| {
        reply.with("Link", format!("</v2/shop/api/referrers/sha256:x?n={to}>; rel=\"next\""))
    };
    // A page without an entry is passed; the next one has some.
    let (one, none) = (full.clone(), empty.clone());
    let script = Script::start(move |_, nth| match nth {
        0 => next(page(&none), "1"),
        _ => page(&one),
    })
    .await;
    let found = script.repository().referrers(&Digest::sha256(b"s"), None).await.unwrap();
    assert_eq!((found.len(), script.seen().len()), (1, 2));
    // What leads to itself, or round and round, or on for ever, with entries or without.
    for (pages, words) in [(1, "leads to itself"), (2, "leads to itself"), (2_000, "1000 pages")] {
        for bytes in [full.clone(), empty.clone()] {
            let script =
                Script::start(move |_, nth| next(page(&bytes), &(nth % pages).to_string())).await;
            let refused = script.repository().referrers(&Digest::sha256(b"s"), None).await;
            let said = refused.unwrap_err().to_string();
            assert!(said.contains(words), "{pages}: {said}");
        }
    }
}

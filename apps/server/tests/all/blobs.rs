//! Blobs: every way up, every way down. Expected values: OCI distribution-spec 1.1 and research/registry.md §2.3.

use crate::client::{Reply, Server};
use crate::images::{digest, push_blob};
use domain::{Algorithm, Digest};

fn start(server: &Server, repository: &str) -> String {
    let started = server.ask("POST", &format!("/v2/{repository}/blobs/uploads/")).send();
    assert_eq!(started.status, 202, "{}", started.text());
    assert_eq!(started.header("range"), Some("0-0"));
    assert_eq!(started.header("content-length"), Some("0"));
    let location = started.header("location").unwrap().to_owned();
    assert!(location.starts_with(&format!("/v2/{repository}/blobs/uploads/")));
    assert!(!location.contains('?'), "some clients drop the query");
    let id = location.rsplit('/').next().unwrap();
    assert_eq!(started.header("docker-upload-uuid"), Some(id));
    location
}

fn patch(server: &Server, location: &str, range: &str, bytes: &[u8]) -> Reply {
    server.ask("PATCH", location).header("Content-Range", range).body(bytes).send()
}

fn is_there(server: &Server, repository: &str, bytes: &[u8]) {
    let target = format!("/v2/{repository}/blobs/{}", digest(bytes));
    let got = server.get(&target);
    assert_eq!((got.status, got.body.as_slice()), (200, bytes));
    assert_eq!(got.header("docker-content-digest"), Some(digest(bytes).as_str()));
    assert_eq!(got.header("accept-ranges"), Some("bytes"));
    let head = server.head(&target);
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), Some(bytes.len().to_string().as_str()));
    assert_eq!(head.header("docker-content-digest"), Some(digest(bytes).as_str()));
}

#[test]
fn a_blob_goes_up_in_one_post_or_in_post_and_put() {
    let server = Server::start();
    push_blob(&server, "a/b/c/d", b"one");
    is_there(&server, "a/b/c/d", b"one");
    let location = start(&server, "a");
    let put = server.ask("PUT", &format!("{location}?digest={}", digest("two"))).body("two").send();
    assert_eq!(put.status, 201);
    assert_eq!(put.header("location"), Some(format!("/v2/a/blobs/{}", digest("two")).as_str()));
    assert_eq!(put.header("docker-content-digest"), Some(digest("two").as_str()));
    is_there(&server, "a", b"two");
}

#[test]
fn empty_blobs_are_blobs() {
    let server = Server::start();
    push_blob(&server, "a", b"");
    is_there(&server, "a", b"");
    let location = start(&server, "b");
    let put = server.ask("PUT", &format!("{location}?digest={}", digest(""))).send();
    assert_eq!(put.status, 201);
    is_there(&server, "b", b"");
}

#[test]
fn docker_streams_without_a_range_or_a_length() {
    let server = Server::start();
    let bytes = vec![7; 300_000];
    let location = start(&server, "a");
    let patched = server.ask("PATCH", &location).body(&bytes).send_chunked();
    assert_eq!(patched.status, 202);
    assert_eq!(patched.header("range"), Some("0-299999"));
    let put = server.ask("PUT", &format!("{location}?digest={}", digest(&bytes))).send();
    assert_eq!(put.status, 201);
    is_there(&server, "a", &bytes);
}

#[test]
fn chunks_come_in_order_or_are_told_where_to_go_on() {
    let server = Server::start();
    let location = start(&server, "a");
    assert_eq!(patch(&server, &location, "0-3", b"abcd").status, 202);
    for (range, bytes) in [
        ("0-3", b"abcd".as_slice()),
        ("5-6", b"fg"),
        ("4-9", b"ef"),
        ("bytes=4-5", b"ef"),
        ("4-", b"ef"),
        ("9-4", b"ef"),
    ] {
        let refused = patch(&server, &location, range, bytes);
        assert_eq!((refused.status, refused.code().as_str()), (416, "RANGE_INVALID"), "{range}");
        assert_eq!(refused.header("range"), Some("0-3"), "{range}");
        assert_eq!(refused.header("location"), Some(location.as_str()), "{range}");
    }
    let status = server.get(&location);
    assert_eq!((status.status, status.header("range")), (204, Some("0-3")));
    let target = format!("{location}?digest={}", digest("abcdefg"));
    let early = server.ask("PUT", &target).header("Content-Range", "6-6").body("g").send();
    assert_eq!(early.status, 416);
    assert_eq!(patch(&server, &location, "4-5", b"ef").header("range"), Some("0-5"));
    let last = server.ask("PUT", &target).header("Content-Range", "6-6").body("g").send();
    assert_eq!(last.status, 201);
    is_there(&server, "a", b"abcdefg");
    assert_eq!(server.get(&location).status, 404);
}

#[test]
fn a_wrong_digest_is_refused_and_nothing_is_there() {
    let server = Server::start();
    let wrong = digest("other");
    let refused =
        server.ask("POST", &format!("/v2/a/blobs/uploads/?digest={wrong}")).body("one").send();
    assert_eq!((refused.status, refused.code().as_str()), (400, "DIGEST_INVALID"));
    let location = start(&server, "a");
    let refused = server.ask("PUT", &format!("{location}?digest={wrong}")).body("one").send();
    assert_eq!((refused.status, refused.code().as_str()), (400, "DIGEST_INVALID"));
    for bad in ["", "sha256:00", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256"] {
        let refused = server.ask("PUT", &format!("{location}?digest={bad}")).send();
        assert_eq!((refused.status, refused.code().as_str()), (400, "DIGEST_INVALID"), "{bad}");
    }
    assert_eq!(server.get(&format!("/v2/a/blobs/{wrong}")).code(), "BLOB_UNKNOWN");
    assert_eq!(server.get(&format!("/v2/a/blobs/{}", digest("one"))).status, 404);
}

#[test]
fn an_upload_belongs_to_its_repository_and_can_be_cancelled() {
    let server = Server::start();
    let location = start(&server, "a");
    let elsewhere = location.replace("/v2/a/", "/v2/b/");
    assert_eq!(server.ask("PATCH", &elsewhere).body("x").send().code(), "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(server.delete(&elsewhere).status, 404);
    assert_eq!(server.delete(&location).status, 204);
    assert_eq!(server.get(&location).status, 404);
    assert_eq!(server.ask("PATCH", &location).body("x").send().status, 404);
    assert_eq!(server.get("/v2/a/blobs/uploads/..").status, 404);
}

#[test]
fn sha512_is_kept_with_and_without_the_hint() {
    let server = Server::start();
    let named = Digest::of(Algorithm::Sha512, b"long").to_string();
    let started = server.ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512").send();
    let hinted = started.header("location").unwrap().to_owned();
    for (location, repository) in [(hinted, "a"), (start(&server, "b"), "b")] {
        let put = server.ask("PUT", &format!("{location}?digest={named}")).body("long").send();
        assert_eq!(put.status, 201, "{}", put.text());
        assert_eq!(put.header("docker-content-digest"), Some(named.as_str()));
        assert_eq!(server.get(&format!("/v2/{repository}/blobs/{named}")).body, b"long");
    }
    let unknown = server.ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=md5").send();
    assert_eq!(unknown.status, 400);
}

#[test]
fn parts_are_answered_by_the_rules_of_ranges() {
    let server = Server::start();
    let target = format!("/v2/a/blobs/{}", push_blob(&server, "a", b"0123456789"));
    let ask = |range: &str| server.ask("GET", &target).header("Range", range).send();
    for (range, body, content_range) in [
        ("bytes=0-", "0123456789", "bytes 0-9/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
    ] {
        let got = ask(range);
        assert_eq!((got.status, got.text().as_str()), (206, body), "{range}");
        assert_eq!(got.header("content-range"), Some(content_range), "{range}");
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=5-0", "bytes=-0"] {
        let refused = ask(range);
        assert_eq!(refused.status, 416, "{range}");
        assert_eq!(refused.header("content-range"), Some("bytes */10"), "{range}");
    }
    for range in ["lines=1-2", "bytes=0-1,3-4"] {
        assert_eq!((ask(range).status, ask(range).body.len()), (200, 10), "{range}");
    }
    let head = server.ask("HEAD", &target).header("Range", "bytes=2-4").send();
    assert_eq!((head.status, head.header("content-length")), (206, Some("3")));
}

#[test]
fn a_large_blob_comes_down_as_it_went_up() {
    let server = Server::start();
    let bytes: Vec<u8> = (0..3_000_001_u32).map(|at| (at % 251) as u8).collect();
    push_blob(&server, "a", &bytes);
    is_there(&server, "a", &bytes);
    let target = format!("/v2/a/blobs/{}", digest(&bytes));
    let part = server.ask("GET", &target).header("Range", "bytes=1000000-2999999").send();
    assert_eq!(part.body, &bytes[1_000_000..3_000_000]);
}

#[test]
fn a_mount_links_what_is_there_and_starts_an_upload_otherwise() {
    let server = Server::start();
    let known = push_blob(&server, "a", b"layer");
    let mount = |query: &str| server.ask("POST", &format!("/v2/b/blobs/uploads/?{query}")).send();
    assert_eq!(mount(&format!("mount={known}&from=c")).status, 202);
    assert_eq!(mount(&format!("mount={}&from=a", digest("?"))).status, 202);
    assert_eq!(mount(&format!("mount={known}&from=NOT%20a%20name")).status, 202);
    assert_eq!(server.head(&format!("/v2/b/blobs/{known}")).status, 404);
    let mounted = mount(&format!("mount={known}&from=a"));
    assert_eq!(mounted.status, 201);
    let location = mounted.header("location").unwrap();
    assert_eq!(server.get(location).body, b"layer");
    assert_eq!(mounted.header("docker-content-digest"), Some(known.as_str()));
    let anonymous = server.ask("POST", &format!("/v2/d/blobs/uploads/?mount={known}")).send();
    assert_eq!(anonymous.status, 201);
}

#[test]
fn a_blob_is_deleted_from_its_repository_only() {
    let server = Server::start();
    let known = push_blob(&server, "a", b"layer");
    push_blob(&server, "b", b"layer");
    assert_eq!(server.delete(&format!("/v2/a/blobs/{known}")).status, 202);
    assert_eq!(server.get(&format!("/v2/a/blobs/{known}")).status, 404);
    assert_eq!(server.get(&format!("/v2/b/blobs/{known}")).status, 200);
    assert_eq!(server.delete(&format!("/v2/a/blobs/{known}")).code(), "BLOB_UNKNOWN");
}

//! Every limit, at it and one above it; and clients that stand still.

use crate::client::{Server, half_a_patch};
use crate::images::{IMAGE, digest, image, push_blob, put};
use oci::ManifestLimit;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

/// A manifest of exactly so many bytes.
fn padded(manifest: &str, bytes: usize) -> String {
    let room = bytes - manifest.len() - r#","pad":"""#.len();
    let end = manifest.len() - 1;
    format!("{},\"pad\":\"{}\"}}", &manifest[..end], "x".repeat(room))
}

#[test]
fn a_manifest_has_4_mib_and_not_one_byte_more() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    let large = padded(&manifest, 4 << 20);
    assert_eq!(put(&server, "a", "at", &large).status, 201);
    assert_eq!(server.get("/v2/a/manifests/at").text(), large);
    let refused = put(&server, "a", "above", &padded(&manifest, (4 << 20) + 1));
    assert_eq!((refused.status, refused.code().as_str()), (413, "SIZE_INVALID"));
    let asking = server.ask("PUT", "/v2/a/manifests/above").header("Content-Type", IMAGE);
    let refused = asking.body(padded(&manifest, (4 << 20) + 1)).send_chunked();
    assert_eq!(refused.status, 413);
}

#[test]
fn the_manifest_limit_can_be_set() {
    let limit = ManifestLimit::new(1_000).unwrap();
    let server = Server::start_with(|options| options.limits.manifest = limit);
    let manifest = image(&server, "a", "x");
    assert_eq!(put(&server, "a", "at", &padded(&manifest, 1_000)).status, 201);
    assert_eq!(put(&server, "a", "above", &padded(&manifest, 1_001)).status, 413);
}

#[test]
fn the_manifest_limit_can_be_set_to_16_mib() {
    let limit = ManifestLimit::new(16 << 20).unwrap();
    let server = Server::start_with(|options| options.limits.manifest = limit);
    let manifest = image(&server, "a", "x");
    let large = padded(&manifest, 16 << 20);
    assert_eq!(put(&server, "a", "at", &large).status, 201);
    assert_eq!(server.get("/v2/a/manifests/at").text(), large);
    assert_eq!(put(&server, "a", "above", &padded(&manifest, (16 << 20) + 1)).status, 413);
}

#[test]
fn a_blob_of_10_gib_may_come_and_one_byte_more_is_refused_before_it_is_sent() {
    let server = Server::start();
    let started = server.ask("POST", "/v2/a/blobs/uploads/").send();
    let location = started.header("location").unwrap().to_owned();
    let first_line = |bytes: u64| {
        let mut stream = server.connect();
        let head = format!("PATCH {location} HTTP/1.1\r\nHost: {}\r\n", server.address);
        write!(stream, "{head}Content-Length: {bytes}\r\nExpect: 100-continue\r\n\r\n").unwrap();
        let mut line = [0; 12];
        stream.read_exact(&mut line).unwrap();
        String::from_utf8_lossy(&line).into_owned()
    };
    assert_eq!(first_line(10_737_418_240), "HTTP/1.1 100");
    assert_eq!(first_line(10_737_418_241), "HTTP/1.1 413");
}

#[test]
fn a_blob_has_its_limit_however_it_comes() {
    let server = Server::start_with(|options| options.limits.blob_bytes_max = 1_000);
    push_blob(&server, "a", &[1; 1_000]);
    let large = [1; 1_001];
    let target = format!("/v2/a/blobs/uploads/?digest={}", digest(large));
    let refused = server.ask("POST", &target).body(large).send();
    assert_eq!((refused.status, refused.code().as_str()), (413, "SIZE_INVALID"));
    assert_eq!(server.ask("POST", &target).body(large).send_chunked().status, 413);
    let started = server.ask("POST", "/v2/a/blobs/uploads/").send();
    let location = started.header("location").unwrap();
    assert_eq!(server.ask("PATCH", location).body([1; 1_000]).send().status, 202);
    assert_eq!(server.ask("PATCH", location).body([1]).send().status, 413);
    assert_eq!(server.head(&format!("/v2/a/blobs/{}", digest(large))).status, 404);
}

#[test]
fn headers_have_32_kib_and_not_one_byte_more() {
    let server = Server::start();
    // A name, its value and four bytes around them, for `host`, `connection` and the padding.
    let host = server.address.to_string();
    let others = "host".len() + host.len() + 4 + "connection".len() + "close".len() + 4;
    let room = (32 << 10) - others - "pad".len() - 4;
    let ask = |bytes: usize| server.ask("GET", "/v2/").header("Pad", "x".repeat(bytes)).send();
    assert_eq!(ask(room).status, 200);
    assert_eq!(ask(room + 1).status, 431);
    let many = (0..200)
        .fold(server.ask("GET", "/v2/"), |asking, at| asking.header(&format!("H{at}"), "1"));
    assert_eq!(many.send().status, 431);
}

#[test]
fn one_request_names_46_tags_and_not_47() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    let ask = |count: usize| {
        let tags: Vec<String> = (0..count).map(|at| format!("tag=t{at}")).collect();
        let target = format!("/v2/a/manifests/{}?{}", digest(&manifest), tags.join("&"));
        server.ask("PUT", &target).header("Content-Type", IMAGE).body(&manifest).send()
    };
    assert_eq!(ask(46).headers("oci-tag").len(), 46);
    assert_eq!(ask(47).status, 414);
    assert_eq!(server.get(&format!("/v2/{}", "a".repeat(9_000))).status, 414);
}

#[test]
fn a_request_to_the_api_has_64_kib() {
    let server = Server::start();
    let rule = r#"{"repositories":"**","tags":"x","class":"alias"}"#;
    let ask = |bytes: usize| {
        let body = format!("{rule}{}", " ".repeat(bytes - rule.len()));
        server.post_api("/api/v1/rules", &body).send().status
    };
    assert_eq!(ask(server::API_BODY_BYTES_MAX), 201);
    assert_eq!(ask(server::API_BODY_BYTES_MAX + 1), 413);
}

#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = Server::start();
    let token = server.token("ci", &["pull"], "**");
    let body = vec![b' '; 16 << 20];
    for target in ["/v2/a/manifests/1", "/v2/a/blobs/uploads/?digest=sha256:0"] {
        let method = if target.contains('?') { "POST" } else { "PUT" };
        let refused = server.ask(method, target).body(&body).send();
        assert_eq!(refused.status, 401, "{target}");
    }
    let asking = server.ask("PUT", "/v2/a/manifests/1").bearer(&token);
    assert_eq!(asking.body(&body).send().code(), "DENIED");
}

/// Reads until the server hangs up; how long that took.
fn hung_up(stream: &mut std::net::TcpStream) -> (Duration, Vec<u8>) {
    let began = Instant::now();
    let mut read = Vec::new();
    // A reset is a hang-up too.
    let _ = stream.read_to_end(&mut read);
    (began.elapsed(), read)
}

#[test]
fn a_client_that_stands_still_is_hung_up_on() {
    let idle = Duration::from_millis(300);
    let server = Server::start_with(|options| options.limits.idle = idle);
    let host = server.address;
    let started = server.ask("POST", "/v2/a/blobs/uploads/").send();
    let location = started.header("location").unwrap();
    let phases = [
        String::new(),
        "GET /v2/ HT".to_owned(),
        format!("GET /v2/ HTTP/1.1\r\nHost: {host}\r\nX: "),
        format!("GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("PATCH {location} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\nabc"),
        format!("PUT /v2/a/manifests/1 HTTP/1.1\r\nHost: {host}\r\nContent-Length: 10\r\n\r\nabc"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for phase in phases {
        let mut stream = server.connect();
        stream.write_all(phase.as_bytes()).unwrap();
        let (took, _) = hung_up(&mut stream);
        assert!(took < Duration::from_secs(15), "{phase:?} {took:?}");
    }
    assert_eq!(server.get("/v2/").status, 200);
}

#[test]
fn a_body_that_trickles_is_refused_although_it_never_stands_still() {
    let server = Server::start_with(|options| options.limits.idle = Duration::from_millis(400));
    let started = server.ask("POST", "/v2/a/blobs/uploads/").send();
    let location = started.header("location").unwrap();
    let mut stream = server.connect();
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: {}\r\n", server.address);
    write!(stream, "{head}Content-Length: 1000000\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut answer = Vec::new();
    // The read's timeout is the pause between two bytes.
    while answer.is_empty() {
        assert!(Instant::now() < deadline, "a byte every 10 ms is taken for ever");
        let _sent = stream.write_all(b"x");
        let mut piece = [0; 1_000];
        let length = stream.read(&mut piece).unwrap_or(0);
        answer.extend_from_slice(&piece[..length]);
    }
    let said = String::from_utf8_lossy(&answer).into_owned();
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
}

#[test]
fn a_client_that_reads_nothing_is_hung_up_on() {
    let server = Server::start_with(|options| options.limits.idle = Duration::from_millis(300));
    // More than the sockets' buffers hold.
    let bytes = vec![1; 64 << 20];
    let named = push_blob(&server, "a", &bytes);
    let mut stream = server.connect();
    let ask = format!("GET /v2/a/blobs/{named} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(ask.as_bytes()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    // A peek takes nothing away; the server's end shows in what can be written.
    while stream.write_all(b"\r\n").is_ok() {
        assert!(Instant::now() < deadline, "the server waits for ever");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn only_so_many_bodies_are_taken_at_once() {
    let server = Server::start_with(|options| options.limits.uploads_at_once_max = 1);
    let location = |server: &Server| {
        let started = server.ask("POST", "/v2/a/blobs/uploads/").send();
        started.header("location").unwrap().to_owned()
    };
    let (one, two) = (location(&server), location(&server));
    let mut stream = half_a_patch(&server, &one);
    let refused = server.ask("PATCH", &two).body("x").send();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.code(), "TOOMANYREQUESTS");
    assert_eq!(refused.header("retry-after"), Some("1"));
    stream.write_all(b"b").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.ask("PATCH", &two).body("x").send().status != 202 {
        assert!(Instant::now() < deadline, "the place was never free again");
    }
}

#[test]
fn only_so_many_connections_are_served_at_once() {
    let server = Server::start_with(|options| {
        options.limits.connections_max = 2;
        options.limits.idle = Duration::from_millis(500);
    });
    let held: Vec<_> = (0..2).map(|_| server.connect()).collect();
    // The third is served when the first two were hung up on.
    assert_eq!(server.get("/v2/").status, 200);
    drop(held);
}

//! Manifests. Expected values: OCI distribution-spec 1.1 and research/registry.md §2.3.

use crate::client::Server;
use crate::images::{IMAGE, INDEX, digest, image, push, put};
use domain::{Algorithm, Digest};

#[test]
fn the_probe_answers_with_and_without_the_slash() {
    let server = Server::start();
    for path in ["/v2/", "/v2"] {
        let probed = server.get(path);
        assert_eq!(probed.status, 200);
        assert_eq!(probed.header("docker-distribution-api-version"), Some("registry/2.0"));
    }
}

#[test]
fn a_manifest_comes_back_byte_for_byte_under_tag_and_digest() {
    let server = Server::start();
    let manifest = image(&server, "shop/api", "x")
        .replace("{\"schemaVersion\"", "{ \"unknown\" : [1], \"schemaVersion\"");
    let pushed = put(&server, "shop/api", "1.4", &manifest);
    let named = digest(&manifest);
    assert_eq!(pushed.status, 201);
    assert_eq!(pushed.header("docker-content-digest"), Some(named.as_str()));
    let location = format!("/v2/shop/api/manifests/{named}");
    assert_eq!(pushed.header("location"), Some(location.as_str()));
    assert!(pushed.headers("warning")[0].contains("immutable"));
    for accept in [IMAGE, "text/plain", "application/vnd.docker.distribution.manifest.v2+json"] {
        for reference in ["1.4", &named] {
            let target = format!("/v2/shop/api/manifests/{reference}");
            let got = server.ask("GET", &target).header("Accept", accept).send();
            assert_eq!((got.status, got.text()), (200, manifest.clone()), "{accept}");
            assert_eq!(got.header("content-type"), Some(IMAGE));
            assert_eq!(got.header("docker-content-digest"), Some(named.as_str()));
            let head = server.head(&target);
            assert_eq!(head.status, 200);
            assert_eq!(head.header("content-length"), Some(manifest.len().to_string().as_str()));
            assert_eq!(head.header("content-type"), Some(IMAGE));
        }
    }
    let etag = format!("\"{named}\"");
    let same = server.ask("GET", &location).header("If-None-Match", etag).send();
    assert_eq!(same.status, 304);
}

#[test]
fn what_is_not_there_is_unknown() {
    let server = Server::start();
    for target in ["/v2/a/manifests/1", "/v2/a/manifests/.INVALID_MANIFEST_NAME"] {
        assert_eq!(
            (server.get(target).status, server.get(target).code().as_str()),
            (404, "MANIFEST_UNKNOWN")
        );
    }
    let missing = server.get(&format!("/v2/a/manifests/{}", digest("x")));
    assert_eq!((missing.status, missing.code().as_str()), (404, "MANIFEST_UNKNOWN"));
    assert_eq!(server.head("/v2/a/manifests/1").status, 404);
    assert_eq!(server.get("/v2/a/manifests/sha256:00").code(), "DIGEST_INVALID");
    assert_eq!(server.get("/v2/A/manifests/1").code(), "NAME_INVALID");
    assert_eq!(server.get("/v2/a/b").status, 404);
    let post = server.ask("POST", "/v2/a/manifests/1").send();
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD, PUT, DELETE")));
}

#[test]
fn a_manifest_needs_its_blobs_and_an_index_its_manifests() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    let refused = put(&server, "b", "1", &manifest);
    assert_eq!((refused.status, refused.code().as_str()), (400, "MANIFEST_BLOB_UNKNOWN"));
    let errors = refused.json()["errors"].as_array().unwrap().len();
    assert_eq!(errors, 2, "each missing blob is named");
    let child = digest(&manifest);
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"mediaType":"{IMAGE}","digest":"{child}","size":{},"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
        manifest.len()
    );
    let put_index = |repository: &str| {
        let target = format!("/v2/{repository}/manifests/multi");
        server.ask("PUT", &target).header("Content-Type", INDEX).body(&index).send()
    };
    assert_eq!(put_index("a").code(), "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(put(&server, "a", &child, &manifest).status, 201);
    assert_eq!(put_index("a").status, 201);
    assert_eq!(server.get("/v2/a/manifests/multi").header("content-type"), Some(INDEX));
}

#[test]
fn bytes_that_two_parsers_could_read_differently_are_refused() {
    let server = Server::start();
    let good = image(&server, "a", "x");
    let twice = good.replace("{\"schemaVersion\":2", "{\"schemaVersion\":2,\"schemaVersion\":2");
    let both = good.replace("\"layers\"", "\"manifests\":[],\"layers\"");
    let truncated = &good[..good.len() - 1];
    for bad in ["", "{}", "[]", "null", &twice, &both, truncated] {
        let refused = put(&server, "a", "1", bad);
        assert_eq!((refused.status, refused.code().as_str()), (400, "MANIFEST_INVALID"), "{bad}");
    }
    let schema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let asking = server.ask("PUT", "/v2/a/manifests/1").header("Content-Type", schema1);
    assert_eq!(asking.body(&good).send().code(), "MANIFEST_INVALID");
    assert_eq!(server.get("/v2/a/manifests/1").status, 404);
}

#[test]
fn a_put_by_digest_is_compared_also_with_sha512() {
    let server = Server::start();
    let manifest = image(&server, "a", "x");
    assert_eq!(put(&server, "a", &digest("other"), &manifest).code(), "DIGEST_INVALID");
    let named = Digest::of(Algorithm::Sha512, manifest.as_bytes()).to_string();
    let pushed = put(&server, "a", &named, &manifest);
    assert_eq!(
        (pushed.status, pushed.header("docker-content-digest")),
        (201, Some(named.as_str()))
    );
    assert_eq!(server.get(&format!("/v2/a/manifests/{named}")).text(), manifest);
    assert_eq!(put(&server, "a", "no+tag", &manifest).code(), "TAG_INVALID");
}

#[test]
fn a_tag_is_deleted_alone_and_a_manifest_with_its_tags() {
    let server = Server::start();
    let named = push(&server, "a", "1", "x");
    push(&server, "a", "2", "x");
    assert_eq!(server.delete("/v2/a/manifests/1").status, 202);
    assert_eq!(server.get("/v2/a/manifests/1").status, 404);
    assert_eq!(server.get("/v2/a/manifests/2").status, 200);
    assert_eq!(server.delete(&format!("/v2/a/manifests/{named}")).status, 202);
    assert_eq!(server.get("/v2/a/manifests/2").status, 404);
    assert_eq!(server.get(&format!("/v2/a/manifests/{named}")).status, 404);
    assert_eq!(server.delete("/v2/a/manifests/2").code(), "MANIFEST_UNKNOWN");
    let tags = server.get("/v2/a/tags/list").json();
    assert_eq!(tags["tags"].as_array().map(Vec::len), Some(0));
}

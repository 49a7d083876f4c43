//! The router: OCI distribution-spec 1.1, "Endpoints", and targets that nobody honest sends.

use domain::{Algorithm, Digest, RepositoryPath, Tag};
use http::Method;
use oci::{Answer, ManifestPut, ManifestRef, PageQuery, Route, RouteError, UploadId, UploadStart};

const HEX: &str = "6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b";
const ID: &str = "00000000-0000-4000-8000-000000000001";

fn ask(method: &Method, target: &str) -> Result<Route, RouteError> {
    let (path, query) =
        target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    Route::read(method, path, query)
}

fn get(target: &str) -> Result<Route, RouteError> {
    ask(&Method::GET, target)
}

fn repository(text: &str) -> RepositoryPath {
    text.parse().unwrap()
}

fn digest() -> Digest {
    format!("sha256:{HEX}").parse().unwrap()
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

fn code(refused: Result<Route, RouteError>) -> (u16, &'static str) {
    let (status, code) = refused.unwrap_err().answer();
    (status.as_u16(), code.as_str())
}

/// Asks each and compares.
fn read_as(cases: &[(&Method, &str, Route)]) {
    for (method, target, expected) in cases {
        let target = target.replace('@', &format!("sha256:{HEX}"));
        let target = target.replace('#', ID);
        assert_eq!(ask(method, &target).as_ref(), Ok(expected), "{method} {target}");
    }
}

fn name() -> RepositoryPath {
    repository("shop/api")
}

#[test]
fn the_ping_is_read_with_and_without_its_slash() {
    read_as(&[
        (&Method::GET, "/v2/", Route::Ping),
        (&Method::GET, "/v2", Route::Ping),
        (&Method::HEAD, "/v2/", Route::Ping),
    ]);
}

#[test]
fn blobs_are_read_by_digest() {
    let blob = |answer| Route::GetBlob { repository: name(), digest: digest(), answer };
    let gone = Route::DeleteBlob { repository: name(), digest: digest() };
    read_as(&[
        (&Method::GET, "/v2/shop/api/blobs/@", blob(Answer::Whole)),
        (&Method::HEAD, "/v2/shop/api/blobs/@", blob(Answer::HeadersOnly)),
        (&Method::DELETE, "/v2/shop/api/blobs/@", gone),
    ]);
}

#[test]
fn uploads_start_in_four_ways() {
    let post = &Method::POST;
    let start = |start| Route::StartUpload { repository: name(), start };
    let session = |algorithm| start(UploadStart::Session { algorithm });
    let mount = |from: Option<&str>| {
        start(UploadStart::Mount { digest: digest(), from: from.map(repository) })
    };
    let whole = start(UploadStart::Whole { digest: digest() });
    let to = |query: &str| format!("/v2/shop/api/blobs/uploads/{query}");
    read_as(&[
        (post, &to(""), session(Algorithm::Sha256)),
        (post, "/v2/shop/api/blobs/uploads", session(Algorithm::Sha256)),
        (post, &to("?digest-algorithm=sha512"), session(Algorithm::Sha512)),
        (post, &to("?digest=@"), whole),
        (post, &to("?mount=@&from=base/os"), mount(Some("base/os"))),
        (post, &to("?mount=@&from=base%2Fos"), mount(Some("base/os"))),
        (post, &to("?mount=@"), mount(None)),
        (post, &to("?mount=@&from="), mount(None)),
        // A source that is no name has nothing to mount.
        (post, &to("?mount=@&from=NotAName"), session(Algorithm::Sha256)),
    ]);
}

#[test]
fn uploads_go_on_and_end() {
    let (repository, upload): (_, UploadId) = (name(), ID.parse().unwrap());
    let finish = Route::FinishUpload { repository: name(), upload, digest: digest() };
    let patch = Route::PatchUpload { repository: repository.clone(), upload };
    let status = Route::UploadStatus { repository: repository.clone(), upload };
    let cancel = Route::CancelUpload { repository, upload };
    let encoded = format!("/v2/shop/api/blobs/uploads/#?digest=sha256%3A{HEX}");
    read_as(&[
        (&Method::PATCH, "/v2/shop/api/blobs/uploads/#", patch),
        (&Method::GET, "/v2/shop/api/blobs/uploads/#", status),
        (&Method::DELETE, "/v2/shop/api/blobs/uploads/#", cancel),
        (&Method::PUT, "/v2/shop/api/blobs/uploads/#?digest=@", finish.clone()),
        (&Method::PUT, &encoded, finish),
    ]);
}

#[test]
fn manifests_are_read_by_tag_and_digest() {
    let by_tag = || ManifestRef::Tag(tag("1.4"));
    let by_digest = || ManifestRef::Digest(digest());
    let manifest = |reference, answer| Route::GetManifest { repository: name(), reference, answer };
    let (get, head) = (&Method::GET, &Method::HEAD);
    let encoded = format!("/v2/shop/api/manifests/sha256%3A{HEX}");
    let gone = Route::DeleteManifest { repository: name(), reference: by_tag() };
    read_as(&[
        (get, "/v2/shop/api/manifests/1.4", manifest(by_tag(), Answer::Whole)),
        (get, "/v2/shop/api/manifests/1.4?ns=docker.io", manifest(by_tag(), Answer::Whole)),
        (head, "/v2/shop/api/manifests/@", manifest(by_digest(), Answer::HeadersOnly)),
        (get, &encoded, manifest(by_digest(), Answer::Whole)),
        (&Method::DELETE, "/v2/shop/api/manifests/1.4", gone),
    ]);
}

#[test]
fn manifests_are_put_under_a_tag_or_a_digest_with_tags() {
    let put = |put| Route::PutManifest { repository: name(), put };
    let under = |tags: &[&str]| {
        put(ManifestPut::Digest {
            digest: digest(),
            tags: tags.iter().map(|text| tag(text)).collect(),
        })
    };
    let method = &Method::PUT;
    read_as(&[
        (method, "/v2/shop/api/manifests/1.4", put(ManifestPut::Tag(tag("1.4")))),
        (method, "/v2/shop/api/manifests/@", under(&[])),
        (method, "/v2/shop/api/manifests/@?tag=1.4&tag=a&tag=1.4", under(&["1.4", "a"])),
    ]);
}

#[test]
fn lists_are_read_with_their_pages() {
    let page =
        |n: Option<usize>, last: Option<&str>| PageQuery { n, last: last.map(str::to_owned) };
    let tags = |page| Route::Tags { repository: name(), page };
    let history = |page| Route::TagHistory { repository: name(), tag: tag("1.4"), page };
    let referrers = |kind: Option<&str>| Route::Referrers {
        repository: name(),
        subject: digest(),
        artifact_type: kind.map(str::to_owned),
        page: page(None, None),
    };
    let catalog = Route::Catalog { page: page(Some(5), None) };
    let (get, all) = (&Method::GET, || page(None, None));
    let kind = Some("application/a.b+json");
    let to = |query: &str| format!("/v2/shop/api/referrers/@{query}");
    read_as(&[
        (get, "/v2/shop/api/tags/list", tags(all())),
        (get, "/v2/shop/api/tags/list?n=0&last=1.4", tags(page(Some(0), Some("1.4")))),
        (get, &to(""), referrers(None)),
        (get, &to("?artifactType=application/a.b%2Bjson"), referrers(kind)),
        (get, &to("?artifactType=application/a.b+json"), referrers(kind)),
        (get, "/v2/_catalog?n=5", catalog),
        (get, "/v2/shop/api/_indelible/tags/1.4/history", history(all())),
        (get, "/v2/shop/api/_oci/tag-history/1.4?n=5", history(page(Some(5), None))),
    ]);
}

#[test]
fn names_may_hold_the_api_s_own_words() {
    for (target, name) in [
        ("/v2/blobs/manifests/1", "blobs"),
        ("/v2/manifests/manifests/1", "manifests"),
        ("/v2/a/blobs/uploads/manifests/1", "a/blobs/uploads"),
        ("/v2/tags/list/manifests/1", "tags/list"),
    ] {
        let route = get(target).unwrap();
        assert!(
            matches!(route, Route::GetManifest { ref repository, .. } if repository.as_str() == name),
            "{route:?}"
        );
    }
    // A tag that is called like a place.
    for word in ["manifests", "tags", "list", "history", "uploads"] {
        let history = get(&format!("/v2/a/_indelible/tags/{word}/history")).unwrap();
        assert!(matches!(history, Route::TagHistory { tag, .. } if tag.as_str() == word));
        let draft = get(&format!("/v2/a/_oci/tag-history/{word}")).unwrap();
        assert!(matches!(draft, Route::TagHistory { tag, .. } if tag.as_str() == word));
        let manifest = get(&format!("/v2/a/manifests/{word}")).unwrap();
        assert!(matches!(manifest, Route::GetManifest { .. }));
    }
}

#[test]
fn names_are_read_at_255_bytes_of_any_depth_and_refused_above() {
    let deep = vec!["a"; 128].join("/");
    assert_eq!(deep.len(), 255);
    assert!(get(&format!("/v2/{deep}/tags/list")).is_ok());
    assert_eq!(code(get(&format!("/v2/{deep}a/tags/list"))), (400, "NAME_INVALID"));
}

#[test]
fn hostile_paths_are_refused() {
    for (target, expected) in [
        ("/v2/../etc/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a/../b/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a/%2e%2e/b/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a%2fb/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a%5cb/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a%00b/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a/manifests/x%2f..%2fy", (400, "NAME_INVALID")),
        ("/v2/a%252fb/manifests/1", (400, "NAME_INVALID")),
        ("/v2//manifests/1", (400, "NAME_INVALID")),
        ("/v2/a//b/manifests/1", (400, "NAME_INVALID")),
        ("/v2/A/manifests/1", (400, "NAME_INVALID")),
        ("/v2/a:5000/manifests/1", (400, "NAME_INVALID")),
        ("/v2/_indelible/manifests/1", (400, "NAME_INVALID")),
        ("/v2/%ff/manifests/1", (400, "UNSUPPORTED")),
        ("/v2/a%/manifests/1", (400, "UNSUPPORTED")),
        ("/v2/a/manifests/.INVALID_MANIFEST_NAME", (404, "MANIFEST_UNKNOWN")),
        ("/v2/a/manifests/", (404, "MANIFEST_UNKNOWN")),
        ("/v2/a/manifests/sha256:baddigeststring", (400, "DIGEST_INVALID")),
        ("/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", (400, "DIGEST_INVALID")),
        ("/v2/a/blobs/latest", (400, "DIGEST_INVALID")),
        ("/v2/a/blobs/", (400, "DIGEST_INVALID")),
        ("/v2/a/referrers/latest", (400, "DIGEST_INVALID")),
        ("/v2/a/blobs/uploads/../x", (404, "UNSUPPORTED")),
        ("/v2/a/blobs/uploads/x", (404, "BLOB_UPLOAD_UNKNOWN")),
        ("/v2/a/tags/list/", (404, "UNSUPPORTED")),
        ("/v2/a/tags/list?n=x", (400, "PAGINATION_NUMBER_INVALID")),
        ("/v2/a/tags/list?n=-1", (400, "PAGINATION_NUMBER_INVALID")),
        ("/v2/a/tags/list?n=1&n=2", (400, "UNSUPPORTED")),
        ("/v2/a", (404, "UNSUPPORTED")),
        ("/v2/manifests/1", (404, "UNSUPPORTED")),
        ("/v2/tags/list", (404, "UNSUPPORTED")),
        ("/v2/a/_oci/other", (404, "UNSUPPORTED")),
        ("/v1/a/manifests/1", (404, "UNSUPPORTED")),
        ("/V2/a/manifests/1", (404, "UNSUPPORTED")),
        ("v2/a/manifests/1", (404, "UNSUPPORTED")),
        ("", (404, "UNSUPPORTED")),
        ("/", (404, "UNSUPPORTED")),
        ("*", (404, "UNSUPPORTED")),
    ] {
        assert_eq!(code(get(target)), expected, "{target}");
    }
}

#[test]
fn writes_with_wrong_parts_are_refused() {
    let put = |target: &str| code(ask(&Method::PUT, target));
    let post = |target: &str| code(ask(&Method::POST, target));
    assert_eq!(put("/v2/a/manifests/-x"), (400, "TAG_INVALID"));
    assert_eq!(put("/v2/a/manifests/sha256:baddigeststring"), (400, "DIGEST_INVALID"));
    assert_eq!(put(&format!("/v2/a/manifests/sha256:{HEX}?tag=-x")), (400, "TAG_INVALID"));
    assert_eq!(put(&format!("/v2/a/blobs/uploads/{ID}")), (400, "DIGEST_INVALID"));
    assert_eq!(put(&format!("/v2/a/blobs/uploads/{ID}?digest=sha3:00")), (400, "DIGEST_INVALID"));
    let twice = format!("/v2/a/blobs/uploads/{ID}?digest=sha256:{HEX}&digest=sha256:{HEX}");
    assert_eq!(put(&twice), (400, "UNSUPPORTED"));
    assert_eq!(post("/v2/a/blobs/uploads/?digest-algorithm=md5"), (400, "DIGEST_INVALID"));
    assert_eq!(post("/v2/a/blobs/uploads/?mount=x"), (400, "DIGEST_INVALID"));
}

#[test]
fn a_method_that_a_place_does_not_have_is_answered_with_those_it_has() {
    for (method, target, allow) in [
        (Method::POST, "/v2/".to_owned(), "GET, HEAD"),
        (Method::GET, "/v2/a/blobs/uploads/".to_owned(), "POST"),
        (Method::POST, format!("/v2/a/blobs/uploads/{ID}"), "GET, PATCH, PUT, DELETE"),
        (Method::PUT, format!("/v2/a/blobs/sha256:{HEX}"), "GET, HEAD, DELETE"),
        (Method::PATCH, "/v2/a/manifests/1".to_owned(), "GET, HEAD, PUT, DELETE"),
        (Method::DELETE, "/v2/a/tags/list".to_owned(), "GET, HEAD"),
        (Method::PUT, "/v2/_catalog".to_owned(), "GET, HEAD"),
    ] {
        let refused = ask(&method, &target).unwrap_err();
        assert_eq!(refused.answer().0.as_u16(), 405);
        assert!(
            matches!(refused, RouteError::Method { allow: found, .. } if found == allow),
            "{target}"
        );
    }
}

#[test]
fn a_put_names_46_tags_and_not_one_more() {
    let target = |count: usize| {
        let tags: Vec<String> = (0..count).map(|at| format!("tag=t{at}")).collect();
        format!("/v2/a/manifests/sha256:{HEX}?{}", tags.join("&"))
    };
    let Ok(Route::PutManifest { put: ManifestPut::Digest { tags, .. }, .. }) =
        ask(&Method::PUT, &target(46))
    else {
        panic!("46 tags are accepted");
    };
    assert_eq!(tags.len(), 46);
    let refused = ask(&Method::PUT, &target(47));
    assert_eq!(refused, Err(RouteError::ManyTags { found: 47 }));
    assert_eq!(code(refused), (414, "TAG_INVALID"));
}

#[test]
fn the_longest_honest_request_fits_and_a_longer_one_is_414() {
    let name = "a".repeat(255);
    let tags: Vec<String> = (0..46).map(|at| format!("tag={at:0>128}")).collect();
    let sha512 = "0".repeat(128);
    let target = format!("/v2/{name}/manifests/sha512:{sha512}?{}", tags.join("&"));
    assert!(ask(&Method::PUT, &target).is_ok());
    let of_length = |length: usize| format!("/v2/a/tags/list?last={}", "x".repeat(length - 21));
    assert!(get(&of_length(8192)).is_ok());
    assert_eq!(get(&of_length(8193)), Err(RouteError::Long { found: 8193 }));
    assert_eq!(code(get(&of_length(8193))), (414, "UNSUPPORTED"));
}

#[test]
fn a_page_has_1000_entries_at_most() {
    let entries = |n: &str| match get(&format!("/v2/a/tags/list{n}")) {
        Ok(Route::Tags { page, .. }) => page.entries(),
        other => panic!("{other:?}"),
    };
    assert_eq!(entries(""), 1000);
    assert_eq!(entries("?n=0"), 0);
    assert_eq!(entries("?n=1000"), 1000);
    assert_eq!(entries("?n=1001"), 1000);
    assert_eq!(entries("?n=99999999999999999999999999"), 1000);
}

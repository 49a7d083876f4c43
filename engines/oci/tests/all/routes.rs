//! The router: OCI distribution-spec 1.1, "Endpoints", and targets that nobody honest sends.

use domain::{Algorithm, Digest, RepositoryPath, Tag};
use http::Method;
use oci::{Answer, ManifestPut, ManifestRef, PageQuery, Route, RouteError, UploadId, UploadStart};

const HEX: &str = "6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b";
const ID: &str = "00000000-0000-4000-8000-000000000001";

fn ask(method: &Method, target: &str) -> Result<Route, RouteError> {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
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

#[test]
fn the_endpoints_of_the_specification_are_read() {
    let name = repository("shop/api");
    let upload: UploadId = ID.parse().unwrap();
    let d = format!("sha256:{HEX}");
    let (get, head, post, put) = (Method::GET, Method::HEAD, Method::POST, Method::PUT);
    let (patch, delete) = (Method::PATCH, Method::DELETE);
    let all = PageQuery::default();
    let by_tag = ManifestRef::Tag(tag("1.4"));
    let start = |start| Route::StartUpload {
        repository: name.clone(),
        start,
    };
    let table = [
        (&get, "/v2/".to_owned(), Route::Ping),
        (&get, "/v2".to_owned(), Route::Ping),
        (&head, "/v2/".to_owned(), Route::Ping),
        (
            &get,
            format!("/v2/shop/api/blobs/{d}"),
            Route::GetBlob {
                repository: name.clone(),
                digest: digest(),
                answer: Answer::Whole,
            },
        ),
        (
            &head,
            format!("/v2/shop/api/blobs/{d}"),
            Route::GetBlob {
                repository: name.clone(),
                digest: digest(),
                answer: Answer::HeadersOnly,
            },
        ),
        (
            &delete,
            format!("/v2/shop/api/blobs/{d}"),
            Route::DeleteBlob {
                repository: name.clone(),
                digest: digest(),
            },
        ),
        (
            &post,
            "/v2/shop/api/blobs/uploads/".to_owned(),
            start(UploadStart::Session {
                algorithm: Algorithm::Sha256,
            }),
        ),
        (
            &post,
            "/v2/shop/api/blobs/uploads".to_owned(),
            start(UploadStart::Session {
                algorithm: Algorithm::Sha256,
            }),
        ),
        (
            &post,
            "/v2/shop/api/blobs/uploads/?digest-algorithm=sha512".to_owned(),
            start(UploadStart::Session {
                algorithm: Algorithm::Sha512,
            }),
        ),
        (
            &post,
            format!("/v2/shop/api/blobs/uploads/?digest={d}"),
            start(UploadStart::Whole { digest: digest() }),
        ),
        (
            &post,
            format!("/v2/shop/api/blobs/uploads/?mount={d}&from=base/os"),
            start(UploadStart::Mount {
                digest: digest(),
                from: Some(repository("base/os")),
            }),
        ),
        (
            &post,
            format!("/v2/shop/api/blobs/uploads/?mount={d}&from=base%2Fos"),
            start(UploadStart::Mount {
                digest: digest(),
                from: Some(repository("base/os")),
            }),
        ),
        (
            &post,
            format!("/v2/shop/api/blobs/uploads/?mount={d}"),
            start(UploadStart::Mount {
                digest: digest(),
                from: None,
            }),
        ),
        (
            &post,
            format!("/v2/shop/api/blobs/uploads/?mount={d}&from=NotAName"),
            start(UploadStart::Session {
                algorithm: Algorithm::Sha256,
            }),
        ),
        (
            &patch,
            format!("/v2/shop/api/blobs/uploads/{ID}"),
            Route::PatchUpload {
                repository: name.clone(),
                upload,
            },
        ),
        (
            &get,
            format!("/v2/shop/api/blobs/uploads/{ID}"),
            Route::UploadStatus {
                repository: name.clone(),
                upload,
            },
        ),
        (
            &delete,
            format!("/v2/shop/api/blobs/uploads/{ID}"),
            Route::CancelUpload {
                repository: name.clone(),
                upload,
            },
        ),
        (
            &put,
            format!("/v2/shop/api/blobs/uploads/{ID}?digest={d}"),
            Route::FinishUpload {
                repository: name.clone(),
                upload,
                digest: digest(),
            },
        ),
        (
            &put,
            format!("/v2/shop/api/blobs/uploads/{ID}?digest=sha256%3A{HEX}"),
            Route::FinishUpload {
                repository: name.clone(),
                upload,
                digest: digest(),
            },
        ),
        (
            &get,
            "/v2/shop/api/manifests/1.4".to_owned(),
            Route::GetManifest {
                repository: name.clone(),
                reference: by_tag.clone(),
                answer: Answer::Whole,
            },
        ),
        (
            &head,
            format!("/v2/shop/api/manifests/{d}"),
            Route::GetManifest {
                repository: name.clone(),
                reference: ManifestRef::Digest(digest()),
                answer: Answer::HeadersOnly,
            },
        ),
        (
            &get,
            format!("/v2/shop/api/manifests/sha256%3A{HEX}"),
            Route::GetManifest {
                repository: name.clone(),
                reference: ManifestRef::Digest(digest()),
                answer: Answer::Whole,
            },
        ),
        (
            &put,
            "/v2/shop/api/manifests/1.4".to_owned(),
            Route::PutManifest {
                repository: name.clone(),
                put: ManifestPut::Tag(tag("1.4")),
            },
        ),
        (
            &put,
            format!("/v2/shop/api/manifests/{d}"),
            Route::PutManifest {
                repository: name.clone(),
                put: ManifestPut::Digest {
                    digest: digest(),
                    tags: vec![],
                },
            },
        ),
        (
            &put,
            format!("/v2/shop/api/manifests/{d}?tag=1.4&tag=a&tag=1.4"),
            Route::PutManifest {
                repository: name.clone(),
                put: ManifestPut::Digest {
                    digest: digest(),
                    tags: vec![tag("1.4"), tag("a")],
                },
            },
        ),
        (
            &delete,
            "/v2/shop/api/manifests/1.4".to_owned(),
            Route::DeleteManifest {
                repository: name.clone(),
                reference: by_tag,
            },
        ),
        (
            &get,
            "/v2/shop/api/tags/list".to_owned(),
            Route::Tags {
                repository: name.clone(),
                page: all.clone(),
            },
        ),
        (
            &get,
            "/v2/shop/api/tags/list?n=0&last=1.4".to_owned(),
            Route::Tags {
                repository: name.clone(),
                page: PageQuery {
                    n: Some(0),
                    last: Some("1.4".to_owned()),
                },
            },
        ),
        (
            &get,
            format!("/v2/shop/api/referrers/{d}?artifactType=application/a.b%2Bjson"),
            Route::Referrers {
                repository: name.clone(),
                subject: digest(),
                artifact_type: Some("application/a.b+json".to_owned()),
                page: all.clone(),
            },
        ),
        (
            &get,
            format!("/v2/shop/api/referrers/{d}?artifactType=application/a.b+json"),
            Route::Referrers {
                repository: name.clone(),
                subject: digest(),
                artifact_type: Some("application/a.b+json".to_owned()),
                page: all.clone(),
            },
        ),
        (
            &get,
            "/v2/_catalog?n=5".to_owned(),
            Route::Catalog {
                page: PageQuery {
                    n: Some(5),
                    last: None,
                },
            },
        ),
        (
            &get,
            "/v2/shop/api/_indelible/tags/1.4/history".to_owned(),
            Route::TagHistory {
                repository: name.clone(),
                tag: tag("1.4"),
                page: all.clone(),
            },
        ),
        (
            &get,
            "/v2/shop/api/_oci/tag-history/1.4?n=5".to_owned(),
            Route::TagHistory {
                repository: name.clone(),
                tag: tag("1.4"),
                page: PageQuery {
                    n: Some(5),
                    last: None,
                },
            },
        ),
        (
            &get,
            "/v2/shop/api/manifests/1.4?ns=docker.io".to_owned(),
            Route::GetManifest {
                repository: name.clone(),
                reference: ManifestRef::Tag(tag("1.4")),
                answer: Answer::Whole,
            },
        ),
    ];
    for (method, target, expected) in table {
        assert_eq!(ask(method, &target), Ok(expected), "{method} {target}");
    }
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
    assert_eq!(
        code(get(&format!("/v2/{deep}a/tags/list"))),
        (400, "NAME_INVALID")
    );
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
        (
            "/v2/a/manifests/.INVALID_MANIFEST_NAME",
            (404, "MANIFEST_UNKNOWN"),
        ),
        ("/v2/a/manifests/", (404, "MANIFEST_UNKNOWN")),
        (
            "/v2/a/manifests/sha256:baddigeststring",
            (400, "DIGEST_INVALID"),
        ),
        (
            "/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e",
            (400, "DIGEST_INVALID"),
        ),
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
    assert_eq!(
        put("/v2/a/manifests/sha256:baddigeststring"),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        put(&format!("/v2/a/manifests/sha256:{HEX}?tag=-x")),
        (400, "TAG_INVALID")
    );
    assert_eq!(
        put(&format!("/v2/a/blobs/uploads/{ID}")),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        put(&format!("/v2/a/blobs/uploads/{ID}?digest=sha3:00")),
        (400, "DIGEST_INVALID")
    );
    let twice = format!("/v2/a/blobs/uploads/{ID}?digest=sha256:{HEX}&digest=sha256:{HEX}");
    assert_eq!(put(&twice), (400, "UNSUPPORTED"));
    assert_eq!(
        post("/v2/a/blobs/uploads/?digest-algorithm=md5"),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        post("/v2/a/blobs/uploads/?mount=x"),
        (400, "DIGEST_INVALID")
    );
}

#[test]
fn a_method_that_a_place_does_not_have_is_answered_with_those_it_has() {
    for (method, target, allow) in [
        (Method::POST, "/v2/".to_owned(), "GET, HEAD"),
        (Method::GET, "/v2/a/blobs/uploads/".to_owned(), "POST"),
        (
            Method::POST,
            format!("/v2/a/blobs/uploads/{ID}"),
            "GET, PATCH, PUT, DELETE",
        ),
        (
            Method::PUT,
            format!("/v2/a/blobs/sha256:{HEX}"),
            "GET, HEAD, DELETE",
        ),
        (
            Method::PATCH,
            "/v2/a/manifests/1".to_owned(),
            "GET, HEAD, PUT, DELETE",
        ),
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
    let Ok(Route::PutManifest {
        put: ManifestPut::Digest { tags, .. },
        ..
    }) = ask(&Method::PUT, &target(46))
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

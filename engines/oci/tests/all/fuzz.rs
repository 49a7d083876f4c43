//! The fuzz bodies, each run for a while on made-up input that is near to what is accepted.

use http::Method;
use oci::fuzz;
use proptest::prelude::*;

/// Words that documents are made of, so that a made-up one comes near to a real one.
fn json() -> impl Strategy<Value = String> {
    let digest = format!("\"sha256:{}\"", "a".repeat(64));
    let image = "\"application/vnd.oci.image.manifest.v1+json\"".to_owned();
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("2".to_owned()),
        Just("-1".to_owned()),
        Just("1.5e3".to_owned()),
        Just("true".to_owned()),
        Just("\"linux\"".to_owned()),
        Just("\"a\\u0000b\"".to_owned()),
        Just(digest),
        Just(image),
    ];
    let key = prop::sample::select(vec![
        "schemaVersion",
        "mediaType",
        "digest",
        "size",
        "config",
        "layers",
        "manifests",
        "subject",
        "annotations",
        "platform",
        "os",
        "architecture",
        "data",
        "urls",
        "artifactType",
        "errors",
        "code",
        "message",
        "detail",
        "tags",
        "Layers",
        "x",
        "Config",
        "RepoTags",
        "token",
        "rootfs",
    ]);
    leaf.prop_recursive(5, 64, 8, move |inner| {
        let object = prop::collection::vec((key.clone(), inner.clone()), 0..8).prop_map(|pairs| {
            let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
            format!("{{{}}}", pairs.join(","))
        });
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![object, list.prop_map(|values| format!("[{}]", values.join(",")))]
    })
}

/// Manifests that are accepted, with some of their bytes changed.
fn near_manifest() -> impl Strategy<Value = Vec<u8>> {
    let digest = format!("sha256:{}", "0".repeat(64));
    let entry = format!(
        r#"{{"mediaType":"a/b","digest":"{digest}","size":2,"platform":{{"os":"linux","architecture":"amd64"}},"annotations":{{"k":"v"}}}}"#
    );
    let image = format!(
        r#"{{"schemaVersion":2,"config":{entry},"layers":[{entry},{entry}],"subject":{entry},"artifactType":"c/d"}}"#
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{entry}],"annotations":{{"a":"é"}}}}"#);
    let text = prop::sample::select(vec![image, index]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (text, changes).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

fn target() -> impl Strategy<Value = (String, Option<String>)> {
    let digest = format!("sha256:{}", "b".repeat(64));
    let segment = prop_oneof![
        prop::sample::select(vec![
            "shop",
            "api",
            "blobs",
            "uploads",
            "manifests",
            "tags",
            "list",
            "referrers",
            "_catalog",
            "_indelible",
            "_oci",
            "tag-history",
            "history",
            "1.4",
            "..",
            ".",
            "",
            "a%2fb",
            "%61",
            "%",
            "00000000-0000-4000-8000-000000000000",
        ])
        .prop_map(str::to_owned),
        Just(digest.clone()),
        "[a-z0-9%._/-]{0,12}",
    ];
    let parameter = prop_oneof![
        Just(format!("digest={digest}")),
        Just(format!("mount={digest}")),
        prop::sample::select(vec![
            "from=base/os",
            "from=UPPER",
            "n=5",
            "n=x",
            "n=99999999999999999999999",
            "last=a%26b",
            "tag=a",
            "tag=b",
            "tag=-",
            "artifactType=a/b%2Bc",
            "artifactType=a/b+c",
            "digest-algorithm=sha512",
        ])
        .prop_map(str::to_owned),
        "[a-z=%&+]{0,8}",
    ];
    let segments = prop::collection::vec(segment, 0..9);
    let query = prop::option::of(prop::collection::vec(parameter, 0..4));
    (segments, query).prop_map(|(segments, query)| {
        let path = format!("/v2/{}", segments.join("/"));
        (path, query.map(|parameters| parameters.join("&")))
    })
}

fn method() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_up_documents_never_panic(text in json()) {
        fuzz::documents(text.as_bytes());
    }

    #[test]
    fn changed_manifests_never_panic_and_read_back_when_they_are_read(bytes in near_manifest()) {
        fuzz::documents(&bytes);
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        fuzz::documents(&bytes);
    }

    #[test]
    fn the_router_never_panics_and_its_routes_are_written_and_read_back(
        method in method(),
        (path, query) in target(),
    ) {
        fuzz::routes(&method, &path, query.as_deref());
    }

    #[test]
    fn any_target_is_no_panic(method in method(), path in ".{0,40}", query in prop::option::of(".{0,40}")) {
        fuzz::routes(&method, &path, query.as_deref());
    }

    #[test]
    fn any_header_is_no_panic(text in prop_oneof![
        ".{0,60}",
        "(bytes=)?[0-9]{0,22}-[0-9]{0,22}",
        "(Bearer|Basic) realm=\"?[ -~]{0,20}\"?(,service=\"[ -~]{0,5}\")?",
        "<[ -~]{0,20}>; ?rel=\"?(next|prev)\"?",
        "(https:|http:|)//?[a-z.@:0-9]{0,12}(/[a-z.%]{0,6}){0,3}(\\?[a-z=&]{0,6})?",
        "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT",
    ]) {
        fuzz::headers(&text);
    }
}

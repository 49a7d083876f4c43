//! Manifests: the specifications' own examples, what is refused, and what is built.

use domain::{Digest, TagRefusal};
use oci::{
    Descriptor, DocumentError, ImageFormat, Kind, Manifest, ManifestLimit, ManifestType, extends,
};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// From OCI image-spec 1.1, manifest.md, "Example showing an image manifest".
const IMAGE: &str = r#"{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7",
    "size": 7023
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": "sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0",
      "size": 32654
    },
    {
      "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      "digest": "sha256:3c3a4604a545cdc127456d94e421cd355bca5b528f4a9c1905b15da2eb4a4c6b",
      "size": 16724
    }
  ],
  "subject": {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "digest": "sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270",
    "size": 7682
  },
  "annotations": { "com.example.key1": "value1" }
}"#;

/// From OCI image-spec 1.1, image-index.md, "Example Image Index", with an attestation added.
const INDEX: &str = r#"{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.index.v1+json",
  "manifests": [
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "size": 7143,
      "digest": "sha256:e692418e4cbaf90ca69d05a66403747baa33ee08806650b51fab815ad7fc331f",
      "platform": { "architecture": "ppc64le", "os": "linux" }
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "size": 566,
      "digest": "sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270",
      "platform": { "architecture": "unknown", "os": "unknown" }
    }
  ]
}"#;

/// From distribution's "Image Manifest V 2, Schema 2", shortened to one layer.
const DOCKER: &str = r#"{
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7",
        "size": 7023
    },
    "layers": [
        {
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "digest": "sha256:e692418e4cbaf90ca69d05a66403747baa33ee08806650b51fab815ad7fc331f",
            "size": 32654,
            "urls": ["https://example.com/layer"]
        }
    ]
}"#;

fn read(text: &str) -> Result<Manifest, DocumentError> {
    Manifest::read(text.as_bytes(), None)
}

#[test]
fn the_image_of_the_specification_is_read() {
    let manifest = Manifest::read(IMAGE.as_bytes(), Some(OCI_IMAGE)).unwrap();
    assert_eq!(manifest.media_type, ManifestType::OciImage);
    assert_eq!(manifest.config().unwrap().size, 7023);
    assert_eq!(manifest.layers().len(), 2);
    let subject = manifest.subject.as_ref().unwrap();
    assert!(subject.digest.hex().starts_with("5b0bcabd"));
    assert_eq!(manifest.annotations["com.example.key1"], "value1");
    // The layer that may not be distributed is not asked for.
    let blobs: Vec<u64> = manifest.blobs().map(|blob| blob.size).collect();
    assert_eq!(blobs, [7023, 32654]);
}

#[test]
fn the_index_of_the_specification_is_read() {
    let manifest = Manifest::read(INDEX.as_bytes(), Some(OCI_INDEX)).unwrap();
    let platform = |at: usize| manifest.children()[at].platform.clone().unwrap();
    assert_eq!(platform(0).to_string(), "linux/ppc64le");
    assert!(platform(1).is_unknown());
    assert_eq!(manifest.blobs().count(), 0);
}

#[test]
fn docker_s_manifest_is_read_and_its_foreign_layers_are_not_asked_for() {
    let manifest = read(DOCKER).unwrap();
    assert_eq!(manifest.media_type, ManifestType::DockerImage);
    assert_eq!(manifest.blobs().count(), 1);
}

#[test]
fn the_type_is_the_request_s_then_the_document_s_then_its_shape_s() {
    let bare =
        IMAGE.replacen(&format!("\"mediaType\": \"{OCI_IMAGE}\",\n  \"config\""), "\"config\"", 1);
    assert!(!bare.starts_with(IMAGE.split("config").next().unwrap()));
    for (text, content_type, expected) in [
        (bare.as_str(), None, ManifestType::OciImage),
        (&bare, Some(DOCKER_IMAGE), ManifestType::DockerImage),
        (IMAGE, Some("application/json"), ManifestType::OciImage),
        (IMAGE, Some(""), ManifestType::OciImage),
        (
            IMAGE,
            Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
            ManifestType::OciImage,
        ),
        (DOCKER, Some("application/octet-stream"), ManifestType::DockerImage),
    ] {
        let manifest = Manifest::read(text.as_bytes(), content_type).unwrap();
        assert_eq!(manifest.media_type, expected, "{content_type:?}");
    }
}

/// Reads each text, with `@` replaced by a descriptor, and looks for the words in the refusal.
fn refused(cases: &[(&str, &str)]) {
    let zeros = "0".repeat(64);
    let descriptor = format!(r#"{{"mediaType":"a/b","digest":"sha256:{zeros}","size":1}}"#);
    for (text, expected) in cases {
        let text = text.replace('@', &descriptor);
        let refused = read(&text).unwrap_err().to_string();
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    refused(&[
        (r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "both `manifests` and `layers`"),
        (r#"{"schemaVersion":2,"manifests":[],"config":@}"#, "both `manifests` and `config`"),
        (r#"{"schemaVersion":2,"config":@,"layers":[],"layers":[]}"#, "duplicate key \"layers\""),
        (r#"{"schemaVersion":2,"config":@,"Layers":[]}"#, "`Layers` is read as `layers`"),
        (r#"{"schemaVersion":2,"config":{"Digest":1}}"#, "`Digest` is read as `digest`"),
        (r#"{"schemaVersion":2,"config":@,"fsLayers":[]}"#, "schema 1"),
        (r#"{"schemaVersion":2,"config":@}{}"#, "trailing characters"),
    ]);
    let platform = INDEX.replace("\"os\"", "\"OS\"");
    let found = read(&platform).unwrap_err().to_string();
    assert!(found.contains("`OS` is read as `os`"), "{found}");
}

#[test]
fn what_is_not_what_its_type_has_is_refused() {
    refused(&[
        (r#"{"schemaVersion":1,"config":@}"#, "`schemaVersion` is 1"),
        (r#"{"config":@}"#, "`schemaVersion` is missing"),
        (r#"{"schemaVersion":2}"#, "no `config`"),
        (r#"{"schemaVersion":2,"mediaType":"application/x","manifests":[]}"#, "not a manifest's"),
        (r#"{"schemaVersion":2,"config":7}"#, "config"),
        (r#"{"schemaVersion":2,"config":@,"layers":[{}]}"#, "layers[0]"),
        (r#"{"schemaVersion":2,"config":@,"subject":{}}"#, "subject"),
        (r#"{"schemaVersion":2,"config":@,"annotations":{"a":1}}"#, "invalid type"),
        ("[]", "invalid type"),
    ]);
    for (content_type, text, expected) in [
        (OCI_INDEX, r#"{"schemaVersion":2,"config":{}}"#, "no `manifests`"),
        (OCI_IMAGE, r#"{"schemaVersion":2,"manifests":[]}"#, "has `manifests`"),
    ] {
        let found = Manifest::read(text.as_bytes(), Some(content_type)).unwrap_err();
        assert!(found.to_string().contains(expected), "{found}");
    }
}

#[test]
fn a_content_type_that_is_not_the_document_s_is_refused() {
    let refused = Manifest::read(IMAGE.as_bytes(), Some(OCI_INDEX));
    assert!(matches!(refused, Err(DocumentError::TypesDiffer { .. })));
    let refused = Manifest::read(IMAGE.as_bytes(), Some(DOCKER_IMAGE));
    assert!(matches!(refused, Err(DocumentError::TypesDiffer { .. })));
}

#[test]
fn schema_1_is_refused_with_what_to_do() {
    let text =
        r#"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[],"signatures":[]}"#;
    for content_type in [None, Some("application/json")] {
        assert!(Manifest::read(text.as_bytes(), content_type).is_err());
    }
    let signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let refused = Manifest::read(text.as_bytes(), Some(signed)).unwrap_err();
    assert!(refused.to_string().contains("push the image again"));
}

#[test]
fn a_manifest_is_read_at_4_mib_and_refused_above_unless_set() {
    let padded = |length: usize| format!("{IMAGE}{}", " ".repeat(length - IMAGE.len()));
    let (at, above) = (padded(4_194_304), padded(4_194_305));
    assert!(read(&at).is_ok());
    let expected = DocumentError::Size { found: 4_194_305, max: 4_194_304 };
    assert_eq!(expected.answer().0.as_u16(), 413);
    assert_eq!(read(&above), Err(expected));
    let set = ManifestLimit::new(16 << 20).unwrap();
    let within = |text: &str| Manifest::read_within(text.as_bytes(), None, set);
    assert!(within(&above).is_ok());
    assert!(within(&padded(16 << 20)).is_ok());
    assert!(within(&padded((16 << 20) + 1)).is_err());
}

#[test]
fn null_lists_read_as_go_writes_them() {
    let text = IMAGE.replace(
        "\"annotations\": { \"com.example.key1\": \"value1\" }",
        "\"annotations\": null, \"manifests\": null",
    );
    assert!(read(&text).unwrap().annotations.is_empty());
    let config = r#"{"mediaType":"a/b","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":1}"#;
    let text = format!(r#"{{"schemaVersion":2,"config":{config},"layers":null}}"#);
    assert!(read(&text).unwrap().layers().is_empty());
}

fn image(layers: &[&str]) -> Manifest {
    let layers = layers.iter().map(|layer| Descriptor::of("a/layer", layer.as_bytes()));
    // As cosign does: the configuration lists the layers, so that it changes with them.
    let layers: Vec<Descriptor> = layers.collect();
    let config = Descriptor::of("a/config", format!("{layers:?}").as_bytes());
    Manifest::image(ImageFormat::Oci, config, layers)
}

#[test]
fn an_append_tag_may_grow_and_never_shrink() {
    let (one, two) = (image(&["a"]), image(&["a", "b"]));
    assert!(extends(&two, &one));
    assert!(extends(&one, &one));
    assert!(extends(&image(&["b", "c", "a"]), &two));
    assert!(!extends(&one, &two));
    assert!(!extends(&image(&["b"]), &one));
    let index = |manifests: &[&str]| {
        let entries = manifests.iter().map(|m| Descriptor::of(OCI_IMAGE, m.as_bytes()));
        Manifest::index(ImageFormat::Oci, entries.collect())
    };
    assert!(extends(&index(&["a", "b"]), &index(&["a"])));
    assert!(!extends(&index(&["b"]), &index(&["a"])));
    // An empty image drops nothing, but it is no list any more.
    assert!(!extends(&image(&[]), &index(&[])));
    let mut attached = image(&["a"]);
    attached.subject = Some(Descriptor::of(OCI_IMAGE, b"s"));
    assert!(extends(&attached, &one));
    assert!(!extends(&two, &attached));
}

#[test]
fn a_built_manifest_has_the_same_bytes_each_time_and_reads_back() {
    let mut layer = Descriptor::of("application/vnd.oci.image.layer.v1.tar+gzip", b"layer");
    layer.annotations.insert("k".to_owned(), "v".to_owned());
    let config = Descriptor::of("application/vnd.oci.image.config.v1+json", b"{}");
    let manifest = Manifest::image(ImageFormat::Oci, config, vec![layer]);
    let expected = concat!(
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
        r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json","#,
        r#""digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"#,
        r#""layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","#,
        r#""digest":"LAYER","size":5,"annotations":{"k":"v"}}]}"#,
    );
    let expected = expected.replace("LAYER", &Digest::sha256(b"layer").to_string());
    assert_eq!(String::from_utf8(manifest.write()).unwrap(), expected);
    assert_eq!(Manifest::read(&manifest.write(), Some(OCI_IMAGE)), Ok(manifest));

    let mut child = Descriptor::of(OCI_IMAGE, b"m");
    child.platform = Some("linux/arm64/v8".parse().unwrap());
    for format in [ImageFormat::Oci, ImageFormat::Docker] {
        let mut index = Manifest::index(format, vec![child.clone()]);
        index.subject = Some(Descriptor::of(OCI_IMAGE, b"s"));
        index.artifact_type = Some("a/b".to_owned());
        let text = String::from_utf8(index.write()).unwrap();
        assert!(
            text.contains(r#""platform":{"architecture":"arm64","os":"linux","variant":"v8"}"#)
        );
        let Kind::Index { manifests } = read(&text).unwrap().kind else {
            panic!("an index expected");
        };
        assert_eq!(manifests, [child.clone()]);
        assert_eq!(read(&text), Ok(index));
    }
}

#[test]
fn refusals_of_documents_and_tags_have_their_answers() {
    let (status, code) = read("{}").unwrap_err().answer();
    assert_eq!((status.as_u16(), code.as_str()), (400, "MANIFEST_INVALID"));
    let digest = Digest::sha256(b"");
    let (repository, tag) = ("a".parse().unwrap(), "b".parse().unwrap());
    let refusal = TagRefusal::Taken { digest };
    let taken = oci::RefusedWrite::new(refusal, repository, tag, digest, None);
    assert_eq!(taken.status().as_u16(), 409);
}

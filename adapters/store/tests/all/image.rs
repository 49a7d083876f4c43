//! What a write of a manifest records about the image: all that its bytes say, or nothing.

use crate::shop::{Shop, put_of, repository, tag};
use bytes::Bytes;
use domain::{Digest, Platform};
use oci::media_type::{OCI_CONFIG, OCI_EMPTY};
use oci::{Descriptor, ImageFormat, Manifest};
use record::Kind;
use record::claim::{ImageClaim, PlatformImage};
use store::{IMAGE_FACTS_BYTES_MAX, IMAGE_PLATFORMS_MAX, Query};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn platform(text: &str) -> Option<Platform> {
    Some(text.parse().unwrap())
}

/// A configuration of this platform and length, in the repository.
async fn config(shop: &Shop, platform: &str, bytes: usize) -> Descriptor {
    let (os, architecture) = platform.split_once('/').unwrap();
    let said = format!(r#"{{"os":"{os}","architecture":"{architecture}"}}"#);
    let mut text = said.into_bytes();
    text.resize(text.len().max(bytes), b' ');
    keep(shop, OCI_CONFIG, text).await
}

async fn keep(shop: &Shop, media_type: &str, bytes: Vec<u8>) -> Descriptor {
    let described = Descriptor::of(media_type, &bytes);
    shop.folder.blobs().write(described.digest, Bytes::from(bytes)).await.unwrap();
    shop.catalog.link_blob(repository(), described.digest, described.size).await.unwrap();
    described
}

/// Asks for the facts of a manifest, and writes it with them as the server does; gives them.
async fn put(shop: &Shop, manifest: Manifest) -> (Digest, Option<ImageClaim>) {
    let mut put = put_of(manifest, &[]);
    let (digest, size) = (put.digest, put.bytes.len() as u64);
    put.image = shop.catalog.image(&repository(), digest, size, &put.manifest).await.unwrap();
    let image = put.image.clone();
    shop.catalog.put_manifest(put).await.unwrap();
    (digest, image)
}

fn image(config: Descriptor) -> Manifest {
    Manifest::image(ImageFormat::Oci, config, Vec::new())
}

async fn recorded(shop: &Shop, digest: &Digest) -> Vec<ImageClaim> {
    let query = Query { kinds: vec![Kind::Image], limit: 10, ..Query::default() };
    let events = shop.ledger.events(query).await.unwrap();
    let claims = events.into_iter().filter_map(|event| {
        let record::Claim::Image(claim) = event.event.claim else { return None };
        (claim.digest == *digest).then_some(claim)
    });
    claims.collect()
}

#[tokio::test]
async fn an_image_is_recorded_once_with_the_platform_that_its_configuration_says() {
    let shop = Shop::open();
    let config = config(&shop, "linux/arm64", 0).await;
    let manifest = image(config.clone());
    let size = manifest.write().len() as u64;
    let (digest, _) = put(&shop, manifest.clone()).await;
    let expected = ImageClaim {
        key: format!("image/{digest}").try_into().unwrap(),
        digest,
        media_type: MANIFEST.to_owned(),
        size,
        platforms: vec![PlatformImage {
            platform: platform("linux/arm64"),
            manifest: digest,
            config: Some(config.digest),
        }],
    };
    assert_eq!(recorded(&shop, &digest).await, [expected]);
    // From memory now, and no second event.
    put(&shop, manifest).await;
    assert_eq!(recorded(&shop, &digest).await.len(), 1);
    assert_eq!(shop.ledger.verify().await.unwrap().problems, []);
}

#[tokio::test]
async fn an_index_is_recorded_with_what_it_lists_and_no_attestations() {
    let shop = Shop::open();
    let mut entries = Vec::new();
    let mut expected = Vec::new();
    let said = [("linux/amd64", Some("linux/amd64")), ("linux/arm64", Some("linux/arm64/v8"))];
    let unsaid = [("linux/s390x", None), ("linux/ppc64le", Some("unknown/unknown"))];
    for (in_config, in_index) in said.into_iter().chain(unsaid) {
        let config = config(&shop, in_config, 0).await;
        let manifest = image(config.clone());
        let mut entry = Descriptor::of(MANIFEST, &manifest.write());
        put(&shop, manifest).await;
        entry.platform = in_index.and_then(platform);
        if in_index != Some("unknown/unknown") {
            expected.push(PlatformImage {
                // What the index says comes before what the configuration says.
                platform: platform(in_index.unwrap_or(in_config)),
                manifest: entry.digest,
                config: Some(config.digest),
            });
        }
        entries.push(entry);
    }
    let (digest, image) = put(&shop, Manifest::index(ImageFormat::Oci, entries)).await;
    assert_eq!(image.unwrap().platforms, expected);
    assert_eq!(recorded(&shop, &digest).await.len(), 1);
}

#[tokio::test]
async fn what_is_no_image_is_recorded_as_none() {
    let shop = Shop::open();
    let empty = keep(&shop, OCI_EMPTY, b"{}".to_vec()).await;
    assert_eq!(put(&shop, image(empty)).await.1, None);
    let attestation = config(&shop, "unknown/unknown", 0).await;
    for _ in 0..2 {
        assert_eq!(put(&shop, image(attestation.clone())).await.1, None);
    }
}

#[tokio::test]
async fn facts_are_read_within_4_mib_and_not_one_byte_more() {
    let shop = Shop::open();
    let at = usize::try_from(IMAGE_FACTS_BYTES_MAX).unwrap();
    assert_eq!(at, 4_194_304);
    let fits = config(&shop, "linux/amd64", at).await;
    assert!(put(&shop, image(fits)).await.1.is_some());
    let above = config(&shop, "linux/amd64", at + 1).await;
    let (digest, none) = put(&shop, image(above)).await;
    assert_eq!((none, recorded(&shop, &digest).await), (None, Vec::new()));
}

/// An index of one manifest so many times, for another platform each.
async fn index_of(shop: &Shop, count: usize) -> Manifest {
    let manifest = image(config(shop, "linux/amd64", 0).await);
    let entry = Descriptor::of(MANIFEST, &manifest.write());
    put(shop, manifest).await;
    let entries = (0..count).map(|at| {
        let mut entry = entry.clone();
        entry.platform = platform(&format!("linux/a{at}"));
        entry
    });
    Manifest::index(ImageFormat::Oci, entries.collect())
}

#[tokio::test]
async fn an_image_is_recorded_with_256_platforms_and_not_with_257() {
    let shop = Shop::open();
    assert_eq!(IMAGE_PLATFORMS_MAX, 256);
    let at = index_of(&shop, IMAGE_PLATFORMS_MAX).await;
    let (digest, image) = put(&shop, at).await;
    assert_eq!(image.unwrap().platforms.len(), 256);
    assert_eq!(recorded(&shop, &digest).await.len(), 1);
    let above = index_of(&shop, IMAGE_PLATFORMS_MAX + 1).await;
    let (digest, image) = put(&shop, above).await;
    assert_eq!((image, recorded(&shop, &digest).await), (None, Vec::new()));
}

#[tokio::test]
async fn facts_that_are_longer_than_an_event_are_no_reason_to_refuse_the_image() {
    let shop = Shop::open();
    let Manifest { kind: oci::Kind::Index { manifests }, .. } = index_of(&shop, 256).await else {
        panic!("an index lists manifests");
    };
    let long = manifests.into_iter().enumerate().map(|(at, mut entry)| {
        entry.platform = platform(&format!("{at:064}/{at:064}/{at:064}"));
        entry
    });
    let index = Manifest::index(ImageFormat::Oci, long.collect());
    let (digest, image) = put(&shop, index).await;
    assert!(image.is_some());
    assert_eq!(recorded(&shop, &digest).await, []);
}

#[tokio::test]
async fn a_configuration_that_is_damaged_missing_or_of_others_leaves_the_facts_out() {
    let shop = Shop::open();
    let facts = async |config: Descriptor| {
        let manifest = image(config);
        let bytes = manifest.write();
        let (digest, size) = (Digest::sha256(&bytes), bytes.len() as u64);
        shop.catalog.image(&repository(), digest, size, &manifest).await.unwrap()
    };
    let damaged = config(&shop, "linux/amd64", 0).await;
    let hex = damaged.digest.hex();
    let file = shop.folder.path().join("blobs/sha256").join(&hex[..2]).join(&hex);
    std::fs::write(file, r#"{"os":"linux","architecture":"arm64"}"#).unwrap();
    assert_eq!(facts(damaged).await, None);
    let missing = config(&shop, "linux/s390x", 0).await;
    shop.folder.blobs().remove(&missing.digest).await.unwrap();
    assert_eq!(facts(missing).await, None);
    let elsewhere = br#"{"os":"linux","architecture":"riscv64"}"#;
    let of_others = Descriptor::of(OCI_CONFIG, elsewhere);
    let bytes = Bytes::from_static(elsewhere);
    shop.folder.blobs().write(of_others.digest, bytes).await.unwrap();
    shop.catalog.link_blob("other".parse().unwrap(), of_others.digest, 38).await.unwrap();
    assert_eq!(facts(of_others).await, None);
    assert!(shop.catalog.tag(&repository(), &tag("v1")).await.unwrap().is_none());
}

//! The registry at a PUT and `publish` afterwards read the same bytes: their claims about the image are one.

use std::path::Path;

use e2e::{Image, Server, push_blob, put_manifest, sha256};
use record::{Claim, Kind};
use store::{Database, Ledger, Query, Stamping};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The image claims of a record that nobody writes now, by digest.
async fn images(record: &Path) -> Vec<Claim> {
    let ledger = Ledger::new(Database::open(record).unwrap());
    let query = Query { kinds: vec![Kind::Image], limit: 100, ..Query::default() };
    let events = ledger.events(query).await.unwrap();
    events.into_iter().map(|event| event.event.claim).collect()
}

/// An index of two platforms, one of which only its configuration tells, and of an attestation.
fn index(one: &Image, other: &Image, attestation: &Image) -> Vec<u8> {
    let entry = |image: &Image, platform: &str| {
        format!(
            r#"{{"mediaType":"{}","digest":"{}","size":{}{platform}}}"#,
            image.media_type,
            image.digest(),
            image.manifest.len()
        )
    };
    let [said, nowhere] = [("arm64", "linux"), ("unknown", "unknown")].map(|(processor, os)| {
        format!(r#","platform":{{"architecture":"{processor}","os":"{os}"}}"#)
    });
    let entries = [entry(one, &said), entry(other, ""), entry(attestation, &nowhere)].join(",");
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entries}]}}"#).into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "git is where the machine's PATH says")]
fn publish(home: &Path, host: &str, digest: &str, tag: &str) {
    let output = std::process::Command::new(testbed::indelible_bin().unwrap())
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .args(["publish", "--pushed", &format!("{host}/shop/api@{digest}"), "--tag", tag])
        .arg("--record")
        .arg(format!("file:{}", home.join("record.db").display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_put_and_a_publish_of_the_same_image_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data) = (folder.path(), folder.path().join("data"));
    let server = Server::start(&data).unwrap();
    let mut http = server.connect().unwrap();
    let [one, other, attestation] =
        ["good morning", "good evening", "signed"].map(|words| Image::oci(words).unwrap());
    for image in [&one, &other, &attestation] {
        for blob in image.blobs() {
            push_blob(&mut http, "shop/api", &blob.bytes).unwrap();
        }
        let (name, bytes) = (image.digest(), &image.manifest);
        let put = put_manifest(&mut http, "shop/api", &name, image.media_type, bytes);
        put.unwrap().expect(201).unwrap();
    }
    let index = index(&one, &other, &attestation);
    let top = sha256(&index);
    let put = put_manifest(&mut http, "shop/api", &top, INDEX, &index);
    put.unwrap().expect(201).unwrap();
    publish(home, server.host(), &one.digest(), "1");
    publish(home, server.host(), &top, "2");
    server.stop().unwrap();
    agree(&home.join("record.db"), &data.join("indelible.db"));
}

#[tokio::main(flavor = "current_thread")]
async fn agree(published: &Path, registry: &Path) {
    let claims = images(published).await;
    assert_eq!(claims.len(), 2);
    let there = images(registry).await;
    for claim in &claims {
        assert!(there.contains(claim), "{claim:?} is not among {there:?}");
    }
    // In one record, the second to say it makes no event and meets no conflict.
    let ledger = Ledger::new(Database::open(registry).unwrap());
    let by = Stamping {
        actor: domain::Actor::new("ci", domain::Proof::Token).unwrap(),
        now: domain::Timestamp::from_millis(1_773_758_398_000),
        randomness: 1,
        cause: None,
    };
    let appended = ledger.append(claims, by).await.unwrap();
    assert!(appended.iter().all(|appended| !appended.is_new), "{appended:?}");
}

//! regctl, which speaks the newest parts of the specification: referrers, deleting one tag, mounting.

use std::fs;
use std::path::Path;
use std::process::Command;

use testbed::Peer;

use super::{Meeting, assert_pulled, client, is_refused, succeed, two_images};

fn regctl(regctl: &Peer, meeting: &Meeting, arguments: &[&str]) -> Command {
    let mut command = regctl.command_at_home(meeting.home());
    command.arg("--host").arg(format!("reg={},tls=disabled", meeting.host())).args(arguments);
    command
}

#[test]
fn regctl_pushes_pulls_mounts_lists_and_deletes() {
    let Some(peer) = client("regctl", "regctl_pushes_pulls_mounts_lists_and_deletes") else {
        return;
    };
    let mut meeting = Meeting::start();
    let (image, other) = two_images();
    let from = format!("ocidir://{}:first", meeting.layout("first", &image));
    let from_other = format!("ocidir://{}:second", meeting.layout("second", &other));
    let name = meeting.name("shop/api:1");
    let copy = |meeting: &Meeting, from: &str, to: &str| {
        regctl(&peer, meeting, &["image", "copy", from, to])
    };

    succeed(&mut copy(&meeting, &from, &name));
    meeting.assert_holds("shop/api", "1", &image);

    let pulled = meeting.home().join("pulled");
    let to = format!("ocidir://{}:first", pulled.display());
    succeed(&mut copy(&meeting, &name, &to));
    assert_pulled(&pulled, &image);

    succeed(&mut copy(&meeting, &from, &name));
    assert_eq!(meeting.changes("shop/api", "1"), 1);
    is_refused(&mut copy(&meeting, &from_other, &name));
    meeting.assert_holds("shop/api", "1", &image);

    let elsewhere = meeting.name("shop/mirror/api:1");
    succeed(&mut copy(&meeting, &name, &elsewhere));
    meeting.assert_holds("shop/mirror/api", "1", &image);

    let second = meeting.name("shop/api:1.0");
    succeed(&mut copy(&meeting, &name, &second));
    let listed = succeed(&mut regctl(&peer, &meeting, &["tag", "ls", &meeting.name("shop/api")]));
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["1", "1.0"]);

    succeed(&mut regctl(&peer, &meeting, &["tag", "rm", &name]));
    meeting.assert_lacks("shop/api", "1");
    meeting.assert_holds("shop/api", "1.0", &image);
    let by_digest = format!("{}@{}", meeting.name("shop/api"), image.digest());
    succeed(&mut regctl(&peer, &meeting, &["manifest", "delete", &by_digest]));
    assert!(meeting.listed("shop/api").is_empty());
}

/// The file that is attached, and its way back.
fn attach(peer: &Peer, meeting: &Meeting, file: &Path, name: &str) -> String {
    let mut command = regctl(peer, meeting, &["artifact", "put"]);
    command
        .args(["--subject", name])
        .args(["--artifact-type", "application/spdx+json"])
        .args(["--file-media-type", "application/spdx+json"])
        .arg("--file")
        .arg(file);
    succeed(&mut command)
}

#[test]
fn regctl_attaches_a_referrer_lists_it_and_reads_it_back() {
    let test = "regctl_attaches_a_referrer_lists_it_and_reads_it_back";
    let Some(peer) = client("regctl", test) else {
        return;
    };
    let mut meeting = Meeting::start();
    let (image, _) = two_images();
    let name = meeting.name("shop/api:1");
    e2e::push(&mut meeting.http, "shop/api", "1", &image).unwrap();
    let sbom = meeting.home().join("sbom.json");
    fs::write(&sbom, r#"{"spdxVersion":"SPDX-2.3"}"#).unwrap();

    attach(&peer, &meeting, &sbom, &name);

    let target = format!("/v2/shop/api/referrers/{}", image.digest());
    let answer = meeting.http.get(&target).unwrap().expect(200).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let attached = index["manifests"].as_array().unwrap();
    assert_eq!(attached.len(), 1, "{index}");
    assert_eq!(attached[0]["artifactType"], "application/spdx+json");
    // No tag of the fallback scheme: the registry answers for referrers itself.
    assert_eq!(meeting.listed("shop/api"), ["1"]);

    let listed = succeed(&mut regctl(&peer, &meeting, &["artifact", "list", &name]));
    assert!(listed.contains(attached[0]["digest"].as_str().unwrap()), "{listed}");
    let read = succeed(&mut regctl(&peer, &meeting, &["artifact", "get", "--subject", &name]));
    assert_eq!(read, fs::read_to_string(&sbom).unwrap());
}

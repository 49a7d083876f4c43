//! skopeo, which copies between any two places.

use std::process::Command;

use testbed::Peer;

use super::{Meeting, assert_pulled, client, is_refused, succeed, two_images};

fn copy(skopeo: &Peer, meeting: &Meeting, from: &str, to: &str) -> Command {
    let mut command = skopeo.command_at_home(meeting.home());
    command.args(["--insecure-policy", "copy", "--preserve-digests"]);
    for (option, place) in [("--src-tls-verify=false", from), ("--dest-tls-verify=false", to)] {
        if place.starts_with("docker://") {
            command.arg(option);
        }
    }
    command.args([from, to]);
    command
}

#[test]
fn skopeo_pushes_pulls_copies_lists_and_deletes() {
    let Some(skopeo) = client("skopeo", "skopeo_pushes_pulls_copies_lists_and_deletes") else {
        return;
    };
    let mut meeting = Meeting::start();
    let (image, other) = two_images();
    let from = format!("oci:{}:first", meeting.layout("first", &image));
    let from_other = format!("oci:{}:second", meeting.layout("second", &other));
    let name = format!("docker://{}", meeting.name("shop/api:1"));

    succeed(&mut copy(&skopeo, &meeting, &from, &name));
    meeting.assert_holds("shop/api", "1", &image);

    let pulled = meeting.home().join("pulled");
    let to = format!("oci:{}:first", pulled.display());
    succeed(&mut copy(&skopeo, &meeting, &name, &to));
    assert_pulled(&pulled, &image);

    // The same again is no change, another one is refused.
    succeed(&mut copy(&skopeo, &meeting, &from, &name));
    assert_eq!(meeting.changes("shop/api", "1"), 1);
    is_refused(&mut copy(&skopeo, &meeting, &from_other, &name));
    meeting.assert_holds("shop/api", "1", &image);

    let elsewhere = format!("docker://{}", meeting.name("shop/mirror/api:1"));
    succeed(&mut copy(&skopeo, &meeting, &name, &elsewhere));
    meeting.assert_holds("shop/mirror/api", "1", &image);

    let mut list = skopeo.command_at_home(meeting.home());
    list.args(["list-tags", "--tls-verify=false"]);
    let listed = succeed(list.arg(format!("docker://{}", meeting.name("shop/api"))));
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["Tags"], serde_json::json!(["1"]));

    let mut delete = skopeo.command_at_home(meeting.home());
    succeed(delete.args(["delete", "--tls-verify=false", &name]));
    meeting.assert_lacks("shop/api", "1");
    meeting.assert_holds("shop/mirror/api", "1", &image);
    // The name stays burnt.
    let burnt = copy(&skopeo, &meeting, &from_other, &name).output().unwrap();
    assert!(!burnt.status.success());
    meeting.assert_lacks("shop/api", "1");
}

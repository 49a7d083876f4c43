//! crane, the client of go-containerregistry, which kaniko, ko and many others build on.

use std::process::Command;

use testbed::Peer;

use super::{Meeting, assert_pulled, client, is_refused, said, succeed, two_images};

fn crane(crane: &Peer, meeting: &Meeting, arguments: &[&str]) -> Command {
    let mut command = crane.command_at_home(meeting.home());
    command.arg("--insecure").args(arguments);
    command
}

#[test]
fn crane_pushes_pulls_mounts_lists_and_deletes() {
    let Some(peer) = client("crane", "crane_pushes_pulls_mounts_lists_and_deletes") else {
        return;
    };
    let mut meeting = Meeting::start();
    let (image, other) = two_images();
    let from = meeting.layout("first", &image);
    let from_other = meeting.layout("second", &other);
    let name = meeting.name("shop/api:1");

    succeed(&mut crane(&peer, &meeting, &["push", &from, &name]));
    meeting.assert_holds("shop/api", "1", &image);
    let digest = succeed(&mut crane(&peer, &meeting, &["digest", &name]));
    assert_eq!(digest, image.digest());

    let pulled = meeting.home().join("pulled");
    let to = pulled.to_str().unwrap();
    succeed(&mut crane(&peer, &meeting, &["pull", "--format=oci", &name, to]));
    assert_pulled(&pulled, &image);

    succeed(&mut crane(&peer, &meeting, &["push", &from, &name]));
    assert_eq!(meeting.changes("shop/api", "1"), 1);
    is_refused(&mut crane(&peer, &meeting, &["push", &from_other, &name]));
    meeting.assert_holds("shop/api", "1", &image);

    // A copy inside one registry mounts the blobs.
    let elsewhere = meeting.name("shop/mirror/api:1");
    let mut copy = crane(&peer, &meeting, &["copy", &name, &elsewhere]);
    let copied = said(&copy.output().unwrap());
    let mounted = format!("mounted blob: {}", image.layer.digest);
    assert!(copied.contains(&mounted), "{copied}");
    meeting.assert_holds("shop/mirror/api", "1", &image);

    // A second name for the same bytes.
    succeed(&mut crane(&peer, &meeting, &["tag", &name, "1.0"]));
    let listed = succeed(&mut crane(&peer, &meeting, &["ls", &meeting.name("shop/api")]));
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["1", "1.0"]);
    let catalog = succeed(&mut crane(&peer, &meeting, &["catalog", meeting.host()]));
    assert_eq!(catalog.lines().collect::<Vec<_>>(), ["shop/api", "shop/mirror/api"]);

    succeed(&mut crane(&peer, &meeting, &["delete", &name]));
    meeting.assert_lacks("shop/api", "1");
    let burnt = crane(&peer, &meeting, &["push", &from_other, &name]).output().unwrap();
    assert!(!burnt.status.success());
}

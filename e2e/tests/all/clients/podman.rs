//! podman, which keeps unpacked layers and writes its own manifest when it pushes.

use std::process::Command;

use testbed::Peer;

use super::{Meeting, client, is_refused, succeed, two_images};

fn podman(podman: &Peer, meeting: &Meeting, arguments: &[&str]) -> Command {
    let mut command = podman.command_at_home(meeting.home());
    command.args(arguments);
    command
}

#[test]
fn podman_pulls_and_pushes_byte_for_byte() {
    let Some(peer) = client("podman", "podman_pulls_and_pushes_byte_for_byte") else {
        return;
    };
    let mut meeting = Meeting::start();
    let (image, other) = two_images();
    // What podman carries came from this registry once: it then knows the packed form of the layers.
    e2e::push(&mut meeting.http, "shop/base", "1", &image).unwrap();
    e2e::push(&mut meeting.http, "shop/base", "2", &other).unwrap();
    let (base, base_other) = (meeting.name("shop/base:1"), meeting.name("shop/base:2"));
    for base in [&base, &base_other] {
        let pull = ["pull", "--quiet", "--tls-verify=false", base];
        succeed(&mut podman(&peer, &meeting, &pull));
    }
    let inspect = ["image", "inspect", "--format", "{{.Digest}} {{.Id}}", &base];
    let pulled = succeed(&mut podman(&peer, &meeting, &inspect));
    let id = image.config.digest.strip_prefix("sha256:").unwrap();
    assert_eq!(pulled, format!("{} {id}", image.digest()));

    let name = meeting.name("shop/api:1");
    let push = |meeting: &Meeting, from: &str| {
        podman(&peer, meeting, &["push", "--tls-verify=false", from, &name])
    };
    succeed(&mut push(&meeting, &base));
    meeting.assert_holds("shop/api", "1", &image);

    succeed(&mut push(&meeting, &base));
    assert_eq!(meeting.changes("shop/api", "1"), 1);
    is_refused(&mut push(&meeting, &base_other));
    meeting.assert_holds("shop/api", "1", &image);

    let mut search = podman(&peer, &meeting, &["search", "--tls-verify=false"]);
    search.args(["--list-tags", "--no-trunc"]);
    let listed = succeed(search.arg(meeting.name("shop/base")));
    // A heading, then `NAME  TAG`.
    let listed: Vec<_> = listed.lines().skip(1).collect();
    let listed: Vec<_> = listed.iter().filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(listed, ["1", "2"]);
}

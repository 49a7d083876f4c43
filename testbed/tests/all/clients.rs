//! buildah, podman, skopeo, crane and regctl meet at one registry and agree on the digest.

use std::path::Path;

use testbed::{Distribution, Missing, Peer, peer};

use crate::image::{output, root_archive};

struct Clients {
    buildah: Peer,
    podman: Peer,
    skopeo: Peer,
    crane: Peer,
    regctl: Peer,
}

impl Clients {
    fn find() -> Result<Self, Missing> {
        Ok(Self {
            buildah: peer("buildah")?,
            podman: peer("podman")?,
            skopeo: peer("skopeo")?,
            crane: peer("crane")?,
            regctl: peer("regctl")?,
        })
    }

    fn print_versions(&self) {
        for peer in [&self.buildah, &self.podman, &self.skopeo, &self.crane, &self.regctl] {
            println!("with {}", peer.version());
        }
    }
}

fn build_and_push(buildah: &Peer, home: &Path, name: &str) {
    let container = output(buildah.command_at_home(home).args(["from", "scratch"]));
    let archive = root_archive(home);
    output(buildah.command_at_home(home).args(["add", &container]).arg(archive));
    output(buildah.command_at_home(home).args(["commit", "--quiet", &container, name]));
    output(buildah.command_at_home(home).args(["push", "--quiet", "--tls-verify=false", name]));
}

#[test]
fn clients_at_their_own_homes_agree_on_a_digest() {
    let test = "clients_at_their_own_homes_agree_on_a_digest";
    let clients = match Clients::find() {
        Ok(clients) => clients,
        Err(missing) => return testbed::skip(test, missing),
    };
    let registry = match Distribution::start() {
        Ok(registry) => registry,
        Err(error) if error.is::<Missing>() => return testbed::skip(test, error),
        Err(error) => panic!("{error:#}"),
    };
    clients.print_versions();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let name = format!("{}/shop/api:1", registry.host());
    build_and_push(&clients.buildah, home, &name);

    let by_crane =
        output(clients.crane.command_at_home(home).args(["digest", "--insecure", &name]));
    let mut skopeo = clients.skopeo.command_at_home(home);
    skopeo.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}"]);
    let by_skopeo = output(skopeo.arg(format!("docker://{name}")));
    let mut regctl = clients.regctl.command_at_home(home);
    let host = format!("reg={},tls=disabled", registry.host());
    let by_regctl = output(regctl.args(["--host", &host, "image", "digest", &name]));
    // A home without what buildah has stored: podman would show that one's digest.
    let other_home = tempfile::tempdir().unwrap();
    let mut podman = clients.podman.command_at_home(other_home.path());
    output(podman.args(["pull", "--quiet", "--tls-verify=false", &name]));
    let mut podman = clients.podman.command_at_home(other_home.path());
    let by_podman = output(podman.args(["image", "inspect", "--format", "{{.Digest}}", &name]));

    assert!(by_crane.starts_with("sha256:"), "{by_crane}");
    assert_eq!([&by_skopeo, &by_regctl, &by_podman], [&by_crane; 3]);
}

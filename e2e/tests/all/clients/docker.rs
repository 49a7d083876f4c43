//! docker, with a daemon of the test's own.

use std::process::Command;

use e2e::Image;
use testbed::{Dockerd, Missing};

use super::{Meeting, is_refused, succeed};

#[test]
fn docker_pulls_and_pushes_byte_for_byte() {
    let daemon = match Dockerd::start() {
        Ok(daemon) => daemon,
        Err(error) if error.is::<Missing>() => {
            return testbed::skip("docker_pulls_and_pushes_byte_for_byte", error);
        }
        Err(error) => panic!("{error:#}"),
    };
    let docker = |arguments: &[&str]| {
        let mut command = daemon.docker();
        command.args(arguments);
        command
    };
    let version = succeed(&mut docker(&["version", "--format", "{{.Server.Version}}"]));
    println!("with docker {version}");
    let mut meeting = Meeting::start();
    // The daemon writes docker's own manifests, so the image that it can give back has one.
    let image = Image::docker("good evening").unwrap();
    let other = Image::docker("good night").unwrap();
    e2e::push(&mut meeting.http, "shop/base", "1", &image).unwrap();
    e2e::push(&mut meeting.http, "shop/base", "2", &other).unwrap();
    let (base, base_other) = (meeting.name("shop/base:1"), meeting.name("shop/base:2"));
    for base in [&base, &base_other] {
        succeed(&mut docker(&["pull", "--quiet", base]));
    }
    let format = "{{.Id}} {{index .RepoDigests 0}}";
    let pulled = succeed(&mut docker(&["image", "inspect", "--format", format, &base]));
    let by_digest = format!("{}@{}", meeting.name("shop/base"), image.digest());
    assert_eq!(pulled, format!("{} {by_digest}", image.config.digest));

    // Into another repository: the daemon asks to mount the layer.
    let name = meeting.name("shop/api:1");
    succeed(&mut docker(&["tag", &base, &name]));
    let pushed = succeed(&mut docker(&["push", &name]));
    assert!(pushed.contains("Mounted from shop/base"), "{pushed}");
    meeting.assert_holds("shop/api", "1", &image);

    succeed(&mut docker(&["push", "--quiet", &name]));
    assert_eq!(meeting.changes("shop/api", "1"), 1);
    succeed(&mut docker(&["tag", &base_other, &name]));
    is_refused(&mut docker(&["push", "--quiet", &name]));
    meeting.assert_holds("shop/api", "1", &image);
    copies_from_the_daemon(&daemon, &mut meeting, &base, &image);
}

/// The daemon as a source: what arrives has the configuration, and so the layers, that the daemon holds.
fn copies_from_the_daemon(daemon: &Dockerd, meeting: &mut Meeting, name: &str, image: &Image) {
    let home = tempfile::tempdir().unwrap();
    let mut copy = Command::new(testbed::indelible_bin().unwrap());
    copy.env_clear().env("HOME", home.path());
    copy.env("DOCKER_HOST", format!("unix://{}", daemon.socket().display()));
    let target = format!("docker://{}", meeting.name("shop/saved:1"));
    copy.arg("copy").arg(format!("docker-daemon:{name}")).arg(target);
    succeed(&mut copy);
    let manifest = meeting.http.get("/v2/shop/saved/manifests/1").unwrap().expect(200).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest.text()).unwrap();
    assert_eq!(manifest["config"]["digest"], image.config.digest.as_str());
}

//! docker, with a daemon of the test's own.

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
}

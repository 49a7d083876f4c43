//! The docker daemon pushes to and pulls from a registry that nobody here wrote.

use testbed::{Distribution, Dockerd, Missing};

use crate::image::{output, root_archive};

#[test]
fn a_docker_daemon_pushes_and_pulls() {
    let started = Dockerd::start().and_then(|daemon| Ok((daemon, Distribution::start()?)));
    let (daemon, registry) = match started {
        Ok(both) => both,
        Err(error) if error.is::<Missing>() => {
            return testbed::skip("a_docker_daemon_pushes_and_pulls", error);
        }
        Err(error) => panic!("{error:#}"),
    };
    println!(
        "docker {}",
        output(daemon.docker().args(["version", "--format", "{{.Server.Version}}"]))
    );
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{}/shop/api:1", registry.host());

    output(daemon.docker().arg("import").arg(root_archive(folder.path())).arg(&name));
    output(daemon.docker().args(["push", "--quiet", &name]));
    output(daemon.docker().args(["rmi", &name]));
    output(daemon.docker().args(["pull", "--quiet", &name]));

    let digests = output(daemon.docker().args(["images", "--digests", "--quiet", &name]));
    assert!(!digests.is_empty());
}

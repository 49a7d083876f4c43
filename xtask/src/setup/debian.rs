//! What Debian packages bring: clients of registries, a docker daemon, strace, a static busybox, openssl.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Consent;
use crate::{place, process};

/// A program that tests need, and Debian's package that has it.
struct Needed {
    /// Its name, or its path where it is in no folder of programs.
    program: &'static str,
    package: &'static str,
}

const NEEDED: [Needed; 9] = [
    Needed { program: "git", package: "git" },
    Needed { program: "skopeo", package: "skopeo" },
    Needed { program: "podman", package: "podman" },
    Needed { program: "buildah", package: "buildah" },
    Needed { program: "dockerd", package: "docker.io" },
    // The same package, unless a docker client is there already.
    Needed { program: "docker", package: "docker.io" },
    Needed { program: "strace", package: "strace" },
    Needed { program: "busybox", package: "busybox-static" },
    Needed { program: "openssl", package: "openssl" },
];

/// Tells whether packages come from apt here.
pub(super) fn is_debian() -> bool {
    Path::new("/etc/debian_version").is_file() && place::program("apt-get").is_some()
}

/// Installs the packages of the programs that are not there; returns what is missing afterwards.
///
/// # Errors
/// apt-get or sudo cannot be started.
pub(super) fn install(consent: Consent) -> Result<BTreeSet<String>> {
    let packages = packages(|program| place::program(program).is_some());
    if packages.is_empty() {
        return Ok(BTreeSet::new());
    }
    let apt = || match consent {
        Consent::Root => apt_get(&[]),
        Consent::Said => apt_get(&["sudo"]),
        Consent::No => apt_get(&["sudo"]),
    };
    let mut install = apt();
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&packages);
    if consent == Consent::No || !is_debian() {
        println!("setup: not installed without --yes or root on Debian; on Debian this does it:");
        println!("  {}", process::line(&install));
    } else if !(process::shown(apt().args(["update", "--quiet"]))?.success()
        && process::shown(&mut install)?.success())
    {
        println!("setup: apt-get has said why it could not install");
    }
    let missing = NEEDED.iter().filter(|needed| place::program(needed.program).is_none());
    Ok(missing.map(|needed| needed.program.to_owned()).collect())
}

/// The packages to install, each once, in order.
fn packages(is_there: impl Fn(&str) -> bool) -> BTreeSet<&'static str> {
    let missing = NEEDED.iter().filter(|needed| !is_there(needed.program));
    missing.map(|needed| needed.package).collect()
}

/// `env` passes the variables through sudo, which drops them otherwise.
fn apt_get(before: &[&str]) -> Command {
    let words = before.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    let words: Vec<_> = words.collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_of_two_missing_programs_is_installed_once() {
        let wanted = packages(|program| !program.starts_with("docker"));
        assert_eq!(wanted.into_iter().collect::<Vec<_>>(), ["docker.io"]);
        assert!(packages(|_| true).is_empty());
    }
}

//! The peers that Go builds: one module each under `testbed/tools`, so that a file says which peer
//! at which version, and its go.sum which bytes.
//!
//! ```text
//! testbed/tools/crane/{go.mod,go.sum}  ->  ~/.cache/indelible/testbed/<key>/bin/crane
//! ```
//! The key is of all these files: another version is another folder, and nothing is ever replaced
//! under a test that runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::own;
use crate::{place, process};

/// A peer as the tests call it, and how it learns its version: a build of a dependency knows none.
struct GoPeer {
    name: &'static str,
    package: &'static str,
    module: &'static str,
    version_variable: &'static str,
}

const PEERS: [GoPeer; 4] = [
    GoPeer {
        name: "crane",
        package: "github.com/google/go-containerregistry/cmd/crane",
        module: "github.com/google/go-containerregistry",
        version_variable: "github.com/google/go-containerregistry/cmd/crane/cmd.Version",
    },
    GoPeer {
        name: "regctl",
        package: "github.com/regclient/regclient/cmd/regctl",
        module: "github.com/regclient/regclient",
        version_variable: "github.com/regclient/regclient/internal/version.vcsTag",
    },
    GoPeer {
        name: "registry",
        package: "github.com/distribution/distribution/v3/cmd/registry",
        module: "github.com/distribution/distribution/v3",
        version_variable: "github.com/distribution/distribution/v3/version.version",
    },
    GoPeer {
        name: "kustomize",
        package: "sigs.k8s.io/kustomize/kustomize/v5",
        module: "sigs.k8s.io/kustomize/kustomize/v5",
        version_variable: "sigs.k8s.io/kustomize/api/provenance.version",
    },
];

/// The folder that these files' peers are built into.
///
/// # Errors
/// A file of `testbed/tools` cannot be read.
pub(super) fn bin(root: &Path) -> Result<PathBuf> {
    let mut texts = Vec::new();
    for folder in folders(&root.join("testbed/tools"))? {
        for name in ["go.mod", "go.sum", "requirements.txt"] {
            let path = folder.join(name);
            if path.is_file() {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                texts.push((path.strip_prefix(root)?.to_owned(), text));
            }
        }
    }
    Ok(place::cache()?.join("testbed").join(place::key(&texts)).join("bin"))
}

fn folders(tools: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(tools).with_context(|| format!("cannot read {}", tools.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        // No test waits for these: their keys are their own.
        let is_for_scale = own::FOR_SCALE.iter().any(|program| path.ends_with(program.name));
        if path.is_dir() && !is_for_scale {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Builds the peers that are not in `bin`; returns those that could not be built.
///
/// # Errors
/// The cache cannot be written.
pub(super) fn install(root: &Path, bin: &Path) -> Result<BTreeSet<String>> {
    let wanted: Vec<_> = PEERS.iter().filter(|peer| !bin.join(peer.name).is_file()).collect();
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let Some(go) = place::program("go") else {
        println!("setup: Go is not installed (1.26 or newer): the peers written in it are missing");
        return Ok(wanted.iter().map(|peer| peer.name.to_owned()).collect());
    };
    fs::create_dir_all(bin).with_context(|| format!("cannot make {}", bin.display()))?;
    let mut missing = BTreeSet::new();
    for peer in wanted {
        // Without a network the others may still be buildable.
        if let Err(error) = build(&go, peer, root, bin) {
            println!("setup: cannot build {}: {error:#}", peer.name);
            missing.insert(peer.name.to_owned());
        }
    }
    Ok(missing)
}

fn build(go: &Path, peer: &GoPeer, root: &Path, bin: &Path) -> Result<()> {
    let module = root.join("testbed/tools").join(peer.name);
    let version = required_version(&fs::read_to_string(module.join("go.mod"))?, peer.module)?;
    let variable = format!("{}={version}", peer.version_variable);
    go_build(go, &module, peer.package, &variable, &bin.join(peer.name))
}

/// Builds one program of a module, which learns its version by a variable of the linker.
///
/// # Errors
/// Go says no, or the program cannot be put in its place.
pub(super) fn go_build(
    go: &Path,
    module: &Path,
    package: &str,
    variable: &str,
    built: &Path,
) -> Result<()> {
    // Under another name until it is whole: a killed build leaves no half of a program.
    let part = built.with_extension(format!("part-{}", std::process::id()));
    let mut command = Command::new(go);
    command
        .arg("build")
        // Nothing of the checkout is changed, whatever the user's own GOFLAGS say.
        .args(["-mod=readonly", "-trimpath", "-buildvcs=false"])
        .arg(format!("-ldflags=-s -w -X {variable}"))
        .arg("-o")
        .arg(&part)
        .arg(package)
        .current_dir(module)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env_remove("GOFLAGS");
    process::succeed(&mut command)?;
    fs::rename(&part, built)?;
    Ok(())
}

/// Reads the version of `module` from the `require` block of a go.mod.
pub(super) fn required_version(go_mod: &str, module: &str) -> Result<String> {
    for line in go_mod.lines() {
        let mut words = line.split_whitespace().filter(|word| *word != "require");
        if words.next() == Some(module)
            && let Some(version) = words.next()
        {
            return Ok(version.to_owned());
        }
    }
    bail!("go.mod does not require {module}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_MOD: &str = "module m\n\ntool example.com/a/cmd/a\n\nrequire (\n\
                          \texample.com/a v1.2.3 // indirect\n)\n";

    #[test]
    fn the_version_is_the_one_that_go_mod_requires() {
        assert_eq!(required_version(GO_MOD, "example.com/a").unwrap(), "v1.2.3");
        assert!(required_version(GO_MOD, "example.com/b").is_err());
        assert_eq!(required_version("require e.com/c v2.0.0\n", "e.com/c").unwrap(), "v2.0.0");
    }

    #[test]
    fn every_peer_has_a_module_that_requires_it() {
        let tools = place::root().unwrap().join("testbed/tools");
        for peer in PEERS {
            let go_mod = fs::read_to_string(tools.join(peer.name).join("go.mod")).unwrap();
            required_version(&go_mod, peer.module).unwrap();
            assert!(go_mod.contains(&format!("tool {}\n", peer.package)), "{}", peer.name);
        }
    }

    #[test]
    fn what_no_test_needs_leaves_the_folder_of_the_others() {
        let root = tempfile::tempdir().unwrap();
        let tools = root.path().join("testbed/tools");
        fs::create_dir_all(tools.join("kwok")).unwrap();
        fs::write(tools.join("kwok/go.mod"), "require a v1.0.0").unwrap();
        let before = bin(root.path()).unwrap();
        fs::write(tools.join("kwok/go.mod"), "require a v1.0.1").unwrap();
        assert_eq!(before, bin(root.path()).unwrap());
    }

    #[test]
    fn another_version_is_another_folder() {
        let root = tempfile::tempdir().unwrap();
        let crane = root.path().join("testbed/tools/crane");
        fs::create_dir_all(&crane).unwrap();
        fs::write(crane.join("go.mod"), "require a v1.0.0").unwrap();
        let before = bin(root.path()).unwrap();
        fs::write(crane.join("go.mod"), "require a v1.0.1").unwrap();
        assert_ne!(before, bin(root.path()).unwrap());
    }
}

//! Definitions of other systems' objects, as they publish them: their schemas refuse in tests what a cluster would.
//!
//! ```text
//! github.com/argoproj/argo-cd/v3@v3.2.1, manifests/crds/application-crd.yaml  ->  <bin>/applications.argoproj.io.yaml
//! ```
//! Read out of Go modules and compared with their hashes; nothing of them is in this repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{place, process};

/// A file of a module.
struct Definition {
    /// The object's name in a cluster, and what tests call it.
    name: &'static str,
    module: &'static str,
    version: &'static str,
    path: &'static str,
    sha256: &'static str,
}

const DEFINITIONS: [Definition; 3] = [
    Definition {
        name: "applications.argoproj.io",
        module: "github.com/argoproj/argo-cd/v3",
        version: "v3.2.1",
        path: "manifests/crds/application-crd.yaml",
        sha256: "8f7ab4fc146af169e1033a97ea55ad77687b98d7ba95bf39f286ab751e7504f3",
    },
    Definition {
        name: "kustomizations.kustomize.toolkit.fluxcd.io",
        module: "github.com/fluxcd/kustomize-controller",
        version: "v1.7.3",
        path: "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
        sha256: "cdc8286a3c88ed441b486288416c7c3090cfeb0595ec2f15730cd3dac7be7f98",
    },
    // The schema that OASIS published with errata 01, as the text of a Go constant: the test takes it out.
    Definition {
        name: "sarif-2.1.0",
        module: "github.com/owenrumney/go-sarif/v3",
        version: "v3.3.1",
        path: "pkg/report/v210/sarif/schema.go",
        sha256: "639ddb152218b3b959c5a30cb7e6dabc753801c63a0b73d7e8df060c24055db6",
    },
];

/// Puts the definitions into `bin`; the names of those that could not be had.
///
/// # Errors
/// `bin` cannot be written.
pub(super) fn install(bin: &Path) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for definition in &DEFINITIONS {
        let file = bin.join(format!("{}.yaml", definition.name));
        if fs::read(&file).is_ok_and(|bytes| hash(&bytes) == definition.sha256) {
            continue;
        }
        let Some(go) = place::program("go") else {
            missing.push(definition.name.to_owned());
            continue;
        };
        match fetch(&go, definition) {
            Ok(bytes) => {
                fs::create_dir_all(bin)
                    .with_context(|| format!("cannot make {}", bin.display()))?;
                let part = file.with_extension(format!("part-{}", std::process::id()));
                fs::write(&part, bytes)
                    .with_context(|| format!("cannot write {}", part.display()))?;
                fs::rename(&part, &file)?;
            }
            Err(error) => {
                println!("setup: cannot fetch {}: {error:#}", definition.name);
                missing.push(definition.name.to_owned());
            }
        }
    }
    Ok(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    dir: PathBuf,
}

fn fetch(go: &Path, definition: &Definition) -> Result<Vec<u8>> {
    let mut command = Command::new(go);
    command
        .args(["mod", "download", "-json"])
        .arg(format!("{}@{}", definition.module, definition.version))
        // No module of the checkout has a say.
        .current_dir(std::env::temp_dir())
        .env("GOWORK", "off")
        .env_remove("GOFLAGS");
    let said = process::read(&mut command)?;
    let Downloaded { dir } = serde_json::from_str(&said).context("go names no folder")?;
    let path = dir.join(definition.path);
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = hash(&bytes);
    ensure!(found == definition.sha256, "{} has the hash {found}", path.display());
    Ok(bytes)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_other_bytes_is_not_taken() {
        let bin = tempfile::tempdir().unwrap();
        for definition in &DEFINITIONS {
            fs::write(bin.path().join(format!("{}.yaml", definition.name)), "other").unwrap();
        }
        let missing = install(bin.path()).unwrap();
        for definition in &DEFINITIONS {
            let bytes = fs::read(bin.path().join(format!("{}.yaml", definition.name))).unwrap();
            let is_whole = hash(&bytes) == definition.sha256;
            assert_eq!(is_whole, !missing.contains(&definition.name.to_owned()));
        }
    }
}

//! The one program that is every part of a Kubernetes cluster, built from `testbed/cluster`.
//!
//! ```text
//! testbed/cluster/{go.mod,go.sum,*.go}  ->  ~/.cache/indelible/testbed/kube-<key>/kube  ->  a link beside the peers
//! ```
//! Its key is its own: minutes of compiling are not spent again because another peer has a new version.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::peers::{go_build, required_version};
use crate::place;

/// What tests call it.
pub(super) const NAME: &str = "kube";
const SOURCES: [&str; 4] = ["go.mod", "go.sum", "main.go", "key.go"];

/// Makes sure that the program is in `bin`; false where it cannot be built.
///
/// # Errors
/// The cache cannot be written.
pub(super) fn install(root: &Path, bin: &Path) -> Result<bool> {
    let linked = bin.join(NAME);
    let built = built(root)?;
    if !built.is_file() {
        let Some(go) = place::program("go") else { return Ok(false) };
        // Without a network the other peers may still be there.
        if let Err(error) = build(&go, root, &built) {
            println!("setup: cannot build {NAME}: {error:#}");
            return Ok(false);
        }
    }
    if !is_same(&linked, &built)? {
        fs::create_dir_all(bin).with_context(|| format!("cannot make {}", bin.display()))?;
        // Made beside and renamed: a test that runs keeps the program that it started.
        let part = bin.join(format!("{NAME}.part-{}", std::process::id()));
        fs::hard_link(&built, &part)
            .with_context(|| format!("cannot link {} to {}", part.display(), built.display()))?;
        fs::rename(&part, &linked)?;
    }
    Ok(true)
}

fn built(root: &Path) -> Result<PathBuf> {
    let mut texts = Vec::new();
    for name in SOURCES {
        let path = Path::new("testbed/cluster").join(name);
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        texts.push((path, text));
    }
    let folder = format!("{NAME}-{}", place::key(&texts));
    Ok(place::cache()?.join("testbed").join(folder).join(NAME))
}

fn is_same(linked: &Path, built: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let built = fs::metadata(built).with_context(|| format!("cannot read {}", built.display()))?;
    Ok(fs::metadata(linked).is_ok_and(|linked| linked.ino() == built.ino()))
}

fn build(go: &Path, root: &Path, built: &Path) -> Result<()> {
    let module = root.join("testbed/cluster");
    let version =
        required_version(&fs::read_to_string(module.join("go.mod"))?, "k8s.io/kubernetes")?;
    let folder = built.parent().context("a program has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let variable = format!("k8s.io/component-base/version.gitVersion={version}");
    go_build(go, &module, ".", &variable, built)
}

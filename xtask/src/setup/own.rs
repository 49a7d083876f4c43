//! Programs whose place in the cache has a key of its own: minutes of compiling are not spent again because another
//! peer has a new version.
//!
//! ```text
//! testbed/cluster/{go.mod,go.sum,*.go}  ->  ~/.cache/indelible/testbed/kube-<key>/kube  ->  a link beside the peers
//! ```
//! `kube` is every part of a Kubernetes cluster, and the tests need it. The others are built only when they are asked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::peers::{go_build, required_version};
use crate::place;

/// A program that Go builds out of files of the checkout.
pub(super) struct Own {
    /// What tests call it.
    pub(super) name: &'static str,
    folder: &'static str,
    sources: &'static [&'static str],
    package: &'static str,
    /// Whose version it tells.
    module: &'static str,
    version_variable: &'static str,
}

/// Every part of a cluster in one.
pub(super) const KUBE: Own = Own {
    name: "kube",
    folder: "testbed/cluster",
    sources: &["go.mod", "go.sum", "main.go", "key.go"],
    package: ".",
    module: "k8s.io/kubernetes",
    version_variable: "k8s.io/component-base/version.gitVersion",
};

/// Nodes and pods without a kubelet; and the peer of the watcher, which also makes the pods.
pub(super) const FOR_SCALE: [Own; 2] = [
    Own {
        name: "kwok",
        folder: "testbed/tools/kwok",
        sources: &["go.mod", "go.sum"],
        package: "sigs.k8s.io/kwok/cmd/kwok",
        module: "sigs.k8s.io/kwok",
        version_variable: "sigs.k8s.io/kwok/pkg/consts.Version",
    },
    Own {
        name: "informer",
        folder: "testbed/tools/informer",
        sources: &["go.mod", "go.sum", "main.go", "hold.go", "list.go", "write.go"],
        package: ".",
        module: "k8s.io/client-go",
        version_variable: "main.version",
    },
];

/// Makes sure that the program is in `bin`; false where it cannot be built.
///
/// # Errors
/// The cache cannot be written.
pub(super) fn install(own: &Own, root: &Path, bin: &Path) -> Result<bool> {
    let linked = bin.join(own.name);
    let built = built(own, root)?;
    if !built.is_file() {
        let Some(go) = place::program("go") else { return Ok(false) };
        // Without a network the other peers may still be there.
        if let Err(error) = build(own, &go, root, &built) {
            println!("setup: cannot build {}: {error:#}", own.name);
            return Ok(false);
        }
    }
    if !is_same(&linked, &built)? {
        fs::create_dir_all(bin).with_context(|| format!("cannot make {}", bin.display()))?;
        // Made beside and renamed: a test that runs keeps the program that it started.
        let part = bin.join(format!("{}.part-{}", own.name, std::process::id()));
        fs::hard_link(&built, &part)
            .with_context(|| format!("cannot link {} to {}", part.display(), built.display()))?;
        fs::rename(&part, &linked)?;
    }
    Ok(true)
}

fn built(own: &Own, root: &Path) -> Result<PathBuf> {
    let mut texts = Vec::new();
    for name in own.sources {
        let path = Path::new(own.folder).join(name);
        let text = fs::read_to_string(root.join(&path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        texts.push((path, text));
    }
    let folder = format!("{}-{}", own.name, place::key(&texts));
    Ok(place::cache()?.join("testbed").join(folder).join(own.name))
}

fn is_same(linked: &Path, built: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let built = fs::metadata(built).with_context(|| format!("cannot read {}", built.display()))?;
    Ok(fs::metadata(linked).is_ok_and(|linked| linked.ino() == built.ino()))
}

fn build(own: &Own, go: &Path, root: &Path, built: &Path) -> Result<()> {
    let module = root.join(own.folder);
    let version = required_version(&fs::read_to_string(module.join("go.mod"))?, own.module)?;
    let folder = built.parent().context("a program has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let variable = format!("{}={version}", own.version_variable);
    go_build(go, &module, own.package, &variable, built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_its_sources_and_requires_what_it_tells_the_version_of() {
        let root = place::root().unwrap();
        for own in FOR_SCALE.iter().chain([&KUBE]) {
            built(own, &root).unwrap();
            let go_mod = fs::read_to_string(root.join(own.folder).join("go.mod")).unwrap();
            required_version(&go_mod, own.module).unwrap();
        }
    }
}

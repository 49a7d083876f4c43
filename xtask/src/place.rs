//! Where things stand: the checkout, and the caches, which are all outside of it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Finds the checkout: the folder above this crate's, else the one that holds `xtask` from here up.
///
/// # Errors
/// The current folder is not in a checkout.
pub(crate) fn root() -> Result<PathBuf> {
    // Asked when it runs, not when it was compiled: two clones may share one target folder.
    if let Some(xtask) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
        let above = xtask.parent().context("the folder of xtask has none above it")?;
        return Ok(above.to_owned());
    }
    let here = env::current_dir()?;
    let found = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file());
    match found {
        Some(root) => Ok(root.to_owned()),
        None => bail!("{} is not in a checkout of this project", here.display()),
    }
}

/// The folder of this project's caches: `$XDG_CACHE_HOME/indelible`, else `$HOME/.cache/indelible`.
///
/// # Errors
/// Neither variable is set.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    match caches {
        Some(caches) => Ok(caches.join("indelible")),
        None => bail!("neither XDG_CACHE_HOME nor HOME is set: no place for a cache"),
    }
}

/// A short name for some texts: other texts, other name.
pub(crate) fn key(texts: &[(PathBuf, String)]) -> String {
    let mut hash = Sha256::new();
    for (path, text) in texts {
        // Lengths, so that no two lists of texts run together into the same bytes.
        let path = path.to_string_lossy();
        hash.update(format!("{} {}\n{path}\n{text}\n", path.len(), text.len()));
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Finds a program as a shell would, and where Debian keeps daemons.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([Path::new("/usr/sbin"), Path::new("/sbin")].map(Path::to_owned))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_where_one_text_ends() {
        let two = [(PathBuf::from("a"), "1".to_owned()), (PathBuf::from("b"), "2".to_owned())];
        let one = [(PathBuf::from("a"), "1\n1 1\nb\n2".to_owned())];
        assert_ne!(key(&two), key(&one));
        assert_eq!(key(&two), key(&two));
        assert_eq!(key(&two).len(), 16);
    }
}

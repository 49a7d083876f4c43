//! The one folder of a demo, removed with all that is in it unless it is kept.

use super::DemoError;
use std::path::{Path, PathBuf};

/// A folder that the demo made.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// Makes a folder with a fresh name where temporary files are.
    pub(super) fn temporary() -> Result<Self, DemoError> {
        let parent = std::env::temp_dir();
        let made = tempfile::Builder::new().prefix("indelible-demo-").tempdir_in(&parent);
        let path = made.map_err(DemoError::io("make a folder in", &parent))?.keep();
        Self::made(path)
    }

    /// Makes this folder; one that is there is left alone.
    pub(super) fn make(path: &Path) -> Result<Self, DemoError> {
        match std::fs::create_dir(path) {
            Ok(()) => Self::made(path.to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(DemoError::FolderExists { path: path.to_owned() })
            }
            Err(error) => Err(DemoError::io("make", path)(error)),
        }
    }

    fn made(path: PathBuf) -> Result<Self, DemoError> {
        let mut folder = Self { path, is_kept: false };
        // Git prints folders without links in them, and so does the demo.
        let plain = folder.path.canonicalize().map_err(DemoError::io("find", &folder.path))?;
        folder.path = plain;
        Ok(folder)
    }

    /// Where it is, from the root on.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it to the person.
    pub(super) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            crate::output::say(&format!(
                "warning: cannot remove {}: {error}\n",
                self.path.display()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_unless_it_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("demo");
        let folder = Folder::make(&path).unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
        let kept = Folder::make(&path).unwrap().keep();
        assert!(kept.is_dir());
        assert!(matches!(Folder::make(&path), Err(DemoError::FolderExists { .. })));
        assert!(path.is_dir(), "somebody else's folder is left alone");
    }
}

//! Files are rewritten all together or not at all, each by a new file beside it that takes its place.
//!
//! ```text
//! write each beside -> sync -> is every file still what was read? -> rename each
//! ```
//! Modes are kept, and a link's target is written, not the link.

use crate::verdict::{Explain, Verdict};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// One file's old and new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Where it is.
    pub path: PathBuf,
    /// The path for people.
    pub shown: String,
    /// What was read.
    pub old: String,
    /// What it shall say.
    pub new: String,
}

/// Why files were not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system did not let us; no file was changed.
    #[error("cannot {action} {path}; nothing was written")]
    File {
        /// What was tried.
        action: &'static str,
        /// The path for people.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else wrote while we decided; no file was changed.
    #[error("{path} changed while it was being edited; nothing was written")]
    ChangedMeanwhile {
        /// The path for people.
        path: String,
    },
    /// A rename failed after others had been done; each file is whole, old or new.
    #[error("cannot replace {path}; {done} of {all} files were written before it")]
    Replace {
        /// The path for people.
        path: String,
        /// How many have their new text.
        done: usize,
        /// How many there were.
        all: usize,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Explain for WriteError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::ChangedMeanwhile { .. } => Some("run the command again".to_owned()),
            Self::File { .. } | Self::Replace { .. } => None,
        }
    }
}

/// Writes all of them, or none.
///
/// # Errors
/// A file is not what was read, or cannot be written.
pub fn write_all(rewrites: &[Rewrite]) -> Result<(), WriteError> {
    let ready = rewrites.iter().map(beside).collect::<Result<Vec<_>, _>>()?;
    // As late as can be: somebody may have saved a file while we decided.
    for (rewrite, (_, target)) in rewrites.iter().zip(&ready) {
        let now = std::fs::read(target).map_err(wrong(rewrite, "read"))?;
        if now != rewrite.old.as_bytes() {
            return Err(WriteError::ChangedMeanwhile { path: rewrite.shown.clone() });
        }
    }
    let all = rewrites.len();
    for (done, (rewrite, (new, target))) in rewrites.iter().zip(ready).enumerate() {
        new.persist(&target).map_err(|error| WriteError::Replace {
            path: rewrite.shown.clone(),
            done,
            all,
            source: error.error,
        })?;
    }
    Ok(())
}

/// The new text in a file beside the old one, synced, with the old one's mode.
fn beside(rewrite: &Rewrite) -> Result<(NamedTempFile, PathBuf), WriteError> {
    let target = std::fs::canonicalize(&rewrite.path).map_err(wrong(rewrite, "find"))?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut new = NamedTempFile::new_in(folder).map_err(wrong(rewrite, "write beside"))?;
    new.write_all(rewrite.new.as_bytes()).map_err(wrong(rewrite, "write beside"))?;
    let mode = std::fs::metadata(&target).map_err(wrong(rewrite, "read"))?.permissions();
    new.as_file().set_permissions(mode).map_err(wrong(rewrite, "write beside"))?;
    new.as_file().sync_all().map_err(wrong(rewrite, "write beside"))?;
    Ok((new, target))
}

fn wrong(rewrite: &Rewrite, action: &'static str) -> impl FnOnce(std::io::Error) -> WriteError {
    move |source| WriteError::File { action, path: rewrite.shown.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn rewrite(folder: &Path, name: &str, old: &str, new: &str) -> Rewrite {
        let path = folder.join(name);
        Rewrite { path, shown: name.to_owned(), old: old.to_owned(), new: new.to_owned() }
    }

    #[test]
    fn one_file_that_changed_keeps_all_from_being_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        fs::write(folder.path().join("b"), "somebody else's").unwrap();
        let both =
            [rewrite(folder.path(), "a", "old", "new"), rewrite(folder.path(), "b", "old", "new")];
        let error = write_all(&both).unwrap_err();
        assert_eq!(error.to_string(), "b changed while it was being edited; nothing was written");
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
        let missing =
            [rewrite(folder.path(), "a", "old", "new"), rewrite(folder.path(), "c", "", "new")];
        assert!(matches!(write_all(&missing), Err(WriteError::File { action: "find", .. })));
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_kept_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o750)).unwrap();
        symlink("target", folder.path().join("link")).unwrap();
        write_all(&[rewrite(folder.path(), "link", "old", "new")]).unwrap();
        assert!(fs::symlink_metadata(folder.path().join("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o750);
    }
}

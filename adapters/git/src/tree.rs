//! The files of one commit, listed once and read on demand.
//!
//! ```text
//! 100644 apps/prod/api.yaml   120000 apps/prod/link -> refused   160000 vendor/x -> refused
//! ```
//! A symbolic link or a submodule is told, never followed: nothing outside the commit is reached.

use crate::cache::Cache;
use crate::error::GitError;
use crate::import::{FileMode, NewFile};
use crate::objects::{self, FILE_BYTES_MAX, Found};
use crate::tree_path::TreePath;
use domain::CommitId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The largest listing of a commit that is read: about a million files.
const LISTING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// What is kept of files that were read, so that an edit of them reads them once.
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

const WHAT: &str = "ls-tree";

/// The files of one commit of a branch. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tree {
    cache: Cache,
    commit: CommitId,
    entries: Arc<BTreeMap<Vec<u8>, Entry>>,
    kept: Arc<Mutex<Kept>>,
}

/// Files that were read, by their objects.
#[derive(Debug, Default)]
struct Kept {
    files: HashMap<String, Vec<u8>>,
    bytes: usize,
}

/// A path of the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Where.
    pub path: TreePath,
    /// What it is.
    pub kind: EntryKind,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link: neither read nor written.
    Symlink,
    /// Another repository's commit: neither read nor written.
    Submodule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: EntryKind,
    object: String,
}

impl Tree {
    pub(crate) async fn list_commit(cache: &Cache, commit: CommitId) -> Result<Self, GitError> {
        let args = ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit.as_str()];
        let call = cache.call(WHAT, args).stdout_max(LISTING_BYTES_MAX);
        let entries = Arc::new(read_listing(&call.ok().await?.stdout)?);
        Ok(Self { cache: cache.clone(), commit, entries, kept: Arc::default() })
    }

    /// The commit.
    #[must_use]
    pub fn commit(&self) -> &CommitId {
        &self.commit
    }

    /// Everything below a folder, in the order of paths; `None` is the root. A file's own path lists itself.
    ///
    /// # Errors
    /// Refuses a folder that is, or lies below, a symbolic link or a submodule, and paths that no
    /// [`TreePath`] can hold.
    pub fn list(&self, folder: Option<&TreePath>) -> Result<Vec<TreeEntry>, GitError> {
        let Some(folder) = folder else {
            return self.entries_where(|_| true);
        };
        for parent in folder.parents().chain([folder.as_str()]) {
            self.check_followed(parent, folder)?;
        }
        let prefix = format!("{folder}/").into_bytes();
        self.entries_where(|path| path == folder.as_str().as_bytes() || path.starts_with(&prefix))
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// As [`Tree::read_all`].
    pub async fn read(&self, path: &TreePath) -> Result<Vec<u8>, GitError> {
        let mut files = self.read_all(std::slice::from_ref(path)).await?;
        files.pop().ok_or_else(|| self.no_such_file(path))
    }

    /// The bytes of several files at once, in their order.
    ///
    /// # Errors
    /// Refuses a path without a file, a symbolic link, a submodule, and a file over [`FILE_BYTES_MAX`].
    pub async fn read_all(&self, paths: &[TreePath]) -> Result<Vec<Vec<u8>>, GitError> {
        let mut names = Vec::with_capacity(paths.len());
        for path in paths {
            let entry = self.entry(path.as_str()).ok_or_else(|| self.no_such_file(path))?;
            self.file_mode(entry.kind, path)?;
            names.push(entry.object.clone());
        }
        if let Some(files) = self.kept().get(&names) {
            return Ok(files);
        }
        let (git, folder) = (self.cache.git(), self.cache.folder());
        let found = objects::read_files(git, folder, &names, FILE_BYTES_MAX).await?;
        let joined = paths.iter().zip(found);
        let files = joined.map(|(path, found)| match found {
            Found::File(bytes) => Ok(bytes),
            Found::Missing | Found::Other => Err(self.no_such_file(path)),
        });
        let files = files.collect::<Result<Vec<_>, _>>()?;
        self.kept().keep(names, &files);
        Ok(files)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that would really change, with their modes; a new file is a plain one.
    pub(crate) async fn changes<'a>(
        &self,
        files: &'a [NewFile],
    ) -> Result<Vec<(&'a NewFile, FileMode)>, GitError> {
        // The last of several versions of one file is the one that is meant.
        let mut wanted = BTreeMap::new();
        for file in files {
            if file.bytes.len() > FILE_BYTES_MAX {
                let what = format!("file {}", file.path);
                return Err(GitError::TooLarge { what, limit: FILE_BYTES_MAX });
            }
            wanted.insert(&file.path, file);
        }
        let is_here = |path: &&TreePath| self.entry(path.as_str()).is_some();
        let here: Vec<TreePath> = wanted.keys().copied().filter(is_here).cloned().collect();
        let before: BTreeMap<_, _> = here.iter().zip(self.read_all(&here).await?).collect();
        let mut changes = Vec::new();
        for (path, file) in wanted {
            let mode = match self.entry(path.as_str()) {
                Some(entry) => self.file_mode(entry.kind, path)?,
                None => self.mode_of_new(path)?,
            };
            if before.get(path) != Some(&file.bytes) {
                changes.push((file, mode));
            }
        }
        Ok(changes)
    }

    fn mode_of_new(&self, path: &TreePath) -> Result<FileMode, GitError> {
        for parent in path.parents() {
            self.check_followed(parent, path)?;
            if self.entry(parent).is_some() {
                return Err(self.not_a_file(path, "below a file"));
            }
        }
        let prefix = format!("{path}/").into_bytes();
        let below = self.entries.range(prefix.clone()..).next();
        if below.is_some_and(|(found, _)| found.starts_with(&prefix)) {
            return Err(self.not_a_file(path, "a folder"));
        }
        Ok(FileMode::Plain)
    }

    fn check_followed(&self, at: &str, path: &TreePath) -> Result<(), GitError> {
        match self.entry(at).map(|entry| entry.kind) {
            Some(EntryKind::Symlink) => Err(self.not_a_file(path, "reached by a symbolic link")),
            Some(EntryKind::Submodule) => Err(self.not_a_file(path, "in a submodule")),
            Some(EntryKind::File | EntryKind::Executable) | None => Ok(()),
        }
    }

    fn file_mode(&self, kind: EntryKind, path: &TreePath) -> Result<FileMode, GitError> {
        match kind {
            EntryKind::File => Ok(FileMode::Plain),
            EntryKind::Executable => Ok(FileMode::Executable),
            EntryKind::Symlink => Err(self.not_a_file(path, "a symbolic link")),
            EntryKind::Submodule => Err(self.not_a_file(path, "a submodule")),
        }
    }

    fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path.as_bytes())
    }

    fn entries_where(&self, fits: impl Fn(&[u8]) -> bool) -> Result<Vec<TreeEntry>, GitError> {
        let chosen = self.entries.iter().filter(|(path, _)| fits(path));
        chosen
            .map(|(path, entry)| {
                let text = std::str::from_utf8(path).ok().and_then(|text| text.parse().ok());
                let path = text.ok_or_else(|| {
                    let shown = crate::said::clean(&String::from_utf8_lossy(path), &[]);
                    GitError::NotAFile {
                        path: shown,
                        kind: "of a name that is not plain UTF-8",
                        commit: self.commit.clone(),
                    }
                })?;
                Ok(TreeEntry { path, kind: entry.kind })
            })
            .collect()
    }

    fn no_such_file(&self, path: &TreePath) -> GitError {
        GitError::NoSuchFile { path: path.to_string(), commit: self.commit.clone() }
    }

    fn not_a_file(&self, path: &TreePath, kind: &'static str) -> GitError {
        GitError::NotAFile { path: path.to_string(), kind, commit: self.commit.clone() }
    }
}

impl Kept {
    /// All of them, or nothing.
    fn get(&self, names: &[String]) -> Option<Vec<Vec<u8>>> {
        names.iter().map(|name| self.files.get(name).cloned()).collect()
    }

    fn keep(&mut self, names: Vec<String>, files: &[Vec<u8>]) {
        for (name, file) in names.into_iter().zip(files) {
            let bytes = self.bytes + file.len();
            if bytes <= KEPT_BYTES_MAX && !self.files.contains_key(&name) {
                self.files.insert(name, file.clone());
                self.bytes = bytes;
            }
        }
    }
}

/// `MODE TYPE OBJECT TAB PATH NUL`.
fn read_listing(stdout: &[u8]) -> Result<BTreeMap<Vec<u8>, Entry>, GitError> {
    let mut entries = BTreeMap::new();
    for line in stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let garbled = || GitError::garbled(WHAT, line);
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(garbled)?;
        let head = std::str::from_utf8(&line[..tab]).map_err(|_| garbled())?;
        let mut words = head.split(' ').filter(|word| !word.is_empty());
        let (Some(mode), Some(_), Some(object)) = (words.next(), words.next(), words.next()) else {
            return Err(garbled());
        };
        let kind = match mode {
            "100755" => EntryKind::Executable,
            "120000" => EntryKind::Symlink,
            "160000" => EntryKind::Submodule,
            mode if mode.starts_with("100") => EntryKind::File,
            _ => return Err(garbled()),
        };
        entries.insert(line[tab + 1..].to_vec(), Entry { kind, object: object.to_owned() });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_up_to_a_limit_and_one_byte_more_is_read_again() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut kept = Kept::default();
        kept.keep(names(&["a", "b"]), &[vec![0; KEPT_BYTES_MAX - 1], vec![1]]);
        assert!(kept.get(&names(&["b", "a"])).is_some());
        kept.keep(names(&["c"]), &[vec![2]]);
        assert_eq!(kept.get(&names(&["c"])), None);
        assert_eq!(kept.get(&names(&["b", "c"])), None);
    }
}

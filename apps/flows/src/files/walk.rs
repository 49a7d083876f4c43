//! Finds workload files below paths and reads them: what git ignores is passed over, the rest is never in silence.
//!
//! ```text
//! ["."]  ->  compose.yaml, deploy/api.yaml, .gitlab-ci.yml …  each with what stands in it
//! ```
//! Hidden folders are looked through, for CI files live there; those of version control are not. Links are not
//! followed, but for a path that was named. Folders are walked on all cores; the answer is in order all the same.

use super::content::{Content, Guess, content};
use super::error::FilesError;
use super::learned::Learned;
use crate::edit::TextFile;
use ignore::{DirEntry, WalkBuilder, WalkState};
use pin::scan::FILE_BYTES_MAX;
use pin::{Format, Knowledge, Scan, ScanError};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Folders that hold history, not files of the project.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// A workload file and what stands in it.
#[derive(Debug)]
pub struct FileText<'a> {
    /// Where it is; links are resolved.
    pub path: &'a Path,
    /// The path for people: as they would type it, with `/`.
    pub shown: &'a str,
    /// The text.
    pub text: &'a str,
    /// What it is read as.
    pub format: Format,
    /// What is known beside it.
    pub knowledge: &'a Knowledge,
}

impl FileText<'_> {
    /// Finds the places in it.
    ///
    /// # Errors
    /// It is no text of its format.
    pub fn scan(&self) -> Result<Scan, Unreadable> {
        pin::scan_with(self.format, self.text, self.knowledge).map_err(Unreadable::Scan)
    }
}

/// What a walk found.
#[derive(Debug)]
pub struct Walked<T> {
    /// What was made of each file, in the order of the shown paths.
    pub found: Vec<T>,
    /// Files and folders that could not be read, in the same order.
    pub unread: Vec<Unread>,
    /// Files that were named and are no workload files.
    pub passed_over: Vec<String>,
    /// How many files were read.
    pub looked_at: usize,
}

/// A file or folder whose images are unknown.
#[derive(Debug)]
pub struct Unread {
    /// Where it is.
    pub path: PathBuf,
    /// The path for people.
    pub shown: String,
    /// Why.
    pub why: Unreadable,
    /// What of it can be told all the same.
    pub(crate) guess: Guess,
}

/// Why a file's images are unknown.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The system did not let us.
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// The walk could not go on there.
    #[error("{0}")]
    Walk(#[source] ignore::Error),
    /// A workload file that is larger than we read.
    #[error("the file has more than {FILE_BYTES_MAX} bytes")]
    Size,
    /// A workload file in another encoding.
    #[error("the file is not UTF-8 text")]
    Encoding,
    /// It is no text of its format.
    #[error("{0}")]
    Scan(#[source] ScanError),
}

/// What became of one file.
enum Seen<T> {
    Found(PathBuf, String, T),
    Unread(Unread),
    PassedOver(String),
    /// Read, and of no interest.
    Nothing,
}

/// Reads every workload file below the paths; a file that can name no image is passed over.
///
/// # Errors
/// A path that is not there. What cannot be read below a path is listed instead.
pub fn each_file<T: Send>(
    cwd: &Path,
    paths: &[PathBuf],
    make: impl Fn(&FileText<'_>) -> Result<Option<T>, Unreadable> + Sync,
) -> Result<Walked<T>, FilesError> {
    let seen = Mutex::new(Vec::new());
    let learned = Learned::default();
    for path in paths {
        let root = cwd.join(path);
        let missing = |source| FilesError::NoSuchPath { path: path.clone(), source };
        let real = std::fs::canonicalize(&root).map_err(missing)?;
        let shown = shown_root(path);
        let metadata = std::fs::metadata(&real).map_err(missing)?;
        if metadata.is_dir() {
            below(&real, &shown, &make, &seen, &learned);
        } else if metadata.is_file() {
            let seen_one = one(&real, shown, Named::ByPerson, &mut Vec::new(), &make, &learned);
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen_one);
        } else {
            return Err(FilesError::NotAFile { path: path.clone() });
        }
    }
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    let looked_at = seen.len();
    Ok(in_order(again(seen, learned, &make), looked_at))
}

/// Looks once more at the files with objects of kinds that the tree defines.
fn again<T>(
    mut seen: Vec<Seen<T>>,
    learned: Learned,
    make: &impl Fn(&FileText<'_>) -> Result<Option<T>, Unreadable>,
) -> Vec<Seen<T>> {
    let (knowledge, custom) = learned.finish();
    let (mut buffer, mut anew) = (Vec::new(), HashMap::new());
    for file in custom {
        // A file that cannot be read any more keeps what was seen of it.
        let Ok(text) = read_into(&file.path, &mut buffer).map(|()| std::str::from_utf8(&buffer))
        else {
            continue;
        };
        let Some(text) = text.ok().filter(|text| knowledge.may_know(text)) else { continue };
        let file_text = FileText {
            path: &file.path,
            shown: &file.shown,
            text,
            format: Format::Kubernetes,
            knowledge: &knowledge,
        };
        // Nothing made of it is an answer too: what looked like an image is none.
        if let Ok(made) = make(&file_text) {
            anew.insert(file.path, (file.shown, made));
        }
    }
    seen.retain(|one| !matches!(one, Seen::Found(path, _, _) if anew.contains_key(path)));
    let found = |(path, (shown, made)): (PathBuf, (String, Option<T>))| match made {
        Some(made) => Seen::Found(path, shown, made),
        None => Seen::Nothing,
    };
    seen.extend(anew.into_iter().map(found));
    seen
}

/// Every workload file below a path that can name an image, broken ones too, with paths relative to the root;
/// and what could not be read, whose images are unknown.
///
/// # Errors
/// A path that is not there.
pub fn text_files(root: &Path, below: &str) -> Result<(Vec<TextFile>, Vec<Unread>), FilesError> {
    let start = if below.is_empty() { "." } else { below };
    let make = |file: &FileText<'_>| {
        Ok(Some(TextFile { path: file.shown.to_owned(), text: file.text.to_owned() }))
    };
    let walked = each_file(root, &[PathBuf::from(start)], make)?;
    Ok((walked.found, walked.unread))
}

/// Whether somebody named the file or a walk came by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByPerson,
    ByWalk,
}

/// Walks one folder on all cores.
fn below<T: Send>(
    root: &Path,
    shown: &str,
    make: &(impl Fn(&FileText<'_>) -> Result<Option<T>, Unreadable> + Sync),
    seen: &Mutex<Vec<Seen<T>>>,
    learned: &Learned,
) {
    let is_project = |entry: &DirEntry| {
        let is_root = entry.depth() == 0;
        is_root || !entry.file_name().to_str().is_some_and(|name| VERSION_CONTROL.contains(&name))
    };
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(is_project)
        .build_parallel();
    let keep = |one: Seen<T>| seen.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    walker.run(|| {
        let mut buffer = Vec::new();
        Box::new(move |entry| {
            match entry {
                Ok(entry) => {
                    let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                    let shown = shown_below(root, shown, entry.path());
                    if is_file && pin::is_worth_opening(&shown) {
                        keep(one(entry.path(), shown, Named::ByWalk, &mut buffer, make, learned));
                    }
                }
                Err(why) => keep(Seen::Unread(Unread {
                    path: root.to_owned(),
                    shown: shown_of(shown),
                    why: Unreadable::Walk(why),
                    guess: Guess::Nothing,
                })),
            }
            WalkState::Continue
        })
    });
}

/// Reads one file.
fn one<T>(
    path: &Path,
    shown: String,
    named: Named,
    buffer: &mut Vec<u8>,
    make: &impl Fn(&FileText<'_>) -> Result<Option<T>, Unreadable>,
    learned: &Learned,
) -> Seen<T> {
    let unread =
        |shown, why, guess| Seen::Unread(Unread { path: path.to_owned(), shown, why, guess });
    if let Err(source) = read_into(path, buffer) {
        return unread(shown, Unreadable::Io(source), Guess::Nothing);
    }
    let other = |shown| match named {
        Named::ByPerson => Seen::PassedOver(shown),
        Named::ByWalk => Seen::Nothing,
    };
    let (text, format) = match content(&shown, buffer) {
        Content::Workload { text, format } => (text, format),
        Content::Unread { why, guess } => return unread(shown, why, guess),
        Content::Silent => {
            // Its objects may have images under names that only their definition tells.
            if let Ok(text) = std::str::from_utf8(buffer)
                && pin::classify(&shown, text) == Some(Format::Kubernetes)
            {
                learned.objects(path, &shown, text);
            }
            return Seen::Nothing;
        }
        Content::Other => return other(shown),
    };
    let knowledge = &*learned.meet(path, &shown, text, format);
    match make(&FileText { path, shown: &shown, text, format, knowledge }) {
        Ok(Some(made)) => Seen::Found(path.to_owned(), shown, made),
        Ok(None) => Seen::Nothing,
        Err(why) => unread(shown, why, Guess::Nothing),
    }
}

/// Reads one byte more than is looked at, to tell a file that is too large.
fn read_into(path: &Path, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    buffer.clear();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(buffer).map(drop)
}

fn in_order<T>(seen: Vec<Seen<T>>, looked_at: usize) -> Walked<T> {
    let (mut found, mut unread, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
    for one in seen {
        match one {
            Seen::Found(path, shown, made) => found.push((shown, path, made)),
            Seen::Unread(one) => unread.push(one),
            Seen::PassedOver(shown) => passed_over.push(shown),
            Seen::Nothing => {}
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    unread.sort_by(|a, b| a.shown.cmp(&b.shown));
    passed_over.sort();
    // Paths may overlap (`.` and `deploy`): a file counts once.
    let mut known = HashSet::new();
    found.retain(|(_, path, _)| known.insert(path.clone()));
    Walked {
        found: found.into_iter().map(|(_, _, made)| made).collect(),
        unread,
        passed_over,
        looked_at,
    }
}

/// What stands before the paths below a named path: nothing for `.`, `deploy` for `./deploy/`.
fn shown_root(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    slashed(&parts.collect::<PathBuf>())
}

fn shown_below(root: &Path, shown: &str, path: &Path) -> String {
    let inside = slashed(path.strip_prefix(root).unwrap_or(path));
    match shown {
        "" => inside,
        "/" => format!("/{inside}"),
        _ => format!("{shown}/{inside}"),
    }
}

fn shown_of(root: &str) -> String {
    if root.is_empty() { ".".to_owned() } else { root.to_owned() }
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace('\\', "/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn shown(folder: &Path, paths: &[&str]) -> Walked<String> {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        each_file(folder, &paths, |file| file.scan().map(|_| Some(file.shown.to_owned()))).unwrap()
    }

    #[test]
    fn hidden_folders_are_read_and_ignored_ones_and_history_are_not() {
        let folder = tree(&[
            (".gitignore", "target/\n"),
            (".git/Dockerfile", "FROM a\n"),
            (".github/Dockerfile", "FROM a\n"),
            ("b/Dockerfile", "FROM a\n"),
            ("b/readme.md", "FROM a\n"),
            ("target/Dockerfile", "FROM a\n"),
            ("a.Dockerfile", "FROM a\n"),
        ]);
        let walked = shown(folder.path(), &["."]);
        assert_eq!(walked.found, [".github/Dockerfile", "a.Dockerfile", "b/Dockerfile"]);
        assert_eq!(shown(folder.path(), &["target"]).found, ["target/Dockerfile"]);
    }

    #[test]
    fn a_file_counts_once_however_often_it_is_named() {
        let folder = tree(&[("b/Dockerfile", "FROM a\n")]);
        let walked = shown(folder.path(), &["./b/", ".", "b/Dockerfile"]);
        assert_eq!(walked.found, ["b/Dockerfile"]);
    }

    #[test]
    fn what_was_named_and_is_no_workload_file_is_said() {
        let folder = tree(&[("a.txt", "image: b\n"), ("c.yaml", "image: b\n")]);
        assert_eq!(shown(folder.path(), &["a.txt", "c.yaml"]).passed_over, ["a.txt", "c.yaml"]);
        assert!(shown(folder.path(), &["."]).passed_over.is_empty());
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error() {
        let folder = tree(&[]);
        let found = each_file(folder.path(), &["nowhere".into()], |_| Ok(Some(())));
        assert!(matches!(found, Err(FilesError::NoSuchPath { .. })));
    }

    #[test]
    fn broken_large_and_strange_workload_files_are_listed() {
        let folder =
            tree(&[("compose.yaml", "services: {a: {image: [}\n"), ("ok/notes.yaml", "a: [\n")]);
        std::fs::write(folder.path().join("Dockerfile"), b"FROM a\xff\n").unwrap();
        let at = |bytes: usize| format!("FROM a\n#{}", "x".repeat(bytes - 8));
        std::fs::write(folder.path().join("at.Dockerfile"), at(FILE_BYTES_MAX)).unwrap();
        std::fs::write(folder.path().join("above.Dockerfile"), at(FILE_BYTES_MAX + 1)).unwrap();
        let walked = shown(folder.path(), &["."]);
        assert_eq!(walked.found, ["at.Dockerfile"]);
        let unread: Vec<&str> = walked.unread.iter().map(|one| one.shown.as_str()).collect();
        assert_eq!(unread, ["Dockerfile", "above.Dockerfile", "compose.yaml"]);
        assert!(matches!(walked.unread[0].why, Unreadable::Encoding));
        assert!(matches!(walked.unread[1].why, Unreadable::Size));
        assert!(matches!(walked.unread[2].why, Unreadable::Scan(_)));
    }
}

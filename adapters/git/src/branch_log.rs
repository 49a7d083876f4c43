//! What each commit of a branch added, changed or removed, seen along its first parents.
//!
//! ```text
//! <commit> <parents> NUL  :000000 100644 0000… 1a2b… A NUL  events/2026/03/17/01JQ….json NUL  …
//! ```
//! Order: the branch's first-parent order, oldest first, then path. Source: DESIGN §12, "Git record".

use crate::cache::Cache;
use crate::error::GitError;
use crate::objects::{self, Found};
use domain::CommitId;
use std::fmt;

/// A file that a commit added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedFile {
    /// The commit, of the branch's first-parent line.
    pub commit: CommitId,
    /// The path; UTF-8 in all that we write, else with replacement characters.
    pub path: String,
    /// The bytes, exactly.
    pub bytes: Vec<u8>,
}

/// What a commit did to a file that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlteredHow {
    /// Other bytes, or another mode.
    Changed,
    /// Gone.
    Removed,
    /// Added as something that is no plain file.
    NotAFile,
}

impl fmt::Display for AlteredHow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::NotAFile => "added as a link, a submodule or a program",
        })
    }
}

/// One line of a commit's raw difference to its first parent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) commit: CommitId,
    pub(crate) path: String,
    pub(crate) what: StepKind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    Added { object: String },
    Altered(AlteredHow),
}

/// The commits of a branch along its first parents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The first parent of the oldest of them.
    pub(crate) stands_on: Option<CommitId>,
    pub(crate) steps: Vec<Step>,
}

const WHAT: &str = "log";

/// The largest raw log that is read: about half a million files.
const LOG_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Each step of the commits after `since`, up to `tip`.
pub(crate) async fn steps(
    cache: &Cache,
    since: Option<&CommitId>,
    tip: &CommitId,
) -> Result<Line, GitError> {
    let range = since.map_or_else(|| tip.to_string(), |since| format!("{since}..{tip}"));
    let args = ["log", "--first-parent", "-m", "--reverse", "--raw", "--no-abbrev", "-z"];
    let call = cache.call(WHAT, args).setting("log.showRoot", "true");
    let call =
        call.args(["--no-renames", "--no-ext-diff", "--no-textconv", "--format=tformat:%H %P"]);
    let call = call.args(["--end-of-options", &range, "--"]).stdout_max(LOG_BYTES_MAX);
    let mut line = read_log(&call.ok().await?.stdout)?;
    sort_inside_commits(&mut line.steps);
    Ok(line)
}

/// Reads the bytes of what was added; anything altered below `frozen` is an error.
pub(crate) async fn added(
    cache: &Cache,
    steps: Vec<Step>,
    frozen: &[&str],
    each_max: usize,
) -> Result<Vec<AddedFile>, GitError> {
    check_frozen(&steps, frozen)?;
    let mut names = Vec::new();
    let mut files = Vec::new();
    for step in steps {
        match step.what {
            StepKind::Added { object } => {
                names.push(object);
                files.push((step.commit, step.path));
            }
            StepKind::Altered(_) => {}
        }
    }
    let found = objects::read_files(cache.git(), cache.folder(), &names, each_max).await?;
    let joined = files.into_iter().zip(found).zip(names);
    joined
        .map(|(((commit, path), found), object)| match found {
            Found::File(bytes) => Ok(AddedFile { commit, path, bytes }),
            Found::Missing | Found::Other => Err(GitError::garbled("cat-file", object.as_bytes())),
        })
        .collect()
}

/// Refuses the first file below `frozen` that was changed or removed.
pub(crate) fn check_frozen(steps: &[Step], frozen: &[&str]) -> Result<(), GitError> {
    let is_frozen = |path: &str| {
        frozen.iter().any(|folder| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    for step in steps {
        match &step.what {
            StepKind::Altered(how) if is_frozen(&step.path) => {
                return Err(GitError::Altered {
                    path: crate::said::clean(&step.path, &[]),
                    commit: step.commit.clone(),
                    how: *how,
                });
            }
            StepKind::Altered(_) | StepKind::Added { .. } => {}
        }
    }
    Ok(())
}

fn read_log(stdout: &[u8]) -> Result<Line, GitError> {
    let garbled = |token: &[u8]| GitError::garbled(WHAT, token);
    let (mut commit, mut stands_on) = (None, None);
    let mut steps = Vec::new();
    let mut tokens = stdout.split(|byte| *byte == 0);
    while let Some(token) = tokens.next() {
        let token = token.strip_prefix(b"\n").unwrap_or(token);
        let text = std::str::from_utf8(token).map_err(|_| garbled(token))?;
        if text.is_empty() {
            continue;
        }
        let Some(entry) = text.strip_prefix(':') else {
            let mut ids = text.split_ascii_whitespace().map(str::parse::<CommitId>);
            let id = ids.next().and_then(Result::ok).ok_or_else(|| garbled(token))?;
            let parent = ids.next().transpose().map_err(|_| garbled(token))?;
            if commit.is_none() {
                stands_on = parent;
            }
            commit = Some(id);
            continue;
        };
        let path = tokens.next().ok_or_else(|| garbled(token))?;
        let commit = commit.clone().ok_or_else(|| garbled(token))?;
        let what = read_entry(entry).ok_or_else(|| garbled(token))?;
        steps.push(Step { commit, path: String::from_utf8_lossy(path).into_owned(), what });
    }
    Ok(Line { stands_on, steps })
}

/// `OLDMODE NEWMODE OLDOBJECT NEWOBJECT STATUS`.
fn read_entry(entry: &str) -> Option<StepKind> {
    let words: Vec<&str> = entry.split(' ').collect();
    let [_, mode, _, object, status] = words.as_slice() else {
        return None;
    };
    Some(match (*status, *mode) {
        ("A", "100644") => StepKind::Added { object: (*object).to_owned() },
        ("A", _) => StepKind::Altered(AlteredHow::NotAFile),
        ("D", _) => StepKind::Altered(AlteredHow::Removed),
        (_, _) => StepKind::Altered(AlteredHow::Changed),
    })
}

/// Keeps the order of commits; inside one, by path's bytes.
fn sort_inside_commits(steps: &mut [Step]) {
    for group in steps.chunk_by_mut(|a, b| a.commit == b.commit) {
        group.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_log_is_read_commit_by_commit() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let (zero, one) = ("0".repeat(40), "1".repeat(40));
        let log = format!(
            "{a} {c} {b}\0\n:000000 100644 {zero} {one} A\0z.json\0:000000 100644 {zero} {one} A\0a\nb\0{b} {a}\0\n\
             :100644 000000 {one} {zero} D\0z.json\0:100644 100755 {one} {one} M\0x\0\
             :000000 120000 {zero} {one} A\0l\0"
        );
        let line = read_log(log.as_bytes()).unwrap();
        assert_eq!(line.stands_on, Some(c.parse().unwrap()));
        let mut steps = line.steps;
        sort_inside_commits(&mut steps);
        let seen: Vec<_> = steps.iter().map(|s| (s.commit.short(1), s.path.as_str())).collect();
        assert_eq!(seen, [("a", "a\nb"), ("a", "z.json"), ("b", "l"), ("b", "x"), ("b", "z.json")]);
        assert_eq!(steps[2].what, StepKind::Altered(AlteredHow::NotAFile));
        assert_eq!(steps[3].what, StepKind::Altered(AlteredHow::Changed));
        assert_eq!(steps[4].what, StepKind::Altered(AlteredHow::Removed));
    }

    #[test]
    fn only_frozen_folders_are_refused() {
        let commit: CommitId = "a".repeat(40).parse().unwrap();
        let step = |path: &str| {
            let what = StepKind::Altered(AlteredHow::Changed);
            [Step { commit: commit.clone(), path: path.to_owned(), what }]
        };
        for frozen in ["events/a", "events", "reserve/x"] {
            assert!(check_frozen(&step(frozen), &["events", "reserve"]).is_err(), "{frozen}");
        }
        for free in ["README.md", "eventsx/a", "x/events/a"] {
            assert!(check_frozen(&step(free), &["events", "reserve"]).is_ok(), "{free}");
        }
    }
}

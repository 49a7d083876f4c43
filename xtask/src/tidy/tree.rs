//! The files that the rules look at: what git tracks or would track, as text.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::source::{Source, mask};
use crate::process;

/// What a rule found, and where. Printed as `path:line: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) path: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Path → text, in order of paths; paths are relative to the root and use `/`.
#[derive(Debug, Default)]
pub(super) struct Tree {
    texts: BTreeMap<String, String>,
    masked: BTreeMap<String, Source>,
}

impl Tree {
    /// Reads the checkout; files that are no text are left out.
    ///
    /// # Errors
    /// It is not a git checkout, or a file cannot be read.
    pub(super) fn of_checkout(root: &Path) -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = process::read(git.current_dir(root))?;
        let mut texts = BTreeMap::new();
        for name in listed.split_terminator('\0') {
            let path = root.join(name);
            // Deleted and not yet committed, or a link, or a submodule: no text of ours.
            if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
                continue;
            }
            let bytes = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.insert(name.to_owned(), text);
            }
        }
        Ok(Self::of(texts))
    }

    /// A tree of these files; tests plant violations with it.
    #[cfg(test)]
    pub(super) fn planted(files: &[(&str, &str)]) -> Self {
        Self::of(files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect())
    }

    fn of(texts: BTreeMap<String, String>) -> Self {
        let rust = texts.iter().filter(|(path, _)| path.ends_with(".rs"));
        let masked = rust.map(|(path, text)| (path.clone(), mask(text))).collect();
        Self { texts, masked }
    }

    /// Every text file.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// One text file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Every Rust file, without what its comments and literals say.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.masked.iter().map(|(path, source)| (path.as_str(), source))
    }

    /// One Rust file, without what its comments and literals say.
    pub(super) fn rust_file(&self, path: &str) -> Option<&Source> {
        self.masked.get(path)
    }
}

/// The folder of a path, without a slash at its end; empty for the root.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

//! A baseline: the findings that were there before, so that a gate fails only for new ones.
//!
//! ```text
//! indelible check --format json > known.json ; indelible check --baseline known.json
//! ```
//! A former report is the baseline. A finding is known by its file, kind and reference, not by its line, which
//! moves; as often as it was there before, and no more.

use crate::verdict::{Explain, Verdict};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest baseline that is read, in bytes.
pub const BASELINE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The version of the report's shape that is read here.
const VERSION: u32 = 1;

/// Findings that are known, each with how often.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    left: HashMap<(String, String, String), usize>,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not there, or closed to us.
    #[error("cannot read the baseline {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// More than [`BASELINE_BYTES_MAX`].
    #[error("the baseline {} has more than {BASELINE_BYTES_MAX} bytes", path.display())]
    Size {
        /// The file.
        path: PathBuf,
    },
    /// It is no report of ours.
    #[error("the baseline {} is no report of `indelible check --format json`", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It is a report of another command or version.
    #[error("the baseline {} is a report of `{command}`, version {version}; one of `check`, version {VERSION}, is needed", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The command.
        command: String,
        /// The version.
        version: u32,
    },
}

impl Explain for BaselineError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        Some("indelible check --format json > FILE".to_owned())
    }
}

/// What is read of a report.
#[derive(Deserialize)]
struct Document {
    version: u32,
    command: String,
    findings: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    path: String,
    kind: String,
    reference: String,
}

impl Baseline {
    /// Reads a former report.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let io = |source| BaselineError::Io { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(io)?;
        file.take(BASELINE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() > BASELINE_BYTES_MAX {
            return Err(BaselineError::Size { path: path.to_owned() });
        }
        let shape = |source| BaselineError::Shape { path: path.to_owned(), source };
        let document: Document = serde_json::from_slice(&bytes).map_err(shape)?;
        if document.version != VERSION || document.command != "check" {
            let (command, version) = (document.command, document.version);
            return Err(BaselineError::Other { path: path.to_owned(), command, version });
        }
        Ok(Self::of(document.findings.into_iter().map(|one| (one.path, one.kind, one.reference))))
    }

    /// A baseline of these findings: file, kind, reference.
    #[must_use]
    pub fn of(findings: impl IntoIterator<Item = (String, String, String)>) -> Self {
        let mut left = HashMap::new();
        for finding in findings {
            *left.entry(finding).or_default() += 1;
        }
        Self { left }
    }

    /// Whether a finding is known; it is taken out, so that a second one like it is new.
    pub fn take(&mut self, path: &str, kind: &str, reference: &str) -> bool {
        // Most runs have no baseline, and no key is worth making for it.
        if self.left.is_empty() {
            return false;
        }
        let key = (path.to_owned(), kind.to_owned(), reference.to_owned());
        match self.left.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &[u8]) -> Result<Baseline, BaselineError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.json");
        std::fs::write(&path, text).unwrap();
        Baseline::load(&path)
    }

    #[test]
    fn a_finding_is_known_as_often_as_it_was_there() {
        let text = br#"{"version":1,"command":"check","findings":[{"path":"a","kind":"no-tag","reference":"b","line":7}]}"#;
        let mut baseline = loaded(text).unwrap();
        assert!(!baseline.take("a", "not-pinned", "b"));
        assert!(baseline.take("a", "no-tag", "b"));
        assert!(!baseline.take("a", "no-tag", "b"));
    }

    #[test]
    fn what_is_no_report_is_no_baseline() {
        assert!(matches!(loaded(b"[]"), Err(BaselineError::Shape { .. })));
        let other = br#"{"version":2,"command":"check","findings":[]}"#;
        assert!(matches!(loaded(other), Err(BaselineError::Other { version: 2, .. })));
        let missing = Baseline::load(Path::new("/nowhere/known.json"));
        assert!(matches!(missing, Err(BaselineError::Io { .. })));
    }

    #[test]
    fn a_baseline_has_so_many_bytes_and_no_more() {
        let mut text = br#"{"version":1,"command":"check","findings":[]}"#.to_vec();
        text.resize(BASELINE_BYTES_MAX, b' ');
        assert!(loaded(&text).is_ok());
        text.push(b' ');
        assert!(matches!(loaded(&text), Err(BaselineError::Size { .. })));
    }
}

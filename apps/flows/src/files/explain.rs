//! One file, explained: what it was read as and why, who decides what it must name, and what was passed over.
//!
//! ```text
//! deploy/api.yaml: kubernetes (it has `apiVersion` and `kind`), digest (prod asks for it), no pattern of `ignore` fits
//! ```

use super::check::{Asked, Listing, Report, check};
use super::error::FilesError;
use super::level::Requirements;
use domain::EnvironmentName;
use pin::scan::FILE_BYTES_MAX;
use pin::{Level, Recognised};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What there is to say of a file.
#[derive(Debug)]
pub struct Explanation {
    /// What it was read as, and why; none where it is no workload file, or no text.
    pub recognised: Option<Recognised>,
    /// What it must name.
    pub level: Level,
    /// Whose level that is; none: the default.
    pub environment: Option<EnvironmentName>,
    /// The pattern of `ignore` that decides about it, with its `!`.
    pub ignore: Option<String>,
    /// Every place with its answer.
    pub report: Report,
}

/// Explains one file.
///
/// # Errors
/// It is not there, or no file.
pub fn explain(
    cwd: &Path,
    path: &Path,
    requirements: &Requirements,
    asked: Asked,
) -> Result<Explanation, FilesError> {
    let missing = |source| FilesError::NoSuchPath { path: path.to_owned(), source };
    let real = std::fs::canonicalize(cwd.join(path)).map_err(missing)?;
    if !real.is_file() {
        return Err(FilesError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&real).map_err(missing)?;
    file.take(FILE_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(missing)?;
    let shown = path.to_string_lossy();
    let recognised = pin::recognise(&shown, &String::from_utf8_lossy(&bytes));
    let required = requirements.of_file(&real);
    let (level, environment) = (required.level, required.environment.cloned());
    let ignore = requirements.ignore_entry(&real).map(super::level::written);
    let asked = Asked { listing: Listing::All, ..asked };
    let report = check(cwd, &[PathBuf::from(path)], requirements, asked)?;
    Ok(Explanation { recognised, level, environment, ignore, report })
}

//! Where the settings are: from the current folder up to the git root.

use super::Settings;
use super::read::{SETTINGS_BYTES_MAX, SettingsError, read};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The names that are looked for, in this order.
pub const FILE_NAMES: [&str; 2] = ["indelible.yaml", "indelible.yml"];

/// Settings, and the file that they came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub settings: Settings,
}

/// Why no settings could be had.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no settings.
    #[error("{}{}", path.display(), place(source))]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SettingsError,
    },
}

/// Line and column behind the name of the file, where they are known.
fn place(error: &SettingsError) -> String {
    match error {
        SettingsError::Shape { at: Some(at), .. } => format!(":{}:{}", at.line, at.column),
        SettingsError::Shape { at: None, .. }
        | SettingsError::Length { .. }
        | SettingsError::Version { .. }
        | SettingsError::Value { .. } => String::new(),
    }
}

/// Looks for settings from a folder upwards, no further than the folder that holds `.git`.
///
/// # Errors
/// A file that is there and cannot be used is an error, never "no settings".
pub fn find(from: &Path) -> Result<Option<Loaded>, FindError> {
    for folder in from.ancestors() {
        for name in FILE_NAMES {
            let path = folder.join(name);
            match path.try_exists() {
                Ok(true) => return load(&path).map(Some),
                Ok(false) => {}
                Err(source) => return Err(FindError::Io { path, source }),
            }
        }
        if folder.join(".git").exists() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Reads one file of settings.
///
/// # Errors
/// Says what is wrong, and in which file.
pub fn load(path: &Path) -> Result<Loaded, FindError> {
    let io = |source| FindError::Io { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(SETTINGS_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(io)?;
    let settings =
        read(&text).map_err(|source| FindError::Settings { path: path.to_owned(), source })?;
    Ok(Loaded { path: path.to_owned(), settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file_and_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("indelible.yaml");
        std::fs::write(&path, "version: 1\nimagez: {}\n").unwrap();
        let error = find(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("{}:2:1", path.display()));
    }
}

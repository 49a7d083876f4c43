//! `init`: reads a tree and writes the settings that fit it, with where each line came from.
//!
//! ```text
//! deploy/{uat,prod}, branches main and prod, `docker push ghcr.io/shop/api` in CI   ->   indelible.yaml
//! ```
//! Asks no registry and no cluster. What it writes is read back before it is shown; what it could not find stands there as a comment.

mod environments;
mod gather;
mod images;
mod pushes;
mod text;

use crate::files::FilesError;
use crate::settings::{self, FILE_NAMES, SettingsError};
use crate::surroundings::Surroundings;
use crate::verdict::{Explain, Verdict};
use environments::DraftEnvironment;
use gather::Gathered;
use git::GitError;
use images::DraftImage;
use std::path::{Path, PathBuf};

/// Settings that fit a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Where they belong: the git root, else the folder itself.
    pub path: PathBuf,
    /// The file.
    pub text: String,
    /// What to do next, a command each.
    pub next: Vec<String>,
    /// Files that could not be read: what they say is not in it.
    pub unread: Vec<String>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Settings are never overwritten unasked.
    #[error("{} is there already", .path.display())]
    There {
        /// The file.
        path: PathBuf,
    },
    /// The tree.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// What was written cannot be read: a mistake of ours.
    #[error("the settings that were found do not fit together")]
    Draft(#[from] SettingsError),
    /// The file cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Explain for InitError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::There { .. } => Verdict::Refused,
            Self::Files(error) => error.verdict(),
            Self::Git(_) | Self::Draft(_) | Self::Write { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::There { .. } => {
                Some("indelible init --stdout shows what it would write".to_owned())
            }
            Self::Files(error) => error.hint(),
            Self::Git(_) | Self::Draft(_) | Self::Write { .. } => None,
        }
    }
}

/// What an existing file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and that is an error.
    Stays,
    /// It is replaced, or only shown beside.
    MayGo,
}

/// Reads the tree around the current folder.
///
/// # Errors
/// Settings are there already, or the tree or git cannot be read.
pub async fn draft(around: &Surroundings, existing: Existing) -> Result<Draft, InitError> {
    let root = gather::root(around).await?;
    let there = FILE_NAMES.iter().map(|name| root.join(name)).find(|path| path.exists());
    if let (Some(path), Existing::Stays) = (&there, existing) {
        return Err(InitError::There { path: path.clone() });
    }
    let gathered = gather::gather(around, &root).await?;
    let path = there.unwrap_or_else(|| root.join(FILE_NAMES[0]));
    drafted(path, gathered)
}

fn drafted(path: PathBuf, gathered: Gathered) -> Result<Draft, InitError> {
    let images: Vec<DraftImage> = images::guess(&gathered);
    let environments: Vec<DraftEnvironment> = environments::guess(&gathered);
    let text = text::write(&gathered, &images, &environments);
    let settings = settings::read(&text)?;
    debug_assert_eq!(settings.environments.len(), environments.len(), "each is read back");
    let next = next(&images, &environments);
    Ok(Draft { path, text, next, unread: gathered.unread })
}

/// The first three things that are of use, for what was found.
fn next(images: &[DraftImage], environments: &[DraftEnvironment]) -> Vec<String> {
    let look = environments.iter().find_map(|one| one.context.as_ref());
    let look = look.map(|context| format!("indelible status --context {}", context.name));
    let pin = environments.iter().find_map(|one| one.folder.as_ref());
    let pin = pin.map(|folder| format!("indelible pin {} --diff", folder.path));
    let tag = images.first().map(|image| format!("indelible tag {}", image.name));
    let doctor = Some("indelible doctor".to_owned());
    let check = Some("indelible check".to_owned());
    [check, doctor, look, pin, tag].into_iter().flatten().take(3).collect()
}

/// Writes the file: all of it or nothing.
///
/// # Errors
/// The system does not let us.
pub fn write(draft: &Draft) -> Result<(), InitError> {
    let wrong = |source| InitError::Write { path: draft.path.clone(), source };
    let folder = draft.path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
    std::io::Write::write_all(&mut file, draft.text.as_bytes()).map_err(wrong)?;
    file.as_file().sync_all().map_err(wrong)?;
    file.persist(&draft.path).map_err(|error| wrong(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;

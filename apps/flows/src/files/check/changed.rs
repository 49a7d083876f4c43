//! Only what a branch changed: places on lines that differ from where it began.
//!
//! ```text
//! --changed-since origin/main  ->  deploy/api.yaml:9 is looked at, deploy/web.yaml is not
//! ```
//! A place is what its name, its other keys and its aliases stand on: each of them changes what runs.

use crate::app::App;
use crate::verdict::{Explain, Verdict};
use git::{GitError, Lines};
use pin::{Places, Site};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The lines of files that differ.
#[derive(Clone, Debug)]
pub struct Changes {
    files: HashMap<PathBuf, Lines>,
}

/// Why it is not known what changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The files are in no git repository.
    #[error("these files are in no git repository: nobody knows what changed")]
    NoRepository,
    /// Git cannot say.
    #[error("cannot tell what changed since `{since}`", since = since.escape_debug())]
    Git {
        /// The commit that was named.
        since: String,
        /// What git says.
        source: GitError,
    },
}

impl Explain for ChangesError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Git { source: GitError::NoSuchCommit { .. }, .. } => Some(
                "in a shallow checkout, `git fetch --unshallow origin` brings what is missing"
                    .to_owned(),
            ),
            Self::Git { .. } | Self::NoRepository => None,
        }
    }
}

impl Changes {
    /// What differs from the merge base of HEAD and a commit, new files included.
    ///
    /// # Errors
    /// There is no repository or no such commit, or git cannot say.
    pub async fn since(app: &App, name: &str) -> Result<Self, ChangesError> {
        let wrong = |source| ChangesError::Git { since: name.chars().take(200).collect(), source };
        let checkout = app.checkout().await.map_err(wrong)?.ok_or(ChangesError::NoRepository)?;
        let root = checkout.root();
        // Paths are compared as the walk has them, with their links resolved.
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        let changed = checkout.changed_since(name).await.map_err(wrong)?;
        let files = changed.into_iter().map(|(path, lines)| (root.join(path), lines));
        Ok(Self { files: files.collect() })
    }

    /// Whether anything of a file differs.
    pub(super) fn of_file(&self, path: &Path) -> Option<&Lines> {
        self.files.get(path)
    }
}

/// Whether any line that a site stands on differs.
pub(super) fn touches(lines: &Lines, places: &mut Places<'_>, site: &Site) -> bool {
    let extent = site.extent();
    let (first, last) = (places.of(extent.start).0, places.of(extent.end).0);
    lines.touch(&(first..=last))
        || site.aliases.iter().any(|alias| lines.touch(&(alias.line..=alias.line)))
}

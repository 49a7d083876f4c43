//! What is being built: the CI's word and the checkout's, compared.
//!
//! ```text
//! GITHUB_REF=refs/heads/develop + HEAD 1a2b3c…  ->  commit 1a2b3c… of develop, clean
//! ```

use crate::app::App;
use crate::verdict::{Explain, Verdict};
use ::record::claim::{CiRun, Source};
use domain::{CommitId, SourceRef};
use git::{Checkout, GitError, Head};
use std::io::Read as _;
use tagging::ci::{CheckoutFit, EVENT_BYTES_MAX, laptop};
use tagging::{CiError, CiFacts};

/// What is being built.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// The CI's facts; without a CI the checkout's.
    pub ci: CiFacts,
    /// Whether tracked files differ from the commit; without a checkout nobody knows.
    pub dirty: Option<bool>,
    /// Whether the past is cut off; without a checkout nobody knows.
    pub shallow: Option<bool>,
    /// The names of the git tags at the commit.
    pub git_tags: Vec<String>,
    /// The fewest digits that tell the commit from others; 0 where nobody could be asked.
    pub commit_digits: usize,
    /// Where the source lives, without credentials.
    pub repository: Option<String>,
}

/// Why it is not known what is being built.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The CI's variables.
    #[error("the CI's variables cannot be used")]
    Ci(#[from] CiError),
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The file that `GITHUB_EVENT_PATH` names.
    #[error("cannot read {path}, which GITHUB_EVENT_PATH names")]
    Event {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The checkout is another commit than the run is about.
    #[error("HEAD is {head}, but this run is about {run}: another ref was checked out")]
    OtherCheckout {
        /// What is checked out.
        head: CommitId,
        /// What the run is about.
        run: CommitId,
    },
}

impl Explain for SourceError {
    fn verdict(&self) -> Verdict {
        Verdict::Unknown
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::OtherCheckout { .. } => {
                Some("check out the commit that the run is about".to_owned())
            }
            Self::Ci(_) | Self::Git(_) | Self::Event { .. } => None,
        }
    }
}

/// Gathers what is being built.
///
/// # Errors
/// Variables that contradict each other, a checkout of another commit, or git cannot say.
pub async fn source(app: &App) -> Result<SourceFacts, SourceError> {
    let event = event_text(app)?;
    let said = tagging::detect(&app.surroundings().variables, event.as_deref())?;
    let checkout = app.checkout().await?;
    match checkout {
        Some(checkout) => with_checkout(said, checkout).await,
        None => {
            let ci = said.unwrap_or_else(|| laptop(None, None));
            let repository = ci.repository_url.clone();
            Ok(SourceFacts {
                ci,
                dirty: None,
                shallow: None,
                git_tags: vec![],
                commit_digits: 0,
                repository,
            })
        }
    }
}

async fn with_checkout(
    said: Option<CiFacts>,
    checkout: &Checkout,
) -> Result<SourceFacts, SourceError> {
    let head = checkout.head().await?;
    let mut ci = said.unwrap_or_else(|| laptop(head.commit().cloned(), head.branch().cloned()));
    if let Some(at) = head.commit() {
        match (ci.compare_checkout(at), &ci.commit) {
            (CheckoutFit::Other, Some(run)) => {
                return Err(SourceError::OtherCheckout { head: at.clone(), run: run.clone() });
            }
            (CheckoutFit::Unknown, _) => ci.commit = Some(at.clone()),
            (CheckoutFit::Head | CheckoutFit::Merge | CheckoutFit::Other, _) => {}
        }
    }
    let commit = ci.commit.clone().filter(|commit| matches!(&head, Head::Branch { commit: c, .. } | Head::Detached { commit: c } if c == commit));
    let (git_tags, commit_digits) = match &commit {
        Some(commit) => (
            checkout.tags_at(commit).await?,
            checkout.unique_digits(commit, tagging::scheme::SHA_DIGITS_MIN).await?,
        ),
        None => (Vec::new(), 0),
    };
    let origin = checkout.origin().await?.map(|origin| origin.url.to_string());
    Ok(SourceFacts {
        dirty: Some(checkout.state().await?.is_dirty()),
        shallow: Some(checkout.is_shallow().await?),
        git_tags,
        commit_digits,
        repository: ci.repository_url.clone().or(origin),
        ci,
    })
}

/// The text of the file that GitHub describes its event in, where there is one.
fn event_text(app: &App) -> Result<Option<String>, SourceError> {
    let Some(path) = app.surroundings().variable("GITHUB_EVENT_PATH") else {
        return Ok(None);
    };
    let wrong = |source| SourceError::Event { path: path.to_owned(), source };
    let file = std::fs::File::open(app.surroundings().cwd.join(path)).map_err(wrong)?;
    let mut text = String::new();
    file.take(EVENT_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(wrong)?;
    Ok(Some(text))
}

impl SourceFacts {
    /// What the record keeps of it; `None` without a commit.
    #[must_use]
    pub fn recorded(&self) -> Option<Source> {
        Some(Source {
            repository: self.repository.clone(),
            commit: self.ci.commit.clone()?,
            merge_commit: self.ci.merge_commit.clone(),
            source_ref: self.ci.source_ref.clone(),
            dirty: self.dirty.unwrap_or(false),
        })
    }

    /// The run, as the record keeps it.
    #[must_use]
    pub fn run(&self) -> Option<CiRun> {
        let run = self.ci.run.as_ref()?;
        Some(CiRun {
            provider: run.provider.name().to_owned(),
            id: run.id.clone(),
            attempt: run.attempt.map(|attempt| attempt.to_string()),
            url: run.url.clone(),
        })
    }

    /// The branch that is built, where one is.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.ci.source_ref.as_ref().and_then(SourceRef::branch)
    }
}

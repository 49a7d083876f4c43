//! What the CI says about its run, read from its variables.
//!
//! ```text
//! GITHUB_REF=refs/heads/prod  GITHUB_EVENT_NAME=push   -> Push of refs/heads/prod
//! CI_MERGE_REQUEST_IID=7                               -> PullRequest 7, and never a branch
//! ```
//! A convenience for the honest, no boundary: whoever writes the pipeline sets its variables. Only full refs
//! are read; `BUILD_SOURCEBRANCHNAME` is the last segment of one, and `GITHUB_HEAD_REF` a stranger's choice.

mod azure;
mod facts;
mod github;
mod github_event;
mod gitlab;
mod variables;

use domain::{CommitId, SourceRef};
use std::collections::BTreeMap;

pub use facts::{CheckoutFit, CiFacts, Event, Fork, Protected, Provider, PullRequest, RunId};
pub(crate) use github::MERGE_QUEUE_PREFIX;
pub use github_event::EVENT_BYTES_MAX;
use variables::Variables;
pub use variables::{CiError, VALUE_LEN_MAX};

/// The families whose markers exclude each other.
const MARKERS: [(&str, Family); 3] = [
    ("GITHUB_ACTIONS", Family::GitHub),
    ("GITLAB_CI", Family::GitLab),
    ("TF_BUILD", Family::Azure),
];

#[derive(Clone, Copy)]
enum Family {
    GitHub,
    GitLab,
    Azure,
}

/// Reads the variables of the process; `None` outside of every CI that is known and marked.
///
/// `event` is the text of the file that `GITHUB_EVENT_PATH` names, where there is one: it alone knows a pull
/// request's head commit and whether it comes from a fork. The order of the markers matters: Forgejo sets
/// Gitea's and both set GitHub's.
///
/// # Errors
/// Names the variable that is missing, malformed or contradicts another.
pub fn detect(
    variables: &BTreeMap<String, String>,
    event: Option<&str>,
) -> Result<Option<CiFacts>, CiError> {
    let variables = Variables::new(variables);
    let mut found: Option<(&'static str, Family)> = None;
    for (marker, family) in MARKERS {
        if !variables.is_true(marker)? {
            continue;
        }
        if let Some((first, _)) = found {
            return Err(CiError::Contradiction {
                first,
                second: marker,
                why: "a run belongs to one CI",
            });
        }
        found = Some((marker, family));
    }
    match found {
        Some((_, Family::GitHub)) => github::read(&variables, event).map(Some),
        Some((_, Family::GitLab)) => gitlab::read(&variables).map(Some),
        Some((_, Family::Azure)) => azure::read(&variables).map(Some),
        None if variables.has("CI")? && !variables.is("CI", "false")? => {
            Ok(Some(CiFacts::outside(Provider::Unknown, None, None)))
        }
        None => Ok(None),
    }
}

/// The facts of a checkout outside of any CI: what git says, and nothing about an event.
///
/// `source_ref` is `None` on a detached HEAD.
#[must_use]
pub fn laptop(commit: Option<CommitId>, source_ref: Option<SourceRef>) -> CiFacts {
    CiFacts::outside(Provider::Checkout, commit, source_ref)
}

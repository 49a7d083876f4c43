//! The parts of GitHub's event file that no variable repeats.
//!
//! ```text
//! {"number":7,"pull_request":{"head":{"sha":"…","repo":{"full_name":"eve/shop"}},"base":{…}}}
//! ```
//! Source: docs.github.com, "Webhook events and payloads". Everything else in the file is skipped.

use super::{CiError, Fork};
use domain::CommitId;
use serde::Deserialize;

/// The largest event file, in bytes: GitHub caps its payloads at 25 MB.
pub const EVENT_BYTES_MAX: usize = 25 * 1024 * 1024;

/// An event, as far as it is read.
#[derive(Default, Deserialize)]
pub(super) struct GitHubEvent {
    /// A push's full ref.
    #[serde(rename = "ref")]
    pub(super) pushed_ref: Option<String>,
    pub(super) number: Option<u64>,
    pub(super) pull_request: Option<PullRequestBody>,
}

#[derive(Deserialize)]
pub(super) struct PullRequestBody {
    pub(super) number: Option<u64>,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    #[serde(rename = "ref")]
    branch: Option<String>,
    /// Null when the fork was deleted.
    repo: Option<SideRepository>,
}

#[derive(Deserialize, PartialEq)]
struct SideRepository {
    full_name: String,
}

impl GitHubEvent {
    pub(super) fn read(text: &str) -> Result<Self, CiError> {
        if text.len() > EVENT_BYTES_MAX {
            return Err(CiError::EventLength { found: text.len() });
        }
        serde_json::from_str(text).map_err(|error| CiError::EventFile { reason: error.to_string() })
    }
}

impl PullRequestBody {
    /// The pull request's own last commit.
    pub(super) fn head_commit(&self) -> Result<CommitId, CiError> {
        self.head.sha.parse().map_err(|_| CiError::EventFile {
            reason: "pull_request.head.sha is not a full commit id".to_owned(),
        })
    }

    pub(super) fn target(&self) -> Option<&str> {
        self.base.branch.as_deref()
    }

    pub(super) fn fork(&self) -> Fork {
        match (&self.head.repo, &self.base.repo) {
            (Some(head), Some(base)) if head == base => Fork::No,
            (Some(_), Some(_)) => Fork::Yes,
            (None, _) | (_, None) => Fork::Unknown,
        }
    }
}

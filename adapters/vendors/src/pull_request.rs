//! Pull requests of git hosts: GitHub, GitLab and Azure DevOps, each by its own API.
//!
//! ```text
//! open(deploy/prod/api -> main, "deploy(prod): api 2026…")  ->  New | Updated, https://github.com/shop/config/pull/7
//! ```
//! Of two branches there is one open pull request at most: it is looked for first, and written over. Which host an
//! address belongs to is told by `place.rs`. Nothing is merged or closed here, and no branch is written.

mod azure;
mod github;
mod gitlab;
mod place;
mod send;

pub use place::{GitHost, Place, PlaceError};
pub use send::{HostToken, PullRequestError};

/// What a pull request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The branch that holds the change.
    pub source: &'a str,
    /// The branch that it is for.
    pub target: &'a str,
    /// One line.
    pub title: &'a str,
    /// What a reviewer reads.
    pub body: &'a str,
}

/// A pull request that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whether it was there before.
    pub how: OpenedHow,
    /// Where a person reads it.
    pub address: String,
}

/// Whether a pull request was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenedHow {
    /// It was opened.
    New,
    /// It was open, and says the new title and text now.
    Updated,
}

/// A repository at a git host, and what proves us there.
#[derive(Clone, Debug)]
pub struct PullRequests {
    place: Place,
    token: HostToken,
    client: reqwest::Client,
}

impl PullRequests {
    /// The pull requests of a repository; nothing is sent yet.
    ///
    /// `client` comes from whoever keeps the rules for connections, for the host of [`Place::api`]. It follows no redirect.
    #[must_use]
    pub fn new(place: Place, token: HostToken, client: reqwest::Client) -> Self {
        Self { place, token, client }
    }

    /// Opens a pull request, or writes over the one that is open for the same two branches.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or answers in another form.
    pub async fn open(&self, asked: &Asked<'_>) -> Result<Opened, PullRequestError> {
        match self.place.host {
            GitHost::GitHub => self.open_at_github(asked).await,
            GitHost::GitLab => self.open_at_gitlab(asked).await,
            GitHost::AzureDevOps => self.open_at_azure(asked).await,
        }
    }
}

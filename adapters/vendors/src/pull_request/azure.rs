//! Pull requests of Azure DevOps.
//!
//! ```text
//! GET   /shop/ops/_apis/git/repositories/config/pullrequests?searchCriteria.status=active&searchCriteria.sourceRefName=…
//! POST  /shop/ops/_apis/git/repositories/config/pullrequests?api-version=7.1     {"sourceRefName","targetRefName","title","description"}
//! PATCH /shop/ops/_apis/git/repositories/config/pullrequests/22?api-version=7.1  {"title","description"}
//! ```
//! Source: MicrosoftDocs/vsts-rest-api-specs, `specification/git/7.1/git.json`, `Pull Requests`.

use super::place::plain;
use super::{Asked, Opened, OpenedHow, PullRequestError, PullRequests};
use http::Method;
use serde::Deserialize;
use serde_json::json;

/// The version of the API that is spoken.
const VERSION: &str = "api-version=7.1";
/// The longest description, in characters. Source: learn.microsoft.com/azure/devops, "Pull Requests - Create".
const DESCRIPTION_CHARS_MAX: usize = 4000;

#[derive(Deserialize)]
struct Pull {
    #[serde(rename = "pullRequestId")]
    number: u64,
}

#[derive(Deserialize)]
struct Pulls {
    value: Vec<Pull>,
}

impl PullRequests {
    pub(super) async fn open_at_azure(
        &self,
        asked: &Asked<'_>,
    ) -> Result<Opened, PullRequestError> {
        let (before, repository) =
            self.place.project.split_once("/_git/").unwrap_or((&self.place.project, ""));
        let all = format!("{before}/_apis/git/repositories/{repository}/pullrequests");
        let full = |branch: &str| format!("refs/heads/{branch}");
        let (source, target) = (full(asked.source), full(asked.target));
        let list = format!(
            "{all}?searchCriteria.status=active&searchCriteria.sourceRefName={}&searchCriteria.targetRefName={}&{VERSION}",
            plain(&source),
            plain(&target)
        );
        let found: Pulls = self.ask(Method::GET, &list, None, "the list of pull requests").await?;
        let description: String = asked.body.chars().take(DESCRIPTION_CHARS_MAX).collect();
        let Some(found) = found.value.first() else {
            let wanted = json!({
                "sourceRefName": source,
                "targetRefName": target,
                "title": asked.title,
                "description": description,
            });
            let path = format!("{all}?{VERSION}");
            let made: Pull =
                self.ask(Method::POST, &path, Some(wanted), "a new pull request").await?;
            return Ok(Opened { how: OpenedHow::New, address: self.azure_address(made.number) });
        };
        let path = format!("{all}/{}?{VERSION}", found.number);
        let wanted = json!({"title": asked.title, "description": description});
        let changed: Pull =
            self.ask(Method::PATCH, &path, Some(wanted), "a change of a pull request").await?;
        Ok(Opened { how: OpenedHow::Updated, address: self.azure_address(changed.number) })
    }

    /// The API tells only its own addresses.
    fn azure_address(&self, number: u64) -> String {
        let own = format!("{}/{}", self.place.api, self.place.project);
        let web = self.place.web.as_ref().unwrap_or(&own);
        format!("{web}/pullrequest/{number}")
    }
}

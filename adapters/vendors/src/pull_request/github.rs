//! Pull requests of GitHub.
//!
//! ```text
//! GET   /repos/shop/config/pulls?state=open&head=shop:deploy/prod/api&base=main
//! POST  /repos/shop/config/pulls      {"title","head","base","body"}
//! PATCH /repos/shop/config/pulls/7    {"title","body"}
//! ```
//! Source: github/rest-api-description, `descriptions/api.github.com`, `pulls/list`, `pulls/create`, `pulls/update`.

use super::place::plain;
use super::{Asked, Opened, OpenedHow, PullRequestError, PullRequests};
use http::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Pull {
    number: u64,
    html_url: String,
}

impl PullRequests {
    pub(super) async fn open_at_github(
        &self,
        asked: &Asked<'_>,
    ) -> Result<Opened, PullRequestError> {
        let project = &self.place.project;
        let owner = project.split('/').next().unwrap_or_default();
        let head = plain(&format!("{owner}:{}", asked.source));
        let base = plain(asked.target);
        let list = format!("repos/{project}/pulls?state=open&head={head}&base={base}");
        let found: Vec<Pull> =
            self.ask(Method::GET, &list, None, "the list of pull requests").await?;
        let (title, body) = (asked.title, asked.body);
        let Some(pull) = found.first() else {
            let path = format!("repos/{project}/pulls");
            let wanted =
                json!({"title": title, "head": asked.source, "base": asked.target, "body": body});
            let pull: Pull =
                self.ask(Method::POST, &path, Some(wanted), "a new pull request").await?;
            return Ok(Opened { how: OpenedHow::New, address: pull.html_url });
        };
        let path = format!("repos/{project}/pulls/{}", pull.number);
        let wanted = json!({"title": title, "body": body});
        let pull: Pull =
            self.ask(Method::PATCH, &path, Some(wanted), "a change of a pull request").await?;
        Ok(Opened { how: OpenedHow::Updated, address: pull.html_url })
    }
}

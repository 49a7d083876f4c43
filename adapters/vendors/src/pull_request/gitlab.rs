//! Merge requests of GitLab.
//!
//! ```text
//! GET  /projects/shop%2Fconfig/merge_requests?state=opened&source_branch=deploy%2Fprod%2Fapi&target_branch=main
//! POST /projects/shop%2Fconfig/merge_requests     {"source_branch","target_branch","title","description","remove_source_branch"}
//! PUT  /projects/shop%2Fconfig/merge_requests/7   {"title","description"}
//! ```
//! Source: docs.gitlab.com/api/merge_requests. A job's own token may not do this: gitlab-org/gitlab#545150.

use super::place::plain;
use super::{Asked, Opened, OpenedHow, PullRequestError, PullRequests};
use http::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct MergeRequest {
    iid: u64,
    web_url: String,
}

impl PullRequests {
    pub(super) async fn open_at_gitlab(
        &self,
        asked: &Asked<'_>,
    ) -> Result<Opened, PullRequestError> {
        let all = format!("projects/{}/merge_requests", plain(&self.place.project));
        let (source, target) = (plain(asked.source), plain(asked.target));
        let list = format!("{all}?state=opened&source_branch={source}&target_branch={target}");
        let found: Vec<MergeRequest> =
            self.ask(Method::GET, &list, None, "the list of merge requests").await?;
        let Some(found) = found.first() else {
            let wanted = json!({
                "source_branch": asked.source,
                "target_branch": asked.target,
                "title": asked.title,
                "description": asked.body,
                "remove_source_branch": true,
            });
            let made: MergeRequest =
                self.ask(Method::POST, &all, Some(wanted), "a new merge request").await?;
            return Ok(Opened { how: OpenedHow::New, address: made.web_url });
        };
        let path = format!("{all}/{}", found.iid);
        let wanted = json!({"title": asked.title, "description": asked.body});
        let changed: MergeRequest =
            self.ask(Method::PUT, &path, Some(wanted), "a change of a merge request").await?;
        Ok(Opened { how: OpenedHow::Updated, address: changed.web_url })
    }
}

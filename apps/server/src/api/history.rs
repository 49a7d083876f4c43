//! The history of one tag: over the API, and at the registry's own path.
//!
//! The registry is the one writer of its tags: what it tells is observed and exact, and has no gaps.

use super::request::{json, parameter, read_query, required};
use super::{Answered, Asked};
use crate::access::Need;
use crate::app::App;
use crate::body::Body;
use crate::reply::{Refusal, text_header};
use axum::extract::State;
use domain::{RepositoryPath, Tag};
use http::{HeaderValue, Response, StatusCode, Uri, header};
use oci::history::{HistoryChange, HistoryEntry, HistoryPage};
use oci::limit::PAGE_ENTRIES_MAX;
use oci::{PageQuery, RouteError};
use record::claim::TagChange;
use record::{Answer, Basis, Claim, Precision, Sequenced};
use serde::Serialize;

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    answer: Answer<HistoryEntry>,
    next: Option<String>,
}

/// `GET /api/v1/tag-history?repository=&tag=&after=&limit=`.
pub(super) async fn get(State(asked): State<Asked>, uri: Uri) -> Answered {
    let query = read_query(&uri)?;
    let repository: RepositoryPath = required(&query, "repository")?;
    let tag: Tag = required(&query, "tag")?;
    let after: Option<u64> = parameter(&query, "after")?;
    let limit: Option<usize> = parameter(&query, "limit")?;
    let limit = limit.unwrap_or(PAGE_ENTRIES_MAX);
    if !(1..=PAGE_ENTRIES_MAX).contains(&limit) {
        let message = format!("`limit` is between 1 and {PAGE_ENTRIES_MAX}");
        return Err(Refusal::Invalid(message).into());
    }
    asked.caller.needs(Need::Read, &repository)?;
    let (items, next) = read(&asked.app, &repository, &tag, after, limit).await?;
    let answer =
        Answer { basis: Basis::Observed, precision: Precision::Exact, gaps: Vec::new(), items };
    json(StatusCode::OK, &Page { answer, next })
}

/// `GET /v2/<name>/_indelible/tags/<tag>/history`.
pub(crate) async fn answer(
    app: &App,
    repository: &RepositoryPath,
    tag: &Tag,
    page: &PageQuery,
) -> Result<Response<Body>, Refusal> {
    let before = page.last.as_deref().map(str::parse::<u64>).transpose();
    let before = before.map_err(|_| Refusal::Route(RouteError::PageNumber))?;
    let n = page.entries();
    let (history, next) = read(app, repository, tag, before, n).await?;
    let written = HistoryPage { name: repository.clone(), tag: tag.clone(), history }.write();
    let mut response = Response::new(Body::full(written.into()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(next) = next.filter(|_| n > 0) {
        let target = format!("/v2/{repository}/_indelible/tags/{tag}/history?n={n}&last={next}");
        headers.extend(text_header(header::LINK, &oci::link::write_next(&target)));
    }
    Ok(response)
}

/// One page, and the cursor of the next where there is one.
async fn read(
    app: &App,
    repository: &RepositoryPath,
    tag: &Tag,
    before: Option<u64>,
    limit: usize,
) -> Result<(Vec<HistoryEntry>, Option<String>), Refusal> {
    let mut found = app.catalog.tag_history(repository, tag, before, limit + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let items: Vec<HistoryEntry> = found.iter().filter_map(entry).collect();
    let next = found.last().filter(|_| has_more).map(|last| last.seq.to_string());
    Ok((items, next))
}

fn entry(found: &Sequenced) -> Option<HistoryEntry> {
    let Claim::TagChange(claim) = &found.event.claim else {
        return None;
    };
    let change = match claim.change {
        TagChange::Created { digest } => HistoryChange::Created { digest },
        TagChange::Moved { from, to } => HistoryChange::Moved { from, digest: to },
        TagChange::Deleted { last } => HistoryChange::Deleted { from: last },
        TagChange::Restored { last, to } => HistoryChange::Restored { from: last, digest: to },
    };
    Some(HistoryEntry {
        cursor: found.seq.to_string(),
        at: found.event.at(),
        change,
        actor: Some(found.event.stamp.actor.clone()),
        reason: claim.reason.as_ref().map(|reason| reason.as_str().to_owned()),
    })
}

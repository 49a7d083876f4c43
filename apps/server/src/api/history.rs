//! The history of one tag, or of all tags of a repository: over the API, and of one tag at the registry's own path.
//!
//! The registry is the one writer of its tags: what it tells is observed and exact, and has no gaps.

use super::request::{json, parameter, read_query, required};
use super::{Answered, Asked};
use crate::access::Need;
use crate::app::App;
use crate::body::Body;
use crate::reply::{Refusal, text_header};
use axum::extract::State;
use domain::{EventId, RepositoryPath, Tag};
use http::{HeaderValue, Response, StatusCode, Uri, header};
use oci::history::{HistoryChange, HistoryEntry, HistoryPage, TagEntry};
use oci::limit::PAGE_ENTRIES_MAX;
use oci::{PageQuery, RouteError};
use record::claim::TagChange;
use record::{Answer, Basis, Claim, Facet, Precision, Sequenced};
use serde::Serialize;

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    answer: Answer<TagEntry>,
    next: Option<String>,
}

/// `GET /api/v1/tag-history?repository=&tag=&after=&limit=`; without `tag`: of each tag that there ever was.
pub(super) async fn get(State(asked): State<Asked>, uri: Uri) -> Answered {
    let query = read_query(&uri)?;
    let repository: RepositoryPath = required(&query, "repository")?;
    let tag: Option<Tag> = parameter(&query, "tag")?;
    let after: Option<EventId> = parameter(&query, "after")?;
    let limit: Option<usize> = parameter(&query, "limit")?;
    let limit = limit.unwrap_or(PAGE_ENTRIES_MAX);
    if !(1..=PAGE_ENTRIES_MAX).contains(&limit) {
        let message = format!("`limit` is between 1 and {PAGE_ENTRIES_MAX}");
        return Err(Refusal::Invalid(message).into());
    }
    asked.caller.needs(Need::Read, &repository)?;
    let (items, next) = read(&asked.app, &repository, tag.as_ref(), after, limit).await?;
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
    let before = page.last.as_deref().map(str::parse::<EventId>).transpose();
    let before = before.map_err(|_| Refusal::Route(RouteError::PageNumber))?;
    let n = page.entries();
    let (entries, next) = read(app, repository, Some(tag), before, n).await?;
    let history = entries.into_iter().map(|one| one.entry).collect();
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
    tag: Option<&Tag>,
    before: Option<EventId>,
    limit: usize,
) -> Result<(Vec<TagEntry>, Option<String>), Refusal> {
    let before = match before {
        Some(id) => Some(place(app, repository, id).await?),
        None => None,
    };
    let mut found = match tag {
        Some(tag) => app.catalog.tag_history(repository, tag, before, limit + 1).await?,
        None => app.catalog.repository_history(repository, before, limit + 1).await?,
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    let items: Vec<TagEntry> = found.iter().filter_map(entry).collect();
    let next = found.last().filter(|_| has_more).map(|last| last.event.stamp.id.to_string());
    Ok((items, next))
}

/// The place of a cursor. It is the name of an event: places would tell how much happened in other repositories.
async fn place(app: &App, repository: &RepositoryPath, id: EventId) -> Result<u64, Refusal> {
    let there = app.ledger.event(id).await?;
    let about = (Facet::Repository, repository.to_string());
    let own = there.filter(|there| record::facets(&there.event).contains(&about));
    let unknown = || Refusal::Invalid(format!("`after`: no page of this history ended with {id}"));
    own.map(|there| there.seq).ok_or_else(unknown)
}

fn entry(found: &Sequenced) -> Option<TagEntry> {
    let (tag, change, reason) = match &found.event.claim {
        Claim::TagChange(claim) => (&claim.tag, of_change(&claim.change), claim.reason.as_ref()),
        Claim::Unlock(claim) => {
            let change = HistoryChange::Unlocked { until: claim.until };
            (&claim.tag, change, Some(&claim.reason))
        }
        Claim::Image(_)
        | Claim::Build(_)
        | Claim::Deploy(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Reservation(_)
        | Claim::Rule(_)
        | Claim::Token(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Imported(_) => return None,
    };
    let entry = HistoryEntry {
        cursor: found.event.stamp.id.to_string(),
        at: found.event.at(),
        change,
        actor: Some(found.event.stamp.actor.clone()),
        reason: reason.map(|reason| reason.as_str().to_owned()),
    };
    Some(TagEntry { tag: tag.clone(), entry })
}

fn of_change(change: &TagChange) -> HistoryChange {
    match *change {
        TagChange::Created { digest } => HistoryChange::Created { digest },
        TagChange::Moved { from, to } => HistoryChange::Moved { from, digest: to },
        TagChange::Deleted { last } => HistoryChange::Deleted { from: last },
        TagChange::Restored { last, to } => HistoryChange::Restored { from: last, digest: to },
    }
}

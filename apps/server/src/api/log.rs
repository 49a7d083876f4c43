//! The record, read: pages of events, oldest first, of all kinds or of some, about some values.
//!
//! ```text
//! GET /api/v1/log?kind=deploy&environment=prod&limit=1000  ->  {"basis","precision","gaps","items","next"}
//! GET /api/v1/log?…&after=01JQ…                            ->  what comes behind that event
//! GET /api/v1/builds  /deploys                             ->  the same of some kinds
//! ```
//! Rows that the caller may not read are left out. A cursor is the name of the last event of a page: places in the
//! sequence would tell how many rows were left out.

use super::reading::{Reader, shown};
use super::request::{json, parameter, read_query};
use super::{Answered, Asked};
use crate::access::Need;
use crate::options::LOG_PAGE_BYTES_MAX;
use crate::reply::Refusal;
use axum::extract::State;
use domain::EventId;
use http::{StatusCode, Uri};
use record::{Answer, Basis, Facet, Gap, Kind, Precision};
use serde::Serialize;
use serde_json::json as value;
use serde_json::value::RawValue;
use store::{PAGE_MAX, Query};

/// Values by which events are asked for, as the query names them.
const FACETS: [Facet; 8] = [
    Facet::Environment,
    Facet::Image,
    Facet::Digest,
    Facet::Repository,
    Facet::Tag,
    Facet::Commit,
    Facet::Cluster,
    Facet::Namespace,
];

/// The most values of one facet in one question.
const VALUES_MAX: usize = 8;

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    answer: Answer<Box<RawValue>>,
    next: Option<EventId>,
}

/// `GET /api/v1/log?kind=…&or-kind=…&environment=…&after=&limit=`: kinds and values can stand several times.
pub(super) async fn log(State(asked): State<Asked>, uri: Uri) -> Answered {
    page(&asked, &uri, &[]).await
}

/// `GET /api/v1/builds`: what was built, and what images are.
pub(super) async fn builds(State(asked): State<Asked>, uri: Uri) -> Answered {
    page(&asked, &uri, &[Kind::Build, Kind::Image]).await
}

/// `GET /api/v1/deploys`: what was decided for environments.
pub(super) async fn deploys(State(asked): State<Asked>, uri: Uri) -> Answered {
    page(&asked, &uri, &[Kind::Deploy]).await
}

/// `GET /api/v1/findings`: what was wrong, opened and closed.
pub(super) async fn findings(State(asked): State<Asked>, uri: Uri) -> Answered {
    page(&asked, &uri, &[Kind::Finding]).await
}

/// `GET /api/v1/log/verify`: whether every event is what was written.
pub(super) async fn verify(State(asked): State<Asked>) -> Answered {
    if !asked.caller.reads_whole_record() {
        return Err(Refusal::Forbidden(
            "the whole record is checked for those who may read in all repositories (`**`)",
        )
        .into());
    }
    let verified = asked.app.ledger.verify().await?;
    let problems: Vec<String> = verified.problems.iter().map(ToString::to_string).collect();
    json(StatusCode::OK, &value!({ "events": verified.events, "problems": problems }))
}

async fn page(asked: &Asked, uri: &Uri, of: &[Kind]) -> Answered {
    asked.caller.needs_anywhere(Need::ReadRecord)?;
    let (query, limit) = read(asked, uri, of).await?;
    let (items, next) = readable(asked, query, limit).await?;
    let observed = "nothing here was observed but tag changes and runs: the rest is what was said";
    let mut gaps = vec![observed];
    if !asked.caller.reads_whole_record() {
        // Said whether or not there are any: else it would be an answer itself.
        gaps.push("rows about repositories that this token may not read are left out");
    }
    let gaps = gaps.into_iter().map(|why| Gap { from: None, until: None, why: why.to_owned() });
    let answer = Answer {
        basis: Basis::Intended,
        precision: Precision::Unconfirmed,
        gaps: gaps.collect(),
        items,
    };
    json(StatusCode::OK, &Page { answer, next })
}

/// Reads the question; a parameter that is not known is refused, because without it the answer would be to
/// another question.
async fn read(asked: &Asked, uri: &Uri, of: &[Kind]) -> Result<(Query, usize), Refusal> {
    let invalid = |why: String| Err(Refusal::Invalid(why));
    let names = uri.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    for name in names.map(|part| part.split_once('=').map_or(part, |(name, _)| name)) {
        let is_known = ["after", "limit"].contains(&name)
            || (of.is_empty() && ["kind", "or-kind"].contains(&name))
            || FACETS.iter().any(|facet| facet.name() == name);
        if !is_known {
            return invalid(format!("`{}` is no parameter of this path", name.escape_debug()));
        }
    }
    let query = read_query(uri)?;
    let limit: usize = parameter(&query, "limit")?.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&limit) {
        return invalid(format!("`limit` is between 1 and {PAGE_MAX}"));
    }
    let kinds = |name: &'static str| query.all(name).map(kind).collect::<Result<Vec<_>, _>>();
    let mut all_of = Vec::new();
    for facet in FACETS {
        let values: Vec<&str> = query.all(facet.name()).collect();
        if values.len() > VALUES_MAX {
            return invalid(format!("`{}` stands at most {VALUES_MAX} times", facet.name()));
        }
        all_of.extend(values.into_iter().map(|value| (facet, value.to_owned())));
    }
    let kinds = if of.is_empty() { kinds("kind")? } else { of.to_vec() };
    let or_kinds = query.all("or-kind").map(kind).collect::<Result<Vec<_>, _>>()?;
    let after = match parameter::<EventId>(&query, "after")? {
        Some(id) => Some(place(asked, id).await?),
        None => None,
    };
    // Where rows are left out, a page is looked for in more of them.
    let read_at_once = if asked.caller.reads_whole_record() { limit + 1 } else { PAGE_MAX };
    let rows = Query { kinds, all_of, or_kinds, after, limit: read_at_once, ..Query::default() };
    Ok((rows, limit))
}

fn kind(word: &str) -> Result<Kind, Refusal> {
    let read = serde_json::from_value(value!(word));
    read.map_err(|_| Refusal::Invalid(format!("`{}` is no kind of event", word.escape_debug())))
}

/// The place of a cursor; an event that the caller may not read is as unknown as one that there is not.
async fn place(asked: &Asked, id: EventId) -> Result<u64, Refusal> {
    let unknown = || Refusal::Invalid(format!("`after`: no page ended with event {id}"));
    let there = asked.app.ledger.event(id).await?.ok_or_else(unknown)?;
    let may = Reader::new(asked).may_read(&there).await?;
    may.then_some(there.seq).ok_or_else(unknown)
}

/// One page, and the cursor of the next where there is one.
async fn readable(
    asked: &Asked,
    mut query: Query,
    limit: usize,
) -> Result<(Vec<Box<RawValue>>, Option<EventId>), Refusal> {
    let mut reader = Reader::new(asked);
    let (mut items, mut last, mut bytes) = (Vec::new(), None, 0);
    loop {
        let rows = asked.app.ledger.events(query.clone()).await?;
        let Some(end) = rows.last() else {
            return Ok((items, None));
        };
        query.after = Some(end.seq);
        for row in &rows {
            if !reader.may_read(row).await? {
                continue;
            }
            let item = shown(&row.event)?;
            bytes += item.get().len();
            let is_full = items.len() == limit || bytes > LOG_PAGE_BYTES_MAX;
            if is_full && !items.is_empty() {
                return Ok((items, last));
            }
            items.push(item);
            last = Some(row.event.stamp.id);
        }
    }
}

//! What was seen to run: pages of container runs, always with the stretches in which somebody watched.
//!
//! ```text
//! GET /api/v1/runs?cluster=…&namespace=shop&from=…&until=…  ->  {"basis","precision","gaps","watched","items","next"}
//! GET /api/v1/runs?digest=sha256:…&state=open               ->  wherever it runs, as far as anybody saw
//! ```
//! Rows that the caller may not read are left out, and no cursor names one.

use super::reading::Reader;
use super::request::{json, parameter, read_query};
use super::{Answered, Asked};
use crate::access::Need;
use crate::reply::Refusal;
use axum::extract::State;
use http::{StatusCode, Uri};
use oci::query::Query;
use record::claim::RunId;
use record::run_question::{NAMED_MAX, RUNS_IN_PAGE_MAX};
use record::{Answer, Basis, Gap, Precision, Run, RunPage, RunQuestion, RunState, Span, Watched};
use serde::Serialize;
use std::fmt::Display;
use std::str::FromStr;

/// Every parameter; another one is refused, because without it the answer would be to another question.
const PARAMETERS: [&str; 10] = [
    "cluster",
    "namespace",
    "workload",
    "digest",
    "run",
    "from",
    "until",
    "state",
    "after",
    "limit",
];

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    answer: Answer<Run>,
    watched: Vec<Watched>,
    next: Option<RunId>,
}

/// `GET /api/v1/runs?cluster=&namespace=&workload=&digest=…&run=…&from=&until=&state=&after=&limit=`.
pub(super) async fn get(State(asked): State<Asked>, uri: Uri) -> Answered {
    asked.caller.needs_anywhere(Need::ReadRecord)?;
    let (question, after) = read(&asked, &uri).await?;
    let page = readable(&asked, question, after).await?;
    let mut gaps = Vec::new();
    if !asked.caller.reads_whole_record() {
        // Said whether or not there are any: else it would be an answer itself.
        let why = "rows about repositories that this token may not read are left out".to_owned();
        gaps.push(Gap { from: None, until: None, why });
    }
    let RunPage { runs: items, watched, next } = page;
    let precision = items.iter().map(Run::precision).max().unwrap_or(Precision::Exact);
    let answer = Answer { basis: Basis::Observed, precision, gaps, items };
    json(StatusCode::OK, &Page { answer, watched, next })
}

/// One page of what the caller may read. Its cursor is one of its own rows: that of another would tell that there
/// is one.
async fn readable(
    asked: &Asked,
    question: RunQuestion,
    mut after: Option<RunId>,
) -> Result<RunPage, Refusal> {
    if asked.caller.reads_whole_record() {
        return Ok(asked.app.ledger.runs(question, after).await?);
    }
    let mut reader = Reader::new(asked);
    let mut answer = RunPage::default();
    let limit = question.limit;
    // Where rows are left out, a page is looked for in more of them.
    let question = RunQuestion { limit: limit.min(1) * RUNS_IN_PAGE_MAX, ..question };
    loop {
        let page = asked.app.ledger.runs(question.clone(), after).await?;
        answer.watched = page.watched;
        for run in page.runs {
            if !may_read(asked, &mut reader, &run).await? {
                continue;
            }
            if answer.runs.len() == limit {
                answer.next = answer.runs.last().map(|run| run.id);
                return Ok(answer);
            }
            answer.runs.push(run);
        }
        after = page.next;
        if after.is_none() {
            return Ok(answer);
        }
    }
}

/// Its digest decides, or that the caller said it; its event is read for those only who say what ran.
async fn may_read(asked: &Asked, reader: &mut Reader<'_>, run: &Run) -> Result<bool, Refusal> {
    if let Some(digest) = run.digest
        && reader.may_read_digest(digest).await?
    {
        return Ok(true);
    }
    if asked.caller.needs_anywhere(Need::ClaimRun).is_err() {
        return Ok(false);
    }
    let began = asked.app.ledger.run_event(run.id).await?;
    Ok(began.is_some_and(|began| began.event.stamp.actor == *asked.caller.actor()))
}

async fn read(asked: &Asked, uri: &Uri) -> Result<(RunQuestion, Option<RunId>), Refusal> {
    let names = uri.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    for name in names.map(|part| part.split_once('=').map_or(part, |(name, _)| name)) {
        if !PARAMETERS.contains(&name) {
            let message = format!("`{}` is no parameter of this path", name.escape_debug());
            return Err(Refusal::Invalid(message));
        }
    }
    let query = read_query(uri)?;
    let limit: usize = parameter(&query, "limit")?.unwrap_or(RUNS_IN_PAGE_MAX);
    if limit > RUNS_IN_PAGE_MAX {
        return Err(Refusal::Invalid(format!("`limit` is between 0 and {RUNS_IN_PAGE_MAX}")));
    }
    let when = Span::between(parameter(&query, "from")?, parameter(&query, "until")?);
    let question = RunQuestion {
        cluster: parameter(&query, "cluster")?,
        namespace: parameter(&query, "namespace")?,
        workload: parameter(&query, "workload")?,
        digests: several(&query, "digest")?.into_iter().collect(),
        ids: several(&query, "run")?.into_iter().collect(),
        when: when.map_err(|error| Refusal::Invalid(error.to_string()))?,
        state: state(&query)?,
        limit,
    };
    Ok((question, after(asked, &query).await?))
}

/// A run that the caller may not read is as unknown as one that there is not.
async fn after(asked: &Asked, query: &Query) -> Result<Option<RunId>, Refusal> {
    let Some(after) = parameter::<RunId>(query, "after")? else { return Ok(None) };
    let unknown = || Refusal::Invalid(format!("`after`: no page ended with run {after}"));
    let there = asked.app.ledger.run_event(after).await?.ok_or_else(unknown)?;
    let may = Reader::new(asked).may_read(&there).await?;
    may.then_some(Some(after)).ok_or_else(unknown)
}

fn state(query: &Query) -> Result<RunState, Refusal> {
    match parameter::<String>(query, "state")?.as_deref() {
        None | Some("any") => Ok(RunState::Any),
        Some("open") => Ok(RunState::Open),
        Some(_) => Err(Refusal::Invalid("`state` is `any` or `open`".to_owned())),
    }
}

fn several<T>(query: &Query, name: &'static str) -> Result<Vec<T>, Refusal>
where
    T: FromStr,
    T::Err: Display,
{
    let read =
        |text: &str| text.parse().map_err(|error| Refusal::Invalid(format!("`{name}`: {error}")));
    let all = query.all(name).map(read).collect::<Result<Vec<T>, _>>()?;
    if all.len() > NAMED_MAX {
        return Err(Refusal::Invalid(format!("`{name}` stands at most {NAMED_MAX} times")));
    }
    Ok(all)
}

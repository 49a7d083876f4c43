//! The one exception of law 1: a named tag may move, for a reason, for an hour at most.

use super::request::{json, read_json};
use super::{Answered, Asked};
use crate::access::Need;
use crate::app;
use crate::reply::Refusal;
use axum::extract::{Request, State};
use domain::{RepositoryPath, Tag};
use http::StatusCode;
use record::claim::{Text, UNLOCK_MS_MAX};
use serde::Deserialize;
use serde_json::json as value;
use store::UnlockTag;

const MINUTE_MS: i64 = 60_000;
const MINUTES_MAX: i64 = UNLOCK_MS_MAX / MINUTE_MS;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    repository: RepositoryPath,
    tag: Tag,
    reason: Text,
    minutes: i64,
}

/// `POST /api/v1/unlock` with `{"repository","tag","reason","minutes"}`.
pub(super) async fn post(State(asked): State<Asked>, req: Request) -> Answered {
    let body: Body = read_json(req).await?;
    asked.caller.needs(Need::Unlock, &body.repository)?;
    if !(1..=MINUTES_MAX).contains(&body.minutes) {
        let message = format!("`minutes` is between 1 and {MINUTES_MAX}, found {}", body.minutes);
        return Err(Refusal::Invalid(message).into());
    }
    if body.reason.as_str().trim().is_empty() {
        return Err(Refusal::Invalid("`reason` is empty: the history keeps why".to_owned()).into());
    }
    let until = app::now().plus_millis(body.minutes * MINUTE_MS);
    let Body { repository, tag, reason, .. } = body;
    let answer = value!({ "repository": &repository, "tag": &tag, "until": until });
    let by = asked.app.stamping(asked.caller.actor())?;
    asked.app.catalog.unlock(UnlockTag { repository, tag, reason, until }, by).await?;
    json(StatusCode::CREATED, &answer)
}

//! Events of another record come in: stamped here, with their stamp there inside.
//!
//! ```text
//! POST /api/v1/import {"until":null,"take":"over","events":[{"expect":"either","event":{…}}]}
//!   -> 200 {"items":[{"landed":"new","id":"01J…"}]}
//! ```
//! For administrators only: who and when of another record are their word. What a claim would need beside that is not
//! asked, but what a registry says of itself never comes in this way.

use super::request::{json, read_json_up_to};
use super::{Answered, Asked};
use crate::options::IMPORT_BODY_BYTES_MAX;
use crate::reply::Refusal;
use axum::extract::{Request, State};
use domain::EventId;
use http::StatusCode;
use record::canonical::to_canonical;
use record::claim::CLAIMS_AT_ONCE_MAX;
use record::{Event, Expect, Moving, Take};
use serde::Deserialize;
use serde_json::{Value, json as value};
use store::AppendError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    until: Option<EventId>,
    take: Take,
    events: Vec<Sent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    expect: Expect,
    event: Value,
}

/// `POST /api/v1/import`
pub(super) async fn post(State(asked): State<Asked>, req: Request) -> Answered {
    asked.caller.needs_admin()?;
    // A body of this size needs a place, as an upload does.
    let place = asked.app.upload_place()?;
    let Body { until, take, events } = read_json_up_to(req, IMPORT_BODY_BYTES_MAX).await?;
    let found = events.len();
    if found > CLAIMS_AT_ONCE_MAX {
        let message = format!("at most {CLAIMS_AT_ONCE_MAX} events at once, found {found}");
        return Err(Refusal::TooLarge { message }.into());
    }
    let moving = events.into_iter().enumerate().map(|(nth, sent)| read(nth, &sent));
    let moving = moving.collect::<Result<Vec<_>, Refusal>>()?;
    let by = asked.app.stamping(asked.caller.actor())?;
    let landed = asked.app.ledger.import(moving, until, take, by).await.map_err(refused)?;
    drop(place);
    json(StatusCode::OK, &value!({ "items": landed }))
}

fn read(nth: usize, sent: &Sent) -> Result<Moving, Refusal> {
    let wrong = |error: &dyn std::fmt::Display| Refusal::Invalid(format!("event {nth}: {error}"));
    let text = to_canonical(&sent.event).map_err(|error| wrong(&error))?;
    let event = Event::read(text.as_bytes()).map_err(|error| wrong(&error))?;
    Ok(Moving { event, expect: sent.expect })
}

fn refused(error: AppendError) -> Refusal {
    match error {
        AppendError::Database(error) => error.into(),
        AppendError::TooMany { .. }
        | AppendError::Event(_)
        | AppendError::KeyTaken { .. }
        | AppendError::Reserved { .. } => Refusal::Invalid(error.to_string()),
    }
}

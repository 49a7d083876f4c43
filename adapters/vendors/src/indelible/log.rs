//! The record of a server of ours: claims go there, events come back.
//!
//! ```text
//! append([hold prod])                 -> [{ event: 01JQ…, is_new: true }]
//! log({ kinds: [deploy], about: [(environment, prod)], after: 01JQ… }) -> { items: […], next: 01JQ… }
//! ```
//! Events are read strictly from the bytes that were sent: one event has one spelling. Nothing is tried again here.

use super::{Api, ApiError, plain};
use domain::{Actor, EventId, Pattern};
use http::Method;
use record::claim::{Right, RunId};
use record::{
    Claim, Event, Facet, Kind, Landed, Moving, Run, RunPage, RunQuestion, RunState, Take, Watched,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Who the caller is to the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Whoami {
    /// The actor of what it says.
    pub actor: Actor,
    /// What it may do.
    pub rights: Vec<Right>,
    /// Where.
    pub repositories: Pattern,
}

/// A claim that is in the record.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Appended {
    /// Its event.
    #[serde(deserialize_with = "event")]
    pub event: Event,
    /// Whether this append made it.
    #[serde(rename = "new")]
    pub is_new: bool,
}

/// Which events are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogQuery<'a> {
    /// Of one of these kinds; empty: of any.
    pub kinds: &'a [Kind],
    /// About all of these values.
    pub about: &'a [(Facet, String)],
    /// And beside those, all of these kinds.
    pub or_kinds: &'a [Kind],
    /// Behind this event.
    pub after: Option<EventId>,
    /// At most so many; none: as many as a page has.
    pub limit: Option<usize>,
}

/// One page of the record, oldest first. It may be shorter than was asked for and still not be the last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogPage {
    /// The events.
    #[serde(deserialize_with = "events")]
    pub items: Vec<Event>,
    /// What asks for the next page, where there is one.
    pub next: Option<EventId>,
}

/// What a check of the whole record found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogVerified {
    /// Events that were read.
    pub events: u64,
    /// What is not as it was written.
    pub problems: Vec<String>,
}

/// What stood in the way of a claim, as the server tells it to programs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "conflict", rename_all = "kebab-case")]
pub enum Conflict {
    /// Another claim has the key.
    Key {
        /// The kind of the claim that was refused.
        kind: String,
        /// The key.
        key: String,
        /// The event that has it.
        id: EventId,
    },
    /// Another release has the tag.
    Reserved {
        /// The repository.
        repository: Option<String>,
        /// The tag.
        tag: String,
        /// The release that has it.
        release: String,
    },
}

impl Conflict {
    /// What a refusal says about claims; `None` where it says something else.
    #[must_use]
    pub fn of(error: &ApiError) -> Option<Self> {
        match error {
            ApiError::Refused { detail: Some(detail), .. } => {
                serde_json::from_value(detail.clone()).ok()
            }
            ApiError::Refused { detail: None, .. }
            | ApiError::Unreachable { .. }
            | ApiError::Proof { .. }
            | ApiError::NotOurs { .. }
            | ApiError::Unclear { .. } => None,
        }
    }
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Appended>,
}

#[derive(Deserialize)]
struct Runs {
    watched: Vec<Watched>,
    items: Vec<Run>,
    next: Option<RunId>,
}

impl Api {
    /// Who the caller is to the server.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn whoami(&self) -> Result<Whoami, ApiError> {
        self.ask(Method::GET, "/api/v1/whoami", None, "who is asking").await
    }

    /// Appends claims, all or none.
    ///
    /// # Errors
    /// The host cannot be reached, refuses ([`Conflict`]), or is none of ours.
    pub async fn append(&self, claims: &[Claim]) -> Result<Vec<Appended>, ApiError> {
        let body = json!({ "claims": claims });
        let answer: Items = self.ask(Method::POST, "/api/v1/claims", Some(body), "claims").await?;
        Ok(answer.items)
    }

    /// Takes events over from another record; for administrators.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn import(
        &self,
        moving: &[Moving],
        until: Option<EventId>,
        take: Take,
    ) -> Result<Vec<Landed>, ApiError> {
        let events: Vec<Value> = moving.iter().map(moving_value).collect();
        let body = json!({ "until": until, "take": take, "events": events });
        let answer: ImportAnswer =
            self.ask(Method::POST, "/api/v1/import", Some(body), "an import").await?;
        Ok(answer.items)
    }

    /// One page of the record.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn log(&self, query: LogQuery<'_>) -> Result<LogPage, ApiError> {
        let LogQuery { kinds, about, or_kinds, after, limit } = query;
        let mut pairs: Vec<(&str, String)> = Vec::new();
        pairs.extend(kinds.iter().map(|kind| ("kind", kind.name().to_owned())));
        pairs.extend(or_kinds.iter().map(|kind| ("or-kind", kind.name().to_owned())));
        pairs.extend(about.iter().map(|(facet, value)| (facet.name(), value.clone())));
        pairs.extend(after.map(|after| ("after", after.to_string())));
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        let path = format!("/api/v1/log?{}", written(pairs));
        self.ask(Method::GET, &path, None, "its record").await
    }

    /// One page of container runs behind one of the same question. It may be shorter than was asked for, also empty,
    /// and still not be the last.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn runs(
        &self,
        question: &RunQuestion,
        after: Option<RunId>,
    ) -> Result<RunPage, ApiError> {
        let RunQuestion { cluster, namespace, workload, digests, ids, when, state, limit } =
            question;
        let mut pairs = vec![("limit", limit.to_string())];
        pairs.extend(cluster.as_ref().map(|one| ("cluster", one.to_string())));
        pairs.extend(namespace.as_ref().map(|one| ("namespace", one.to_string())));
        pairs.extend(workload.as_ref().map(|one| ("workload", one.to_string())));
        pairs.extend(digests.iter().map(|one| ("digest", one.to_string())));
        pairs.extend(ids.iter().map(|one| ("run", one.to_string())));
        pairs.extend(when.from().map(|from| ("from", from.to_string())));
        pairs.extend(when.until().map(|until| ("until", until.to_string())));
        match state {
            RunState::Any => {}
            RunState::Open => pairs.push(("state", "open".to_owned())),
        }
        pairs.extend(after.map(|after| ("after", after.to_string())));
        let path = format!("/api/v1/runs?{}", written(pairs));
        let page: Runs = self.ask(Method::GET, &path, None, "what ran").await?;
        Ok(RunPage { runs: page.items, watched: page.watched, next: page.next })
    }

    /// Has the server check that every event is what was written.
    ///
    /// # Errors
    /// The host cannot be reached, refuses, or is none of ours.
    pub async fn verify_log(&self) -> Result<LogVerified, ApiError> {
        self.ask(Method::GET, "/api/v1/log/verify", None, "a check of its record").await
    }
}

fn written(pairs: Vec<(&str, String)>) -> String {
    let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={}", plain(&value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[derive(Deserialize)]
struct ImportAnswer {
    items: Vec<Landed>,
}

/// An event with its stamp, as a value: the server makes its one spelling again.
fn moving_value(moving: &Moving) -> Value {
    let bytes = moving.event.to_bytes().unwrap_or_default();
    let event: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    json!({ "expect": moving.expect, "event": event })
}

fn event<'de, D: Deserializer<'de>>(from: D) -> Result<Event, D::Error> {
    read(&Box::<RawValue>::deserialize(from)?)
}

fn events<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Event>, D::Error> {
    Vec::<Box<RawValue>>::deserialize(from)?.iter().map(|raw| read(raw)).collect()
}

fn read<E: serde::de::Error>(raw: &RawValue) -> Result<Event, E> {
    Event::read(raw.get().as_bytes()).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"actor":{"name":"ada","proof":"token"},"at":"2026-03-17T14:39:58.000Z","cause":null,"claim":{"about":null,"environment":null,"key":"k","text":"x"},"id":"01KKYCKDHG0000000000000001","kind":"note","v":1}"#;

    #[test]
    fn events_are_read_from_the_bytes_that_were_sent() {
        let page = format!(r#"{{"basis":"intended","items":[{EVENT}],"next":null}}"#);
        let page: LogPage = serde_json::from_str(&page).unwrap();
        assert_eq!(page.items[0].to_bytes().unwrap(), EVENT.as_bytes());
        // Another spelling has another hash: it is no answer.
        let spaced = EVENT.replacen(':', ": ", 1);
        let page = format!(r#"{{"items":[{spaced}],"next":null}}"#);
        assert!(serde_json::from_str::<LogPage>(&page).is_err());
    }

    #[test]
    fn a_refusal_tells_what_stands_in_the_way() {
        let refused = |detail| ApiError::Refused {
            host: "127.0.0.1:1".parse().unwrap(),
            status: http::StatusCode::CONFLICT,
            code: "DENIED".to_owned(),
            message: String::new(),
            detail,
        };
        let detail =
            json!({"conflict":"reserved","repository":"h/a","tag":"t","release":"r","id":"x"});
        let expected = Conflict::Reserved {
            repository: Some("h/a".to_owned()),
            tag: "t".to_owned(),
            release: "r".to_owned(),
        };
        assert_eq!(Conflict::of(&refused(Some(detail))), Some(expected));
        assert_eq!(Conflict::of(&refused(Some(json!({"conflict":"moon"})))), None);
        assert_eq!(Conflict::of(&refused(None)), None);
    }
}

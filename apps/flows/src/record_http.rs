//! The record on a server of ours: what a team shares without giving everybody the right to write to it.
//!
//! ```text
//! record: https://indelible.example.com     claims by POST /api/v1/claims, questions by GET /api/v1/log
//! ```
//! Who, when and the id are the server's to say. A claim is sent again after a lost answer: its key finds the
//! event that the first one made. Nothing is kept here: every question asks.

mod address;

pub use address::{AddressError, ServerAddress};

use crate::seam::{
    Checked, Observed, PAGE, Question, Record, RecordError, RecordPlaceName, Recorded,
};
use crate::surroundings::Surroundings;
use ::record::claim::{CLAIMS_AT_ONCE_MAX, Right, RunId};
use ::record::event::canonical_claim;
use ::record::{Claim, Event, Gap, Landed, Moving, RunPage, RunQuestion, Sequenced, Take};
use domain::{Actor, EventId, Pattern};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::StatusCode;
use std::time::Duration;
use vendors::indelible::{Conflict, LogQuery, Whoami};
use vendors::{Api, ApiError};

/// How often one question is asked at most. Source: DESIGN §12, retries.
const TRIES: u32 = 6;
/// The wait before the second try, in milliseconds; each further one doubles it.
const FIRST_WAIT_MS: u64 = 100;

/// A record on a server.
pub struct HttpRecord {
    api: Api,
    place: RecordPlaceName,
    actor: Actor,
    rights: Vec<Right>,
    repositories: Pattern,
    surroundings: Surroundings,
}

impl HttpRecord {
    /// Asks the server who we are to it.
    ///
    /// # Errors
    /// It cannot be reached, does not know us, or is none of ours.
    pub async fn open(
        api: Api,
        address: String,
        surroundings: Surroundings,
    ) -> Result<Self, RecordError> {
        let place = RecordPlaceName { kind: "server", place: address };
        let asked = again(&surroundings, || api.whoami()).await;
        let Whoami { actor, rights, repositories } =
            asked.map_err(|error| explained(error, &place))?;
        Ok(Self { api, place, actor, rights, repositories, surroundings })
    }

    fn explain(&self, error: ApiError) -> RecordError {
        explained(error, &self.place)
    }

    async fn append_now(&self, claims: Vec<Claim>) -> Result<Vec<Recorded>, RecordError> {
        check(&claims)?;
        let appended = again(&self.surroundings, || self.api.append(&claims)).await;
        let appended = appended.map_err(|error| self.explain(error))?;
        let said = appended.iter().map(|one| &one.event.claim);
        // A reservation that the same release made under another key is its own.
        let is_answer = appended.len() == claims.len()
            && said.zip(&claims).all(|(there, claim)| is_answered_by(claim, there));
        if !is_answer {
            return Err(self.unusable("it answered with other claims than it was sent"));
        }
        let numbered = (1..).zip(appended).map(|(seq, one)| Recorded {
            event: Sequenced { seq, event: one.event },
            is_new: one.is_new,
        });
        Ok(numbered.collect())
    }

    async fn import_now(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
    ) -> Result<Vec<Landed>, RecordError> {
        let sent = moving.len();
        let landed = again(&self.surroundings, || self.api.import(&moving, until, take)).await;
        let landed = landed.map_err(|error| self.explain(error))?;
        if landed.len() == sent {
            Ok(landed)
        } else {
            Err(self.unusable("it answered about other events than it was sent"))
        }
    }

    /// A page as the seam has it: a server may end its own earlier.
    async fn page(
        &self,
        question: &Question,
        after: Option<&Sequenced>,
    ) -> Result<Vec<Sequenced>, RecordError> {
        let mut cursor = after.map(|event| event.event.stamp.id);
        let mut found: Vec<Event> = Vec::new();
        while found.len() < PAGE {
            let limit = Some(PAGE - found.len());
            let (items, next) = self.ask(question, cursor, limit).await?;
            if items.is_empty() && next.is_some() {
                return Err(self.unusable("it answered with an empty page that is not the last"));
            }
            found.extend(items);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        let first = after.map_or(0, |event| event.seq) + 1;
        Ok((first..).zip(found).map(|(seq, event)| Sequenced { seq, event }).collect())
    }

    async fn ask(
        &self,
        question: &Question,
        after: Option<EventId>,
        limit: Option<usize>,
    ) -> Result<(Vec<Event>, Option<EventId>), RecordError> {
        let Question { kinds, facets, or_kinds } = question;
        let query = LogQuery { kinds, about: facets, or_kinds, after, limit };
        let page = again(&self.surroundings, || self.api.log(query)).await;
        let page = page.map_err(|error| self.explain(error))?;
        if limit.is_some_and(|limit| page.items.len() > limit) {
            return Err(self.unusable("it answered with more events than it was asked for"));
        }
        Ok((page.items, page.next))
    }

    async fn verify_all(&self) -> Result<Checked, RecordError> {
        let verified = again(&self.surroundings, || self.api.verify_log()).await;
        let verified = verified.map_err(|error| self.explain(error))?;
        match verified.problems.into_iter().next() {
            None => Ok(Checked { events: verified.events, branch: None }),
            Some(problem) => {
                let place = self.place.place.clone();
                Err(RecordError::Altered { place, source: problem.into() })
            }
        }
    }

    fn unusable(&self, why: &'static str) -> RecordError {
        RecordError::Unavailable { place: self.place.place.clone(), source: why.into() }
    }
}

/// What no record takes is not sent.
fn check(claims: &[Claim]) -> Result<(), RecordError> {
    if claims.len() > CLAIMS_AT_ONCE_MAX {
        let error = store::AppendError::TooMany { found: claims.len() };
        return Err(RecordError::Limit(error.into()));
    }
    for claim in claims {
        canonical_claim(claim).map_err(|error| RecordError::Limit(error.into()))?;
    }
    Ok(())
}

fn is_answered_by(claim: &Claim, there: &Claim) -> bool {
    match (claim.as_reservation(), there.as_reservation()) {
        (Some(asked), Some(there)) => {
            (&asked.repository, &asked.tag, &asked.release)
                == (&there.repository, &there.tag, &there.release)
        }
        (Some(_) | None, Some(_) | None) => claim == there,
    }
}

/// Asks again where something on the way broke. Every question bears that: a claim's key makes it one.
async fn again<T, F>(surroundings: &Surroundings, ask: impl Fn() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let mut wait_ms = FIRST_WAIT_MS;
    for _ in 1..TRIES {
        match ask().await {
            Err(error) if error.is_passing() => {
                tracing::debug!(%error, wait_ms, "the record is asked again");
            }
            answered => return answered,
        }
        // Half of it is luck, so that runners that were refused together do not come back together.
        let jitter = surroundings.seed() % (wait_ms / 2 + 1);
        tokio::time::sleep(Duration::from_millis(wait_ms / 2 + jitter)).await;
        wait_ms *= 2;
    }
    ask().await
}

/// A refusal of the server in the words of the seam.
fn explained(error: ApiError, place: &RecordPlaceName) -> RecordError {
    match Conflict::of(&error) {
        Some(Conflict::Key { kind, key, id }) => {
            return RecordError::KeyTaken { kind: kind_word(&kind), key, existing: id };
        }
        Some(Conflict::Reserved { repository, tag, release }) => {
            let repository = repository.unwrap_or_default();
            return RecordError::Reserved { repository, tag, release };
        }
        None => {}
    }
    let place = place.place.clone();
    match &error {
        ApiError::Refused { status, .. } => match *status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                RecordError::Denied { place, source: error.into() }
            }
            StatusCode::PAYLOAD_TOO_LARGE => RecordError::Limit(error.into()),
            // It is the request that is wrong: sent again, it is wrong again.
            StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY => {
                RecordError::Refused { place, source: error.into() }
            }
            _ => RecordError::Unavailable { place, source: error.into() },
        },
        ApiError::Unreachable { .. }
        | ApiError::Proof { .. }
        | ApiError::NotOurs { .. }
        | ApiError::Unclear { .. } => RecordError::Unavailable { place, source: error.into() },
    }
}

/// A kind of ours by its word; a stranger's word is not repeated.
fn kind_word(word: &str) -> &'static str {
    let kind = serde_json::from_value::<::record::Kind>(word.into());
    kind.map_or("claim", ::record::Kind::name)
}

impl Observed for HttpRecord {
    fn runs<'a>(
        &'a self,
        question: &'a RunQuestion,
        after: Option<RunId>,
    ) -> BoxFuture<'a, Result<RunPage, RecordError>> {
        async move {
            let page = again(&self.surroundings, || self.api.runs(question, after)).await;
            let page = page.map_err(|error| self.explain(error))?;
            let is_more = page.runs.len() > question.limit;
            // Nothing else keeps a server from being asked for ever.
            let is_stuck = page.next.is_some() && page.next == after;
            if is_more || is_stuck || !page.runs.iter().all(|run| question.holds(run)) {
                return Err(self.unusable("it answered with other runs than it was asked for"));
            }
            Ok(page)
        }
        .boxed()
    }
}

impl Record for HttpRecord {
    fn place(&self) -> RecordPlaceName {
        self.place.clone()
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn may(&self, right: Right) -> Result<(), RecordError> {
        if self.rights.contains(&right) {
            return Ok(());
        }
        let place = self.place.place.clone();
        let source = format!("{} lacks the right `{right}`", self.actor).into();
        Err(RecordError::Denied { place, source })
    }

    fn exists(&self) -> BoxFuture<'_, Result<bool, RecordError>> {
        // A server has one from its first event on; before, a question about it is a question to nothing.
        async {
            let (events, _) = self.ask(&Question::default(), None, Some(1)).await?;
            Ok(!events.is_empty())
        }
        .boxed()
    }

    fn append(&self, claims: Vec<Claim>) -> BoxFuture<'_, Result<Vec<Recorded>, RecordError>> {
        self.append_now(claims).boxed()
    }

    fn left_out(&self) -> Option<Gap> {
        let only = self.repositories.as_str();
        let why =
            || format!("what others recorded outside of `{only}` is not for this token to read");
        (only != "**").then(|| Gap { from: None, until: None, why: why() })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), RecordError>> {
        // Every question asks the server.
        async { Ok(()) }.boxed()
    }

    fn events<'a>(
        &'a self,
        question: &'a Question,
        after: Option<&'a Sequenced>,
    ) -> BoxFuture<'a, Result<Vec<Sequenced>, RecordError>> {
        self.page(question, after).boxed()
    }

    fn import(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
    ) -> BoxFuture<'_, Result<Vec<Landed>, RecordError>> {
        self.import_now(moving, until, take).boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<Checked, RecordError>> {
        self.verify_all().boxed()
    }
}

//! The record on an orphan branch of a git repository: one event a file, made once, never changed.
//!
//! ```text
//! indelible/record:  events/2026/03/17/01JQ….json   reserve/<sha256(repository NUL tag)>.json
//! ```
//! `adapters/git` moves the files, `adapters/store` projects them into a cache that may be deleted at any
//! time; this joins the two. Order: first-parent commit order, then path. Source: DESIGN §12, "Git record".

mod files;
mod land;
mod projection;

use files::{event_of, files_of, is_event_path};

use crate::record_local::{altered, query, recorded, refusal};
use crate::seam::{
    Checked, CheckedBranch, Observed, Question, Record, RecordError, RecordPlaceName, Recorded,
};
use crate::surroundings::Surroundings;
use ::record::claim::{CLAIMS_AT_ONCE_MAX, ReservationClaim, Right, RunId};
use ::record::event::{Event, EventError, Stamp};
use ::record::{Claim, ClaimKey, Gap, Landed, Moving, RunPage, RunQuestion, Sequenced, Take};
use domain::{Actor, CommitId, EventId};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use git::{BranchStore, GitError, Retry, Signature, Tip};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use store::{Ledger, Reserved};
use tokio::sync::OnceCell;

/// The branch of the record. Source: DESIGN §12.
pub const RECORD_BRANCH: &str = "indelible/record";

/// A record on a branch.
pub struct GitRecord {
    branch: BranchStore,
    cache: Ledger,
    actor: Actor,
    email: String,
    surroundings: Surroundings,
    fetched: OnceCell<()>,
    /// Where the cache stood when this process first looked at it.
    seen_before: OnceLock<Option<CommitId>>,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What one claim of an append becomes: a new event, or the one that says it already.
#[derive(Clone, Debug)]
enum Fate {
    New(Box<Event>),
    Known(EventId),
}

/// What stops an append on some tip.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Refused(#[from] RecordError),
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Event(#[from] EventError),
    #[error("the cache of the record cannot be used")]
    Cache(#[source] Cause),
    #[error("{path} on the record's branch is not an event of this record")]
    NotAnEvent { path: String, source: Cause },
}

impl GitRecord {
    /// A record on a branch, and its cache; nothing is fetched yet.
    #[must_use]
    pub fn new(
        branch: BranchStore,
        cache: Ledger,
        actor: Actor,
        email: String,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            branch,
            cache,
            actor,
            email,
            surroundings,
            fetched: OnceCell::new(),
            seen_before: OnceLock::new(),
        }
    }

    fn named(&self) -> String {
        format!("{} branch {}", self.branch.remote(), self.branch.branch())
    }

    fn explain(&self, stop: Stop) -> RecordError {
        let place = self.named();
        match stop {
            Stop::Refused(refused) => refused,
            Stop::Git(error @ (GitError::Altered { .. } | GitError::Rewritten { .. })) => {
                RecordError::Altered { place, source: error.into() }
            }
            Stop::NotAnEvent { .. } => RecordError::Altered { place, source: Box::new(stop) },
            Stop::Event(error) => RecordError::Limit(error.into()),
            Stop::Git(_) | Stop::Cache(_) => {
                RecordError::Unavailable { place, source: Box::new(stop) }
            }
        }
    }

    async fn append_now(&self, claims: Vec<Claim>) -> Result<Vec<Recorded>, Stop> {
        if claims.len() > CLAIMS_AT_ONCE_MAX {
            let error = store::AppendError::TooMany { found: claims.len() };
            return Err(Stop::Refused(refusal(error, &claims, &self.named())));
        }
        let now = self.surroundings.now();
        let signature = Signature::new(self.actor.name(), &self.email, now)
            .map_err(|error| Stop::Cache(error.into()))?;
        let decided = Mutex::new((Tip::Absent, Vec::new()));
        let appended = self
            .branch
            .append(&signature, Retry::seeded(self.surroundings.seed()), |tip| {
                let (claims, decided) = (&claims, &decided);
                async move {
                    self.project(&tip).await?;
                    let fates = self.decide(claims).await?;
                    let append = files_of(&fates)?;
                    *decided.lock().unwrap_or_else(PoisonError::into_inner) = (tip, fates);
                    Ok(append)
                }
            })
            .await;
        let (on, fates) = decided.into_inner().unwrap_or_else(PoisonError::into_inner);
        let new = fates.iter().filter_map(|fate| match fate {
            Fate::New(event) => Some(&**event),
            Fate::Known(_) => None,
        });
        self.project_appended(appended, &on, new).await?;
        let ids = fates.iter().map(|fate| match fate {
            Fate::New(event) => (event.stamp.id, true),
            Fate::Known(id) => (*id, false),
        });
        recorded(&self.cache, ids).await.map_err(Stop::Cache)
    }

    /// Somebody's file stands at the path of a reservation that the cache did not show.
    fn taken(&self, path: String, bytes: &[u8]) -> Stop {
        match Event::read(bytes) {
            Ok(Event { claim: Claim::Reservation(other), .. }) => Stop::Refused(reserved(&other)),
            Ok(_) => Stop::NotAnEvent { path, source: "another event was expected there".into() },
            Err(error) => Stop::NotAnEvent { path, source: error.into() },
        }
    }

    /// Decides on the tip that the cache shows: what is new, what is there, what is refused.
    async fn decide(&self, claims: &[Claim]) -> Result<Vec<Fate>, Stop> {
        let (now, random) = (self.surroundings.now(), self.surroundings.random() & COUNTABLE);
        let mut fates: Vec<Fate> = Vec::with_capacity(claims.len());
        let mut mine = BTreeMap::<&ClaimKey, usize>::new();
        for (nth, claim) in claims.iter().enumerate() {
            if let Some(at) = mine.get(claim.key()) {
                if claims[*at] != *claim {
                    return Err(self.key_taken(claim, fate_id(&fates[*at])));
                }
                let id = fate_id(&fates[*at]);
                fates.push(Fate::Known(id));
                continue;
            }
            mine.insert(claim.key(), nth);
            let fate = match self.known(claim).await? {
                Some(id) => Fate::Known(id),
                None => {
                    let id = EventId::new(now, random + nth as u128);
                    let stamp = Stamp {
                        id,
                        at: now,
                        actor: self.actor.clone(),
                        cause: None,
                        imported: None,
                    };
                    Fate::New(Box::new(Event { stamp, claim: claim.clone() }))
                }
            };
            fates.push(fate);
        }
        Ok(fates)
    }

    /// The event that says a claim already; a refusal where the key or the tag is somebody else's.
    async fn known(&self, claim: &Claim) -> Result<Option<EventId>, Stop> {
        let cache = |error: store::DatabaseError| Stop::Cache(error.into());
        if let Some(known) = self.cache.by_key(claim.key().clone()).await.map_err(cache)? {
            let id = known.event.stamp.id;
            return if known.event.claim == *claim {
                Ok(Some(id))
            } else {
                Err(self.key_taken(claim, id))
            };
        }
        let Claim::Reservation(asked) = claim else {
            return Ok(None);
        };
        let there = self.cache.reservation(asked.repository.clone(), asked.tag.clone());
        match there.await.map_err(cache)? {
            Some(Reserved { release, event }) if release == asked.release => Ok(Some(event)),
            Some(Reserved { release, .. }) => {
                Err(Stop::Refused(reserved(&ReservationClaim { release, ..asked.clone() })))
            }
            None => Ok(None),
        }
    }

    fn key_taken(&self, claim: &Claim, event: EventId) -> Stop {
        let error = store::AppendError::KeyTaken { key: claim.key().clone(), event };
        Stop::Refused(refusal(error, std::slice::from_ref(claim), &self.named()))
    }

    async fn verify_all(&self) -> Result<Checked, Stop> {
        self.fetch().await?;
        let verified = self.branch.verify(&Tip::Absent).await?;
        // The branch holds; now every event in it must be one, under its own name.
        let files = self.branch.added_since(&Tip::Absent, &verified.tip).await?;
        for file in files.iter().filter(|file| is_event_path(&file.path)) {
            event_of(file)?;
        }
        let cache = self.cache.verify().await.map_err(|error| Stop::Cache(error.into()))?;
        let events = altered(cache, &self.named())?;
        let tip = verified.tip.commit().cloned();
        let seen_before = self.seen_before.get().cloned().flatten();
        Ok(Checked { events, branch: Some(CheckedBranch { tip, seen_before }) })
    }
}

/// 79 bits: adding the number of a claim never runs over the 80 that an id has.
const COUNTABLE: u128 = (1 << 79) - 1;

fn fate_id(fate: &Fate) -> EventId {
    match fate {
        Fate::New(event) => event.stamp.id,
        Fate::Known(id) => *id,
    }
}

fn reserved(there: &ReservationClaim) -> RecordError {
    RecordError::Reserved {
        repository: there.repository.to_string(),
        tag: there.tag.to_string(),
        release: there.release.clone(),
    }
}

impl Observed for GitRecord {
    fn runs<'a>(
        &'a self,
        question: &'a RunQuestion,
        after: Option<RunId>,
    ) -> BoxFuture<'a, Result<RunPage, RecordError>> {
        async move {
            self.fetch_once().await.map_err(|stop| self.explain(stop))?;
            let page = self.cache.runs(question.clone(), after).await;
            page.map_err(|error| self.explain(Stop::Cache(error.into())))
        }
        .boxed()
    }
}

impl Record for GitRecord {
    fn place(&self) -> RecordPlaceName {
        RecordPlaceName { kind: "git", place: self.named() }
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn may(&self, _right: Right) -> Result<(), RecordError> {
        // Only a push tells whether the repository takes one.
        Ok(())
    }

    fn exists(&self) -> BoxFuture<'_, Result<bool, RecordError>> {
        async move {
            self.fetch_once().await.map_err(|stop| self.explain(stop))?;
            let tip = self.cache.tip().await;
            let tip = tip.map_err(|error| self.explain(Stop::Cache(error.into())))?;
            Ok(tip.is_some())
        }
        .boxed()
    }

    fn append(&self, claims: Vec<Claim>) -> BoxFuture<'_, Result<Vec<Recorded>, RecordError>> {
        async move { self.append_now(claims).await.map_err(|stop| self.explain(stop)) }.boxed()
    }

    fn left_out(&self) -> Option<Gap> {
        None
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), RecordError>> {
        async move { self.fetch().await.map_err(|stop| self.explain(stop)) }.boxed()
    }

    fn events<'a>(
        &'a self,
        question: &'a Question,
        after: Option<&'a Sequenced>,
    ) -> BoxFuture<'a, Result<Vec<Sequenced>, RecordError>> {
        async move {
            self.fetch_once().await.map_err(|stop| self.explain(stop))?;
            let page = self.cache.events(query(question, after)).await;
            page.map_err(|error| self.explain(Stop::Cache(error.into())))
        }
        .boxed()
    }

    fn import(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
    ) -> BoxFuture<'_, Result<Vec<Landed>, RecordError>> {
        async move { self.import_now(moving, until, take).await.map_err(|stop| self.explain(stop)) }
            .boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<Checked, RecordError>> {
        async move { self.verify_all().await.map_err(|stop| self.explain(stop)) }.boxed()
    }
}

//! The record in one SQLite file: of this machine's user, or at a path that somebody names.
//!
//! ```text
//! ~/.local/share/indelible/<first 16 hex of sha256(repository)>/record.db
//! ```
//! Source of the path: DESIGN §12, "Local record".

use crate::seam::{PAGE, Question, Record, RecordError, RecordPlaceName, Recorded};
use crate::surroundings::Surroundings;
use ::record::{Claim, Sequenced};
use domain::{Actor, Digest};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::path::{Path, PathBuf};
use store::{Database, Ledger, Query, Stamping};

/// A record in a file.
pub struct LocalRecord {
    ledger: Ledger,
    place: RecordPlaceName,
    actor: Actor,
    surroundings: Surroundings,
}

/// Where the local record of a source repository is, by its address or its path.
#[must_use]
pub fn local_path(surroundings: &Surroundings, repository: &str) -> Option<PathBuf> {
    let hash = Digest::sha256(repository.as_bytes()).hex();
    Some(surroundings.data_home()?.join("indelible").join(&hash[..16]).join("record.db"))
}

impl LocalRecord {
    /// Opens the record in a file, which is made where it is missing.
    ///
    /// # Errors
    /// The file cannot be opened, or a newer program wrote it.
    pub async fn open(
        path: &Path,
        kind: &'static str,
        actor: Actor,
        surroundings: Surroundings,
    ) -> Result<Self, RecordError> {
        let place = RecordPlaceName { kind, place: path.display().to_string() };
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| {
            RecordError::Unavailable { place: path.display().to_string(), source }
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| unavailable(error.into()))?;
        }
        let database = Database::open(path).map_err(|error| unavailable(error.into()))?;
        Ok(Self { ledger: Ledger::new(database), place, actor, surroundings })
    }

    fn unavailable(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> RecordError {
        RecordError::Unavailable { place: self.place.place.clone(), source: source.into() }
    }

    async fn append_now(&self, claims: Vec<Claim>) -> Result<Vec<Recorded>, RecordError> {
        let by = Stamping {
            actor: self.actor.clone(),
            now: self.surroundings.now(),
            randomness: self.surroundings.random(),
            cause: None,
        };
        let appended = self.ledger.append(claims.clone(), by).await;
        let appended = appended.map_err(|error| refusal(error, &claims, &self.place.place))?;
        recorded(&self.ledger, appended.iter().map(|one| (one.id, one.is_new)))
            .await
            .map_err(|error| self.unavailable(error))
    }

    async fn page(&self, question: &Question, after: u64) -> Result<Vec<Sequenced>, RecordError> {
        self.ledger.events(query(question, after)).await.map_err(|error| self.unavailable(error))
    }

    async fn verify_all(&self) -> Result<u64, RecordError> {
        let verified = self.ledger.verify().await.map_err(|error| self.unavailable(error))?;
        altered(verified, &self.place.place)
    }
}

/// The events that an append made or found.
pub(crate) async fn recorded(
    ledger: &Ledger,
    appended: impl Iterator<Item = (domain::EventId, bool)>,
) -> Result<Vec<Recorded>, Box<dyn std::error::Error + Send + Sync>> {
    let mut all = Vec::new();
    for (id, is_new) in appended {
        let event = ledger.event(id).await?.ok_or_else(|| format!("event {id} is not there"))?;
        all.push(Recorded { event, is_new });
    }
    Ok(all)
}

/// The store's question for one page.
pub(crate) fn query(question: &Question, after: u64) -> Query {
    Query {
        kinds: question.kinds.clone(),
        all_of: question.facets.clone(),
        after: Some(after),
        limit: PAGE,
        ..Query::default()
    }
}

/// The number of events, or the first thing that is not as it was written.
pub(crate) fn altered(verified: store::Verified, place: &str) -> Result<u64, RecordError> {
    match verified.problems.into_iter().next() {
        None => Ok(verified.events),
        Some(problem) => {
            Err(RecordError::Altered { place: place.to_owned(), source: problem.into() })
        }
    }
}

/// A refusal of the store in the words of the seam.
pub(crate) fn refusal(error: store::AppendError, claims: &[Claim], place: &str) -> RecordError {
    use store::AppendError as E;
    match error {
        E::KeyTaken { key, event } => {
            let kind = claims.iter().find(|claim| *claim.key() == key);
            let kind = kind.map_or("claim", |claim| claim.kind().name());
            RecordError::KeyTaken { kind, key: key.to_string(), existing: event }
        }
        E::Reserved { tag, by } => {
            let asked =
                claims.iter().filter_map(Claim::as_reservation).find(|asked| asked.tag == tag);
            let repository = asked.map(|asked| asked.repository.to_string()).unwrap_or_default();
            RecordError::Reserved { repository, tag: tag.to_string(), release: by.release }
        }
        error @ (E::TooMany { .. } | E::Event(_)) => RecordError::Limit(error.into()),
        E::Database(error) => {
            RecordError::Unavailable { place: place.to_owned(), source: error.into() }
        }
    }
}

impl Record for LocalRecord {
    fn place(&self) -> RecordPlaceName {
        self.place.clone()
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn append(&self, claims: Vec<Claim>) -> BoxFuture<'_, Result<Vec<Recorded>, RecordError>> {
        self.append_now(claims).boxed()
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), RecordError>> {
        // Every read sees what was committed.
        async { Ok(()) }.boxed()
    }

    fn events<'a>(
        &'a self,
        question: &'a Question,
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<Sequenced>, RecordError>> {
        self.page(question, after).boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<u64, RecordError>> {
        self.verify_all().boxed()
    }
}

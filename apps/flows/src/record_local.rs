//! The record in one SQLite file: of this machine's user, or at a path that somebody names.
//!
//! The file is made by the first append; a question leaves nothing behind.
//!
//! ```text
//! ~/.local/share/indelible/<first 16 hex of sha256(repository)>/record.db
//! ```
//! Source of the path: DESIGN §12, "Local record".

use crate::seam::{
    Checked, Observed, PAGE, Question, Record, RecordError, RecordPlaceName, Recorded,
};
use crate::surroundings::Surroundings;
use ::record::claim::{Right, RunId};
use ::record::{Claim, Gap, Landed, Moving, RunPage, RunQuestion, Sequenced, Take};
use domain::{Actor, Digest, EventId};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use store::{Database, Ledger, Query, Stamping};
use tokio::sync::OnceCell;

/// A record in a file.
pub struct LocalRecord {
    path: PathBuf,
    opened: OnceCell<Ledger>,
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
    /// The record in a file; nothing is opened or made yet.
    #[must_use]
    pub fn at(path: PathBuf, kind: &'static str, actor: Actor, surroundings: Surroundings) -> Self {
        let place = RecordPlaceName { kind, place: path.display().to_string() };
        Self { path, opened: OnceCell::new(), place, actor, surroundings }
    }

    /// A record that is open already: a server's own, for what works beside it.
    #[must_use]
    pub fn of(ledger: Ledger, place: String, actor: Actor, surroundings: Surroundings) -> Self {
        let place = RecordPlaceName { kind: "server", place };
        let opened = OnceCell::new_with(Some(ledger));
        Self { path: PathBuf::new(), opened, place, actor, surroundings }
    }

    /// What was opened, or can be: `None` where no append has made the file yet.
    async fn to_read(&self) -> Result<Option<&Ledger>, RecordError> {
        if self.opened.initialized() || self.is_there()? {
            self.open().await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// What is opened; the file and its folder are made where they are missing.
    async fn to_append(&self) -> Result<&Ledger, RecordError> {
        if let (false, Some(folder)) = (self.opened.initialized(), self.path.parent()) {
            std::fs::create_dir_all(folder).map_err(|error| self.unavailable(error))?;
        }
        self.open().await
    }

    async fn open(&self) -> Result<&Ledger, RecordError> {
        let open = || async {
            let database = Database::open(&self.path).map_err(|error| self.unavailable(error))?;
            Ok(Ledger::new(database))
        };
        self.opened.get_or_try_init(open).await
    }

    /// An empty file is none of ours: SQLite would make a record of it.
    fn is_there(&self) -> Result<bool, RecordError> {
        match std::fs::metadata(&self.path) {
            Ok(found) => Ok(found.len() > 0),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.unavailable(error)),
        }
    }

    fn unavailable(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> RecordError {
        RecordError::Unavailable { place: self.place.place.clone(), source: source.into() }
    }

    fn stamping(&self) -> Stamping {
        Stamping {
            actor: self.actor.clone(),
            now: self.surroundings.now(),
            randomness: self.surroundings.random(),
            cause: None,
        }
    }

    async fn append_now(&self, claims: Vec<Claim>) -> Result<Vec<Recorded>, RecordError> {
        let ledger = self.to_append().await?;
        let appended = ledger.append(claims.clone(), self.stamping()).await;
        let appended = appended.map_err(|error| refusal(error, &claims, &self.place.place))?;
        recorded(ledger, appended.iter().map(|one| (one.id, one.is_new)))
            .await
            .map_err(|error| self.unavailable(error))
    }

    async fn import_now(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
    ) -> Result<Vec<Landed>, RecordError> {
        // To look is no reason to make a record.
        let ledger = match (take, self.to_read().await?) {
            (Take::Over, _) => self.to_append().await?,
            (Take::Look, Some(ledger)) => ledger,
            (Take::Look, None) => {
                let stays = |one: &Moving| ::record::stays(&one.event.claim);
                let landed = moving.iter().map(|one| match stays(one) {
                    true => Landed::Stays,
                    false => Landed::New { id: one.event.stamp.id },
                });
                return Ok(landed.collect());
            }
        };
        let landed = ledger.import(moving, until, take, self.stamping()).await;
        landed.map_err(|error| refusal(error, &[], &self.place.place))
    }

    async fn page(
        &self,
        question: &Question,
        after: Option<&Sequenced>,
    ) -> Result<Vec<Sequenced>, RecordError> {
        let Some(ledger) = self.to_read().await? else { return Ok(Vec::new()) };
        ledger.events(query(question, after)).await.map_err(|error| self.unavailable(error))
    }

    async fn verify_all(&self) -> Result<Checked, RecordError> {
        let events = match self.to_read().await? {
            Some(ledger) => {
                let verified = ledger.verify().await.map_err(|error| self.unavailable(error))?;
                altered(verified, &self.place.place)?
            }
            None => 0,
        };
        Ok(Checked { events, branch: None })
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
pub(crate) fn query(question: &Question, after: Option<&Sequenced>) -> Query {
    Query {
        kinds: question.kinds.clone(),
        all_of: question.facets.clone(),
        or_kinds: question.or_kinds.clone(),
        after: after.map(|event| event.seq),
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

impl Observed for LocalRecord {
    fn runs<'a>(
        &'a self,
        question: &'a RunQuestion,
        after: Option<RunId>,
    ) -> BoxFuture<'a, Result<RunPage, RecordError>> {
        async move {
            let Some(ledger) = self.to_read().await? else { return Ok(RunPage::default()) };
            let page = ledger.runs(question.clone(), after).await;
            page.map_err(|error| self.unavailable(error))
        }
        .boxed()
    }
}

impl Record for LocalRecord {
    fn place(&self) -> RecordPlaceName {
        self.place.clone()
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn may(&self, _right: Right) -> Result<(), RecordError> {
        // Whoever can open the file may write to it; a file that nobody may write says so itself.
        Ok(())
    }

    fn exists(&self) -> BoxFuture<'_, Result<bool, RecordError>> {
        async { Ok(self.to_read().await?.is_some()) }.boxed()
    }

    fn append(&self, claims: Vec<Claim>) -> BoxFuture<'_, Result<Vec<Recorded>, RecordError>> {
        self.append_now(claims).boxed()
    }

    fn left_out(&self) -> Option<Gap> {
        None
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), RecordError>> {
        // Every read sees what was committed.
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

//! The record: events in the order of their sequence, found by what they are about.
//!
//! ```text
//! append([Claim::Deploy {…}], who and when) -> [Appended { seq: 42, id: 01J…, is_new: true }]
//! ```
//! The same key and claim again is no event; another claim under the key is an error. Rows keep an
//! event's canonical bytes and leaf hash; facets and decision tables are rebuilt from them.

mod append;
pub(crate) mod decision;
pub(crate) mod event_row;
mod insert;
mod land;
pub(crate) mod observed;
pub(crate) mod query;
mod verify;

pub use append::{AppendError, Appended};
pub use decision::Reserved;
use event_row::Prepared;
pub use insert::{InsertError, Inserted};
pub use query::{Order, PAGE_MAX, Query};
use record::EventError;
use record::claim::CLAIMS_AT_ONCE_MAX;
pub use verify::{Problem, Verified};

use crate::database::{Database, DatabaseError};
use crate::stamping::Stamping;
use domain::{EventId, Repository, Tag};
use record::claim::RunId;
use record::{Claim, ClaimKey, Event, Kind, Landed, Moving, RunPage, RunQuestion, Sequenced, Take};

/// A handle to the record in a database; clones are cheap.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Database,
}

impl Ledger {
    /// The record that this database holds.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Appends claims, all or none; a claim that is there already yields its first event.
    ///
    /// # Errors
    /// A key that another claim has, a tag that another release reserved, a claim that is too long, or
    /// too many of them.
    pub async fn append(
        &self,
        claims: Vec<Claim>,
        by: Stamping,
    ) -> Result<Vec<Appended>, AppendError> {
        if claims.len() > CLAIMS_AT_ONCE_MAX {
            return Err(AppendError::TooMany { found: claims.len() });
        }
        let stamped = (0..).zip(claims).map(|(nth, claim)| Event { stamp: by.stamp(nth), claim });
        let prepared = stamped.map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        self.database.write(move |tx| append::append(tx, &prepared)).await
    }

    /// Takes events over from another record, in this order: each is stamped here, its own stamp inside.
    ///
    /// `until` is the newest event of this record that was looked at when the orders of the two were compared.
    ///
    /// # Errors
    /// Too many of them, or one that moved too often. What cannot land is told of each, and stops none.
    pub async fn import(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
        by: Stamping,
    ) -> Result<Vec<Landed>, AppendError> {
        if moving.len() > CLAIMS_AT_ONCE_MAX {
            return Err(AppendError::TooMany { found: moving.len() });
        }
        match take {
            Take::Over => {}
            Take::Look => return Ok(self.look(moving, until).await?),
        }
        let stamped = (0..).zip(moving).map(|(nth, moving)| {
            let Moving { event, expect } = moving;
            let event = by.restamp(nth, event);
            Ok((Prepared::new(event)?, expect))
        });
        let prepared = stamped.collect::<Result<Vec<_>, EventError>>()?;
        self.database.write(move |tx| land::import(tx, &prepared, until)).await
    }

    async fn look(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
    ) -> Result<Vec<Landed>, DatabaseError> {
        self.database
            .read(move |reader| {
                let after = land::place(reader, until)?;
                let looked = moving.iter().map(|one| {
                    let known = land::landing(reader, &one.event.claim, one.expect, after)?;
                    Ok(known.unwrap_or(Landed::New { id: one.event.stamp.id }))
                });
                looked.collect()
            })
            .await
    }

    /// What would become of an event that is moved here; `None`: it would be new.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn landing(
        &self,
        moving: Moving,
        until: Option<EventId>,
    ) -> Result<Option<Landed>, DatabaseError> {
        self.database
            .read(move |reader| {
                let after = land::place(reader, until)?;
                land::landing(reader, &moving.event.claim, moving.expect, after)
            })
            .await
    }

    /// Inserts events that were stamped elsewhere, in this order, and keeps `tip` beside them: the
    /// position up to which they were read. Events that are there already are passed over.
    ///
    /// # Errors
    /// An event with a known id and other content.
    pub async fn insert_events(
        &self,
        events: Vec<Event>,
        tip: Option<String>,
    ) -> Result<Inserted, InsertError> {
        let prepared = events.into_iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        self.database.write(move |tx| insert::insert(tx, &prepared, tip.as_deref())).await
    }

    /// The position that [`Ledger::insert_events`] kept last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tip(&self) -> Result<Option<String>, DatabaseError> {
        self.database.read(|reader| decision::marker(reader, insert::TIP_MARKER)).await
    }

    /// The events that a query asks for, at most [`PAGE_MAX`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn events(&self, query: Query) -> Result<Vec<Sequenced>, DatabaseError> {
        self.database.read(move |reader| query::events(reader, &query)).await
    }

    /// The container runs that a question asks for, behind the one with this identity, and what was watched. An
    /// identity that no run has is an error: no page ended with it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn runs(
        &self,
        question: RunQuestion,
        after: Option<RunId>,
    ) -> Result<RunPage, DatabaseError> {
        self.database.read(move |reader| observed::page(reader, &question, after)).await
    }

    /// The event that began a run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn run_event(&self, run: RunId) -> Result<Option<Sequenced>, DatabaseError> {
        self.database.read(move |reader| observed::event_of(reader, run)).await
    }

    /// The event with this id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn event(&self, id: EventId) -> Result<Option<Sequenced>, DatabaseError> {
        self.database.read(move |reader| event_row::by_id(reader, id)).await
    }

    /// The event whose claim has this key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn by_key(&self, key: ClaimKey) -> Result<Option<Sequenced>, DatabaseError> {
        self.database.read(move |reader| event_row::by_key(reader, key.as_str())).await
    }

    /// Who reserved a tag, if anybody.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn reservation(
        &self,
        repository: Repository,
        tag: Tag,
    ) -> Result<Option<Reserved>, DatabaseError> {
        self.database
            .read(move |reader| {
                let Some((release, seq)) = decision::reservation(reader, &repository, &tag)? else {
                    return Ok(None);
                };
                let there = event_row::at(reader, seq)?;
                Ok(there.map(|there| Reserved { release, event: there.event.stamp.id }))
            })
            .await
    }

    /// How many events there are, of these kinds; of all where none is given.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count(&self, kinds: Vec<Kind>) -> Result<u64, DatabaseError> {
        self.database.read(move |reader| query::count(reader, &kinds)).await
    }

    /// Reads every event again, and compares hashes, facets and decision tables with what they give.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn verify(&self) -> Result<Verified, DatabaseError> {
        self.database.read(verify::verify).await
    }

    /// Throws the facets, the reservations and the container runs away and makes them again from the events.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn rebuild(&self) -> Result<(), DatabaseError> {
        self.database.write(verify::rebuild).await
    }
}

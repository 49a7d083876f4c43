//! Appending claims: the same one again is no event, another one under its key is refused.

use crate::database::DatabaseError;
use crate::ledger::event_row::{self, Prepared};
use crate::ledger::{Reserved, decision};
use domain::{EventId, Tag, Timestamp};
use record::claim::ReservationClaim;
use record::{Claim, ClaimKey, EventError, Sequenced};
use rusqlite::Connection;

/// One claim that is in the record now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place.
    pub seq: u64,
    /// Its event.
    pub id: EventId,
    /// When it was recorded.
    pub at: Timestamp,
    /// Whether this call made the event; otherwise it was there.
    pub is_new: bool,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The key stands for another claim.
    #[error("claim key `{key}` already stands for another claim, event {event}")]
    KeyTaken {
        /// The key.
        key: ClaimKey,
        /// The event that has it.
        event: EventId,
    },
    /// The tag belongs to another release.
    #[error("tag `{tag}` is reserved by release `{}`, event {}", .by.release, .by.event)]
    Reserved {
        /// The tag.
        tag: Tag,
        /// Who has it.
        by: Reserved,
    },
    /// More than [`record::claim::CLAIMS_AT_ONCE_MAX`].
    #[error("at most {max} claims are appended at once, found {found}", max = record::claim::CLAIMS_AT_ONCE_MAX)]
    TooMany {
        /// How many.
        found: usize,
    },
    /// A claim that cannot be recorded.
    #[error("a claim cannot be recorded")]
    Event(#[from] EventError),
    /// The database did not carry it out.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Appends claims in one transaction.
pub(super) fn append(tx: &Connection, claims: &[Prepared]) -> Result<Vec<Appended>, AppendError> {
    claims.iter().map(|claim| append_one(tx, claim)).collect()
}

fn append_one(tx: &Connection, prepared: &Prepared) -> Result<Appended, AppendError> {
    let event = prepared.event();
    let claim = &event.claim;
    if let Some(there) = event_row::by_key(tx, claim.key().as_str())? {
        // Equal values have one canonical form, and the other way round.
        if there.event.claim == *claim {
            return Ok(known(&there));
        }
        let event = there.event.stamp.id;
        return Err(AppendError::KeyTaken { key: claim.key().clone(), event });
    }
    if let Claim::Reservation(claim) = claim
        && let Some(there) = reserved_already(tx, claim)?
    {
        return Ok(there);
    }
    let seq = prepared.insert(tx)?;
    Ok(Appended { seq, id: event.stamp.id, at: event.stamp.at, is_new: true })
}

/// The same release asks again on a retry, with whatever key: it has the tag.
fn reserved_already(
    tx: &Connection,
    claim: &ReservationClaim,
) -> Result<Option<Appended>, AppendError> {
    let Some((release, seq)) = decision::reservation(tx, &claim.repository, &claim.tag)? else {
        return Ok(None);
    };
    let lost = || DatabaseError::unreadable("reservation", format!("event {seq} is missing"));
    let there = event_row::at(tx, seq)?.ok_or_else(lost)?;
    if release == claim.release {
        return Ok(Some(known(&there)));
    }
    let by = Reserved { release, event: there.event.stamp.id };
    Err(AppendError::Reserved { tag: claim.tag.clone(), by })
}

fn known(there: &Sequenced) -> Appended {
    let stamp = &there.event.stamp;
    Appended { seq: there.seq, id: stamp.id, at: stamp.at, is_new: false }
}

//! Decision tables: what an event decides, written in the event's own transaction.
//!
//! ```text
//! reservation -> the tag's first release has it      rule -> asked first from now on
//! unlock      -> open until then                     token revoked -> of no use
//! ```
//! The `tag` table is the catalog's own: its row decides the race before there is an event.

use crate::database::DatabaseError;
use domain::{EventId, Repository, Tag};
use record::claim::{ReservationClaim, RuleClaim, TokenClaim, TokenState, UnlockClaim};
use record::{Claim, Event};
use rusqlite::{Connection, OptionalExtension, params};

/// The marker that changes with every rule, so that a kept copy of the rules knows that it is old.
pub(crate) const RULES_MARKER: &str = "rules";

/// A tag that belongs to a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The release, as it named itself.
    pub release: String,
    /// The event.
    pub event: EventId,
}

/// Carries out what an event decides.
pub(super) fn apply(tx: &Connection, seq: i64, event: &Event) -> Result<(), DatabaseError> {
    match &event.claim {
        Claim::Reservation(claim) => reserve(tx, seq, claim),
        Claim::Rule(claim) => set_rule(tx, seq, claim, event.stamp.id),
        Claim::Unlock(claim) => unlock(tx, claim),
        Claim::Token(claim) => token(tx, claim, event),
        Claim::TagChange(_)
        | Claim::Image(_)
        | Claim::Build(_)
        | Claim::Deploy(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_)
        | Claim::Imported(_) => Ok(()),
    }
}

/// The first one stays: events of a git record come in the order in which they landed.
pub(super) fn reserve(
    tx: &Connection,
    seq: i64,
    claim: &ReservationClaim,
) -> Result<(), DatabaseError> {
    let mut insert = tx.prepare_cached(
        "INSERT OR IGNORE INTO reservation (repository, tag, release, seq) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let (repository, tag) = (claim.repository.to_string(), claim.tag.as_str());
    insert.execute(params![repository, tag, claim.release, seq])?;
    Ok(())
}

/// Who has a tag: the release, and the place of its event.
pub(super) fn reservation(
    connection: &Connection,
    repository: &Repository,
    tag: &Tag,
) -> Result<Option<(String, i64)>, DatabaseError> {
    let mut select = connection.prepare_cached(
        "SELECT release, seq FROM reservation WHERE repository = ?1 AND tag = ?2",
    )?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(select.query_row(params![repository.to_string(), tag.as_str()], row).optional()?)
}

fn set_rule(
    tx: &Connection,
    seq: i64,
    claim: &RuleClaim,
    event: EventId,
) -> Result<(), DatabaseError> {
    let rule = &claim.rule;
    let mut upsert = tx.prepare_cached(
        "INSERT OR REPLACE INTO rule (repositories, tags, class, seq) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let (repositories, tags) = (rule.repositories.as_str(), rule.tags.as_str());
    upsert.execute(params![repositories, tags, rule.class.to_string(), seq])?;
    set_marker(tx, RULES_MARKER, &event.to_string())
}

fn unlock(tx: &Connection, claim: &UnlockClaim) -> Result<(), DatabaseError> {
    let mut upsert = tx.prepare_cached(
        "INSERT OR REPLACE INTO unlock (repository, tag, until) VALUES (?1, ?2, ?3)",
    )?;
    let (repository, tag) = (claim.repository.as_str(), claim.tag.as_str());
    upsert.execute(params![repository, tag, claim.until.as_millis()])?;
    Ok(())
}

/// A new token's row holds the hash of its secret, which no event has: the catalog inserts it.
fn token(tx: &Connection, claim: &TokenClaim, event: &Event) -> Result<(), DatabaseError> {
    match claim.state {
        TokenState::Created => Ok(()),
        TokenState::Revoked => {
            let mut update = tx.prepare_cached(
                "UPDATE token SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL",
            )?;
            update.execute(params![claim.name, event.stamp.at.as_millis()])?;
            Ok(())
        }
    }
}

pub(crate) fn set_marker(tx: &Connection, name: &str, value: &str) -> Result<(), DatabaseError> {
    let mut upsert =
        tx.prepare_cached("INSERT OR REPLACE INTO marker (name, value) VALUES (?1, ?2)")?;
    upsert.execute([name, value])?;
    Ok(())
}

pub(crate) fn marker(connection: &Connection, name: &str) -> Result<Option<String>, DatabaseError> {
    let mut select = connection.prepare_cached("SELECT value FROM marker WHERE name = ?1")?;
    Ok(select.query_row([name], |row| row.get(0)).optional()?)
}

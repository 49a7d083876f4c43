//! Taking events over from another record: each lands, is there already, or is told why it cannot.
//!
//! ```text
//! [deploy A, deploy B] -> [Known { id }, New { id }]
//! ```
//! Whether the two records can be joined was found out by who moves the events; here it is only made sure that
//! nobody decided anything since then.

use crate::database::DatabaseError;
use crate::ledger::event_row::{self, Prepared};
use crate::ledger::query::{self, Order, Query};
use crate::ledger::{AppendError, decision};
use domain::EventId;
use record::moved::{kinds_of, scope, stays};
use record::{Claim, Expect, Landed};
use rusqlite::Connection;

/// Lands events in one transaction.
pub(super) fn import(
    tx: &Connection,
    moving: &[(Prepared, Expect)],
    until: Option<EventId>,
) -> Result<Vec<Landed>, AppendError> {
    let after = place(tx, until)?;
    let mut landed = Vec::with_capacity(moving.len());
    for (prepared, expect) in moving {
        let event = prepared.event();
        landed.push(match landing(tx, &event.claim, *expect, after)? {
            Some(known) => known,
            None => {
                prepared.insert(tx)?;
                Landed::New { id: event.stamp.id }
            }
        });
    }
    Ok(landed)
}

/// The place of an event; what is not known here is no place: then everything counts as newer.
pub(super) fn place(connection: &Connection, id: Option<EventId>) -> Result<u64, DatabaseError> {
    let there = id.map(|id| event_row::by_id(connection, id)).transpose()?.flatten();
    Ok(there.map_or(0, |there| there.seq))
}

/// What becomes of a claim that is moved here; `None`: it can be added.
pub(super) fn landing(
    connection: &Connection,
    claim: &Claim,
    expect: Expect,
    after: u64,
) -> Result<Option<Landed>, DatabaseError> {
    if stays(claim) {
        return Ok(Some(Landed::Stays));
    }
    if let Some(there) = event_row::by_key(connection, claim.key().as_str())? {
        let id = there.event.stamp.id;
        let is_same = there.event.claim == *claim;
        return Ok(Some(if is_same { Landed::Known { id } } else { Landed::Other { id } }));
    }
    if let Claim::Reservation(asked) = claim
        && let Some((release, seq)) =
            decision::reservation(connection, &asked.repository, &asked.tag)?
    {
        let lost = || DatabaseError::unreadable("reservation", format!("event {seq} is missing"));
        let id = event_row::at(connection, seq)?.ok_or_else(lost)?.event.stamp.id;
        let is_same = release == asked.release;
        return Ok(Some(if is_same { Landed::Known { id } } else { Landed::Reserved { id } }));
    }
    match expect {
        Expect::Known => Ok(Some(Landed::Behind)),
        Expect::Either if was_decided_since(connection, claim, after)? => Ok(Some(Landed::Behind)),
        Expect::Either => Ok(None),
    }
}

/// Whether this record itself heard something about the same since then. What landed in this move does not count.
fn was_decided_since(
    connection: &Connection,
    claim: &Claim,
    after: u64,
) -> Result<bool, DatabaseError> {
    let Some((facet, value)) = scope(claim) else { return Ok(false) };
    let newest = Query {
        kinds: kinds_of(facet),
        all_of: vec![(facet, value)],
        after: Some(after),
        limit: 1,
        order: Order::NewestFirst,
        ..Query::default()
    };
    // Once one was heard here, nothing about the same lands behind it: the newest tells for all.
    let newest = query::events(connection, &newest)?;
    Ok(newest.first().is_some_and(|event| !event.event.stamp.is_imported()))
}

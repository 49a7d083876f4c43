//! The history of one tag, out of the record.

use crate::database::DatabaseError;
use crate::ledger::query::{self, Query};
use record::Sequenced;
use rusqlite::Connection;

/// Changes of this registry's own tag: one that was only observed at another registry has the same path.
pub(super) fn own_changes(
    reader: &Connection,
    mut query: Query,
) -> Result<Vec<Sequenced>, DatabaseError> {
    let limit = query.limit;
    let mut own = Vec::new();
    while own.len() < limit {
        let page = query::events(reader, &query)?;
        let Some(last) = page.last() else {
            break;
        };
        query.before = Some(last.seq);
        own.extend(page.into_iter().filter(|change| {
            let claim = change.event.claim.as_tag_change();
            claim.is_some_and(|claim| claim.registry.is_none())
        }));
    }
    own.truncate(limit);
    Ok(own)
}

//! Opening one immutable tag for a while: the one exception of law 1.

use crate::catalog::{UnlockError, UnlockTag, manifest_row, tag_row};
use crate::ledger::event_row::Prepared;
use crate::stamping::Stamping;
use domain::TagClass;
use record::claim::{UNLOCK_MS_MAX, UnlockClaim};
use record::{Claim, ClaimKey, Event};
use rusqlite::Connection;

/// Unlocks a tag and says so in the record; the row follows from the event.
pub(super) fn unlock(
    tx: &Connection,
    unlock: &UnlockTag,
    by: &Stamping,
) -> Result<(), UnlockError> {
    let latest = by.now.plus_millis(UNLOCK_MS_MAX);
    if unlock.until <= by.now || unlock.until > latest {
        return Err(UnlockError::Span);
    }
    let unknown = || UnlockError::Unknown { tag: unlock.tag.clone() };
    let repository = manifest_row::repository(tx, &unlock.repository)?.ok_or_else(unknown)?;
    let kept = tag_row::find(tx, repository, &unlock.tag)?.ok_or_else(unknown)?;
    let class = kept.state.class;
    match class {
        // An append tag is never moved to less either: it opens in the same way.
        TagClass::Immutable | TagClass::Append => {}
        TagClass::Alias => {
            return Err(UnlockError::NotImmutable { tag: unlock.tag.clone(), class });
        }
    }
    let stamp = by.stamp(0);
    let key = ClaimKey::try_from(format!("unlock/{}", stamp.id)).expect("a ULID is visible ASCII");
    let claim = Claim::Unlock(UnlockClaim {
        key,
        repository: unlock.repository.clone(),
        tag: unlock.tag.clone(),
        reason: unlock.reason.clone(),
        until: unlock.until,
    });
    Prepared::new(Event { stamp, claim })?.insert(tx)?;
    Ok(())
}

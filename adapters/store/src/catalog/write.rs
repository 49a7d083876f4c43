//! The transaction of one manifest write: manifest, references, image, tags and their events.

use crate::blobs::Blobs;
use crate::catalog::put::{Kept, PutDone, PutError, PutManifest, TagOutcome};
use crate::catalog::rules::KeptRules;
use crate::catalog::tag_row::{self, Change};
use crate::catalog::{manifest_row, read};
use crate::database::DatabaseError;
use crate::ledger::event_row::{self, Prepared};
use domain::tag_write::Life;
use domain::{Digest, Extends, Tag, TagClass, TagDecision, TagRefusal, Unlock, decide_tag_write};
use oci::{Manifest, ManifestLimit};
use record::claim::{Right, TagChange};
use record::{Claim, Event, EventError};
use rusqlite::Connection;

/// A write under way inside its transaction.
pub(super) struct Write<'a> {
    pub(super) tx: &'a Connection,
    pub(super) put: &'a PutManifest,
    pub(super) rules: &'a KeptRules,
    pub(super) blobs: &'a Blobs,
}

/// A tag as it was found and what is to be done about it.
struct Decided {
    existing: Option<tag_row::Kept>,
    decision: TagDecision,
}

impl Write<'_> {
    /// Carries everything out; an error takes all of it back.
    pub(super) fn run(&self) -> Result<PutDone, PutError> {
        let repository = manifest_row::repository_or_new(self.tx, &self.put.repository)?;
        let manifest = self.keep_manifest(repository)?;
        let mut tags = Vec::with_capacity(self.put.tags.len());
        // The image's event, if there is one, has the number 0.
        for (nth, tag) in (1..).zip(&self.put.tags) {
            let outcome = self.write_tag(repository, tag, nth)?;
            tags.push((tag.clone(), outcome));
        }
        Ok(PutDone { digest: self.put.digest, manifest, tags })
    }

    fn keep_manifest(&self, repository: i64) -> Result<Kept, PutError> {
        let put = self.put;
        let kept = match manifest_row::manifest(self.tx, repository, &put.digest)? {
            Some(_) => Kept::Already,
            None => {
                if !put.rights.allow(Right::PushNewTags) {
                    return Err(PutError::Denied { tag: None, right: Right::PushNewTags });
                }
                let missing = manifest_row::missing(self.tx, repository, &put.manifest)?;
                if !missing.is_empty() {
                    return Err(PutError::Missing { missing });
                }
                let (digest, bytes) = (&put.digest, &put.bytes);
                manifest_row::insert(self.tx, repository, digest, bytes, &put.manifest)?;
                Kept::New
            }
        };
        self.record_image()?;
        Ok(kept)
    }

    /// What the bytes say is said once, whichever repository they come to first.
    fn record_image(&self) -> Result<(), PutError> {
        let Some(image) = &self.put.image else {
            return Ok(());
        };
        let claim = Claim::Image(image.clone());
        if event_row::has_key(self.tx, &claim)? {
            return Ok(());
        }
        let stamp = self.put.by.stamp(0);
        match Prepared::new(Event { stamp, claim }) {
            Ok(event) => event.insert(self.tx).map(drop).map_err(PutError::from),
            // More platforms than an event holds: what is not said is unknown, and no reason to refuse.
            Err(EventError::Length { .. }) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    fn write_tag(&self, repository: i64, tag: &Tag, nth: u32) -> Result<TagOutcome, PutError> {
        let Decided { existing, decision } = self.decide(repository, tag)?;
        let digest = self.put.digest;
        let class = existing.as_ref().map(|kept| kept.state.class);
        let (outcome, change, right) = match decision {
            TagDecision::Same => return Ok(TagOutcome::Same),
            TagDecision::Refuse(refusal) => {
                return Err(self.refused(tag, existing.as_ref(), refusal)?);
            }
            TagDecision::Create { .. } => {
                (TagOutcome::Created, TagChange::Created { digest }, Right::PushNewTags)
            }
            TagDecision::Restore { last } => {
                let right = if last == digest { Right::PushNewTags } else { Right::MoveAlias };
                let change = TagChange::Restored { last, to: digest };
                (TagOutcome::Restored { last }, change, right)
            }
            TagDecision::Move { from } => {
                let change = TagChange::Moved { from, to: digest };
                (TagOutcome::Moved { from }, change, Right::MoveAlias)
            }
        };
        if !self.put.rights.allow(right) {
            return Err(PutError::Denied { tag: Some(tag.clone()), right });
        }
        let created = match decision {
            TagDecision::Create { class } => Some(class),
            TagDecision::Same
            | TagDecision::Restore { .. }
            | TagDecision::Move { .. }
            | TagDecision::Refuse(_) => None,
        };
        let change = Change {
            path: &self.put.repository,
            repository,
            tag,
            class: class.or(created).unwrap_or(TagClass::Immutable),
            change,
            reason: self.put.reason.as_ref(),
            revision: existing.map_or(0, |kept| kept.revision),
        };
        change.write::<PutError>(self.tx, &self.put.by, nth)?;
        Ok(outcome)
    }

    /// Gathers the facts that the law asks for, on the row that decides the race, and asks it.
    fn decide(&self, repository: i64, tag: &Tag) -> Result<Decided, PutError> {
        let existing = tag_row::find(self.tx, repository, tag)?;
        let incoming = &self.put.digest;
        let other = existing.as_ref().map(|kept| kept.state).filter(|s| s.digest != *incoming);
        let (mut extends, mut unlock, mut by_rule) =
            (Extends::No, Unlock::Locked, TagClass::Immutable);
        match (&existing, other) {
            (None, _) => {
                by_rule = self.rules.current(self.tx)?.class_of(&self.put.repository, tag);
            }
            (Some(_), None) => {}
            (Some(_), Some(other)) => {
                unlock = self.unlock(tag)?;
                if other.class == TagClass::Append && other.life == Life::Live {
                    extends = self.extends(repository, &other.digest)?;
                }
            }
        }
        let state = existing.as_ref().map(|kept| &kept.state);
        let decision = decide_tag_write(state, by_rule, incoming, self.put.expect, extends, unlock);
        Ok(Decided { existing, decision })
    }

    fn unlock(&self, tag: &Tag) -> Result<Unlock, DatabaseError> {
        let until = tag_row::unlocked_until(self.tx, &self.put.repository, tag)?;
        let is_open = until.is_some_and(|until| self.put.by.now < until);
        Ok(if is_open { Unlock::Open } else { Unlock::Locked })
    }

    /// Whether the new manifest keeps what the old one lists. What cannot be read is not kept.
    fn extends(&self, repository: i64, old: &Digest) -> Result<Extends, PutError> {
        let Some(found) = read::by_digest(self.tx, repository, old)? else {
            return Ok(Extends::No);
        };
        let bytes = match found.body {
            Some(body) => Some(body.into()),
            None => self.blobs.read_now(old)?,
        };
        let limit = ManifestLimit::new(oci::limit::MANIFEST_BYTES_SETTABLE_MAX).unwrap_or_default();
        let old = bytes
            .and_then(|bytes| Manifest::read_within(&bytes, Some(&found.media_type), limit).ok());
        let is_kept = old.is_some_and(|old| oci::extends(&self.put.manifest, &old));
        Ok(if is_kept { Extends::Yes } else { Extends::No })
    }

    fn refused(
        &self,
        tag: &Tag,
        existing: Option<&tag_row::Kept>,
        refusal: TagRefusal,
    ) -> Result<PutError, DatabaseError> {
        let tag = tag.clone();
        let found = match refusal {
            TagRefusal::Stale { found } => return Ok(PutError::Stale { tag, found }),
            TagRefusal::Taken { .. } | TagRefusal::Burnt { .. } | TagRefusal::Drops { .. } => {
                existing.ok_or_else(|| {
                    DatabaseError::unreadable("tag", "it was refused for a row that is not there")
                })?
            }
        };
        let there = tag_row::holder(self.tx, found)?;
        Ok(match refusal {
            TagRefusal::Stale { found } => PutError::Stale { tag, found },
            TagRefusal::Taken { .. } => PutError::Taken { tag, there },
            TagRefusal::Burnt { .. } => PutError::Burnt { tag, there },
            TagRefusal::Drops { .. } => PutError::Drops { tag, there },
        })
    }
}

//! Taking events over from another record into a branch: one commit for each piece, on the tip that was looked at.
//!
//! ```text
//! [deploy A, deploy B] -> one commit with events/2026/03/17/01JQ….json; [New, New]
//! ```

use super::files::append_of;
use super::{COUNTABLE, GitRecord, Stop};
use crate::record_local::refusal;
use ::record::claim::CLAIMS_AT_ONCE_MAX;
use ::record::event::{Event, Stamp};
use ::record::{ClaimKey, Landed, Moving, Take};
use domain::EventId;
use git::{Retry, Signature, Tip};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What becomes of each event on one tip, and the new ones among them.
#[derive(Default)]
struct Decided {
    landed: Vec<Landed>,
    new: Vec<Event>,
}

impl GitRecord {
    pub(super) async fn import_now(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
        take: Take,
    ) -> Result<Vec<Landed>, Stop> {
        if moving.len() > CLAIMS_AT_ONCE_MAX {
            let error = store::AppendError::TooMany { found: moving.len() };
            return Err(Stop::Refused(refusal(error, &[], &self.named())));
        }
        match take {
            Take::Over => {}
            Take::Look => return self.look_at_tip(moving, until).await,
        }
        let signature = Signature::new(self.actor.name(), &self.email, self.surroundings.now())
            .map_err(|error| Stop::Cache(error.into()))?;
        let decided = Mutex::new((Tip::Absent, Decided::default()));
        let appended = self
            .branch
            .append(&signature, Retry::seeded(self.surroundings.seed()), |tip| {
                let (moving, decided) = (&moving, &decided);
                async move {
                    self.project(&tip).await?;
                    let on_tip = self.decide_landing(moving, until).await?;
                    let append = append_of(on_tip.new.iter())?;
                    *decided.lock().unwrap_or_else(PoisonError::into_inner) = (tip, on_tip);
                    Ok(append)
                }
            })
            .await;
        let (on, decided) = decided.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.project_appended(appended, &on, decided.new.iter()).await?;
        Ok(decided.landed)
    }

    async fn look_at_tip(
        &self,
        moving: Vec<Moving>,
        until: Option<EventId>,
    ) -> Result<Vec<Landed>, Stop> {
        self.fetch_once().await?;
        let mut landed = self.decide_landing(&moving, until).await?.landed;
        for (one, landed) in moving.iter().zip(&mut landed) {
            if let Landed::New { id } = landed {
                *id = one.event.stamp.id;
            }
        }
        Ok(landed)
    }

    async fn decide_landing(
        &self,
        moving: &[Moving],
        until: Option<EventId>,
    ) -> Result<Decided, Stop> {
        let (now, random) = (self.surroundings.now(), self.surroundings.random() & COUNTABLE);
        let mut decided = Decided::default();
        let mut mine = BTreeMap::<&ClaimKey, usize>::new();
        for (nth, one) in moving.iter().enumerate() {
            let claim = &one.event.claim;
            if let Some(known) = mine.get(claim.key()).map(|at| &decided.new[*at]) {
                let id = known.stamp.id;
                let is_same = known.claim == *claim;
                decided.landed.push(if is_same {
                    Landed::Known { id }
                } else {
                    Landed::Other { id }
                });
                continue;
            }
            let known = self.cache.landing(one.clone(), until).await;
            if let Some(known) = known.map_err(|error| Stop::Cache(error.into()))? {
                decided.landed.push(known);
                continue;
            }
            let id = EventId::new(now, random + nth as u128);
            let imported = Some(Box::new(one.event.stamp.clone()));
            let stamp = Stamp { id, at: now, actor: self.actor.clone(), cause: None, imported };
            mine.insert(claim.key(), decided.new.len());
            decided.new.push(Event { stamp, claim: claim.clone() });
            decided.landed.push(Landed::New { id });
        }
        Ok(decided)
    }
}

//! Which rows of the record a caller may read, and how a row is shown.
//!
//! ```text
//! names a repository            its repository decides
//! names digests only            for each of them: one of its builds, deploys or tags, in a repository that the caller may read
//! names neither (hold, note)    every reader
//! rules and tokens              administrators
//! ```
//! What the caller said itself it may always read. Source: DESIGN §9, threat 3.

use super::Asked;
use crate::access::{Caller, Need};
use crate::reply::Refusal;
use domain::{Digest, RepositoryPath};
use record::{Claim, Event, Facet, Kind, Sequenced};
use serde_json::value::RawValue;
use std::collections::HashMap;
use store::{Ledger, Query};

/// Kinds that name a digest and its repository.
const PLACED: [Kind; 3] = [Kind::Build, Kind::Deploy, Kind::TagChange];

/// One caller reading; what was found out about a digest is kept for the request.
pub(super) struct Reader<'a> {
    ledger: &'a Ledger,
    caller: &'a Caller,
    digests: HashMap<Digest, bool>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(asked: &'a Asked) -> Self {
        Self { ledger: &asked.app.ledger, caller: &asked.caller, digests: HashMap::new() }
    }

    /// Whether the caller may read this row.
    pub(super) async fn may_read(&mut self, row: &Sequenced) -> Result<bool, Refusal> {
        let claim = &row.event.claim;
        if matches!(claim, Claim::Rule(_) | Claim::Token(_)) {
            return Ok(self.caller.needs_admin().is_ok());
        }
        if self.caller.reads_whole_record() || row.event.stamp.actor == *self.caller.actor() {
            return Ok(true);
        }
        if let Some(repository) = repository_of(claim) {
            return Ok(self.caller.may(Need::ReadRecord, repository));
        }
        match claim {
            Claim::Image(claim) => self.may_read_digest(claim.digest).await,
            Claim::Allow(claim) => self.may_read_digest(claim.digest).await,
            Claim::Block(claim) => self.may_read_digest(claim.digest).await,
            Claim::ContainerRun(claim) => match claim.digest {
                Some(digest) => self.may_read_digest(digest).await,
                None => Ok(false),
            },
            Claim::Finding(claim) => self.may_read_all(&claim.digests).await,
            Claim::Hold(_) | Claim::Note(_) | Claim::Watched(_) => Ok(true),
            Claim::TagChange(_)
            | Claim::Build(_)
            | Claim::Deploy(_)
            | Claim::Reservation(_)
            | Claim::Imported(_)
            | Claim::Rule(_)
            | Claim::Unlock(_)
            | Claim::Token(_) => Ok(false),
        }
    }

    /// A digest is the caller's to know where something puts it, or the image that it is a part of, into one of
    /// its repositories.
    pub(super) async fn may_read_digest(&mut self, digest: Digest) -> Result<bool, Refusal> {
        if let Some(known) = self.digests.get(&digest) {
            return Ok(*known);
        }
        let mut may = self.is_placed(digest).await?;
        if !may {
            for row in self.about(&[Kind::Image], digest, None).await? {
                if let Claim::Image(image) = &row.event.claim
                    && self.is_placed(image.digest).await?
                {
                    may = true;
                    break;
                }
            }
        }
        self.digests.insert(digest, may);
        Ok(may)
    }

    /// What is about several digests tells of each of them; what is about none belongs to nobody's repository.
    async fn may_read_all(&mut self, digests: &[Digest]) -> Result<bool, Refusal> {
        for digest in digests {
            if !self.may_read_digest(*digest).await? {
                return Ok(false);
            }
        }
        Ok(!digests.is_empty())
    }

    async fn is_placed(&self, digest: Digest) -> Result<bool, Refusal> {
        let mut after = None;
        loop {
            let page = self.about(&PLACED, digest, after).await?;
            let Some(last) = page.last() else {
                return Ok(false);
            };
            after = Some(last.seq);
            let mut named = page.iter().filter_map(|row| repository_of(&row.event.claim));
            if named.any(|repository| self.caller.may(Need::ReadRecord, repository)) {
                return Ok(true);
            }
        }
    }

    async fn about(
        &self,
        kinds: &[Kind],
        digest: Digest,
        after: Option<u64>,
    ) -> Result<Vec<Sequenced>, Refusal> {
        let all_of = vec![(Facet::Digest, digest.to_string())];
        let query = Query { kinds: kinds.to_vec(), all_of, after, ..Query::default() };
        Ok(self.ledger.events(query).await?)
    }
}

/// The repository that a claim is about, by its path.
fn repository_of(claim: &Claim) -> Option<&RepositoryPath> {
    match claim {
        Claim::TagChange(claim) => Some(&claim.repository),
        Claim::Unlock(claim) => Some(&claim.repository),
        Claim::Build(claim) => Some(claim.repository.path()),
        Claim::Deploy(claim) => Some(claim.repository.path()),
        Claim::Reservation(claim) => Some(claim.repository.path()),
        Claim::Imported(claim) => Some(claim.repository.path()),
        Claim::Image(_)
        | Claim::Allow(_)
        | Claim::Block(_)
        | Claim::Hold(_)
        | Claim::Rule(_)
        | Claim::Token(_)
        | Claim::Note(_)
        | Claim::ContainerRun(_)
        | Claim::Watched(_)
        | Claim::Finding(_) => None,
    }
}

/// An event in its one spelling, byte for byte: its leaf hash can be taken from the answer.
pub(super) fn shown(event: &Event) -> Result<Box<RawValue>, Refusal> {
    let bytes = event.to_bytes().map_err(Refusal::internal)?;
    let text = String::from_utf8(bytes).map_err(Refusal::internal)?;
    RawValue::from_string(text).map_err(Refusal::internal)
}

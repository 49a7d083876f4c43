//! One record's events go into another: in their order, each once, and what cannot land is told.
//!
//! ```text
//! from: deploy A, deploy B, hold C      into: deploy A, deploy B     -> 2 known, 1 new
//! from: deploy A                        into: deploy X               -> deploy A is behind: it is not put in
//! ```
//! The receiving record stamps what it takes; the stamp of the first one goes along. What decides about an environment, a
//! repository or a digest lands only where the record that it comes from knows the last thing that was said about it
//! there: order is by sequence, and nothing can be put before what is there. Two pages are in memory at a time.

use super::lines::{LineError, Lines};
use crate::seam::{PAGE, Question, Record, RecordError, RecordPlaceName};
use crate::verdict::{Explain, Verdict};
use ::record::claim::{CLAIMS_AT_ONCE_MAX, Claim, Kind};
use ::record::event::{EventError, canonical_claim};
use ::record::{Event, Expect, Facet, Landed, Moving, Sequenced, Take, scope};
use domain::{Digest, EventId};
use std::collections::HashMap;
use std::io::BufRead;

/// The most problems that are listed; all of them are counted.
pub const PROBLEMS_SHOWN_MAX: usize = 1_000;
/// The most bytes of events that are sent at once. Source: the server takes twice as much in one body.
const PIECE_BYTES_MAX: usize = 8 << 20;

/// Where events come from.
pub enum Source<'a> {
    /// Another record.
    Record(&'a dyn Record),
    /// JSON lines.
    Lines(Box<dyn BufRead + Send>),
}

/// What a move did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Events that were read.
    pub read: u64,
    /// Events that were added.
    pub new: u64,
    /// Events whose claim was there.
    pub known: u64,
    /// Events that stay with their registry, by kind.
    pub stays: Vec<(Kind, u64)>,
    /// How many could not land.
    pub refused: u64,
    /// Those, the first [`PROBLEMS_SHOWN_MAX`].
    pub problems: Vec<Problem>,
}

/// One event that could not land.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its name where it comes from.
    pub event: EventId,
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: String,
    /// Why.
    pub landed: Landed,
}

/// Why nothing more was moved. What was moved before stays; to do it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of the records.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The lines.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// An event that no record can take.
    #[error("an event cannot be moved")]
    Event(#[from] EventError),
    /// Rows are left out for this token.
    #[error("{place} does not show this token everything: a part of a record is not moved")]
    Partial {
        /// Where.
        place: String,
    },
}

impl Explain for MoveError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Record(error) | Self::Lines(LineError::Record(error)) => error.verdict(),
            Self::Lines(_) | Self::Event(_) | Self::Partial { .. } => Verdict::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Record(RecordError::Denied { .. }) => Some(
                "only an administrator moves a record into a server: \
                 indelible token create NAME --right admin --repository '**' --registry HOST"
                    .to_owned(),
            ),
            Self::Record(error) | Self::Lines(LineError::Record(error)) => error.hint(),
            Self::Partial { .. } => Some("use a token with the right `admin` for `**`".to_owned()),
            Self::Lines(_) | Self::Event(_) => None,
        }
    }
}

/// The newest claim about each thing that order matters for, in the record that events go into.
struct Newest {
    claims: HashMap<(Facet, String), Digest>,
    until: Option<EventId>,
}

/// Moves every event of a source into a record.
///
/// # Errors
/// One of the two cannot be used, or shows only a part of itself.
pub async fn move_record(
    source: Source<'_>,
    into: &dyn Record,
    take: Take,
) -> Result<Moved, MoveError> {
    whole(into)?;
    let mut newest = newest(into).await?;
    let mut pages = Pages::open(source).await?;
    let mut moved = Moved::default();
    while let Some(piece) = pages.piece().await? {
        let mut moving = Vec::with_capacity(piece.len());
        for event in piece {
            let expect = newest.expect(&event.claim)?;
            moving.push(Moving { event, expect });
        }
        let landed = into.import(moving.clone(), newest.until, take).await?;
        for (one, landed) in moving.iter().zip(landed) {
            moved.count(&one.event, landed);
        }
    }
    Ok(moved)
}

/// Nothing is concluded from a record that shows only a part of itself.
fn whole(record: &dyn Record) -> Result<(), MoveError> {
    match record.left_out() {
        None => Ok(()),
        Some(_) => Err(MoveError::Partial { place: record.place().place }),
    }
}

async fn newest(into: &dyn Record) -> Result<Newest, MoveError> {
    let mut newest = Newest { claims: HashMap::new(), until: None };
    let kinds = [Kind::Deploy, Kind::Allow, Kind::Hold, Kind::Build, Kind::Block, Kind::TagChange];
    let question = Question::of(kinds);
    let mut last: Option<Sequenced> = None;
    if !into.exists().await? {
        return Ok(newest);
    }
    loop {
        let page = into.events(&question, last.as_ref()).await?;
        for event in &page {
            if let Some(scope) = scope(&event.event.claim) {
                newest.claims.insert(scope, claim_digest(&event.event.claim)?);
            }
        }
        let is_last = page.len() < PAGE;
        last = page.into_iter().next_back().or(last);
        if is_last {
            newest.until = last.map(|last| last.event.stamp.id);
            return Ok(newest);
        }
    }
}

fn claim_digest(claim: &Claim) -> Result<Digest, EventError> {
    Ok(Digest::sha256(canonical_claim(claim)?.as_bytes()))
}

impl Newest {
    /// Until the newest claim about the same has come by, everything lies before it.
    fn expect(&mut self, claim: &Claim) -> Result<Expect, EventError> {
        let Some(scope) = scope(claim) else { return Ok(Expect::Either) };
        let Some(newest) = self.claims.get(&scope) else { return Ok(Expect::Either) };
        if *newest == claim_digest(claim)? {
            self.claims.remove(&scope);
        }
        Ok(Expect::Known)
    }
}

/// A source, in pieces that go in one request.
enum Pages<'a> {
    Record {
        record: &'a dyn Record,
        page: std::vec::IntoIter<Sequenced>,
        last: Option<Box<Sequenced>>,
        is_last: bool,
    },
    Lines(Lines),
}

impl<'a> Pages<'a> {
    async fn open(source: Source<'a>) -> Result<Self, MoveError> {
        match source {
            Source::Lines(from) => Ok(Self::Lines(Lines::new(from))),
            Source::Record(record) => {
                whole(record)?;
                if !record.exists().await? {
                    let at: RecordPlaceName = record.place();
                    return Err(RecordError::Missing { at }.into());
                }
                let page = Vec::new().into_iter();
                Ok(Self::Record { record, page, last: None, is_last: false })
            }
        }
    }

    async fn piece(&mut self) -> Result<Option<Vec<Event>>, MoveError> {
        let (mut piece, mut bytes) = (Vec::new(), 0);
        while piece.len() < CLAIMS_AT_ONCE_MAX && bytes < PIECE_BYTES_MAX {
            let Some(event) = self.next().await? else { break };
            bytes += event.to_bytes()?.len();
            piece.push(event);
        }
        Ok((!piece.is_empty()).then_some(piece))
    }

    async fn next(&mut self) -> Result<Option<Event>, MoveError> {
        match self {
            Self::Lines(lines) => Ok(lines.next_event()?),
            Self::Record { record, page, last, is_last } => {
                if page.len() == 0 && !*is_last {
                    let events = record.events(&Question::default(), last.as_deref()).await?;
                    *is_last = events.len() < PAGE;
                    *last = events.last().cloned().map(Box::new).or(last.take());
                    *page = events.into_iter();
                }
                Ok(page.next().map(|event| event.event))
            }
        }
    }
}

impl Moved {
    fn count(&mut self, event: &Event, landed: Landed) {
        self.read += 1;
        let kind = event.claim.kind();
        match landed {
            Landed::New { .. } => self.new += 1,
            Landed::Known { .. } => self.known += 1,
            Landed::Stays => match self.stays.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => self.stays.push((kind, 1)),
            },
            landed @ (Landed::Other { .. } | Landed::Reserved { .. } | Landed::Behind) => {
                self.refused += 1;
                if self.problems.len() < PROBLEMS_SHOWN_MAX {
                    let (event, key) = (event.stamp.id, event.claim.key().to_string());
                    self.problems.push(Problem { event, kind, key, landed });
                }
            }
        }
    }
}

//! Aliases: decided by the record's sequence or the commits' ancestry, moved by comparing.

use super::PublishError;
use crate::app::App;
use crate::registries::{AliasMove, Registries};
use crate::seam::{Question, all};
use ::record::claim::Kind;
use ::record::{Facet, Sequenced};
use domain::{CommitId, Digest, Repository, Tag, TagClass};
use git::Ancestry;
use release::alias::{AliasTold, order_of};
use release::{AliasStep, Order, decide_alias};

/// What was done with an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasDone {
    /// The alias.
    pub alias: Tag,
    /// What happened.
    pub moved: Moved,
}

/// What happened to an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It named nothing before.
    Created,
    /// It named these bytes already.
    Same,
    /// It named others before.
    From(Digest),
}

/// The build that comes: not recorded yet, but its tags may be reserved.
pub(super) struct Coming<'a> {
    pub(super) digest: Digest,
    pub(super) tags: &'a [Tag],
    pub(super) commit: Option<&'a CommitId>,
    pub(super) place: PlaceInRecord,
}

/// Which place in the record's sequence a build has that nothing was recorded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaceInRecord {
    /// None: its tags were named, and nothing is reserved for it.
    None,
    /// The next one: its tags are about to be reserved.
    Next,
}

/// An alias, and what is to be done with it.
pub(super) struct Planned {
    pub(super) alias: Tag,
    pub(super) step: AliasStep,
}

/// Refuses what our registry would burn, before a name is kept or a byte moves.
pub(super) async fn check_rules(
    registries: &Registries,
    repository: &Repository,
    aliases: &[Tag],
) -> Result<(), PublishError> {
    for alias in aliases {
        if registries.class_of(repository, alias).await? == Some(TagClass::Immutable) {
            return Err(PublishError::NoRule {
                repository: repository.clone(),
                tag: alias.clone(),
            });
        }
    }
    Ok(())
}

/// Decides about every alias before any of them moves; [`check_rules`] was asked before.
pub(super) async fn plan(
    app: &App,
    registries: &Registries,
    repository: &Repository,
    aliases: &[Tag],
    new: &Coming<'_>,
    told: AliasTold,
) -> Result<Vec<Planned>, PublishError> {
    let mut planned = Vec::new();
    for alias in aliases {
        let there = registries.resolve(repository, alias).await?;
        let order = match there {
            Some(there) if there != new.digest => order(app, repository, there, new).await?,
            Some(_) | None => Order::CannotTell,
        };
        let step = decide_alias(alias, there, new.digest, order, told)?;
        planned.push(Planned { alias: alias.clone(), step });
    }
    Ok(planned)
}

impl Planned {
    /// What carrying it out will have done, where nobody else moves the alias meanwhile.
    pub(super) fn foreseen(&self) -> AliasDone {
        let moved = match self.step {
            AliasStep::Same => Moved::Same,
            AliasStep::Create => Moved::Created,
            AliasStep::Move { from } => Moved::From(from),
        };
        AliasDone { alias: self.alias.clone(), moved }
    }
}

/// Moves one alias as it was planned; somebody else's move meanwhile is an error, not overwritten.
pub(super) async fn carry_out(
    registries: &Registries,
    repository: &Repository,
    planned: &Planned,
    new: Digest,
) -> Result<AliasDone, PublishError> {
    let from = match planned.step {
        AliasStep::Same => return Ok(planned.foreseen()),
        AliasStep::Create => None,
        AliasStep::Move { from } => Some(from),
    };
    match registries.move_alias(repository, &planned.alias, from, new).await? {
        AliasMove::Moved => Ok(planned.foreseen()),
        AliasMove::Same => Ok(AliasDone { alias: planned.alias.clone(), moved: Moved::Same }),
        AliasMove::Stale { found } => Err(PublishError::Stale {
            repository: repository.clone(),
            alias: planned.alias.clone(),
            found: found.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string()),
        }),
    }
}

/// Which of two builds is the older: by the record's sequence, else by their commits.
async fn order(
    app: &App,
    repository: &Repository,
    there: Digest,
    new: &Coming<'_>,
) -> Result<Order, PublishError> {
    let question =
        Question::of([Kind::Build, Kind::Reservation]).about(Facet::Repository, repository);
    let events = all(app.record().await?, &question).await?;
    let next = || match new.place {
        PlaceInRecord::None => None,
        // Whatever is recorded until then is older.
        PlaceInRecord::Next => Some(u64::MAX),
    };
    let known = sequence(&events, new.digest).or_else(|| reserved(&events, new.tags));
    let new_seq = known.or_else(next);
    let new_commit = commit(&events, new.digest).or_else(|| new.commit.cloned());
    let ancestry = match (commit(&events, there), new_commit) {
        (Some(old), Some(new)) => by_commits(app, &old, &new).await?,
        (_, _) => None,
    };
    Ok(order_of(sequence(&events, there), new_seq, || ancestry))
}

/// The place of a release: its first reservation's, else its first build's.
fn sequence(events: &[Sequenced], digest: Digest) -> Option<u64> {
    let mut builds =
        events.iter().filter_map(|event| Some((event.seq, event.event.claim.as_build()?)));
    let (first, build) = builds.find(|(_, build)| build.digest == digest)?;
    Some(reserved(events, &build.tags).map_or(first, |seq| seq.min(first)))
}

/// The first reservation of one of the tags.
fn reserved(events: &[Sequenced], tags: &[Tag]) -> Option<u64> {
    let is_one = |event: &&Sequenced| {
        let claim = event.event.claim.as_reservation();
        claim.is_some_and(|claim| tags.contains(&claim.tag))
    };
    events.iter().find(is_one).map(|event| event.seq)
}

fn commit(events: &[Sequenced], digest: Digest) -> Option<CommitId> {
    let builds = events.iter().rev().filter_map(|event| event.event.claim.as_build());
    let mut own = builds.filter(|build| build.digest == digest);
    own.find_map(|build| Some(build.source.as_ref()?.commit.clone()))
}

async fn by_commits(
    app: &App,
    old: &CommitId,
    new: &CommitId,
) -> Result<Option<Order>, PublishError> {
    let open = crate::app::OpenError::from;
    let Some(checkout) = app.checkout().await.map_err(open)? else {
        return Ok(None);
    };
    if checkout.is_ancestor(old, new).await.map_err(open)? == Ancestry::Yes && old != new {
        return Ok(Some(Order::Newer));
    }
    let is_back =
        checkout.is_ancestor(new, old).await.map_err(open)? == Ancestry::Yes && old != new;
    Ok(is_back.then_some(Order::Older))
}

//! What a tag named, and when: from the registry that holds it, else from what we saw ourselves.

use super::AskError;
use crate::app::App;
use crate::registries::{Registries, RegistryError};
use crate::seam::{Question, all};
use ::record::claim::{Kind, TagChange, TagChangeClaim, Witness};
use ::record::{Answer, Basis, Facet, Gap, Precision, Span, Stamp};
use domain::{Actor, Digest, Repository, Tag, Timestamp};
use oci::history::{HistoryChange, HistoryEntry};

/// The most lines that are asked of a registry for one answer; what is older is a gap.
pub const HISTORY_ROWS_MAX: usize = 100_000;

/// One line of a tag's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagHistoryRow {
    /// When.
    pub at: Timestamp,
    /// Which tag.
    pub tag: Tag,
    /// `created`, `moved`, `deleted`, `restored` or `unlocked`.
    pub change: &'static str,
    /// What it named before.
    pub from: Option<Digest>,
    /// What it names since.
    pub to: Option<Digest>,
    /// Until when an unlocked tag could be moved.
    pub until: Option<Timestamp>,
    /// Who, where that is told.
    pub actor: Option<Actor>,
    /// Why, where somebody said it.
    pub reason: Option<String>,
    /// `registry`: the one that holds the tag; `observer`: somebody who wrote to it.
    pub witness: &'static str,
}

/// The history of a tag, or of all tags of a repository that there ever were, newest first.
///
/// Our own registry tells all of it. Of others only what we did ourselves is known, and the answer says so.
///
/// # Errors
/// The registry refuses or cannot be reached, or the record cannot be read.
pub async fn tag_history(
    app: &App,
    repository: &Repository,
    tag: Option<&Tag>,
    span: &Span,
) -> Result<Answer<TagHistoryRow>, AskError> {
    let registries = Registries::of(app)?;
    let mut answer = match told(&registries, repository, tag).await? {
        Some(answer) => answer,
        None => observed(app, repository, tag).await?,
    };
    answer.items.retain(|row| span.holds(row.at));
    Ok(answer)
}

/// What our registry tells, page by page; `None` where the registry is none of ours.
pub(super) async fn told(
    registries: &Registries,
    repository: &Repository,
    tag: Option<&Tag>,
) -> Result<Option<Answer<TagHistoryRow>>, RegistryError> {
    let api = registries.api(repository.host()).await?;
    let mut items: Vec<TagHistoryRow> = Vec::new();
    let mut gaps = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = api.history(repository.path(), tag, cursor.as_deref()).await?;
        let Some(page) = page else {
            return Ok(None);
        };
        items.extend(page.items.into_iter().map(|one| of_registry(one.tag, one.entry)));
        let Some(next) = page.next.filter(|next| cursor.as_ref() != Some(next)) else {
            break;
        };
        if items.len() >= HISTORY_ROWS_MAX {
            let until = items.last().map(|row| row.at);
            let why = format!("only the newest {} changes were asked for", items.len());
            gaps.push(Gap { from: None, until, why });
            break;
        }
        cursor = Some(next);
    }
    Ok(Some(Answer { basis: Basis::Observed, precision: Precision::Exact, gaps, items }))
}

fn of_registry(tag: Tag, entry: HistoryEntry) -> TagHistoryRow {
    let (change, from, to, until) = match entry.change {
        HistoryChange::Created { digest } => ("created", None, Some(digest), None),
        HistoryChange::Moved { from, digest } => ("moved", Some(from), Some(digest), None),
        HistoryChange::Deleted { from } => ("deleted", Some(from), None, None),
        HistoryChange::Restored { from, digest } => ("restored", Some(from), Some(digest), None),
        HistoryChange::Unlocked { until } => ("unlocked", None, None, Some(until)),
    };
    TagHistoryRow {
        at: entry.at,
        tag,
        change,
        from,
        to,
        until,
        actor: entry.actor,
        reason: entry.reason,
        witness: "registry",
    }
}

async fn observed(
    app: &App,
    repository: &Repository,
    tag: Option<&Tag>,
) -> Result<Answer<TagHistoryRow>, AskError> {
    let mut question = Question::of([Kind::TagChange]).about(Facet::Repository, repository);
    if let Some(tag) = tag {
        question = question.about(Facet::Tag, tag);
    }
    let events = all(app.record_to_read().await?, &question).await?;
    let row = |event: &::record::Sequenced| {
        let claim = event.event.claim.as_tag_change()?;
        Some(of_record(&event.event.stamp, claim))
    };
    let items = events.iter().rev().filter_map(row).collect();
    let why = format!(
        "{} keeps no history that it tells: only our own changes are known",
        repository.host()
    );
    let gaps = vec![Gap { from: None, until: None, why }];
    Ok(Answer { basis: Basis::Observed, precision: Precision::Bounded, gaps, items })
}

fn of_record(stamp: &Stamp, claim: &TagChangeClaim) -> TagHistoryRow {
    let change = match &claim.change {
        TagChange::Created { .. } => "created",
        TagChange::Moved { .. } => "moved",
        TagChange::Deleted { .. } => "deleted",
        TagChange::Restored { .. } => "restored",
    };
    TagHistoryRow {
        at: stamp.at,
        tag: claim.tag.clone(),
        change,
        from: claim.change.named().copied(),
        to: claim.change.names().copied(),
        until: None,
        actor: Some(stamp.actor.clone()),
        reason: claim.reason.as_ref().map(ToString::to_string),
        witness: match claim.witness {
            Witness::Registry => "registry",
            Witness::Observer => "observer",
        },
    }
}

//! What a tag named, and when: from the registry that holds it, else from what we saw ourselves.

use super::AskError;
use crate::app::App;
use crate::registries::Registries;
use crate::seam::{Question, all};
use ::record::claim::{Kind, TagChange, TagChangeClaim, Witness};
use ::record::{Answer, Basis, Facet, Gap, Precision};
use domain::{Digest, Repository, Tag, Timestamp};
use oci::history::{HistoryChange, HistoryEntry};

/// One change of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagHistoryRow {
    /// When.
    pub at: Timestamp,
    /// Which tag.
    pub tag: Tag,
    /// `created`, `moved`, `deleted` or `restored`.
    pub change: &'static str,
    /// What it named before.
    pub from: Option<Digest>,
    /// What it names since.
    pub to: Option<Digest>,
    /// Who, where that is told.
    pub actor: Option<String>,
    /// Why, where somebody said it.
    pub reason: Option<String>,
    /// `registry`: the one that holds the tag; `observer`: somebody who wrote to it.
    pub witness: &'static str,
}

/// The changes, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagHistory {
    /// The answer.
    pub answer: Answer<TagHistoryRow>,
}

/// The history of a tag, or of all tags of a repository, newest first.
///
/// Our own registry tells all of it. Of others only what we did ourselves is known, and the answer says so.
///
/// # Errors
/// The registry refuses or cannot be reached, or the record cannot be read.
pub async fn tag_history(
    app: &App,
    repository: &Repository,
    tag: Option<&Tag>,
) -> Result<TagHistory, AskError> {
    let registries = Registries::of(app)?;
    let tags: Vec<Tag> = match tag {
        Some(tag) => vec![tag.clone()],
        None => registries.tags(repository).await?.into_iter().collect(),
    };
    let mut items = Vec::new();
    let mut is_ours = !tags.is_empty();
    for tag in &tags {
        match told(&registries, repository, tag).await? {
            Some(rows) => items.extend(rows),
            None => {
                is_ours = false;
                break;
            }
        }
    }
    if !is_ours {
        return observed(app, repository, tag).await;
    }
    items.sort_by_key(|row| std::cmp::Reverse(row.at));
    let gaps = Vec::new();
    Ok(TagHistory {
        answer: Answer { basis: Basis::Observed, precision: Precision::Exact, gaps, items },
    })
}

/// Every page of what our registry tells; `None` where the registry is none of ours.
pub(super) async fn told(
    registries: &Registries,
    repository: &Repository,
    tag: &Tag,
) -> Result<Option<Vec<TagHistoryRow>>, AskError> {
    let api = registries.api(repository.host()).await?;
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = api.tag_history(repository.path(), tag, cursor.as_deref()).await;
        let Some(page) = page.map_err(crate::registries::RegistryError::from)? else {
            return Ok(None);
        };
        let next = page.history.last().map(|entry| entry.cursor.clone());
        let is_last = page.history.len() < oci::limit::PAGE_ENTRIES_MAX || next == cursor;
        rows.extend(page.history.into_iter().map(|entry| of_registry(tag, entry)));
        if is_last {
            return Ok(Some(rows));
        }
        cursor = next;
    }
}

fn of_registry(tag: &Tag, entry: HistoryEntry) -> TagHistoryRow {
    let (change, from, to) = match entry.change {
        HistoryChange::Created { digest } => ("created", None, Some(digest)),
        HistoryChange::Moved { from, digest } => ("moved", Some(from), Some(digest)),
        HistoryChange::Deleted { from } => ("deleted", Some(from), None),
        HistoryChange::Restored { from, digest } => ("restored", Some(from), Some(digest)),
    };
    TagHistoryRow {
        at: entry.at,
        tag: tag.clone(),
        change,
        from,
        to,
        actor: entry.actor.map(|actor| actor.to_string()),
        reason: entry.reason,
        witness: "registry",
    }
}

async fn observed(
    app: &App,
    repository: &Repository,
    tag: Option<&Tag>,
) -> Result<TagHistory, AskError> {
    let mut question = Question::of([Kind::TagChange]).about(Facet::Repository, repository);
    if let Some(tag) = tag {
        question = question.about(Facet::Tag, tag);
    }
    let events = all(app.record().await?, &question).await?;
    let row = |event: &::record::Sequenced| {
        let claim = event.event.claim.as_tag_change()?;
        Some(of_record(event.event.at(), event.event.stamp.actor.to_string(), claim))
    };
    let items = events.iter().rev().filter_map(row).collect();
    let why = format!(
        "{} keeps no history that it tells: only our own changes are known",
        repository.host()
    );
    let gaps = vec![Gap { from: None, until: None, why }];
    Ok(TagHistory {
        answer: Answer { basis: Basis::Observed, precision: Precision::Bounded, gaps, items },
    })
}

fn of_record(at: Timestamp, actor: String, claim: &TagChangeClaim) -> TagHistoryRow {
    let change = match &claim.change {
        TagChange::Created { .. } => "created",
        TagChange::Moved { .. } => "moved",
        TagChange::Deleted { .. } => "deleted",
        TagChange::Restored { .. } => "restored",
    };
    TagHistoryRow {
        at,
        tag: claim.tag.clone(),
        change,
        from: claim.change.named().copied(),
        to: claim.change.names().copied(),
        actor: Some(actor),
        reason: claim.reason.as_ref().map(ToString::to_string),
        witness: match claim.witness {
            Witness::Registry => "registry",
            Witness::Observer => "observer",
        },
    }
}

//! What a tag named, and when: from the registry that holds it, else from what we saw ourselves.

use super::AskError;
use crate::app::App;
use crate::registries::{Registries, RegistryError};
use crate::seam::{Question, all};
use ::record::claim::{Kind, TagChange, TagChangeClaim, Witness};
use ::record::{Answer, Basis, Facet, Gap, Precision, Span, Stamp};
use domain::{Actor, Digest, Repository, Tag, Timestamp};
use oci::history::{HistoryChange, HistoryEntry, TagEntry};
use std::collections::BTreeSet;
use vendors::indelible::TagHistory as Page;

/// The most lines that are asked of a registry for one answer; what is older is a gap.
pub const HISTORY_ROWS_MAX: usize = 100_000;
/// The most pages that are asked for: a registry may send short ones, and must not send empty ones for ever.
pub const HISTORY_PAGES_MAX: usize = 1_000;

/// The answer, and how much there was to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagHistory {
    /// The changes in the time that was asked about, newest first.
    pub answer: Answer<TagHistoryRow>,
    /// How many changes are known at all.
    pub known: usize,
}

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
) -> Result<TagHistory, AskError> {
    let registries = Registries::of(app)?;
    let mut answer = match told(&registries, repository, tag).await? {
        Some(answer) => answer,
        None => observed(app, repository, tag).await?,
    };
    let known = answer.items.len();
    answer.items.retain(|row| span.holds(row.at));
    Ok(TagHistory { answer, known })
}

/// What our registry tells, page by page; `None` where the registry is none of ours.
pub(super) async fn told(
    registries: &Registries,
    repository: &Repository,
    tag: Option<&Tag>,
) -> Result<Option<Answer<TagHistoryRow>>, RegistryError> {
    // It is nobody's of ours, and a stranger gets no credential on a path that it never asked for.
    if repository.host().is_docker_hub() {
        return Ok(None);
    }
    let api = registries.api(repository.host()).await?;
    let page =
        async |after: Option<String>| api.history(repository.path(), tag, after.as_deref()).await;
    let Some((entries, gap)) = pages(page).await? else {
        return Ok(None);
    };
    let items = entries.into_iter().map(|one| of_registry(one.tag, one.entry)).collect();
    let gaps = gap.into_iter().collect();
    Ok(Some(Answer { basis: Basis::Observed, precision: Precision::Exact, gaps, items }))
}

/// Reads page after page up to the limits; where it stops before the end is a gap.
async fn pages<E>(
    page: impl AsyncFn(Option<String>) -> Result<Option<Page>, E>,
) -> Result<Option<(Vec<TagEntry>, Option<Gap>)>, E> {
    let mut entries: Vec<TagEntry> = Vec::new();
    let mut cursors = BTreeSet::new();
    let mut cursor: Option<String> = None;
    for _ in 0..HISTORY_PAGES_MAX {
        let Some(page) = page(cursor.take()).await? else {
            return Ok(None);
        };
        entries.extend(page.items);
        let Some(next) = page.next else {
            return Ok(Some((entries, None)));
        };
        if !cursors.insert(next.clone()) {
            let why = "the registry's history leads to itself: there may be older changes";
            return Ok(Some(cut(entries, why.to_owned())));
        }
        if entries.len() >= HISTORY_ROWS_MAX {
            let why = format!("only the newest {} changes were asked for", entries.len());
            return Ok(Some(cut(entries, why)));
        }
        cursor = Some(next);
    }
    let why = format!("only {HISTORY_PAGES_MAX} pages of the registry's history were asked for");
    Ok(Some(cut(entries, why)))
}

fn cut(entries: Vec<TagEntry>, why: String) -> (Vec<TagEntry>, Option<Gap>) {
    let until = entries.last().map(|entry| entry.entry.at);
    (entries, Some(Gap { from: None, until, why }))
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
        at: stamp.happened(),
        tag: claim.tag.clone(),
        change,
        from: claim.change.named().copied(),
        to: claim.change.names().copied(),
        until: None,
        actor: Some(stamp.who().clone()),
        reason: claim.reason.as_ref().map(ToString::to_string),
        witness: match claim.witness {
            Witness::Registry => "registry",
            Witness::Observer => "observer",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::convert::Infallible;

    fn entry() -> TagEntry {
        let change = HistoryChange::Created { digest: Digest::sha256(b"a") };
        let at = "2026-03-17T14:00:00Z".parse().unwrap();
        let cursor = String::new();
        let entry = HistoryEntry { cursor, at, change, actor: None, reason: None };
        TagEntry { tag: "prod".parse().unwrap(), entry }
    }

    /// What is read of a registry that gives these rows a page, and this cursor for the next.
    async fn read(
        rows: usize,
        next: impl Fn(usize) -> Option<String>,
    ) -> (usize, usize, Option<String>) {
        let asked = Cell::new(0);
        let page = async |_: Option<String>| {
            asked.set(asked.get() + 1);
            Ok::<_, Infallible>(Some(Page { items: vec![entry(); rows], next: next(asked.get()) }))
        };
        let (entries, gap) = pages(page).await.unwrap().unwrap();
        (asked.get(), entries.len(), gap.map(|gap| gap.why))
    }

    #[tokio::test]
    async fn a_registry_whose_pages_never_end_is_asked_a_thousand_times_and_that_is_a_gap() {
        let (asked, rows, gap) = read(0, |nth| Some(nth.to_string())).await;
        assert_eq!((asked, rows), (HISTORY_PAGES_MAX, 0));
        assert!(gap.unwrap().contains("1000 pages"));
        // The last page that is asked for may be the last that there is.
        let to_the_limit = |nth: usize| (nth < HISTORY_PAGES_MAX).then(|| nth.to_string());
        assert_eq!(read(1, to_the_limit).await, (HISTORY_PAGES_MAX, HISTORY_PAGES_MAX, None));
    }

    #[tokio::test]
    async fn pages_that_lead_to_each_other_are_left_and_that_is_a_gap() {
        let (asked, _, gap) = read(0, |nth| Some((nth % 2).to_string())).await;
        assert_eq!(asked, 3, "two cursors, and the first again");
        assert!(gap.unwrap().contains("leads to itself"));
    }

    #[tokio::test]
    async fn above_the_limit_of_rows_the_newest_are_told_and_a_gap() {
        let (asked, rows, gap) = read(1_000, |nth| Some(nth.to_string())).await;
        assert_eq!((asked, rows), (100, HISTORY_ROWS_MAX));
        assert!(gap.unwrap().contains("100000 changes"));
        let (_, rows, gap) = read(1_000, |nth| (nth < 100).then(|| nth.to_string())).await;
        assert_eq!((rows, gap), (HISTORY_ROWS_MAX, None));
    }
}

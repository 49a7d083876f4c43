//! What registries tell about tags while one question is answered: each is asked once, and who is silent is a gap.

use super::tags::{TagHistoryRow, told};
use crate::app::App;
use crate::registries::{Registries, RegistryError};
use ::record::Gap;
use domain::{Digest, RegistryHost, Repository, Tag};
use std::collections::{BTreeMap, BTreeSet};
use vendors::ApiError;

/// The answers of registries to one question.
pub(super) struct Told<'a> {
    app: &'a App,
    known: BTreeMap<(Repository, Tag), Vec<TagHistoryRow>>,
    /// Hosts that tell nothing, whatever they are asked.
    silent: BTreeSet<RegistryHost>,
    /// Hosts and repositories of which nothing was told.
    untold: BTreeSet<String>,
    gaps: Vec<Gap>,
}

impl<'a> Told<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Self {
            app,
            known: BTreeMap::new(),
            silent: BTreeSet::new(),
            untold: BTreeSet::new(),
            gaps: Vec::new(),
        }
    }

    /// The history of a tag, newest first; empty where nothing is told.
    pub(super) async fn rows(&mut self, repository: &Repository, tag: &Tag) -> &[TagHistoryRow] {
        let asked = (repository.clone(), tag.clone());
        if !self.known.contains_key(&asked) {
            let rows = self.ask(repository, tag).await;
            self.known.insert(asked.clone(), rows);
        }
        self.known.get(&asked).map_or(&[], Vec::as_slice)
    }

    async fn ask(&mut self, repository: &Repository, tag: &Tag) -> Vec<TagHistoryRow> {
        let host = repository.host();
        if self.silent.contains(host) {
            return Vec::new();
        }
        let answered = match Registries::of(self.app) {
            Ok(registries) => told(&registries, repository, Some(tag)).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(Some(answer)) => {
                let of_tag =
                    |gap: Gap| Gap { why: format!("{repository}:{tag}: {}", gap.why), ..gap };
                self.gaps.extend(answer.gaps.into_iter().map(of_tag));
                answer.items
            }
            // It speaks our language, and refuses this repository: it may tell of another.
            Err(RegistryError::Api(ApiError::Refused { .. })) => {
                self.untold.insert(repository.to_string());
                Vec::new()
            }
            Ok(None) | Err(_) => {
                self.silent.insert(host.clone());
                self.untold.insert(host.to_string());
                Vec::new()
            }
        }
    }

    /// Notes something else that the answer does not cover.
    pub(super) fn miss(&mut self, why: String) {
        self.gaps.push(Gap { from: None, until: None, why });
    }

    /// Who told nothing.
    pub(super) fn untold(&self) -> Vec<String> {
        self.untold.iter().cloned().collect()
    }

    /// What the registries did not tell.
    pub(super) fn into_gaps(mut self) -> Vec<Gap> {
        if !self.untold.is_empty() {
            self.miss(format!("{} told no history of its tags", self.untold().join(", ")));
        }
        self.gaps
    }
}

/// What a tag names now, by its history, newest first; `None` where it was deleted or never made.
pub(super) fn current(rows: &[TagHistoryRow]) -> Option<Digest> {
    // An unlock changes nothing of what a tag names.
    rows.iter().find(|row| row.until.is_none())?.to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(change: &'static str, to: Option<Digest>) -> TagHistoryRow {
        let at = "2026-03-17T14:00:00Z".parse().unwrap();
        TagHistoryRow {
            at,
            tag: "prod".parse().unwrap(),
            change,
            from: None,
            to,
            until: (change == "unlocked").then_some(at),
            actor: None,
            reason: None,
            witness: "registry",
        }
    }

    #[test]
    fn a_tag_names_what_its_newest_change_left() {
        let (a, b) = (Digest::sha256(b"a"), Digest::sha256(b"b"));
        let rows = [row("unlocked", None), row("moved", Some(a)), row("created", Some(b))];
        assert_eq!(current(&rows), Some(a));
        assert_eq!(current(&[row("deleted", None), row("created", Some(b))]), None);
        assert_eq!(current(&[]), None);
    }
}

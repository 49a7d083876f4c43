//! What other clusters of the record run under the names that a watched one uses.
//!
//! ```text
//! here shop/api:prod; the record has prod-us too, watched until now  ->  its open runs of shop/api:prod
//! ```
//! Only clusters whose containers name tags ask at all, and no more often than a change between clusters matters.

use super::stretches;
use crate::seam::{Record, RecordError};
use ::record::claim::{ClusterId, Reported};
use ::record::{RunQuestion, RunState, Watched};
use domain::{Repository, Tag, Timestamp};
use release::observed::Elsewhere;
use std::collections::{BTreeMap, BTreeSet};

/// How long what was read of other clusters is good for: a rollout between clusters has ten minutes.
const READ_AGAIN_MS: i64 = 60_000;
/// The most containers of one other cluster that are looked through; what a larger one runs is not known.
const RUNS_LOOKED_THROUGH_MAX: usize = 50_000;

/// The other clusters of the record.
pub(super) struct Neighbours {
    own: ClusterId,
    elsewhere: Elsewhere,
    asked: BTreeSet<(Repository, Tag)>,
    read_at: Option<Timestamp>,
}

impl Neighbours {
    pub(super) fn of(own: ClusterId) -> Self {
        let (elsewhere, asked) = (Elsewhere::default(), BTreeSet::new());
        Self { own, elsewhere, asked, read_at: None }
    }

    /// What was read last.
    pub(super) fn elsewhere(&self) -> &Elsewhere {
        &self.elsewhere
    }

    /// Reads what they run under these names, where that is not known yet or may have changed.
    pub(super) async fn read(
        &mut self,
        record: &dyn Record,
        names: &BTreeSet<(Repository, Tag)>,
        now: Timestamp,
    ) -> Result<(), RecordError> {
        let is_due = self.read_at.is_none_or(|at| at.plus_millis(READ_AGAIN_MS) <= now);
        if !is_due && self.asked == *names {
            return Ok(());
        }
        let mut elsewhere = Elsewhere::default();
        if !names.is_empty() {
            for (cluster, (name, state)) in clusters(&stretches(record, None).await?, now) {
                if cluster == self.own {
                    continue;
                }
                match state {
                    State::Live => look(record, (&cluster, &name), names, &mut elsewhere).await?,
                    State::Silent => elsewhere.silent(),
                }
            }
        }
        (self.elsewhere, self.asked, self.read_at) = (elsewhere, names.clone(), Some(now));
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Silent,
}

/// Each cluster once, with what it was called last, and whether anybody watches it now.
fn clusters(all: &[Watched], now: Timestamp) -> BTreeMap<ClusterId, (Reported, State)> {
    let mut clusters = BTreeMap::new();
    for one in all {
        let known =
            clusters.entry(one.cluster.clone()).or_insert((one.name.clone(), State::Silent));
        known.0 = one.name.clone();
        if one.is_live(now) {
            known.1 = State::Live;
        }
    }
    clusters
}

async fn look(
    record: &dyn Record,
    (cluster, name): (&ClusterId, &Reported),
    names: &BTreeSet<(Repository, Tag)>,
    elsewhere: &mut Elsewhere,
) -> Result<(), RecordError> {
    let state = RunState::Open;
    let question = RunQuestion { cluster: Some(cluster.clone()), state, ..RunQuestion::default() };
    let (mut after, mut looked) = (None, 0);
    loop {
        let page = record.runs(&question, after).await?;
        looked += page.runs.len();
        page.runs.iter().for_each(|run| elsewhere.take(name, run, names));
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
        if looked >= RUNS_LOOKED_THROUGH_MAX {
            elsewhere.silent();
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record_local::LocalRecord;
    use crate::surroundings::Surroundings;
    use ::record::claim::WatchChange;
    use ::record::fuzz::story::Story;
    use ::record::watched;
    use domain::{Actor, Digest, Proof};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn moment(text: &str) -> Timestamp {
        format!("2026-03-17T{text}:00Z").parse().unwrap()
    }

    /// A record of the story in a file.
    async fn record(folder: &std::path::Path, story: &Story) -> LocalRecord {
        let now = moment("14:50");
        let counter = AtomicU64::new(1);
        let surroundings = Surroundings {
            cwd: folder.to_owned(),
            variables: BTreeMap::new(),
            clock: Arc::new(move || now),
            entropy: Arc::new(move || u128::from(counter.fetch_add(1, Ordering::Relaxed))),
        };
        let actor = Actor::new("watcher", Proof::Token).unwrap();
        let record = LocalRecord::at(folder.join("record.db"), "file", actor, surroundings);
        let claims = story.events().iter().map(|event| event.event.claim.clone()).collect();
        record.append(claims).await.unwrap();
        record
    }

    #[tokio::test]
    async fn what_runs_in_another_cluster_under_a_name_of_ours_is_read_from_the_record() {
        let mut story = Story::new();
        let watch = story.watch_began(moment("14:00"));
        story.run_began("api", moment("14:10"));
        story.run_began("web", moment("14:10"));
        story.watch_says(watch, moment("14:49"), WatchChange::Alive);
        let folder = tempfile::tempdir().unwrap();
        let record = record(folder.path(), &story).await;
        let id = |text: &str| ClusterId::try_from(text.to_owned()).unwrap();
        let name = ("registry.example.com/shop/api".parse().unwrap(), "uat".parse().unwrap());
        let names = BTreeSet::from([name]);
        let digests = |neighbours: &Neighbours| {
            neighbours.elsewhere().sources().map(|(digest, _)| digest).collect::<Vec<_>>()
        };
        let mut other = Neighbours::of(id("cluster-2"));
        other.read(&record, &names, moment("14:50")).await.unwrap();
        assert_eq!(digests(&other), [Digest::sha256(b"api")], "web has another name");
        other.read(&record, &BTreeSet::new(), moment("14:50")).await.unwrap();
        assert_eq!(digests(&other), [], "nothing here can move");
        let mut same = Neighbours::of(id("cluster-1"));
        same.read(&record, &names, moment("14:50")).await.unwrap();
        assert_eq!(digests(&same), [], "it is no neighbour of its own");
        // Without a sign of life nobody knows what runs there.
        other.read(&record, &names, moment("18:00")).await.unwrap();
        assert_eq!(digests(&other), []);
    }

    #[test]
    fn a_cluster_is_live_while_anybody_watches_it_and_silent_afterwards() {
        let at = |text: &str| format!("2026-03-17T{text}:00Z").parse::<Timestamp>().unwrap();
        let mut story = Story::new();
        let first = story.watch_began(at("14:00"));
        let why = Reported::of("stopped");
        story.watch_says(first, at("14:30"), WatchChange::Ended { why });
        let state = |story: &Story, now: &str| {
            let all = clusters(&watched(story.events()), at(now));
            all.values().map(|(name, state)| (name.to_string(), *state)).collect::<Vec<_>>()
        };
        assert_eq!(state(&story, "14:31"), [("prod-eu".to_owned(), State::Silent)]);
        story.watch_began(at("14:30"));
        assert_eq!(state(&story, "14:31"), [("prod-eu".to_owned(), State::Live)]);
        assert_eq!(
            state(&story, "15:00"),
            [("prod-eu".to_owned(), State::Silent)],
            "no sign of life"
        );
    }
}

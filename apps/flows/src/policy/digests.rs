//! Which digests an environment's list has: what may come there, and what runs there already.
//!
//! ```text
//! built A, B · promoted C · blocked B · deployed D by another tool · seen to run E
//!   -> A built   C promoted   D runs   E runs
//! ```
//! What runs is in the list whatever speaks against it: a pod that moves to another node must start again.

use crate::app::App;
use crate::ask::running_in;
use crate::seam::{Record, RecordError, environment_state};
use crate::settings::EnvironmentSettings;
use ::record::{EligibleBecause, EnvironmentState, Gap, Run};
use domain::{Digest, EventId, ImageRef};
use release::policy::Listed;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;

/// A list, and what is to be said about it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) listed: BTreeMap<Digest, BTreeSet<Listed>>,
    pub(super) left_out: usize,
    pub(super) gaps: Vec<Gap>,
    pub(super) blocked_and_runs: Vec<Digest>,
    pub(super) unpinned: BTreeSet<String>,
}

/// Gathers the list of an environment.
pub(super) async fn found(
    app: &App,
    record: &dyn Record,
    environment: &EnvironmentSettings,
    newest: Option<NonZeroUsize>,
) -> Result<Found, RecordError> {
    let state = environment_state(record, &environment.name).await?;
    let mut jobs = Jobs::default();
    let (mut runs, gaps) = running_in(app, record, environment, |run| jobs.add(run)).await?;
    runs.extend(jobs.last());
    Ok(Found { gaps, ..gather(&state, runs, newest) })
}

fn gather(
    state: &EnvironmentState,
    runs: impl IntoIterator<Item = Run>,
    newest: Option<NonZeroUsize>,
) -> Found {
    let (listed, left_out) = eligible(state, newest);
    let mut found = Found { listed, left_out, ..Found::default() };
    let mut running = deployed(state);
    for run in runs {
        match run.began.reference.as_str().parse::<ImageRef>() {
            // A pod is made again by what its spec says, not by what its kubelet reports.
            Ok(ImageRef::Pinned(pinned)) => running.extend([pinned.digest]),
            Ok(ImageRef::Tagged(_) | ImageRef::Bare(_)) | Err(_) => {
                found.unpinned.insert(run.began.reference.as_str().to_owned());
            }
        }
        running.extend(run.digest);
    }
    for digest in running {
        found.listed.entry(digest).or_default().insert(Listed::Runs);
        if state.blocked(&digest).is_some() {
            found.blocked_and_runs.push(digest);
        }
    }
    found
}

/// What may come there and is not forbidden, the newest, and how many older ones there are.
fn eligible(
    state: &EnvironmentState,
    newest: Option<NonZeroUsize>,
) -> (BTreeMap<Digest, BTreeSet<Listed>>, usize) {
    let mut all: Vec<(EventId, Digest, BTreeSet<Listed>)> = Vec::new();
    for (digest, reasons) in state.all_eligible() {
        let last = reasons.iter().map(event).max();
        if let (Some(last), None) = (last, state.blocked(digest)) {
            all.push((last, *digest, reasons.iter().map(word).collect()));
        }
    }
    all.sort_unstable_by_key(|(last, digest, _)| std::cmp::Reverse((*last, *digest)));
    let kept = newest.map_or(all.len(), |newest| newest.get().min(all.len()));
    let left_out = all.len() - kept;
    let listed = all.into_iter().take(kept).map(|(_, digest, words)| (digest, words));
    (listed.collect(), left_out)
}

fn event(reason: &EligibleBecause) -> EventId {
    match reason {
        EligibleBecause::Built(event)
        | EligibleBecause::Promoted(event)
        | EligibleBecause::Allowed(event) => *event,
    }
}

fn word(reason: &EligibleBecause) -> Listed {
    match reason {
        EligibleBecause::Built(_) => Listed::Built,
        EligibleBecause::Promoted(_) => Listed::Promoted,
        EligibleBecause::Allowed(_) => Listed::Allowed,
    }
}

/// What was last brought to each image, and what a deploy tried to bring: pods of both may be there.
fn deployed(state: &EnvironmentState) -> BTreeSet<Digest> {
    let images = state.images().into_iter();
    images
        .flat_map(|image| [state.current(image), state.attempted(image)])
        .flatten()
        .map(|fact| fact.claim.to)
        .collect()
}

/// Of each job the last run: a job is over most of the time, and comes again.
#[derive(Default)]
struct Jobs {
    last: HashMap<(String, String), Run>,
}

impl Jobs {
    /// Takes in a run that is over; those of what does not come again are passed over.
    fn add(&mut self, run: Run) {
        let Some(job) = job(run.began.workload.as_str()) else { return };
        let of = (job.to_owned(), run.began.container.as_str().to_owned());
        if self.last.get(&of).is_none_or(|known| known.from() <= run.from()) {
            self.last.insert(of, run);
        }
    }

    fn last(self) -> impl Iterator<Item = Run> {
        self.last.into_values()
    }
}

/// The name of a job without the number of its turn.
fn job(workload: &str) -> Option<&str> {
    let name = workload.strip_prefix("job/").or_else(|| workload.strip_prefix("cronjob/"))?;
    Some(name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::record::claim::{
        AllowClaim, BlockClaim, ClaimKey, DeployKind, Moment, NamedBy, RunChange, Text,
    };
    use ::record::fuzz::story::Story;
    use ::record::{Claim, runs};

    fn key(text: &str) -> ClaimKey {
        ClaimKey::try_from(text.to_owned()).unwrap()
    }

    fn reason() -> Text {
        Text::try_from("incident 17".to_owned()).unwrap()
    }

    fn block(story: &mut Story, digest: Digest) {
        let key = key(&format!("block/{digest}"));
        story.say(Claim::Block(BlockClaim { key, digest, blocked: true, reason: reason() }));
    }

    fn words(found: &Found, digest: Digest) -> Vec<&'static str> {
        found.listed.get(&digest).into_iter().flatten().map(|why| why.word()).collect()
    }

    #[test]
    fn a_list_has_what_may_come_and_says_why() {
        let mut story = Story::new();
        let (built, promoted) = (story.build("api", "a", "prod"), story.build("api", "b", "uat"));
        let (allowed, foreign) = (story.build("api", "c", "uat"), story.build("api", "d", "uat"));
        let from = "uat".parse().unwrap();
        story.deploy("api", "prod", promoted, DeployKind::Promote { from }, NamedBy::Name);
        let environment = "prod".parse().unwrap();
        let key = key("allow/1");
        story.say(Claim::Allow(AllowClaim { key, digest: allowed, environment, reason: reason() }));
        let found = gather(&story.state("prod"), Vec::new(), None);
        assert_eq!(words(&found, built), ["built"]);
        assert_eq!(words(&found, promoted), ["promoted", "runs"]);
        assert_eq!(words(&found, allowed), ["allowed"]);
        assert!(words(&found, foreign).is_empty());
    }

    #[test]
    fn what_is_blocked_is_listed_only_while_it_runs_and_that_is_said() {
        let mut story = Story::new();
        let (idle, runs_there) = (story.build("api", "a", "prod"), story.build("api", "b", "prod"));
        story.deploy("api", "prod", runs_there, DeployKind::Deploy, NamedBy::Rule);
        block(&mut story, idle);
        block(&mut story, runs_there);
        let found = gather(&story.state("prod"), Vec::new(), None);
        assert!(words(&found, idle).is_empty());
        assert_eq!(words(&found, runs_there), ["runs"]);
        assert_eq!(found.blocked_and_runs, [runs_there]);
    }

    #[test]
    fn the_newest_are_kept_and_what_runs_is_kept_whatever_its_age() {
        let mut story = Story::new();
        let old = story.build("api", "a", "prod");
        story.deploy("api", "prod", old, DeployKind::Deploy, NamedBy::Rule);
        let (middle, new) = (story.build("api", "b", "prod"), story.build("api", "c", "prod"));
        let found = gather(&story.state("prod"), Vec::new(), NonZeroUsize::new(1));
        assert_eq!((words(&found, old), words(&found, new)), (vec!["runs"], vec!["built"]));
        assert!(words(&found, middle).is_empty());
        assert_eq!(found.left_out, 2);
    }

    #[test]
    fn what_was_seen_to_run_is_listed_and_an_unpinned_reference_is_named() {
        let mut story = Story::new();
        let at = "2026-03-17T14:40:00Z".parse().unwrap();
        let _runs = story.run_began("redis", at);
        let over = story.run_began("gone", at);
        let ended = Moment::Exact { at };
        story.run_says(over, RunChange::Ended { ended, exit_code: None, deleted: None }, at);
        let (mut open, over): (Vec<Run>, Vec<Run>) =
            runs(story.events()).into_iter().partition(|run| run.ended.is_none());
        let mut jobs = Jobs::default();
        over.into_iter().for_each(|run| jobs.add(run));
        open.extend(jobs.last());
        let found = gather(&story.state("prod"), open, None);
        assert_eq!(words(&found, Digest::sha256(b"redis")), ["runs"]);
        assert!(words(&found, Digest::sha256(b"gone")).is_empty());
        let unpinned: Vec<_> = found.unpinned.into_iter().collect();
        assert_eq!(unpinned, ["registry.example.com/shop/redis:uat"]);
    }

    #[test]
    fn of_a_job_that_is_over_the_last_run_is_kept_in_whatever_order_they_come() {
        let mut story = Story::new();
        let mut ids = Vec::new();
        for time in ["14:00", "15:00"] {
            let at = format!("2026-03-17T{time}:00Z").parse().unwrap();
            let run = story.run_began("report", at);
            let ended = Moment::Exact { at };
            story.run_says(run, RunChange::Ended { ended, exit_code: None, deleted: None }, at);
            ids.push(run);
        }
        let mut all = runs(story.events());
        for run in &mut all {
            run.began.workload = record::claim::Reported::of("job/report-29384");
        }
        for order in [[0, 1], [1, 0]] {
            let mut jobs = Jobs::default();
            order.into_iter().for_each(|at| jobs.add(all[at].clone()));
            assert_eq!(jobs.last().map(|run| run.id).collect::<Vec<_>>(), [ids[1]]);
        }
    }

    #[test]
    fn a_job_has_a_name_beside_its_turn() {
        assert_eq!(job("job/report-29384"), Some("report"));
        assert_eq!(job("job/migrate"), Some("migrate"));
        assert_eq!(job("deployment/api-2"), None);
    }
}
